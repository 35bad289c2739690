//! Moves a closed embedded store to a database, row by row as it is stored: the bodies stay encrypted, and the key folder
//! stays the same. Write timestamps, versions and times of expiry go along.
//!
//! Where it was cut off it goes on: what was written is noted in a file in the data folder, and a row that is written twice
//! is the same row, because its timestamp is. At the end both sides are read whole and compared.

mod check;
mod progress;
mod target;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use samtale_protocol::time::Clock;
use thiserror::Error;
use tokio::task::JoinSet;

use self::check::Cut;
pub use self::check::{Difference, Side};
use self::progress::ProgressFile;
use self::target::Target;
use crate::cql::CqlOptions;
use crate::embedded::{EmbeddedEngine, EmbeddedOptions, Snapshot, StoredRow, folder};
use crate::engine::StorageError;

/// Rows that are read at a time, and after which the place is noted.
const CHUNK: usize = 1_000;
/// Rows that are on their way to the database at once.
const AT_ONCE: usize = 64;
/// How often a row is tried: a database under load answers late at times, and a row may be written twice.
const ATTEMPTS: u32 = 5;
/// The pause after the first failure; each further one is as much longer.
const PAUSE: Duration = Duration::from_millis(500);

/// What is moved.
#[derive(Clone, Debug)]
pub struct CopyOptions {
    /// The data folder, which no server uses.
    pub from: PathBuf,
    /// The database, with its tables.
    pub to: CqlOptions,
    /// Stop after about so many rows; the next run goes on.
    pub most_rows: Option<u64>,
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Copied {
    /// Everything is there, and both sides are equal.
    Whole {
        /// Rows that this run moved.
        moved: u64,
        /// What each table holds, on either side.
        tables: BTreeMap<&'static str, Side>,
    },
    /// It was stopped: another run goes on.
    Part {
        /// Rows that this run moved.
        moved: u64,
    },
}

/// Why rows were not moved.
#[derive(Debug, Error)]
pub enum CopyError {
    /// The folder holds no store.
    #[error("there is no data in {}", path.display())]
    NoData {
        /// The folder.
        path: PathBuf,
    },
    /// Rows of something else are there.
    #[error(
        "the database holds rows in {table} already, and none of this copy: choose another keyspace, or drop that one"
    )]
    NotEmpty {
        /// The table.
        table: &'static str,
    },
    /// After everything was written the sides are not equal.
    #[error("the sides differ: {}. The next run writes every row again", differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Differ {
        /// Where.
        differences: Vec<Difference>,
    },
    /// A row, or the file of the place, can not be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Who is told how far it is, and may stop it between two steps.
pub trait Watcher: Send + Sync {
    /// A line for the person who waits.
    fn report(&self, line: &str);

    /// Whether to stop now.
    fn stops(&self) -> bool;
}

/// Moves what is in a data folder to a database, from where the last run stopped.
///
/// # Errors
///
/// [`CopyError::NotEmpty`], [`CopyError::Differ`], and what either side says.
pub async fn copy(options: CopyOptions, clock: Arc<dyn Clock>, watcher: &dyn Watcher) -> Result<Copied, CopyError> {
    let CopyOptions { from, to, most_rows } = options;
    if folder::format_of(&from)?.is_none() {
        return Err(CopyError::NoData { path: from });
    }
    let (path, at) = (from.clone(), Arc::clone(&clock));
    let opening = blocking(move || EmbeddedEngine::open(&path, EmbeddedOptions::default(), at));
    let source = Arc::new(opening.await?.snapshot());
    let target = Arc::new(Target::open(&to, Arc::clone(&clock)).await?);
    let file = ProgressFile::of(&from, &to.keyspaces.plain);
    let mut place = match file.read()? {
        Some(place) => place,
        None => {
            if let Some(table) = target.first_with_rows().await? {
                return Err(CopyError::NotEmpty { table });
            }
            file.write(&[])?;
            Vec::new()
        }
    };
    let mut moved = 0;
    while let Some(chunk) = chunk_after(&source, place).await? {
        (moved, place) = (moved + chunk.rows.len() as u64, chunk.last);
        write(&target, chunk.rows).await?;
        file.write(&place)?;
        watcher.report(&format!("{moved} rows moved"));
        if watcher.stops() || most_rows.is_some_and(|most| moved >= most) {
            return Ok(Copied::Part { moved });
        }
    }
    let tables = check::compare(&source, &target, Cut::at(clock.now()), watcher).await?;
    let differences: Vec<Difference> = tables.iter().filter_map(check::Compared::difference).collect();
    if !differences.is_empty() {
        file.write(&[])?;
        return Err(CopyError::Differ { differences });
    }
    let tables = tables.into_iter().map(|table| (table.table, table.source)).collect();
    Ok(Copied::Whole { moved, tables })
}

/// Some rows, and the place of the last of them.
struct Chunk {
    rows: Vec<StoredRow>,
    last: Vec<u8>,
}

async fn chunk_after(source: &Arc<Snapshot>, place: Vec<u8>) -> Result<Option<Chunk>, StorageError> {
    let source = Arc::clone(source);
    blocking(move || {
        let rows = source.rows_after(&place, CHUNK)?;
        Ok(rows
            .last()
            .map(|row| row.place.clone())
            .map(|last| Chunk { rows, last }))
    })
    .await
}

async fn write(target: &Arc<Target>, rows: Vec<StoredRow>) -> Result<(), StorageError> {
    let mut writing = JoinSet::new();
    for row in rows {
        if writing.len() >= AT_ONCE {
            finished(writing.join_next().await)?;
        }
        let target = Arc::clone(target);
        writing.spawn(async move { write_row(&target, &row).await });
    }
    while !writing.is_empty() {
        finished(writing.join_next().await)?;
    }
    Ok(())
}

fn finished(written: Option<Result<Result<(), StorageError>, tokio::task::JoinError>>) -> Result<(), StorageError> {
    match written {
        None => Ok(()),
        Some(Ok(written)) => written,
        Some(Err(_)) => Err(stopping()),
    }
}

async fn write_row(target: &Target, row: &StoredRow) -> Result<(), StorageError> {
    let mut attempt = 1;
    loop {
        match target.put(row).await {
            Err(StorageError::Timeout { .. } | StorageError::Unavailable { .. }) if attempt < ATTEMPTS => {
                tokio::time::sleep(PAUSE * attempt).await;
                attempt += 1;
            }
            written => return written,
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(stopping()))
}

fn stopping() -> StorageError {
    StorageError::Unavailable {
        reason: "the runtime is stopping".to_owned(),
    }
}
