//! `import`: a roster from the disk into the school.

use std::path::PathBuf;

use samtale_school::import::{ImportError, ImportOptions, Report};
use samtale_school::roster::{self, OpenError, Reading};
use samtale_storage::engine::chain;
use serde_json::Value;

use super::{CommandError, Progress};
use crate::server::Office;

/// Imports the roster at `path`. What comes back is a [`Report`].
pub async fn run(
    office: &Office,
    path: PathBuf,
    options: ImportOptions,
    progress: &dyn Progress,
) -> Result<Value, CommandError> {
    progress.report("reading the roster");
    // Unpacking and reading keep a core busy for seconds: not on a thread that serves sockets.
    let read = tokio::task::spawn_blocking(move || roster::open(&path).map(|files| roster::read(&files))).await;
    let read = read.map_err(|error| CommandError::failed(format!("the roster could not be read: {error}")))?;
    let report = apply(office, &read.map_err(|error| not_opened(&error))?, options, progress).await?;
    let value = serde_json::to_value(&report).map_err(|error| CommandError::failed(error.to_string()))?;
    match report.refused {
        Some(reason) => Err(CommandError::refused(reason).report(value)),
        None => Ok(value),
    }
}

/// Imports a roster that was read.
pub async fn apply(
    office: &Office,
    reading: &Reading,
    options: ImportOptions,
    progress: &dyn Progress,
) -> Result<Report, CommandError> {
    let told = |line: &str| progress.report(line);
    let imported = office
        .school
        .import(reading, options, office.accounts.as_ref(), &told)
        .await;
    imported.map_err(|error: ImportError| CommandError::failed(chain(&error)))
}

fn not_opened(error: &OpenError) -> CommandError {
    let message = chain(error);
    match error {
        OpenError::Unreadable { .. } => CommandError::failed(message),
        _ => CommandError::refused(message),
    }
}
