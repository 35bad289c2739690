//! The command line's end: asks the server, or does it itself when none runs.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::{ANSWER_BYTES, Address, Line};
use crate::commands::{Command, CommandError, Commands, Progress};

/// How long a server may take from locking the data folder to its socket, or from closing the socket to unlocking.
const BETWEEN: Duration = Duration::from_secs(10);
/// The pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// No server runs in the data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoServer;

/// Has a command carried out: by the server of this data folder if one runs, otherwise by what `open` opens.
pub async fn run_command(
    data: &Path,
    command: Command,
    progress: &dyn Progress,
    open: impl AsyncFn() -> Result<Arc<dyn Commands>, CommandError>,
) -> Result<Value, CommandError> {
    let give_up = Instant::now() + BETWEEN;
    loop {
        match ask(data, &command, progress).await {
            Ok(outcome) => return outcome,
            Err(NoServer) => match open().await {
                Ok(commands) => return commands.run(command, progress).await,
                // Someone else may have the folder: a server that is just starting or stopping.
                Err(error) if Instant::now() >= give_up || !data.exists() => return Err(error),
                Err(_) => tokio::time::sleep(LOOK_AGAIN).await,
            },
        }
    }
}

/// Asks the server of this data folder.
pub async fn ask(
    data: &Path,
    command: &Command,
    progress: &dyn Progress,
) -> Result<Result<Value, CommandError>, NoServer> {
    let stream = match connect(data).await {
        Ok(stream) => stream,
        // Nobody has ever listened there, or whoever did has died.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            return Err(NoServer);
        }
        Err(error) => {
            return Ok(Err(CommandError::failed(format!(
                "the running server can not be asked: {error}"
            ))));
        }
    };
    Ok(converse(stream, command, progress).await)
}

async fn connect(data: &Path) -> io::Result<UnixStream> {
    let address = Address::in_folder(data)?;
    UnixStream::connect(&address.path).await
}

async fn converse(stream: UnixStream, command: &Command, progress: &dyn Progress) -> Result<Value, CommandError> {
    let lost = |error: io::Error| CommandError::failed(format!("the running server hung up: {error}"));
    let (reader, mut writer) = stream.into_split();
    let command = serde_json::to_vec(command).map_err(|error| CommandError::failed(error.to_string()))?;
    let mut command = Zeroizing::new(command);
    command.push(b'\n');
    writer.write_all(&command).await.map_err(lost)?;
    let mut reader = BufReader::new(reader.take(ANSWER_BYTES));
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).await.map_err(lost)? == 0 {
            let message = "the running server hung up before it answered: it stopped, is busy, or is not yours";
            return Err(CommandError::failed(message));
        }
        // A long answer must not use up what is left for the next line.
        reader.get_mut().set_limit(ANSWER_BYTES);
        match serde_json::from_slice(&line) {
            Ok(Line::Progress(line)) => progress.report(&line),
            Ok(Line::Done(value)) => return Ok(value),
            Ok(Line::Error(error)) => return Err(error),
            Err(_) => {
                return Err(CommandError::failed(
                    "the running server answers in a form that is not known here",
                ));
            }
        }
    }
}
