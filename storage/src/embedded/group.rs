//! A group of writes that share one sync. Each sees what those before it in the group have written.

use std::collections::HashMap;
use std::time::Duration;

use fjall::{Database, Keyspace, PersistMode, Readable};
use samtale_protocol::Timestamp;

use super::cell::Cell;
use super::place::row_place;
use crate::engine::{Batch, Change, Compared, Row, StorageError};
use crate::key::Key;
use crate::schema::{Table, WriteKind};

/// How long the trace of a deletion or an expiry stays: a write that is older than it and arrives later than this could
/// bring the row back. A send is refused when it is more than seconds old, so a day is far beyond any that hangs.
pub(super) const TRACE_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// What the store keeps.
pub(super) struct Tables {
    /// Syncs both.
    pub database: Database,
    /// Place → cell.
    pub rows: Keyspace,
    /// Time at which a cell may go, then its place → nothing: what the sweeper reads, in order.
    pub due: Keyspace,
}

impl Tables {
    /// The cell at a place, as it was last synced.
    pub fn cell(&self, table: &'static Table, place: &[u8]) -> Result<Option<Cell>, StorageError> {
        let bytes = self.rows.get(place).map_err(embedded("read a row"))?;
        bytes.map(|bytes| decode(table.name, &bytes)).transpose()
    }
}

/// How many rows a step of the sweeper took away, and whether more are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    /// Rows that are gone.
    pub removed: usize,
    /// Whether another step would find more.
    pub more: bool,
}

struct Slot {
    cell: Option<Cell>,
    changed: bool,
}

/// Writes that are applied together, none of them durable yet.
pub(super) struct Group<'a> {
    tables: &'a Tables,
    now: Timestamp,
    slots: HashMap<Vec<u8>, Slot>,
    due: HashMap<Vec<u8>, bool>,
}

impl<'a> Group<'a> {
    pub fn new(tables: &'a Tables, now: Timestamp) -> Self {
        Self {
            tables,
            now,
            slots: HashMap::new(),
            due: HashMap::new(),
        }
    }

    /// Applies a batch: all of it, or after an error nothing.
    pub fn write(&mut self, batch: Batch) -> Result<(), StorageError> {
        let table = batch.table;
        assert_eq!(
            table.kind,
            WriteKind::Plain,
            "{} is written by compare-and-set only",
            table.name
        );
        let lifetime_end = table.lifetime.map(|lifetime| self.now.plus(lifetime));
        let mut changes = Vec::with_capacity(batch.rows.len());
        for row in batch.rows {
            let place = row_place(table, &batch.partition, &row.clustering);
            self.load(table.name, &place)?;
            let (body, until) = match row.change {
                Change::Put { body, expires_at } => (Some(body), expires_at.or(lifetime_end)),
                Change::Delete => (None, Some(self.now.plus(TRACE_LIFETIME))),
            };
            let timestamp = row.timestamp;
            changes.push((place, Cell { body, timestamp, until }));
        }
        for (place, cell) in changes {
            let old = self.slots.get(&place).and_then(|slot| slot.cell.as_ref());
            if old.is_none_or(|old| old.yields_to(&cell)) {
                self.put(place, cell);
            }
        }
        Ok(())
    }

    /// Replaces a row if it has the expected version.
    pub fn compare_and_set(
        &mut self,
        table: &'static Table,
        key: &Key,
        expected: Option<u64>,
        body: Option<Vec<u8>>,
    ) -> Result<Compared, StorageError> {
        assert_eq!(
            table.kind,
            WriteKind::CompareAndSet,
            "{} is written with timestamps only",
            table.name
        );
        let place = row_place(table, &key.partition, &key.clustering);
        let old = self.load(table.name, &place)?;
        let current = old.filter(|cell| cell.body.is_some()).map(|cell| cell.timestamp);
        if current != expected {
            return Ok(Compared::Conflict);
        }
        // Versions go on after a deletion, whose trace stays for ever: a stale version never comes true again.
        let version = old.map_or(0, |cell| cell.timestamp) + 1;
        let cell = Cell {
            body,
            timestamp: version,
            until: None,
        };
        self.put(place, cell);
        Ok(Compared::Applied { version })
    }

    /// Reads a row as this group leaves it.
    pub fn read(&mut self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        let place = row_place(table, &key.partition, &key.clustering);
        let now = self.now;
        let cell = self.load(table.name, &place)?.filter(|cell| cell.is_live(now));
        Ok(cell.map(|cell| Row {
            clustering: key.clustering.clone(),
            body: cell.body.clone().unwrap_or_default(),
            timestamp: cell.timestamp,
        }))
    }

    /// Takes away what is due, at most `limit` entries of it.
    pub fn sweep(&mut self, limit: usize) -> Result<Swept, StorageError> {
        // Everything that begins with an earlier time sorts before the bytes of the next millisecond.
        let end = (self.now.as_millis() + 1).to_be_bytes();
        let mut swept = Swept {
            removed: 0,
            more: false,
        };
        for (count, entry) in self
            .tables
            .database
            .snapshot()
            .range(&self.tables.due, ..end.as_slice())
            .enumerate()
        {
            if count == limit {
                swept.more = true;
                break;
            }
            let name = entry.key().map_err(embedded("read what is due"))?;
            if let Some((time, place)) = name.split_first_chunk::<8>() {
                let due = Timestamp::saturating(u64::from_be_bytes(*time));
                // A row that was written again since has another time, and an entry of its own.
                if self
                    .load("a swept table", place)?
                    .is_some_and(|cell| due_at(cell) == Some(due))
                {
                    self.slots.insert(
                        place.to_vec(),
                        Slot {
                            cell: None,
                            changed: true,
                        },
                    );
                    swept.removed += 1;
                }
            }
            self.due.insert(name.to_vec(), false);
        }
        Ok(swept)
    }

    /// Hands everything to the store in one step. With `sync`, it is durable when this returns.
    pub fn commit(self, sync: bool) -> Result<(), fjall::Error> {
        let mode = if sync {
            PersistMode::SyncData
        } else {
            PersistMode::Buffer
        };
        let mut batch = self.tables.database.batch().durability(Some(mode));
        for (place, slot) in self.slots {
            match slot.cell {
                _ if !slot.changed => {}
                Some(cell) => batch.insert(&self.tables.rows, place, cell.encode()),
                None => batch.remove(&self.tables.rows, place),
            }
        }
        for (name, put) in self.due {
            if put {
                batch.insert(&self.tables.due, name, Vec::new());
            } else {
                batch.remove(&self.tables.due, name);
            }
        }
        batch.commit()
    }

    fn load(&mut self, table: &'static str, place: &[u8]) -> Result<Option<&Cell>, StorageError> {
        if !self.slots.contains_key(place) {
            let bytes = self.tables.rows.get(place).map_err(embedded("read a row"))?;
            let cell = bytes.map(|bytes| decode(table, &bytes)).transpose()?;
            self.slots.insert(place.to_vec(), Slot { cell, changed: false });
        }
        Ok(self.slots.get(place).and_then(|slot| slot.cell.as_ref()))
    }

    fn put(&mut self, place: Vec<u8>, cell: Cell) {
        if let Some(name) = due_name(&cell, &place) {
            self.due.insert(name, true);
        }
        self.slots.insert(
            place,
            Slot {
                cell: Some(cell),
                changed: true,
            },
        );
    }
}

/// When a cell may go for good.
fn due_at(cell: &Cell) -> Option<Timestamp> {
    match cell.body {
        Some(_) => cell.until.map(|until| until.plus(TRACE_LIFETIME)),
        None => cell.until,
    }
}

/// Under which name the sweeper finds a cell that may go one day.
pub(super) fn due_name(cell: &Cell, place: &[u8]) -> Option<Vec<u8>> {
    let mut name = due_at(cell)?.as_millis().to_be_bytes().to_vec();
    name.extend_from_slice(place);
    Some(name)
}

/// The cell of these bytes.
pub(super) fn decode(table: &'static str, bytes: &[u8]) -> Result<Cell, StorageError> {
    Cell::decode(bytes).ok_or_else(|| StorageError::Unreadable {
        table,
        reason: "its bytes in the embedded store are damaged".to_owned(),
    })
}

/// Says what the store was asked to do when it failed.
pub(super) fn embedded(operation: &'static str) -> impl FnOnce(fjall::Error) -> StorageError {
    move |source| StorageError::Embedded {
        operation,
        source: Box::new(source),
    }
}
