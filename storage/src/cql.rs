//! The engine on ScyllaDB or Apache Cassandra.
//!
//! Plain tables are written with given timestamps at LOCAL_QUORUM, so that whatever is repeated, in whatever order, comes
//! to the same; compare-and-set tables by lightweight transactions (Paxos) at LOCAL_SERIAL, in a keyspace of their own.
//! Rows expire by the second here, and not by the millisecond.

mod connection;
mod counts;
mod failures;
mod marks;
pub mod migrations;
mod migrator;
mod moving;
mod ranges;
mod statements;
mod tables;
mod values;

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use samtale_protocol::time::Clock;
use scylla::client::session::Session;
use scylla::response::query_result::QueryRowsResult;
use scylla::statement::batch::{Batch as CqlBatch, BatchType};
use scylla::statement::prepared::PreparedStatement;
use scylla::value::{CqlValue, Row as CqlRow};

use self::connection::connect;
pub use self::connection::{CqlOptions, Credentials};
use self::counts::Counters;
pub use self::counts::StatementCounts;
use self::failures::{Asked, failure};
use self::marks::{Held, Marks};
pub use self::migrations::MigrateError;
pub use self::migrator::{Migrator, Status};
pub(crate) use self::moving::{MovedRow, RowMover};
use self::ranges::Shape;
use self::statements::{Preparing, Statements, Writes};
pub use self::tables::Keyspaces;
use crate::engine::{Batch, Change, Compared, Engine, Page, Range, Row, RowChange, StorageError, chain};
use crate::key::{Key, KeyValue};
use crate::schema::{self, Table};

/// Which keys the rows are written with.
const KEYS_MARK: &str = "keys";

/// How long all may take that is asked when a store is opened; some tenths of a second are usual. The driver prepares
/// statements without a limit of its own, and who starts a server must hear why it is not there.
const OPENING: Duration = Duration::from_secs(60);

/// Keeps every table in a database that speaks CQL.
pub struct CqlEngine {
    session: Arc<Session>,
    keyspaces: Keyspaces,
    statements: HashMap<&'static str, Statements>,
    clock: Arc<dyn Clock>,
    counters: Counters,
    request_timeout: Duration,
}

impl CqlEngine {
    /// The engine on tables that are there.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`] when the database is not reached, refuses compare-and-set, or has a table of another
    /// shape; [`StorageError::Schema`] or [`StorageError::NewerFormat`] when its tables are not of this program's version.
    pub async fn open(options: &CqlOptions, clock: Arc<dyn Clock>) -> Result<Self, StorageError> {
        let opening = tokio::time::timeout(OPENING, Box::pin(Self::opened(options, clock))).await;
        opening.unwrap_or_else(|_| {
            Err(StorageError::Unavailable {
                reason: format!(
                    "the database at {} does not answer all that is asked at the start within {} s",
                    options.nodes.join(", "),
                    OPENING.as_secs()
                ),
            })
        })
    }

    async fn opened(options: &CqlOptions, clock: Arc<dyn Clock>) -> Result<Self, StorageError> {
        let session = connect(options, options.request_timeout).await?;
        let keyspaces = options.keyspaces.clone();
        migrator::require(&session, &keyspaces).await?;
        Marks::new(&session, &keyspaces).probe().await?;
        let mut statements = HashMap::new();
        let preparing = Preparing {
            session: &session,
            keyspaces: &keyspaces,
        };
        for table in schema::ALL {
            statements.insert(table.name, preparing.statements(table).await?);
        }
        Ok(Self {
            session: Arc::new(session),
            keyspaces,
            statements,
            clock,
            counters: Counters::default(),
            request_timeout: options.request_timeout,
        })
    }

    /// How many statements were sent so far.
    pub fn statements_sent(&self) -> StatementCounts {
        self.counters.now()
    }

    /// Says which keys the rows are written with, once for all nodes.
    ///
    /// # Errors
    ///
    /// [`StorageError::KeysUnavailable`] when they are written with others.
    pub async fn claim_keys(&self, fingerprint: &str) -> Result<(), StorageError> {
        let marks = Marks::new(&self.session, &self.keyspaces);
        match marks.take(KEYS_MARK, fingerprint, None).await? {
            Held::ByUs => Ok(()),
            Held::By(_) => Err(StorageError::KeysUnavailable {
                reason: format!(
                    "the rows in {} are written with other keys: all its nodes share one key folder",
                    self.keyspaces.plain
                ),
            }),
        }
    }

    fn statements(&self, table: &'static Table) -> Result<&Statements, StorageError> {
        self.statements.get(table.name).ok_or_else(|| StorageError::Unreadable {
            table: table.name,
            reason: "it is not in the list of tables".to_owned(),
        })
    }

    /// The statement that reads ranges of this shape. The first of a shape has it prepared, which the driver waits for
    /// without a limit.
    async fn scan_statement(
        &self,
        table: &'static Table,
        shape: Shape,
    ) -> Result<Arc<PreparedStatement>, StorageError> {
        let preparing = Preparing {
            session: &self.session,
            keyspaces: &self.keyspaces,
        };
        let scan = self.statements(table)?.scan(preparing, table, shape);
        let prepared = tokio::time::timeout(self.request_timeout, scan).await;
        prepared.unwrap_or_else(|_| {
            Err(StorageError::Unavailable {
                reason: format!("a statement of {} is not prepared in time", table.name),
            })
        })
    }

    async fn rows(
        &self,
        (asked, operation, table): (Asked, &'static str, &'static Table),
        statement: &PreparedStatement,
        values: Vec<Option<CqlValue>>,
    ) -> Result<QueryRowsResult, StorageError> {
        let answer = self.session.execute_unpaged(statement, values).await;
        let answer = answer.map_err(|error| failure(asked, operation, table, &error))?;
        answer.into_rows_result().map_err(|error| foreign(table, &error))
    }

    async fn one_row(
        &self,
        table: &'static Table,
        statement: &PreparedStatement,
        key: &Key,
    ) -> Result<Option<Row>, StorageError> {
        let rows = self
            .rows((Asked::Read, "read", table), statement, key_values(key))
            .await?;
        match rows
            .maybe_first_row::<CqlRow>()
            .map_err(|error| foreign(table, &error))?
        {
            Some(row) => values::row(table, row).map(|(_, row)| row),
            None => Ok(None),
        }
    }

    /// The statement of a change with what it is given.
    fn change<'a>(
        &self,
        writes: &'a Writes,
        partition: &[KeyValue],
        row: RowChange,
    ) -> Option<(&'a PreparedStatement, Vec<CqlValue>)> {
        let Writes::Plain { put, put_until, delete } = writes else {
            return None;
        };
        let key = values::partition(partition).chain(values::clustering(&row.clustering));
        let timestamp = values::timestamp(row.timestamp);
        Some(match row.change {
            Change::Put { body, expires_at: None } => (put, key.chain([CqlValue::Blob(body), timestamp]).collect()),
            Change::Put {
                body,
                expires_at: Some(expires_at),
            } => {
                // None at all would be for ever: what is due already is there for one more second.
                let millis = expires_at.since(self.clock.now()).as_millis();
                let seconds = i32::try_from(millis.div_ceil(1000)).unwrap_or(i32::MAX).max(1);
                let seconds = CqlValue::Int(seconds);
                (
                    put_until,
                    key.chain([CqlValue::Blob(body), seconds, timestamp]).collect(),
                )
            }
            Change::Delete => (delete, [timestamp].into_iter().chain(key).collect()),
        })
    }

    async fn set(
        &self,
        table: &'static Table,
        statement: &PreparedStatement,
        values: Vec<Option<CqlValue>>,
    ) -> Result<Outcome, StorageError> {
        self.counters.serial();
        let rows = self
            .rows((Asked::Write, "compare and set", table), statement, values)
            .await?;
        Outcome::read(table, &rows)
    }
}

#[async_trait]
impl Engine for CqlEngine {
    async fn get(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        self.counters.read();
        self.one_row(table, &self.statements(table)?.get, key).await
    }

    async fn scan(&self, table: &'static Table, partition: &[KeyValue], range: &Range) -> Result<Page, StorageError> {
        let (mut range, mut found) = (range.clone(), Vec::new());
        let asked_for = range.limit + 1;
        while let Some(shape) = Shape::of(&range) {
            let statement = self.scan_statement(table, shape).await?;
            self.counters.read();
            let limit = CqlValue::Int(i32::try_from(asked_for).unwrap_or(i32::MAX));
            let bounds = [&range.from, &range.to].into_iter().flat_map(columns);
            let values = values::partition(partition).chain(bounds).chain([limit]).map(Some);
            let rows = self
                .rows((Asked::Read, "scan", table), &statement, values.collect())
                .await?;
            let (mut read, mut last) = (0, None);
            for row in rows.rows::<CqlRow>().map_err(|error| foreign(table, &error))? {
                let (place, row) = values::row(table, row.map_err(|error| foreign(table, &error))?)?;
                found.extend(row);
                (read, last) = (read + 1, Some(place));
            }
            // Rows that were deleted by compare-and-set are left out, so there may be more behind them.
            match last.filter(|_| read == asked_for && found.len() < asked_for) {
                Some(place) if range.descending => range.to = Bound::Excluded(place),
                Some(place) => range.from = Bound::Excluded(place),
                None => break,
            }
        }
        let more = found.len() >= asked_for;
        found.truncate(asked_for - 1);
        Ok(Page { rows: found, more })
    }

    async fn write(&self, batch: Batch) -> Result<(), StorageError> {
        let Batch { table, partition, rows } = batch;
        let writes = &self.statements(table)?.writes;
        let changes = rows.into_iter().map(|row| self.change(writes, &partition, row));
        let Some(mut changes) = changes.collect::<Option<Vec<_>>>() else {
            return Err(StorageError::Unreadable {
                table: table.name,
                reason: "it is written by compare-and-set only".to_owned(),
            });
        };
        self.counters.write();
        let written = match (changes.pop(), changes.is_empty()) {
            (None, _) => return Ok(()),
            (Some((statement, values)), true) => self.session.execute_unpaged(statement, values).await,
            (Some(last), false) => {
                changes.push(last);
                let mut together = CqlBatch::new(BatchType::Unlogged);
                together.set_is_idempotent(true);
                let (statements, values): (Vec<_>, Vec<_>) = changes.into_iter().unzip();
                statements
                    .into_iter()
                    .for_each(|statement| together.append_statement(statement.clone()));
                self.session.batch(&together, values).await
            }
        };
        written
            .map(drop)
            .map_err(|error| failure(Asked::Write, "write", table, &error))
    }

    async fn compare_and_set(
        &self,
        table: &'static Table,
        key: &Key,
        expected: Option<u64>,
        body: Option<Vec<u8>>,
    ) -> Result<Compared, StorageError> {
        let Writes::CompareAndSet {
            insert,
            replace,
            revive,
            ..
        } = &self.statements(table)?.writes
        else {
            return Err(StorageError::Unreadable {
                table: table.name,
                reason: "it is written with timestamps only".to_owned(),
            });
        };
        let body = body.map(CqlValue::Blob);
        let update = |version: u64| -> Vec<Option<CqlValue>> {
            let new = [Some(values::timestamp(version + 1)), body.clone()];
            let old = [Some(values::timestamp(version))];
            new.into_iter().chain(key_values(key)).chain(old).collect()
        };
        if let Some(version) = expected {
            let outcome = self.set(table, replace, update(version)).await?;
            return Ok(outcome.compared(version + 1));
        }
        let first = key_values(key)
            .into_iter()
            .chain([Some(values::timestamp(1)), body.clone()]);
        match self.set(table, insert, first.collect()).await? {
            Outcome::Refused {
                left_behind: Some(version),
            } => {
                let outcome = self.set(table, revive, update(version)).await?;
                Ok(outcome.compared(version + 1))
            }
            outcome => Ok(outcome.compared(1)),
        }
    }

    async fn get_serial(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        match &self.statements(table)?.writes {
            Writes::CompareAndSet { get_serial, .. } => {
                self.counters.serial();
                self.one_row(table, get_serial, key).await
            }
            Writes::Plain { .. } => self.get(table, key).await,
        }
    }
}

/// What a conditional statement came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Applied,
    Refused {
        /// The version of what a deletion left behind, if that is what is there.
        left_behind: Option<u64>,
    },
}

impl Outcome {
    /// Reads the answer: whether it was applied comes first; what else there is differs between databases, so it is looked
    /// up by name.
    fn read(table: &'static Table, rows: &QueryRowsResult) -> Result<Self, StorageError> {
        let row = rows.single_row::<CqlRow>().map_err(|error| foreign(table, &error))?;
        if row.columns.first() == Some(&Some(CqlValue::Boolean(true))) {
            return Ok(Self::Applied);
        }
        let specs = rows.column_specs();
        let named = |name: &str| {
            let place = specs.iter().position(|column| column.name() == name)?;
            row.columns.get(place)
        };
        let left_behind = match (named("body"), named("version")) {
            (Some(None), Some(Some(CqlValue::BigInt(version)))) => u64::try_from(*version).ok(),
            _ => None,
        };
        Ok(Self::Refused { left_behind })
    }

    const fn compared(self, version: u64) -> Compared {
        match self {
            Self::Applied => Compared::Applied { version },
            Self::Refused { .. } => Compared::Conflict,
        }
    }
}

fn key_values(key: &Key) -> Vec<Option<CqlValue>> {
    let columns = values::partition(&key.partition).chain(values::clustering(&key.clustering));
    columns.map(Some).collect()
}

fn columns(bound: &Bound<Vec<KeyValue>>) -> Vec<CqlValue> {
    match bound {
        Bound::Unbounded => Vec::new(),
        Bound::Included(columns) | Bound::Excluded(columns) => values::clustering(columns).collect(),
    }
}

fn foreign(table: &'static Table, error: &(dyn std::error::Error + 'static)) -> StorageError {
    StorageError::Unreadable {
        table: table.name,
        reason: format!("the database's answer: {}", chain(error)),
    }
}
