//! A server in a process of its own, that can be killed.

use std::fs::{File, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};

/// Where ports that are kept over a restart come from: below those that systems hand out by themselves, or a connection
/// of somebody's might sit on one while its server is down, and beside those of `scripts/test`.
const STABLE_PORTS: std::ops::Range<u16> = 10_000..19_900;
/// Between two looks at whether a process has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A running process of ours. Dropped, it is killed.
pub struct ServerProcess {
    child: Child,
}

/// Waits until this program is told to end. Whoever is dropped then ends what they started, which a program that dies of
/// the signal does not.
pub async fn told_to_end() -> io::Result<()> {
    let (mut interrupted, mut terminated) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    Ok(())
}

/// The built server: beside the test, or where `SAMTALE_BIN` says.
pub fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("SAMTALE_BIN") {
        return Ok(path.into());
    }
    let program = std::env::current_exe()?;
    let folder = program.parent().context("the program lies in no folder")?;
    // Tests lie in a folder below the programs.
    let places = [Some(folder), folder.parent()];
    let found = places
        .into_iter()
        .flatten()
        .map(|folder| folder.join("samtale"))
        .find(|path| path.exists());
    found.with_context(|| {
        format!(
            "`samtale` is not built beside {}: run `cargo build` first, as `make test` does",
            program.display()
        )
    })
}

/// A port that is free now.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A port that is free now, and that no connection will take while its server is down for a moment.
pub fn stable_port() -> Result<u16> {
    stable_ports(1)
}

/// The first of so many ports in a row, all of them free.
pub fn stable_ports(count: u16) -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let room = STABLE_PORTS.end - STABLE_PORTS.start;
    // Two runs at once begin at different places.
    let start = u16::try_from(std::process::id() * 97 % u32::from(room))?;
    for _ in 0..room {
        let offset = NEXT.fetch_add(count, Ordering::Relaxed);
        let first = STABLE_PORTS.start + (start + offset % room) % room;
        let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if (first..first + count).all(is_free) {
            return Ok(first);
        }
    }
    bail!("no {count} free ports in a row in {STABLE_PORTS:?}")
}

/// A log file to go on with.
pub fn append_to(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.with_context(|| format!("{} can not be opened", path.display()))
}

impl ServerProcess {
    /// Starts a server on the folders that [`crate::node::Node`] uses.
    pub fn start(folder: &Path, port: u16) -> Result<Self> {
        let mut command = Command::new(binary()?);
        command
            .arg("serve")
            .arg("--data")
            .arg(folder.join("data"))
            .arg("--keys")
            .arg(folder.join("keys"))
            .args([
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--set",
                "limits.logins_per_account_per_minute=1000",
            ]);
        Self::run(command, &folder.join("server.log"))
    }

    /// Starts a program whose errors go to the end of `log`. Its output goes there too, unless the command says where.
    pub fn run(mut command: Command, log: &Path) -> Result<Self> {
        let (errors, program) = (append_to(log)?, command.get_program().to_owned());
        // A group of its own: a Ctrl-C on the terminal is for whoever started it, who then ends it in order.
        command.stdin(Stdio::null()).stderr(errors).process_group(0);
        let child = command.spawn();
        let child = child.with_context(|| format!("{} does not start", program.display()))?;
        Ok(Self { child })
    }

    /// Its number in the system.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it prints, if its command kept that.
    pub fn output(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Ends it with SIGKILL, as a power cut does to a process.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end in good order, with SIGTERM.
    pub fn terminate(&self) -> Result<()> {
        self.signal(Signal::TERM)
    }

    /// It hangs until [`ServerProcess::resume`], as on a machine that swaps.
    pub fn pause(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Goes on after [`ServerProcess::pause`].
    pub fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let id = Pid::from_raw(i32::try_from(self.child.id())?).context("no process id")?;
        kill_process(id, signal).with_context(|| format!("{signal:?} to {id:?}"))
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Waits until it has ended by itself; kills it if it takes longer, and says so.
    pub async fn ended_within(&mut self, patience: Duration) -> Result<()> {
        let deadline = Instant::now() + patience;
        while self.is_running()? {
            if Instant::now() > deadline {
                self.kill()?;
                bail!("process {} did not end within {patience:?}", self.id());
            }
            // tidy: waits because a process is looked at again and again, within a bound
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// What a server answers to `GET path`: the status. An error when nobody answers within a second.
pub async fn status_of(address: SocketAddr, path: &str, headers: &str) -> Result<u16> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n") {
            head.push(stream.read_u8().await?);
        }
        let line = String::from_utf8(head)?;
        let status = line.split(' ').nth(1).context("no status")?.trim().parse()?;
        anyhow::Ok(status)
    };
    tokio::time::timeout(Duration::from_secs(1), exchange)
        .await
        .context("no answer")?
}
