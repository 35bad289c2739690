//! The server that is measured: one of our own on a folder of its own, or one that somebody else started.

mod cpu;
mod demo;
mod school;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::certificate::Certificate;
use crate::clock;
use crate::cluster::{Cluster, GATEWAYS, Processes};
use crate::machine::resident_kib;
use crate::readers::{Kind, Target};
use crate::scrape::Counts;
use crate::sockets::is_local;
pub use cpu::CpuTime;

pub use demo::Login;
pub use school::{School, populate};

/// How long a server may take to open its store and listen.
const START: Duration = Duration::from_secs(60);
/// How long it may take to stop.
const STOP: Duration = Duration::from_secs(30);
/// The pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How long is waited for one that is busy.
const BUSY: Duration = Duration::from_secs(60);
/// One that uses less of a second than so many nanoseconds is at rest.
const AT_REST: u64 = 20_000_000;
/// Tokens outlast every run that ends by itself.
pub const TOKEN_LIFETIME: &str = "login.access_token_lifetime=4h";

/// Names the server's program, where it does not lie beside this one.
pub const PROGRAM: &str = "SAMTALE_BIN";

/// How many heaps the C library may have: two, as the files in `deploy` say, unless this program was told otherwise.
const HEAPS: &str = "MALLOC_ARENA_MAX";

/// What a server of our own is started with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// It speaks TLS, with a certificate made for the run.
    pub tls: bool,
    /// It counts, for [`Server::counts`].
    pub counts: bool,
}

/// A server under load.
pub struct Server {
    /// Where sessions are opened to.
    pub target: Target,
    /// Where it tells what it counts.
    metrics: Option<SocketAddr>,
    own: Option<Own>,
    /// The processes of a cluster, and the folder of its people's tokens.
    cluster: Option<(RefCell<Processes>, School)>,
}

/// A server that we started, and its folder.
struct Own {
    child: Child,
    school: School,
    cpu: RefCell<CpuTime>,
}

impl Server {
    /// Starts a server on a school.
    pub fn start(school: School, features: Features) -> Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let log = File::create(school.folder().join("server.log"))?;
        let mut serve = Command::new(program()?);
        // The server knows its own settings only, and would refuse this one.
        serve.env_remove(PROGRAM);
        if std::env::var_os(HEAPS).is_none() {
            serve.env(HEAPS, "2");
        }
        serve.args(["serve", "--set", TOKEN_LIFETIME, "--listen", &address.to_string()]);
        serve.arg("--data").arg(school.data());
        let certificate = features.tls.then(|| Certificate::make(school.folder())).transpose()?;
        if let Some(Certificate { certificate, key }) = &certificate {
            serve
                .arg("--set")
                .arg(format!("tls.certificate={}", certificate.display()));
            serve.arg("--set").arg(format!("tls.key={}", key.display()));
        }
        let metrics = features.counts.then(free_port).transpose()?;
        let metrics = metrics.map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        if let Some(metrics) = metrics {
            serve.arg("--set").arg(format!("metrics.listen={metrics}"));
        }
        let child = serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?;
        let target = Target {
            kind: Kind::Session,
            servers: vec![address],
            people: Some(school.people().to_path_buf()),
            certificate: certificate.map(|files| files.certificate),
        };
        let own = Own {
            child,
            school,
            cpu: RefCell::default(),
        };
        let mut server = Self {
            target,
            metrics,
            own: Some(own),
            cluster: None,
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
            target: Target {
                kind: Kind::Session,
                servers: vec![
                    address.with_context(|| format!("{url} is not in 127.0.0.0/8: load stays on this machine"))?,
                ],
                people: Some(people.to_path_buf()),
                certificate: None,
            },
            metrics: None,
            own: None,
            cluster: None,
        })
    }

    /// The gateways of a cluster that runs, to which a school of so many people is added.
    pub fn of_cluster(file: &Path, people: usize) -> Result<Self> {
        let cluster = Cluster::read(file)?;
        let (data, keys) = cluster.folders();
        let school = School::in_cluster(people, &data, &keys)?;
        Ok(Self {
            target: Target {
                kind: Kind::Session,
                servers: cluster.servers()?,
                people: Some(school.people().to_path_buf()),
                certificate: None,
            },
            metrics: None,
            own: None,
            cluster: Some((RefCell::new(cluster.processes()), school)),
        })
    }

    /// The file of its people.
    pub fn people(&self) -> &Path {
        self.target.people.as_deref().unwrap_or(Path::new(""))
    }

    /// The CPU that the server, or all gateways of a cluster have used, in nanoseconds; `None` of one that is not ours.
    pub fn cpu(&self) -> Result<Option<u64>> {
        if self.cluster.is_some() {
            return Ok(self.cpu_by_kind().get(GATEWAYS).copied());
        }
        let own = self.own.as_ref();
        own.map(|own| own.cpu.borrow_mut().of(own.child.id())).transpose()
    }

    /// The CPU that the processes of a cluster have used, by what they are.
    pub fn cpu_by_kind(&self) -> BTreeMap<&'static str, u64> {
        let cluster = self.cluster.as_ref();
        cluster.map_or_else(BTreeMap::new, |(processes, _)| processes.borrow_mut().cpu())
    }

    /// Waits until the server is at rest, for a minute at most: what a start leaves to be done, as when storage puts its tables
    /// in order, is not to be taken for the price of sessions.
    pub fn rest(&self) -> Result<()> {
        let deadline = clock::now() + clock::in_nanoseconds(BUSY);
        while clock::now() < deadline {
            let before = self.cpu()?;
            clock::wait(Duration::from_secs(1));
            let used = self
                .cpu()?
                .zip(before)
                .map(|(after, before)| after.saturating_sub(before));
            if used.is_none_or(|used| used < AT_REST) {
                break;
            }
        }
        Ok(())
    }

    /// Its process; `None` of one that is not ours.
    pub fn process(&self) -> Option<u32> {
        self.own.as_ref().map(|own| own.child.id())
    }

    /// The memory of the server that is resident, in KiB; `None` of one that is not ours.
    pub fn resident_kib(&self) -> Result<Option<u64>> {
        self.own.as_ref().map(|own| resident_kib(own.child.id())).transpose()
    }

    /// What it counts itself; `None` if it does not.
    pub fn counts(&self) -> Result<Option<Counts>> {
        self.metrics.map(Counts::read).transpose()
    }

    /// Stops it in good order, and leaves its school.
    pub fn stop(mut self) -> Result<School> {
        let mut own = self.own.take().context("the server is not ours to stop")?;
        own.end();
        Ok(own.school.clone())
    }

    fn listens(&mut self) -> Result<()> {
        let deadline = clock::now() + clock::in_nanoseconds(START);
        while TcpStream::connect(self.target.server(0)).is_err() {
            if let Some(own) = &mut self.own
                && let Some(ended) = own.child.try_wait()?
            {
                let log = std::fs::read_to_string(own.school.folder().join("server.log")).unwrap_or_default();
                bail!("the server ended with {ended}: {log}");
            }
            ensure!(clock::now() < deadline, "the server does not listen");
            clock::wait(LOOK_AGAIN);
        }
        Ok(())
    }
}

impl Own {
    fn end(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
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

impl Drop for Own {
    fn drop(&mut self) {
        self.end();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_elsewhere_is_refused() {
        assert!(Server::at("http://192.0.2.1:80", Some(Path::new("people"))).is_err());
        assert!(Server::at("http://127.0.0.1:80", None).is_err());
    }
}
