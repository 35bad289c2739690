//! Carries out commands when no server runs: opens the store itself.

use std::sync::Arc;

use crate::commands::{CommandError, Commands};
use crate::config::Config;

/// Opens the data folder.
pub(super) async fn open(config: &Config) -> Result<Arc<dyn Commands>, CommandError> {
    // Where the rows are in a database, the folder is only this process's own.
    if config.cql.options().is_none() && !config.data.is_dir() {
        return Err(CommandError::failed(format!(
            "there is no data folder at {}",
            config.data.display()
        )));
    }
    crate::running::commands(config).await
}
