//! The trait that every engine implements: small, because each engine must do all of it exactly.

use std::ops::Bound;

use async_trait::async_trait;
use samtale_protocol::Timestamp;
use thiserror::Error;

use crate::key::{Key, KeyValue};
use crate::schema::Table;

/// A row as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its place in the partition.
    pub clustering: Vec<KeyValue>,
    /// Its body; empty in a range if it can not be read, which no record's is.
    pub body: Vec<u8>,
    /// The timestamp it was written with, in microseconds; of a compare-and-set row its version.
    pub timestamp: u64,
}

/// What a write does to one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Puts a body there.
    Put {
        /// The body.
        body: Vec<u8>,
        /// When the row ceases to be, besides its table's lifetime.
        expires_at: Option<Timestamp>,
    },
    /// Deletes the row.
    Delete,
}

/// A change of one row. Of two changes the one with the higher timestamp holds, whatever their order of arrival; at the
/// same timestamp a deletion wins, then the larger body (as in CQL).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowChange {
    /// The row's place in the partition.
    pub clustering: Vec<KeyValue>,
    /// What happens to it.
    pub change: Change,
    /// Microseconds since 1970.
    pub timestamp: u64,
}

/// Changes of one partition of a plain table that are applied together or not at all.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The table.
    pub table: &'static Table,
    /// The partition.
    pub partition: Vec<KeyValue>,
    /// The changes.
    pub rows: Vec<RowChange>,
}

/// A range of a partition. A bound may name fewer columns than the clustering key has: an included bound then takes in
/// every row that begins with it, an excluded one none of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Range {
    /// Where it begins.
    pub from: Bound<Vec<KeyValue>>,
    /// Where it ends.
    pub to: Bound<Vec<KeyValue>>,
    /// From the last row to the first.
    pub descending: bool,
    /// At most this many rows.
    pub limit: usize,
}

impl Range {
    /// The first `limit` rows of the partition.
    pub const fn all(limit: usize) -> Self {
        Self {
            from: Bound::Unbounded,
            to: Bound::Unbounded,
            descending: false,
            limit,
        }
    }

    /// The rows that begin with these columns.
    pub fn prefix(prefix: Vec<KeyValue>, limit: usize) -> Self {
        Self {
            from: Bound::Included(prefix.clone()),
            to: Bound::Included(prefix),
            descending: false,
            limit,
        }
    }

    /// The rows after this one.
    #[must_use]
    pub fn after(mut self, clustering: Vec<KeyValue>) -> Self {
        self.from = Bound::Excluded(clustering);
        self
    }

    /// The rows before this one.
    #[must_use]
    pub fn before(mut self, clustering: Vec<KeyValue>) -> Self {
        self.to = Bound::Excluded(clustering);
        self
    }

    /// From the last row to the first.
    #[must_use]
    pub const fn descending(mut self) -> Self {
        self.descending = true;
        self
    }
}

/// Rows of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The rows, in the asked order.
    pub rows: Vec<Row>,
    /// Whether the limit cut the range short.
    pub more: bool,
}

/// What a compare-and-set came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// The row has the new body, and this version.
    Applied {
        /// The new version.
        version: u64,
    },
    /// The row had another version; nothing was changed.
    Conflict,
}

/// What went wrong in storage.
#[derive(Debug, Error)]
pub enum StorageError {
    /// Whether the write was applied is not known: repeat it, or read.
    #[error("storage did not answer in time while it was asked to {operation} {table}")]
    Timeout {
        /// What was asked.
        operation: &'static str,
        /// Of which table.
        table: &'static str,
    },
    /// The engine is shut down or can not be reached; nothing was applied.
    #[error("storage is not available: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
    /// There is no room for writes; nothing was applied. Reads go on.
    #[error("the disk is full: {free_bytes} bytes are free, {reserve_bytes} are kept in reserve")]
    Full {
        /// What is free.
        free_bytes: u64,
        /// What is kept in reserve.
        reserve_bytes: u64,
    },
    /// The custodian does not give the keys.
    #[error("the keys of this space are not available: {reason}")]
    KeysUnavailable {
        /// Why.
        reason: String,
    },
    /// A row can not be read: damaged, moved, or encrypted with keys that are destroyed.
    #[error("a row of {table} can not be read: {reason}")]
    Unreadable {
        /// Of which table.
        table: &'static str,
        /// Why.
        reason: String,
    },
    /// The data was written by a newer program.
    #[error("the data has format {found}, this program knows up to {known}: use a newer program")]
    NewerFormat {
        /// The format of the data.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// The tables in the database are not those of this program.
    #[error("the tables in the database do not fit this program: {reason}")]
    Schema {
        /// How, and what to do.
        reason: String,
    },
    /// The file system failed.
    #[error("{context}")]
    Io {
        /// What was being done.
        context: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// The embedded store failed.
    #[error("the embedded store failed while it was asked to {operation}")]
    Embedded {
        /// What was asked.
        operation: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// An error and what caused it, in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// An engine that keeps the tables.
///
/// A write that returned `Ok` survives whatever dies. One that returned [`StorageError::Timeout`] may have been applied,
/// or may be applied later; any other error means it was not.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// Reads one row.
    async fn get(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError>;

    /// Reads a range of one partition.
    async fn scan(&self, table: &'static Table, partition: &[KeyValue], range: &Range) -> Result<Page, StorageError>;

    /// Applies a batch to a plain table.
    async fn write(&self, batch: Batch) -> Result<(), StorageError>;

    /// Replaces a row of a compare-and-set table if its version is `expected`; `None` means that there is no such row.
    /// `body` of `None` deletes it.
    async fn compare_and_set(
        &self,
        table: &'static Table,
        key: &Key,
        expected: Option<u64>,
        body: Option<Vec<u8>>,
    ) -> Result<Compared, StorageError>;

    /// Reads a row of a compare-and-set table after every compare-and-set that was begun before: what settles one whose
    /// outcome is not known.
    async fn get_serial(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError>;
}
