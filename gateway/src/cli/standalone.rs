//! Carries out commands when no server runs: opens the store of the data folder itself.

use std::sync::Arc;

use crate::commands::{CommandError, Commands};
use crate::config::Config;

/// Opens the data folder.
pub(super) async fn open(config: &Config) -> Result<Arc<dyn Commands>, CommandError> {
    if !config.data.is_dir() {
        return Err(CommandError::failed(format!(
            "there is no data folder at {}",
            config.data.display()
        )));
    }
    crate::running::commands(config).await
}
