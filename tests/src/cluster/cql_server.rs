//! The CQL server of a cluster: the one that `SAMTALE_CQL` names, or one of its own that can be stopped. One that the script
//! which runs the tests has started, and says the folder of in `SAMTALE_CQL_FOLDER`, may at least be paused.

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::process::stable_ports;

/// The ports that one server takes: for clients, and two for its peers.
const PORTS: u16 = 3;
/// It gives way to the gateways and to Redis, which elsewhere have machines of their own.
const NICENESS: &str = "10";

/// What `scripts/cql-server` ends with where a JDK or Maven is missing.
const MISSING: i32 = 3;

/// A CQL server.
pub enum CqlServer {
    /// Somebody else's: it is used, and left alone, unless it may be paused.
    Given(SocketAddr, Option<Pausable>),
    /// Started by us, in this folder. It is stopped when this is dropped.
    Own(OwnCqlServer),
}

/// A CQL server of ours.
pub struct OwnCqlServer {
    address: SocketAddr,
    process: Pausable,
}

/// The process of a CQL server, which may be paused. It goes on when this is dropped.
pub struct Pausable {
    folder: PathBuf,
}

/// The server that `SAMTALE_CQL` names.
pub fn given_cql() -> Result<Option<SocketAddr>> {
    let Ok(address) = std::env::var("SAMTALE_CQL") else {
        return Ok(None);
    };
    let mut found = address
        .to_socket_addrs()
        .with_context(|| format!("SAMTALE_CQL={address}"))?;
    Ok(Some(found.next().context("SAMTALE_CQL names no address")?))
}

impl CqlServer {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Given(address, _) => *address,
            Self::Own(own) => own.address,
        }
    }

    /// The server, if it is ours to stop.
    pub fn own(&self) -> Option<&OwnCqlServer> {
        match self {
            Self::Given(..) => None,
            Self::Own(own) => Some(own),
        }
    }

    /// Its process, if we may pause it.
    pub fn pausable(&self) -> Option<&Pausable> {
        match self {
            Self::Given(_, process) => process.as_ref(),
            Self::Own(own) => Some(&own.process),
        }
    }
}

impl Pausable {
    /// The process of the server that `SAMTALE_CQL` names, if `SAMTALE_CQL_FOLDER` says where its id is.
    pub fn given() -> Option<Self> {
        let folder = std::env::var_os("SAMTALE_CQL_FOLDER")?.into();
        Some(Self { folder })
    }

    /// It hangs, until [`Pausable::resume`].
    pub fn pause(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// It goes on.
    pub fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let id: i32 = std::fs::read_to_string(self.folder.join("pid"))?.trim().parse()?;
        Ok(kill_process(Pid::from_raw(id).context("no process id")?, signal)?)
    }
}

impl Drop for Pausable {
    fn drop(&mut self) {
        // One that has ended needs nothing.
        let _ = self.resume();
    }
}

impl OwnCqlServer {
    /// Starts one with its data in `folder`, which may be there already. `None` where there is no JDK or Maven.
    pub async fn start(folder: &Path) -> Result<Option<Self>> {
        std::fs::create_dir_all(folder)?;
        let folder = std::path::absolute(folder)?;
        // It knows itself by its address, so it keeps its ports.
        let kept = folder.join("ports");
        let port = match std::fs::read_to_string(&kept) {
            Ok(text) => text.trim().parse()?,
            Err(_) => stable_ports(PORTS)?,
        };
        std::fs::write(&kept, port.to_string())?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let process = Pausable { folder };
        let server = Self { address, process };
        Ok(server.run().await?.then_some(server))
    }

    /// Starts another node of the cluster that this one began, at another address of this machine, and waits until it
    /// has joined.
    pub async fn joined_by(&self, folder: &Path, address: Ipv4Addr) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let node = Self {
            address: SocketAddr::from((address, self.address.port())),
            process: Pausable {
                folder: std::path::absolute(folder)?,
            },
        };
        node.return_to_work().await?;
        Ok(node)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts it again, with its data.
    pub async fn return_to_work(&self) -> Result<()> {
        ensure!(self.run().await?, "the JDK is gone");
        Ok(())
    }

    async fn run(&self) -> Result<bool> {
        let mut command = tokio::process::Command::from(script()?);
        command
            .env("SAMTALE_CQL_NICE", NICENESS)
            .arg("start")
            .arg(&self.process.folder)
            .arg(self.address.port().to_string());
        if self.address.ip() != Ipv4Addr::LOCALHOST {
            command.arg(self.address.ip().to_string());
        }
        let status = command.stdout(Stdio::null()).status().await?;
        match status.code() {
            Some(0) => Ok(true),
            Some(MISSING) => Ok(false),
            _ => bail!(
                "the CQL server does not start, see {}",
                self.process.folder.join("server.log").display()
            ),
        }
    }

    /// Stops it in good order: what it acknowledged is on disk.
    pub async fn stop(&self) -> Result<()> {
        let mut command = tokio::process::Command::from(script()?);
        let status = command.arg("stop").arg(&self.process.folder).status().await?;
        ensure!(status.success(), "the CQL server does not stop");
        Ok(())
    }
}

impl Drop for OwnCqlServer {
    fn drop(&mut self) {
        // One that hangs would not hear the signal that ends it.
        let _ = self.process.resume();
        let stopped = script().and_then(|mut script| Ok(script.arg("stop").arg(&self.process.folder).status()?));
        if let Err(error) = stopped {
            eprintln!(
                "the CQL server in {} was not stopped: {error}",
                self.process.folder.display()
            );
        }
    }
}

/// `scripts/cql-server` of the tree that this was built in.
fn script() -> Result<Command> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no root")?;
    let mut command = Command::new(root.join("scripts/cql-server"));
    // As with every process of a cluster: a Ctrl-C on the terminal is not for it.
    command.process_group(0);
    Ok(command)
}

/// Whether one of our own can be started here without fetching it first.
pub fn can_be_had() -> Result<bool> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no root")?;
    let read = |path: &str| std::fs::read(root.join(path)).ok();
    Ok(read("target/cql/pom.xml").is_some() && read("target/cql/pom.xml") == read("scripts/cql/pom.xml"))
}
