//! Whether both sides of a copy hold the same rows: counted and summed up table by table, in whatever order they come.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use samtale_protocol::Timestamp;
use sha2::{Digest, Sha256};

use super::target::Target;
use super::{CHUNK, Watcher, blocking};
use crate::embedded::{Snapshot, StoredRow};
use crate::engine::StorageError;
use crate::key::{self, KeyValue};
use crate::schema::{self, Table, WriteKind};

/// Rows that end before this are not counted on, while both sides are read.
const SOON: Duration = Duration::from_secs(60 * 60);
/// A row that ends within this may be gone from either side.
const AT_ANY_MOMENT: Duration = Duration::from_secs(60);

/// What one side holds of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// How many rows.
    pub rows: u64,
    /// The sum of their digests: key, write timestamp or version, and the body as it is stored.
    pub sum: u64,
}

impl Side {
    fn add(&mut self, partition: &[KeyValue], clustering: &[KeyValue], timestamp: u64, body: Option<&[u8]>) {
        let digest = Sha256::new()
            .chain_update(key::encode(partition))
            .chain_update(key::encode(clustering))
            .chain_update(timestamp.to_be_bytes())
            .chain_update([u8::from(body.is_some())])
            .chain_update(body.unwrap_or_default())
            .finalize();
        // A sum does not mind the order, which differs between the sides.
        let half = digest.first_chunk::<8>().map_or(0, |half| u64::from_be_bytes(*half));
        self.rows += 1;
        self.sum = self.sum.wrapping_add(half);
    }
}

/// A table on which the sides do not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: &'static str,
    /// What the folder holds.
    pub source: Side,
    /// What the database holds.
    pub target: Side,
    /// Rows that will expire, and are not in the database as they should be.
    pub missing: u64,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            table,
            source,
            target,
            missing,
        } = self;
        write!(
            formatter,
            "{table} has {} rows (sum {:016x}) here and {} (sum {:016x}) there",
            source.rows, source.sum, target.rows, target.sum
        )?;
        if *missing > 0 {
            write!(formatter, ", and {missing} that will expire are missing")?;
        }
        Ok(())
    }
}

/// A table on both sides.
pub(super) struct Compared {
    pub table: &'static str,
    pub source: Side,
    target: Side,
    missing: u64,
}

impl Compared {
    pub fn difference(&self) -> Option<Difference> {
        (self.source != self.target || self.missing > 0).then_some(Difference {
            table: self.table,
            source: self.source,
            target: self.target,
            missing: self.missing,
        })
    }
}

/// Which rows are summed up: those that surely are there for as long as it takes. Decided by what both sides know exactly,
/// which the time of expiry is not.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    now: Timestamp,
}

impl Cut {
    pub const fn at(now: Timestamp) -> Self {
        Self { now }
    }

    fn is_summed(self, table: &Table, timestamp: u64, has_end: bool) -> bool {
        match table.lifetime {
            // A row lives for that long from when it was written, which is not before its timestamp.
            Some(lifetime) => {
                let oldest = self.now.minus(lifetime).plus(SOON).as_millis();
                timestamp >= oldest.saturating_mul(1_000)
            }
            None => !has_end,
        }
    }
}

/// Reads both sides whole.
pub(super) async fn compare(
    source: &Arc<Snapshot>,
    target: &Target,
    cut: Cut,
    watcher: &dyn Watcher,
) -> Result<Vec<Compared>, StorageError> {
    let mut compared = Vec::new();
    for table in schema::ALL {
        watcher.report(&format!("comparing {}", table.name));
        let mut here = Side::default();
        let mut missing = 0;
        let mut place = Snapshot::before(table);
        loop {
            let (snapshot, from) = (Arc::clone(source), place);
            let rows = blocking(move || snapshot.rows_of(table, &from, CHUNK)).await?;
            let Some(last) = rows.last() else { break };
            place = last.place.clone();
            for row in &rows {
                match standing(row, cut) {
                    Standing::Summed => {
                        here.add(
                            &row.partition,
                            &row.clustering,
                            row.cell.timestamp,
                            row.cell.body.as_deref(),
                        );
                    }
                    Standing::Ending => missing += u64::from(!is_there(target, row).await?),
                    Standing::Gone => {}
                }
            }
        }
        let mut there = Side::default();
        target
            .rows(table, |row| {
                if cut.is_summed(table, row.timestamp, row.has_end) {
                    there.add(&row.partition, &row.clustering, row.timestamp, row.body.as_deref());
                }
            })
            .await?;
        compared.push(Compared {
            table: table.name,
            source: here,
            target: there,
            missing,
        });
    }
    Ok(compared)
}

/// How a row of the source is looked at.
enum Standing {
    /// It is summed up.
    Summed,
    /// It will end, so it is looked for by itself.
    Ending,
    /// It is deleted, or has ended or may at any moment.
    Gone,
}

fn standing(row: &StoredRow, cut: Cut) -> Standing {
    let cell = &row.cell;
    if row.table.kind == WriteKind::CompareAndSet {
        return Standing::Summed;
    }
    if !cell.is_live(cut.now.plus(AT_ANY_MOMENT)) {
        return Standing::Gone;
    }
    if cut.is_summed(row.table, cell.timestamp, cell.until.is_some()) {
        Standing::Summed
    } else {
        Standing::Ending
    }
}

async fn is_there(target: &Target, row: &StoredRow) -> Result<bool, StorageError> {
    let found = target.get(row).await?;
    Ok(found.is_some_and(|found| found.timestamp == row.cell.timestamp && Some(&found.body) == row.cell.body.as_ref()))
}
