//! The engine in memory, for simulation and tests: as strict as the strictest of the real ones.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use samtale_protocol::Timestamp;
use samtale_protocol::time::Clock;

use crate::engine::{Batch, Change, Compared, Engine, Page, Range, Row, StorageError};
use crate::key::{Key, KeyValue};
use crate::schema::{Table, WriteKind};

type Partition = BTreeMap<Vec<KeyValue>, Cell>;

/// A row with what a deletion or an expiry leaves behind.
#[derive(Clone, Debug)]
struct Cell {
    body: Option<Vec<u8>>,
    timestamp: u64,
    expires_at: Option<Timestamp>,
}

impl Cell {
    fn is_live(&self, now: Timestamp) -> bool {
        self.body.is_some() && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }

    fn yields_to(&self, body: Option<&Vec<u8>>, timestamp: u64) -> bool {
        match (&self.body, body) {
            _ if self.timestamp != timestamp => self.timestamp < timestamp,
            (Some(_), None) => true,
            (None, _) => false,
            (Some(old), Some(new)) => old < new,
        }
    }

    fn row(&self, clustering: &[KeyValue]) -> Row {
        Row {
            clustering: clustering.to_vec(),
            body: self.body.clone().unwrap_or_default(),
            timestamp: self.timestamp,
        }
    }
}

/// Keeps every table in memory.
pub struct MemoryEngine {
    clock: Arc<dyn Clock>,
    partitions: Mutex<BTreeMap<(&'static str, Vec<KeyValue>), Partition>>,
}

impl MemoryEngine {
    /// An empty engine.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            partitions: Mutex::default(),
        }
    }

    fn partition<T>(&self, table: &'static Table, partition: &[KeyValue], with: impl FnOnce(&mut Partition) -> T) -> T {
        assert_eq!(
            partition.len(),
            table.partition.len(),
            "a partition of {} has other columns",
            table.name
        );
        let mut partitions = self.partitions.lock().unwrap_or_else(PoisonError::into_inner);
        with(partitions.entry((table.name, partition.to_vec())).or_default())
    }
}

#[async_trait]
impl Engine for MemoryEngine {
    async fn get(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        let now = self.clock.now();
        Ok(self.partition(table, &key.partition, |rows| {
            let cell = rows.get(&key.clustering)?;
            cell.is_live(now).then(|| cell.row(&key.clustering))
        }))
    }

    async fn scan(&self, table: &'static Table, partition: &[KeyValue], range: &Range) -> Result<Page, StorageError> {
        let now = self.clock.now();
        Ok(self.partition(table, partition, |rows| {
            let live = rows
                .iter()
                .filter(|(place, cell)| cell.is_live(now) && contains(range, place));
            let mut found: Vec<Row> = if range.descending {
                live.rev()
                    .take(range.limit + 1)
                    .map(|(place, cell)| cell.row(place))
                    .collect()
            } else {
                live.take(range.limit + 1)
                    .map(|(place, cell)| cell.row(place))
                    .collect()
            };
            let more = found.len() > range.limit;
            found.truncate(range.limit);
            Page { rows: found, more }
        }))
    }

    async fn write(&self, batch: Batch) -> Result<(), StorageError> {
        let table = batch.table;
        assert_eq!(
            table.kind,
            WriteKind::Plain,
            "{} is written by compare-and-set only",
            table.name
        );
        let lifetime_end = table.lifetime.map(|lifetime| self.clock.now().plus(lifetime));
        self.partition(table, &batch.partition, |rows| {
            for change in batch.rows {
                assert_eq!(
                    change.clustering.len(),
                    table.clustering.len(),
                    "a row of {} has other columns",
                    table.name
                );
                let (body, expires_at) = match change.change {
                    Change::Put { body, expires_at } => (Some(body), expires_at.or(lifetime_end)),
                    Change::Delete => (None, None),
                };
                let old = rows.get(&change.clustering);
                if old.is_none_or(|old| old.yields_to(body.as_ref(), change.timestamp)) {
                    rows.insert(
                        change.clustering,
                        Cell {
                            body,
                            timestamp: change.timestamp,
                            expires_at,
                        },
                    );
                }
            }
        });
        Ok(())
    }

    async fn compare_and_set(
        &self,
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
        Ok(self.partition(table, &key.partition, |rows| {
            let old = rows.get(&key.clustering);
            let current = old.filter(|cell| cell.body.is_some()).map(|cell| cell.timestamp);
            if current != expected {
                return Compared::Conflict;
            }
            let version = old.map_or(0, |cell| cell.timestamp) + 1;
            rows.insert(
                key.clustering.clone(),
                Cell {
                    body,
                    timestamp: version,
                    expires_at: None,
                },
            );
            Compared::Applied { version }
        }))
    }

    async fn get_serial(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        self.get(table, key).await
    }
}

fn contains(range: &Range, place: &[KeyValue]) -> bool {
    let after_start = match &range.from {
        Bound::Unbounded => true,
        Bound::Included(from) => place >= from.as_slice(),
        Bound::Excluded(from) => place > from.as_slice() && !place.starts_with(from),
    };
    let before_end = match &range.to {
        Bound::Unbounded => true,
        Bound::Included(to) => place <= to.as_slice() || place.starts_with(to),
        Bound::Excluded(to) => place < to.as_slice(),
    };
    after_start && before_end
}
