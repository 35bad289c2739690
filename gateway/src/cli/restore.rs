//! `samtale restore`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::configuration::Settings;
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
        let _ = (config, self.from, self.json);
        Err(CommandError::failed("`restore` is not wired yet"))
    }
}
