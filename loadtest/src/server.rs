//! The server that is measured: one of our own on a folder of its own, or one that somebody else started.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::clock;
use crate::machine::kib_of;
use crate::sockets::is_local;

/// How long a server may take to open its store and listen.
const START: Duration = Duration::from_secs(30);
/// How long it may take to stop.
const STOP: Duration = Duration::from_secs(10);
/// The pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Tokens outlast every run that ends by itself.
const TOKEN_LIFETIME: &str = "login.access_token_lifetime=2h";

/// Names the server's program, where it does not lie beside this one.
const PROGRAM: &str = "SAMTALE_BIN";

/// A server under load.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// The file of its people.
    pub people: PathBuf,
    own: Option<Own>,
}

/// A server that we started, and its folder.
struct Own {
    child: Child,
    _folder: TempDir,
}

impl Server {
    /// Makes a school of this many people in a folder of its own, and starts a server on it.
    pub fn start(people: usize) -> Result<Self> {
        let program = program()?;
        let folder = tempfile::Builder::new().prefix("samtale-loadtest-").tempdir()?;
        let data = folder.path().join("data");
        let tokens = folder.path().join("people");
        let mut populate = Command::new(&program);
        // The server knows its own settings only, and would refuse this one.
        populate.env_remove(PROGRAM);
        populate.args(["populate", "--set", TOKEN_LIFETIME, "--people", &people.to_string()]);
        populate.arg("--data").arg(&data).arg("--tokens").arg(&tokens);
        let populated = populate.stdin(Stdio::null()).stdout(Stdio::null()).status();
        let populated = populated.with_context(|| format!("{} does not start", program.display()))?;
        ensure!(populated.success(), "`samtale populate` ended with {populated}");

        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let log = File::create(folder.path().join("server.log"))?;
        let mut serve = Command::new(&program);
        serve.env_remove(PROGRAM);
        serve.args(["serve", "--set", TOKEN_LIFETIME, "--listen", &address.to_string()]);
        serve.arg("--data").arg(&data);
        let child = serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?;
        let own = Own { child, _folder: folder };
        let mut server = Self {
            address,
            people: tokens,
            own: Some(own),
        };
        server.listens()?;
        Ok(server)
    }

    /// A server that is there already, with the file of its people. What it costs can not be seen from outside.
    pub fn at(url: &str, people: Option<&Path>) -> Result<Self> {
        let Some(people) = people else {
            bail!("--server needs --people FILE, written by `samtale populate --data DIR --people N --tokens FILE`");
        };
        let authority = url
            .strip_prefix("http://")
            .context("a server is http://127.0.0.1:PORT")?;
        let mut addresses = authority.trim_end_matches('/').to_socket_addrs()?;
        let address = addresses.find(|address| is_local(*address));
        Ok(Self {
            address: address.with_context(|| format!("{url} is not in 127.0.0.0/8: load stays on this machine"))?,
            people: people.to_path_buf(),
            own: None,
        })
    }

    /// The CPU that the server has used, in nanoseconds; `None` of one that is not ours.
    pub fn cpu(&self) -> Result<Option<u64>> {
        self.own.as_ref().map(|own| cpu_of(own.child.id())).transpose()
    }

    /// Its process; `None` of one that is not ours.
    pub fn process(&self) -> Option<u32> {
        self.own.as_ref().map(|own| own.child.id())
    }

    /// The memory of the server that is resident, in KiB; `None` of one that is not ours.
    pub fn resident_kib(&self) -> Result<Option<u64>> {
        let Some(own) = &self.own else { return Ok(None) };
        let status = std::fs::read_to_string(format!("/proc/{}/status", own.child.id()))?;
        kib_of("VmRSS:", &status)
            .map(Some)
            .context("the server's memory is not told")
    }

    fn listens(&mut self) -> Result<()> {
        let deadline = clock::now() + clock::in_nanoseconds(START);
        while TcpStream::connect(self.address).is_err() {
            if let Some(own) = &mut self.own
                && let Some(ended) = own.child.try_wait()?
            {
                bail!("the server ended with {ended}");
            }
            ensure!(clock::now() < deadline, "the server does not listen");
            clock::wait(LOOK_AGAIN);
        }
        Ok(())
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // In good order first, so that its folder is whole when it is removed; then whatever it takes.
        if let Some(server) = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
        {
            let _ = rustix::process::kill_process(server, rustix::process::Signal::TERM);
        }
        let deadline = clock::now() + clock::in_nanoseconds(STOP);
        while matches!(self.child.try_wait(), Ok(None)) && clock::now() < deadline {
            clock::wait(LOOK_AGAIN);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server's program: where `SAMTALE_BIN` says, or beside this one.
pub fn program() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(PROGRAM) {
        return Ok(path.into());
    }
    let path = std::env::current_exe()?.with_file_name("samtale");
    ensure!(
        path.exists(),
        "{} is not built: run `cargo build` (or `make build`) first",
        path.display()
    );
    Ok(path)
}

/// A port that nobody listens on.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The CPU time of all threads of a process. `/proc/PID/stat` tells it in hundredths of a second, too coarse for idle
/// sessions; the scheduler's own figures per thread are exact (proc(5), schedstat).
pub fn cpu_of(process: u32) -> Result<u64> {
    let mut total = 0;
    for task in std::fs::read_dir(format!("/proc/{process}/task"))? {
        // A thread may end while its list is read.
        let Ok(text) = std::fs::read_to_string(task?.path().join("schedstat")) else {
            continue;
        };
        let used = text
            .split_whitespace()
            .next()
            .and_then(|field| field.parse::<u64>().ok());
        total += used.context("the kernel keeps no scheduler figures")?;
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_uses_cpu_when_it_works() {
        let before = cpu_of(std::process::id()).unwrap();
        let worked = (0..3_000_000_u64).fold(0_u64, |sum, number| sum.wrapping_mul(31).wrapping_add(number));
        assert_ne!(worked, 1);
        assert!(cpu_of(std::process::id()).unwrap() > before);
    }

    #[test]
    fn a_server_elsewhere_is_refused() {
        assert!(Server::at("http://192.0.2.1:80", Some(Path::new("people"))).is_err());
        assert!(Server::at("http://127.0.0.1:80", None).is_err());
    }
}
