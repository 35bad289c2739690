//! How storage's errors look to a caller. The cause goes to the log once, here; the caller is told what it can do.

use std::time::Duration;

use samtale_protocol::{ErrorCode, Refusal};
use samtale_storage::StorageError;
use samtale_storage::engine::chain;
use tracing::{error, warn};

/// The refusal for a request that storage failed.
pub fn refuse_storage(error: &StorageError) -> Refusal {
    let retry = Duration::from_secs(1);
    match error {
        StorageError::Timeout { .. } | StorageError::Unavailable { .. } => {
            warn!(error = chain(error), "storage is not available");
            Refusal::new(ErrorCode::StorageUnavailable).after(retry)
        }
        StorageError::Full { .. } => {
            warn!(error = chain(error), "the disk is full");
            Refusal::new(ErrorCode::StorageFull).after(Duration::from_secs(30))
        }
        StorageError::KeysUnavailable { reason } => {
            warn!(error = chain(error), "keys are not available");
            Refusal::new(ErrorCode::KeysUnavailable)
                .detail(reason.clone())
                .after(Duration::from_secs(20))
        }
        StorageError::Unreadable { .. }
        | StorageError::NewerFormat { .. }
        | StorageError::Schema { .. }
        | StorageError::Io { .. }
        | StorageError::Embedded { .. } => {
            error!(error = chain(error), "storage failed");
            Refusal::new(ErrorCode::Internal)
        }
    }
}
