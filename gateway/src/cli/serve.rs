//! `samtale serve`.

use std::sync::Arc;

use clap::Args;

use super::configuration::Settings;
use super::{DONE, Stop};
use crate::commands::CommandError;
use crate::config::Config;
use crate::running;

/// Run the server.
///
/// SIGTERM or SIGINT stops it gracefully: clients are told when to come back. A second signal stops it at once.
#[derive(Args)]
#[command(after_help = "Examples:
  samtale serve --data /var/lib/samtale --listen 0.0.0.0:8080
  samtale serve --config /etc/samtale.toml
  SAMTALE_LISTEN=[::]:8080 samtale serve --set limits.sessions=50000")]
pub(super) struct Serve {
    #[command(flatten)]
    settings: Settings,
    /// The address and port for HTTP and sockets; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
}

impl Serve {
    pub(super) fn settings(&self) -> Settings {
        Settings {
            listen: self.listen.clone(),
            ..self.settings.clone()
        }
    }

    pub(super) async fn run(self, config: Arc<Config>, stop: Stop) -> Result<u8, CommandError> {
        let server = running::open(&config).await?;
        running::serve(server, &config, stop.gracefully, async |address, _| {
            tracing::info!(%address, data = %config.data.display(), "serving");
            Ok(())
        })
        .await?;
        Ok(DONE)
    }
}
