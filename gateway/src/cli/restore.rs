//! `samtale restore`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use samtale_storage::backup::{BackupError, restore};
use samtale_storage::engine::chain;

use super::configuration::Settings;
use super::terminal;
use crate::commands::CommandError;
use crate::config::Config;

/// Read a backup into a data folder that is empty or not there yet.
#[derive(Args)]
#[command(after_help = "Examples:
  samtale restore --from /backup/samtale-monday --data /var/lib/samtale --keys /etc/samtale/keys")]
pub(super) struct Restore {
    #[command(flatten)]
    pub(super) settings: Settings,
    /// Where from.
    #[arg(long, value_name = "PATH")]
    from: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Restore {
    pub(super) async fn run(self, config: Arc<Config>) -> Result<u8, CommandError> {
        if config.cql.options().is_some() {
            return Err(CommandError::refused(
                "a backup is restored into a data folder, and these settings name a database: restore it without \
                 cql.nodes, then move it with `samtale copy`",
            ));
        }
        let restored = restore(&self.from, &config.data).await;
        let report = restored.map_err(|error| match error {
            BackupError::NotEmpty { .. } => CommandError::refused(chain(&error)),
            error => CommandError::failed(chain(&error)),
        })?;
        // A server of the restored data needs the keys it was written with; without them it says so at its start.
        if self.json {
            return Ok(terminal::print_json(
                &serde_json::json!({ "rows": report.rows, "tables": report.tables }),
            ));
        }
        Ok(terminal::print(&format!(
            "{} rows restored to {}",
            report.rows,
            config.data.display()
        )))
    }
}
