//! All rows as they are stored, of one moment: read for a backup, and put back from one.

use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use fjall::{PersistMode, Readable};

use super::folder::{Folder, sync_tree};
use super::group::{Tables, decode, due_name, embedded};
use super::{EmbeddedEngine, EmbeddedOptions, Inner, open_tables, place};
use crate::backup::BackupError;
use crate::embedded::cell::Cell;
use crate::engine::StorageError;
use crate::key::KeyValue;
use crate::schema::{self, Table};

/// What is put back in one step.
const IMPORT_BYTES: usize = 1024 * 1024;

/// The rows of one moment.
pub(crate) struct Snapshot {
    inner: Arc<Inner>,
    snapshot: fjall::Snapshot,
}

impl EmbeddedEngine {
    /// The rows of this moment, whatever is written after it.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            snapshot: self.inner.tables.database.snapshot(),
            inner: Arc::clone(&self.inner),
        }
    }
}

/// A row as it is stored, or what a deletion left behind.
pub(crate) struct StoredRow {
    /// Where it stands among all rows.
    pub place: Vec<u8>,
    pub table: &'static Table,
    pub partition: Vec<KeyValue>,
    pub clustering: Vec<KeyValue>,
    pub cell: Cell,
}

impl StoredRow {
    fn read(place: Vec<u8>, bytes: &[u8]) -> Result<Self, StorageError> {
        let table = schema::ALL
            .iter()
            .find(|table| place.starts_with(&place::table_prefix(table)));
        let table = *table.ok_or_else(|| StorageError::Unreadable {
            table: "a table that this program does not know",
            reason: "it may be of a newer program".to_owned(),
        })?;
        let rest = place.get(place::table_prefix(table).len()..).unwrap_or_default();
        let columns = place::columns(table.partition, rest).and_then(|(partition, read)| {
            let (clustering, _) = place::columns(table.clustering, rest.get(read..)?)?;
            Some((partition, clustering))
        });
        let (partition, clustering) = columns.ok_or_else(|| StorageError::Unreadable {
            table: table.name,
            reason: "its key in the embedded store is damaged".to_owned(),
        })?;
        let cell = decode(table.name, bytes)?;
        Ok(Self {
            place,
            table,
            partition,
            clustering,
            cell,
        })
    }
}

impl Snapshot {
    /// The place before the first row of a table.
    pub fn before(table: &Table) -> Vec<u8> {
        place::table_prefix(table)
    }

    /// The first rows after a place, of whatever table.
    pub fn rows_after(&self, place: &[u8], most: usize) -> Result<Vec<StoredRow>, StorageError> {
        self.rows_between(place, Bound::Unbounded, most)
    }

    /// The first rows after a place, of this table.
    pub fn rows_of(&self, table: &Table, place: &[u8], most: usize) -> Result<Vec<StoredRow>, StorageError> {
        let end = place::after(place::table_prefix(table)).unwrap_or_default();
        self.rows_between(place, Bound::Excluded(end.as_slice()), most)
    }

    fn rows_between(&self, place: &[u8], end: Bound<&[u8]>, most: usize) -> Result<Vec<StoredRow>, StorageError> {
        let range = self
            .snapshot
            .range::<&[u8], _>(&self.inner.tables.rows, (Bound::Excluded(place), end));
        range
            .take(most)
            .map(|entry| {
                let (place, bytes) = entry.into_inner().map_err(embedded("read all rows"))?;
                StoredRow::read(place.to_vec(), &bytes)
            })
            .collect()
    }

    /// Shows every place with the bytes of its cell, in order.
    pub fn rows(&self, visit: impl FnMut(&[u8], &[u8]) -> Result<(), BackupError>) -> Result<(), BackupError> {
        rows(&self.snapshot, &self.inner.tables, visit)
    }
}

fn rows(
    snapshot: &fjall::Snapshot,
    tables: &Tables,
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    for entry in snapshot.iter(&tables.rows) {
        let entry = entry.into_inner().map_err(embedded("read all rows"));
        let (place, bytes) = entry.map_err(BackupError::Storage)?;
        visit(&place, &bytes)?;
    }
    Ok(())
}

/// A new data folder that rows are put into.
pub(crate) struct Importer {
    tables: Tables,
    batch: fjall::OwnedWriteBatch,
    bytes: usize,
    folder: Folder,
}

/// A data folder that all rows were put into.
pub(crate) struct Imported {
    tables: Tables,
    // Locked until what was stored is compared.
    _folder: Folder,
}

impl Importer {
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        let folder = Folder::take(path)?;
        let tables = open_tables(&folder, &EmbeddedOptions::default())?;
        Ok(Self {
            batch: tables.database.batch(),
            tables,
            bytes: 0,
            folder,
        })
    }

    pub fn put(&mut self, place: &[u8], bytes: &[u8]) -> Result<(), StorageError> {
        let cell = Cell::decode(bytes).ok_or_else(|| StorageError::Unreadable {
            table: "a backup",
            reason: "a row does not hold what a row holds".to_owned(),
        })?;
        self.batch.insert(&self.tables.rows, place, bytes);
        if let Some(name) = due_name(&cell, place) {
            self.batch.insert(&self.tables.due, name, Vec::new());
        }
        self.bytes += place.len() + bytes.len();
        if self.bytes >= IMPORT_BYTES {
            self.commit()?;
        }
        Ok(())
    }

    /// Makes all of it durable.
    pub fn finish(mut self) -> Result<Imported, StorageError> {
        self.commit()?;
        let synced = self.tables.database.persist(PersistMode::SyncAll);
        synced.map_err(embedded("make restored rows durable"))?;
        sync_tree(&self.folder.store())?;
        Ok(Imported {
            tables: self.tables,
            _folder: self.folder,
        })
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        let batch = std::mem::replace(&mut self.batch, self.tables.database.batch());
        self.bytes = 0;
        batch.commit().map_err(embedded("store restored rows"))
    }
}

impl Imported {
    /// Shows every place with the bytes of its cell, in order.
    pub fn rows(&self, visit: impl FnMut(&[u8], &[u8]) -> Result<(), BackupError>) -> Result<(), BackupError> {
        rows(&self.tables.database.snapshot(), &self.tables, visit)
    }
}
