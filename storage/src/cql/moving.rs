//! Rows as they are stored, put and read without the rules of those who use them: for moving a whole store.

use std::collections::HashMap;
use std::sync::Arc;

use scylla::client::session::Session;
use scylla::response::PagingState;
use scylla::response::query_result::QueryRowsResult;
use scylla::statement::prepared::PreparedStatement;
use scylla::value::{CqlValue, Row as CqlRow};

use super::failures::{Asked, failure};
use super::tables::names;
use super::{CqlEngine, foreign, values};
use crate::engine::{StorageError, chain};
use crate::key::KeyValue;
use crate::schema::{self, ColumnKind, Table, WriteKind};

/// Rows that are asked for at once.
const PAGE: i32 = 500;

/// Puts and reads rows as they are stored.
pub(crate) struct RowMover {
    session: Arc<Session>,
    tables: HashMap<&'static str, Moving>,
}

struct Moving {
    /// Key, version, body, version: only of a compare-and-set table.
    put: Option<PreparedStatement>,
    all: PreparedStatement,
}

/// A row as it is stored.
pub(crate) struct MovedRow {
    pub partition: Vec<KeyValue>,
    pub clustering: Vec<KeyValue>,
    /// What a deletion by compare-and-set left behind has none.
    pub body: Option<Vec<u8>>,
    /// The write timestamp, or the version.
    pub timestamp: u64,
    pub has_end: bool,
}

impl CqlEngine {
    /// What moves whole tables.
    pub(crate) async fn mover(&self) -> Result<RowMover, StorageError> {
        let mut tables = HashMap::new();
        for table in schema::ALL {
            let name = self.keyspaces.table(table);
            let key = names(&[table.partition, table.clustering].concat());
            let put = match table.kind {
                WriteKind::Plain => None,
                // Under the lowest timestamps there are: whatever is compared and set later comes after it.
                WriteKind::CompareAndSet => {
                    let columns = [key.clone(), vec!["version".to_owned(), "body".to_owned()]].concat();
                    let marks = vec!["?"; columns.len()].join(", ");
                    let text = format!(
                        "INSERT INTO {name} ({}) VALUES ({marks}) USING TIMESTAMP ?",
                        columns.join(", ")
                    );
                    Some(self.prepare(table, text).await?)
                }
            };
            let written = match table.kind {
                WriteKind::Plain => "WRITETIME(body), TTL(body)",
                WriteKind::CompareAndSet => "version, TTL(body)",
            };
            let text = format!("SELECT {}, body, {written} FROM {name}", key.join(", "));
            let mut all = self.prepare(table, text).await?;
            all.set_page_size(PAGE);
            tables.insert(table.name, Moving { put, all });
        }
        Ok(RowMover {
            session: Arc::clone(&self.session),
            tables,
        })
    }

    async fn prepare(&self, table: &'static Table, text: String) -> Result<PreparedStatement, StorageError> {
        let prepared = self.session.prepare(text.as_str()).await;
        let mut prepared = prepared.map_err(|error| StorageError::Unavailable {
            reason: format!(
                "a statement of {} can not be prepared: {}: {text}",
                table.name,
                chain(&error)
            ),
        })?;
        prepared.set_is_idempotent(true);
        Ok(prepared)
    }
}

impl RowMover {
    /// Puts a row of a compare-and-set table there, with its version. Only where nobody compares and sets meanwhile.
    pub async fn put(
        &self,
        table: &'static Table,
        partition: &[KeyValue],
        clustering: &[KeyValue],
        version: u64,
        body: Option<Vec<u8>>,
    ) -> Result<(), StorageError> {
        let Some(put) = self.tables.get(table.name).and_then(|moving| moving.put.as_ref()) else {
            return Err(unknown(table));
        };
        let version = values::timestamp(version);
        let key = values::partition(partition)
            .chain(values::clustering(clustering))
            .map(Some);
        let rest = [Some(version.clone()), body.map(CqlValue::Blob), Some(version)];
        let values: Vec<Option<CqlValue>> = key.chain(rest).collect();
        let put = self.session.execute_unpaged(put, values).await;
        put.map(drop)
            .map_err(|error| failure(Asked::Write, "move a row to", table, &error))
    }

    /// Shows rows of a table, in whatever order, page by page until there were `most`.
    pub async fn rows(
        &self,
        table: &'static Table,
        most: usize,
        mut visit: impl FnMut(MovedRow) + Send,
    ) -> Result<(), StorageError> {
        let moving = self.tables.get(table.name).ok_or_else(|| unknown(table))?;
        let (mut from, mut shown) = (PagingState::start(), 0);
        loop {
            let answer = self.session.execute_single_page(&moving.all, &[], from).await;
            let (answer, state) = answer.map_err(|error| failure(Asked::Read, "read all of", table, &error))?;
            let rows = answer.into_rows_result().map_err(|error| foreign(table, &error))?;
            for row in read(table, &rows)? {
                visit(row);
                shown += 1;
                if shown >= most {
                    return Ok(());
                }
            }
            match state.into_paging_control_flow() {
                std::ops::ControlFlow::Continue(next) => from = next,
                std::ops::ControlFlow::Break(()) => return Ok(()),
            }
        }
    }
}

fn read(table: &'static Table, rows: &QueryRowsResult) -> Result<Vec<MovedRow>, StorageError> {
    let rows = rows.rows::<CqlRow>().map_err(|error| foreign(table, &error))?;
    rows.map(|row| moved(table, row.map_err(|error| foreign(table, &error))?))
        .collect()
}

fn moved(table: &'static Table, row: CqlRow) -> Result<MovedRow, StorageError> {
    let of_another_type = || StorageError::Unreadable {
        table: table.name,
        reason: "a column in the database is of another type".to_owned(),
    };
    let mut columns = row.columns.into_iter();
    let mut partition = Vec::with_capacity(table.partition.len());
    for column in table.partition {
        let value = match (column.kind, columns.next().flatten()) {
            (ColumnKind::Id, Some(CqlValue::Uuid(id))) => KeyValue::Id(*id.as_bytes()),
            (ColumnKind::Number | ColumnKind::Time, Some(CqlValue::BigInt(number))) => {
                KeyValue::Number(number.cast_unsigned())
            }
            _ => return Err(of_another_type()),
        };
        partition.push(value);
    }
    let mut clustering = Vec::with_capacity(table.clustering.len());
    for column in table.clustering {
        clustering.push(values::clustering_value(column.kind, columns.next().flatten()).ok_or_else(of_another_type)?);
    }
    let body = match columns.next().flatten() {
        Some(CqlValue::Blob(body)) => Some(body),
        None => None,
        _ => return Err(of_another_type()),
    };
    let timestamp = match columns.next().flatten() {
        Some(CqlValue::BigInt(written)) => u64::try_from(written).map_err(|_| of_another_type())?,
        _ => return Err(of_another_type()),
    };
    Ok(MovedRow {
        partition,
        clustering,
        body,
        timestamp,
        has_end: columns.next().flatten().is_some(),
    })
}

fn unknown(table: &'static Table) -> StorageError {
    StorageError::Unreadable {
        table: table.name,
        reason: "it is not in the list of tables".to_owned(),
    }
}
