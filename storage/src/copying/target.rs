//! The database as a copy needs it: rows are put there as they were stored, and every row of a table is read.

use std::sync::Arc;

use samtale_protocol::time::Clock;

use crate::cql::{CqlEngine, CqlOptions, RowMover};
use crate::embedded::StoredRow;
use crate::engine::{Batch, Change, Engine, Row, RowChange, StorageError};
use crate::key::Key;
use crate::schema::{self, Table, WriteKind};

/// Where rows are moved to.
pub(super) struct Target {
    engine: CqlEngine,
    mover: RowMover,
    clock: Arc<dyn Clock>,
}

impl Target {
    pub async fn open(options: &CqlOptions, clock: Arc<dyn Clock>) -> Result<Self, StorageError> {
        let engine = CqlEngine::open(options, Arc::clone(&clock)).await?;
        let mover = engine.mover().await?;
        Ok(Self { engine, mover, clock })
    }

    /// A table that holds rows.
    pub async fn first_with_rows(&self) -> Result<Option<&'static str>, StorageError> {
        for table in schema::ALL {
            let mut has_rows = false;
            self.mover.rows(table, 1, |_| has_rows = true).await?;
            if has_rows {
                return Ok(Some(table.name));
            }
        }
        Ok(None)
    }

    /// Every row of a table.
    pub async fn rows(
        &self,
        table: &'static Table,
        visit: impl FnMut(crate::cql::MovedRow) + Send,
    ) -> Result<(), StorageError> {
        self.mover.rows(table, usize::MAX, visit).await
    }

    pub async fn get(&self, row: &StoredRow) -> Result<Option<Row>, StorageError> {
        let key = Key::new(row.partition.clone(), row.clustering.clone());
        self.engine.get(row.table, &key).await
    }

    /// Puts a row there as it was stored; what has expired is left out.
    pub async fn put(&self, row: &StoredRow) -> Result<(), StorageError> {
        let cell = &row.cell;
        if row.table.kind == WriteKind::CompareAndSet {
            let body = cell.body.clone();
            return self
                .mover
                .put(row.table, &row.partition, &row.clustering, cell.timestamp, body)
                .await;
        }
        let change = match &cell.body {
            Some(_) if !cell.is_live(self.clock.now()) => return Ok(()),
            Some(body) => Change::Put {
                body: body.clone(),
                expires_at: cell.until,
            },
            None => Change::Delete,
        };
        let change = RowChange {
            clustering: row.clustering.clone(),
            change,
            timestamp: cell.timestamp,
        };
        let batch = Batch {
            table: row.table,
            partition: row.partition.clone(),
            rows: vec![change],
        };
        self.engine.write(batch).await
    }
}
