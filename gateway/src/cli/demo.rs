//! `samtale demo`.

use std::sync::Arc;

use clap::Args;

use super::Stop;
use super::configuration::Settings;
use crate::commands::CommandError;
use crate::config::Config;

/// Run a server with a made-up school, and say who can log in.
///
/// The school is made on the first run; the same data folder continues.
#[derive(Args)]
#[command(after_help = "Examples:
  samtale demo --data data
  samtale demo --data data --listen 127.0.0.1:0 --json")]
pub(super) struct Demo {
    #[command(flatten)]
    settings: Settings,
    /// The address and port for HTTP and sockets; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// When ready, print one line of JSON: {\"url\", \"logins\": [{\"role\", \"name\", \"username\", \"password\"}]}.
    #[arg(long)]
    json: bool,
}

impl Demo {
    pub(super) fn settings(&self) -> Settings {
        Settings {
            listen: self.listen.clone(),
            ..self.settings.clone()
        }
    }

    pub(super) async fn run(self, config: Arc<Config>, stop: Stop) -> Result<u8, CommandError> {
        let _ = (config, stop, self.json);
        Err(CommandError::failed("`demo` is not wired yet"))
    }
}
