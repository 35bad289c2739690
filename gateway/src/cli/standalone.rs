//! The server's parts for a command line: put together from the configuration, with what went wrong as a sentence.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use crate::commands::{Command, CommandError, Commands, OfficeCommands, Progress};
use crate::config::Config;
use crate::server::{Server, SystemClock};

/// Opens the data folder to carry out commands, when no server runs there.
pub(super) async fn open(config: &Config) -> Result<Arc<dyn Commands>, CommandError> {
    if !config.data.is_dir() {
        let message = format!("there is no data folder at {}", config.data.display());
        return Err(CommandError::failed(message));
    }
    // One shard: it serves nobody.
    let mut options = config.server_options();
    options.shards = 1;
    let server = Server::open(options, Arc::new(SystemClock))
        .await
        .map_err(|error| failed(&error))?;
    let commands = OfficeCommands::new(&server.office);
    Ok(Arc::new(Standalone {
        commands,
        _server: server,
    }))
}

/// Commands that keep the data folder open for as long as they live.
struct Standalone {
    commands: OfficeCommands,
    _server: Server,
}

#[async_trait]
impl Commands for Standalone {
    async fn run(&self, command: Command, progress: &dyn Progress) -> Result<Value, CommandError> {
        self.commands.run(command, progress).await
    }
}

/// An error with its causes, as one sentence.
pub(super) fn failed(error: &dyn Error) -> CommandError {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    CommandError::failed(message)
}
