//! What the database's errors mean to us: was it applied, and may it be tried again?

use scylla::errors::{DbError, ExecutionError, RequestAttemptError};

use crate::engine::{StorageError, chain};
use crate::schema::Table;

/// What is asked of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A read changes nothing, so its failure is never in doubt.
    Read,
    /// A write that no answer came to may have been applied, or may be yet.
    Write,
}

/// The error that a failed request is.
pub fn failure(asked: Asked, operation: &'static str, table: &'static Table, error: &ExecutionError) -> StorageError {
    if asked == Asked::Write && !was_surely_not_applied(error) {
        tracing::warn!(error = %chain(error), operation, table = table.name, "whether a write was applied is not known");
        return StorageError::Timeout {
            operation,
            table: table.name,
        };
    }
    StorageError::Unavailable {
        reason: format!("asked to {operation} {}: {}", table.name, chain(error)),
    }
}

/// Whether no replica has seen it. What is not on this list may have been applied.
fn was_surely_not_applied(error: &ExecutionError) -> bool {
    match error {
        ExecutionError::BadQuery(_)
        | ExecutionError::EmptyPlan
        | ExecutionError::PrepareError(_)
        | ExecutionError::ConnectionPoolError(_) => true,
        ExecutionError::LastAttemptError(RequestAttemptError::DbError(error, _)) => matches!(
            error,
            DbError::SyntaxError
                | DbError::Invalid
                | DbError::Unauthorized
                | DbError::ConfigError
                | DbError::Unavailable { .. }
                | DbError::IsBootstrapping
                | DbError::Unprepared { .. }
        ),
        ExecutionError::LastAttemptError(
            RequestAttemptError::SerializationError(_)
            | RequestAttemptError::CqlRequestSerialization(_)
            | RequestAttemptError::UnableToAllocStreamId,
        ) => true,
        _ => false,
    }
}
