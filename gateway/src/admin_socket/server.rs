//! The server's end: takes commands of its owner, and carries them out.

use std::fs::Permissions;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Address, COMMAND_BYTES, Line};
use crate::commands::{Command, CommandError, Commands, Progress};

/// Commands at once. An operator has two hands.
const AT_ONCE: usize = 8;
/// A command has arrived after this time.
const COMMAND_TIME: Duration = Duration::from_secs(10);
/// How long a command under way may take once the server stops.
const LAST_COMMANDS: Duration = Duration::from_secs(30);
/// Lines of progress that wait for a slow reader; beyond them lines are left out.
const PROGRESS_LINES: usize = 64;
/// The wait after an `accept` that failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The bound socket.
pub struct AdminSocket {
    listener: UnixListener,
    address: Address,
}

impl AdminSocket {
    /// Binds the socket in a data folder that this process has locked: a socket that is there is of a server that died.
    pub fn bind(data: &Path) -> io::Result<Self> {
        let address = Address::in_folder(data)?;
        match std::fs::remove_file(&address.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&address.path)?;
        // Whoever connected in between is still asked who they are.
        std::fs::set_permissions(&address.path, Permissions::from_mode(0o600))?;
        Ok(Self { listener, address })
    }

    /// Carries out commands until `shutdown`; lets those under way finish, within bounds.
    pub async fn serve(self, commands: Arc<dyn Commands>, shutdown: CancellationToken) {
        let tasks = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                // Dropped: the client hears that the server is busy by the end of the line.
                Ok(_) if tasks.len() >= AT_ONCE => {}
                Ok((stream, _)) => {
                    let commands = Arc::clone(&commands);
                    tasks.spawn(async move { serve_one(stream, commands).await });
                }
                Err(error) => {
                    tracing::warn!(%error, "a command could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        if let Err(error) = std::fs::remove_file(&self.address.path) {
            tracing::warn!(%error, "the socket for commands could not be removed");
        }
        tasks.close();
        if tokio::time::timeout(LAST_COMMANDS, tasks.wait()).await.is_err() {
            tracing::warn!(commands = tasks.len(), "commands were still under way and are cut off");
        }
    }
}

async fn serve_one(stream: UnixStream, commands: Arc<dyn Commands>) {
    if let Err(error) = is_owner(&stream) {
        tracing::warn!(%error, "someone who is not the owner asked for a command");
        return;
    }
    let (reader, mut writer) = stream.into_split();
    let mut line = Vec::new();
    let mut reader = BufReader::new(reader.take(COMMAND_BYTES));
    let read = tokio::time::timeout(COMMAND_TIME, reader.read_until(b'\n', &mut line)).await;
    let command = match read {
        Ok(Ok(1..)) => serde_json::from_slice::<Command>(&line),
        _ => return,
    };
    zeroize::Zeroize::zeroize(&mut line);
    let outcome = match command {
        Ok(command) => carry_out(command, commands.as_ref(), &mut writer).await,
        // The message of the parser may quote a password.
        Err(_) => Err(CommandError::refused(
            "the server does not know this command; are both of the same version?",
        )),
    };
    let answer = match outcome {
        Ok(value) => Line::Done(value),
        Err(error) => Line::Error(error),
    };
    write(&mut writer, &answer).await;
}

async fn carry_out(
    command: Command,
    commands: &dyn Commands,
    writer: &mut OwnedWriteHalf,
) -> Result<serde_json::Value, CommandError> {
    let (sender, mut lines) = mpsc::channel(PROGRESS_LINES);
    let progress = Lines(sender);
    let mut running = std::pin::pin!(commands.run(command, &progress));
    let mut is_read = true;
    // A client that hangs up, or stops reading, does not stop a command half-way.
    let outcome = loop {
        tokio::select! {
            biased;
            outcome = running.as_mut() => break outcome,
            Some(line) = lines.recv() => is_read = is_read && write(writer, &Line::Progress(line)).await,
        }
    };
    while let (true, Ok(line)) = (is_read, lines.try_recv()) {
        is_read = write(writer, &Line::Progress(line)).await;
    }
    outcome
}

/// Progress as lines for the client.
struct Lines(mpsc::Sender<String>);

impl Progress for Lines {
    fn report(&self, line: &str) {
        // Only the person who waits reads them: one line less does no harm.
        let _ = self.0.try_send(line.to_owned());
    }
}

/// Writes a line; whether the client still takes them.
async fn write(writer: &mut OwnedWriteHalf, line: &Line) -> bool {
    let written = match serde_json::to_vec(line) {
        Ok(mut bytes) => {
            bytes.push(b'\n');
            tokio::time::timeout(COMMAND_TIME, writer.write_all(&bytes)).await
        }
        Err(error) => Ok(Err(error.into())),
    };
    let is_read = matches!(written, Ok(Ok(())));
    if !is_read {
        tracing::debug!("a client no longer reads the answer to its command");
    }
    is_read
}

/// Whether the other end runs as our own user, or as root, who can do everything anyway.
fn is_owner(stream: &UnixStream) -> io::Result<()> {
    let peer = rustix::net::sockopt::socket_peercred(stream)?.uid;
    if peer == rustix::process::geteuid() || peer.is_root() {
        return Ok(());
    }
    Err(io::Error::new(
        ErrorKind::PermissionDenied,
        format!("user {} does not own this server", peer.as_raw()),
    ))
}
