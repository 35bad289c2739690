//! The other servers as processes: which there are, how each is started, what each costs.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::Speaks;
use crate::clock;
use crate::machine::kib_of;
use crate::server::free_port;

/// Where `scripts/peers` puts what it gets.
const FOLDER: &str = "target/peers";
/// How Centrifugo is set: no rights, as the other two have none.
const CENTRIFUGO: &str = include_str!("../../peers/centrifugo.json");
/// How long a server may take to listen.
const START: Duration = Duration::from_secs(20);
/// The pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A server that Samtale is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// tokio-tungstenite with its defaults.
    Tungstenite,
    /// The same with small buffers.
    TungsteniteTuned,
    /// Node's ws.
    Ws,
    /// Centrifugo.
    Centrifugo,
}

impl Peer {
    /// All of them, in the order of a round.
    pub const ALL: [Self; 4] = [Self::Tungstenite, Self::TungsteniteTuned, Self::Ws, Self::Centrifugo];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tungstenite => "tokio-tungstenite",
            Self::TungsteniteTuned => "tokio-tungstenite, tuned",
            Self::Ws => "Node ws",
            Self::Centrifugo => "Centrifugo",
        }
    }

    /// Its version, and how it is set.
    pub fn what(self) -> &'static str {
        match self {
            Self::Tungstenite => "0.30, defaults, a task and a channel per connection",
            Self::TungsteniteTuned => "0.30, read buffer of 1 KiB, no write buffer, socket not split",
            Self::Ws => "8.23, defaults, no compression; one thread",
            Self::Centrifugo => "6.9.1, defaults, JSON protocol, no rights asked",
        }
    }

    /// What it speaks.
    pub fn speaks(self) -> Speaks {
        match self {
            Self::Centrifugo => Speaks::Centrifugo,
            _ => Speaks::Broadcast,
        }
    }

    /// The command that starts it on a port, in a folder of its own; an error says why it can not be had.
    fn command(self, port: u16, folder: &Path) -> Result<Command> {
        let built = |path: PathBuf| {
            ensure!(path.exists(), "{} is not there: scripts/peers gets it", path.display());
            path.canonicalize().context("a path of this machine")
        };
        let port = port.to_string();
        Ok(match self {
            Self::Tungstenite | Self::TungsteniteTuned => {
                let program = std::env::current_exe()?.with_file_name("samtale-peer-tungstenite");
                let mut command = Command::new(built(program)?);
                command.arg(port);
                if self == Self::TungsteniteTuned {
                    command.arg("tuned");
                }
                command
            }
            Self::Ws => {
                built(Path::new(FOLDER).join("ws/node_modules/ws"))?;
                let mut command = Command::new("node");
                command.arg(built(Path::new(FOLDER).join("ws/server.js"))?).arg(port);
                command
            }
            Self::Centrifugo => {
                let config = folder.join("centrifugo.json");
                std::fs::write(&config, CENTRIFUGO)?;
                let mut command = Command::new(built(Path::new(FOLDER).join("centrifugo"))?);
                command.arg("--config").arg(config);
                command.env("CENTRIFUGO_HTTP_SERVER_PORT", port);
                command
            }
        })
    }
}

/// One that runs. It ends with this value.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Running {
    /// Starts it, and waits until it listens.
    pub fn start(peer: Peer) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("samtale-peer-").tempdir()?;
        let port = free_port()?;
        let mut command = peer.command(port, folder.path())?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command
            .spawn()
            .with_context(|| format!("{} does not start", peer.name()))?;
        let mut running = Self {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            child,
            _folder: folder,
        };
        let deadline = clock::now() + clock::in_nanoseconds(START);
        while TcpStream::connect(running.address).is_err() {
            if let Some(ended) = running.child.try_wait()? {
                bail!("{} ended with {ended}", peer.name());
            }
            ensure!(clock::now() < deadline, "{} does not listen", peer.name());
            clock::wait(LOOK_AGAIN);
        }
        Ok(running)
    }

    /// The process, to see what it costs.
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The memory of a process that is resident, in KiB.
pub fn resident_kib(process: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    kib_of("VmRSS:", &status).context("the memory of a process is not told")
}
