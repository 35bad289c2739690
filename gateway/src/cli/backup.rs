//! `samtale backup`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::configuration::Settings;
use super::{carry_out, terminal};
use crate::commands::{Command, CommandError};
use crate::config::Config;

/// Write a backup of the data, while the server runs.
///
/// The keys are not in it: keep the key folder apart, and keep it safe. Without it a backup can not be read.
#[derive(Args)]
#[command(after_help = "Examples:
  samtale backup --data /var/lib/samtale --to /backup/samtale-monday")]
pub(super) struct Backup {
    #[command(flatten)]
    pub(super) settings: Settings,
    /// Where to.
    #[arg(long, value_name = "PATH")]
    to: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Backup {
    pub(super) async fn run(self, config: Arc<Config>) -> Result<u8, CommandError> {
        let to = std::path::absolute(&self.to).map_err(|error| CommandError::refused(error.to_string()))?;
        let report = carry_out(config, Command::Backup { to: to.clone() }).await?;
        if self.json {
            return Ok(terminal::print_json(&report));
        }
        Ok(terminal::print(&format!("written to {}", to.display())))
    }
}
