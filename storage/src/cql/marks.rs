//! What only one may hold: rows that are written by compare-and-set alone.
//!
//! The lock of migrators is one, with a lease: the database takes it away when its holder no longer renews it. Which keys
//! the rows are written with is another, for ever.

use std::time::Duration;

use scylla::client::session::Session;
use scylla::response::query_result::QueryResult;
use scylla::value::{CqlValue, Row as CqlRow};

use super::tables::Keyspaces;
use crate::engine::{StorageError, chain};

/// The table.
pub(super) const TABLE: &str = "marks";
/// How long the row stays that a start tries compare-and-set with.
const PROBE_LIFETIME: Duration = Duration::from_secs(60);

/// Marks in a database.
pub(super) struct Marks<'a> {
    session: &'a Session,
    table: String,
}

/// Who holds a mark after one asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// Whoever asked.
    ByUs,
    /// Someone else, who wrote this.
    By(String),
}

impl<'a> Marks<'a> {
    /// The marks beside these keyspaces.
    pub fn new(session: &'a Session, keyspaces: &Keyspaces) -> Self {
        Self {
            session,
            table: format!("{}.{TABLE}", keyspaces.settled),
        }
    }

    /// Takes a mark unless someone holds it; for so long, or for ever.
    pub async fn take(&self, name: &str, value: &str, lease: Option<Duration>) -> Result<Held, StorageError> {
        let lease = lease.map_or_else(String::new, |lease| format!(" USING TTL {}", lease.as_secs().max(1)));
        let statement = format!(
            "INSERT INTO {} (name, value) VALUES (?, ?) IF NOT EXISTS{lease}",
            self.table
        );
        let answer = self.session.query_unpaged(statement.as_str(), (name, value)).await;
        let answer = answer.map_err(|error| self.refused(&error))?;
        match self.standing(answer)? {
            None => Ok(Held::ByUs),
            // Taken before, by an attempt whose answer was lost.
            Some(holder) if holder == value => Ok(Held::ByUs),
            Some(holder) => Ok(Held::By(holder)),
        }
    }

    /// Holds a mark for longer; `false` when it is no longer held.
    pub async fn renew(&self, name: &str, value: &str, lease: Duration) -> Result<bool, StorageError> {
        let seconds = lease.as_secs().max(1);
        let statement = format!(
            "UPDATE {} USING TTL {seconds} SET value = ? WHERE name = ? IF value = ?",
            self.table
        );
        let answer = self
            .session
            .query_unpaged(statement.as_str(), (value, name, value))
            .await;
        let answer = answer.map_err(|error| self.refused(&error))?;
        Ok(self.standing(answer)?.is_none())
    }

    /// Lets go of a mark, if it is held.
    pub async fn release(&self, name: &str, value: &str) -> Result<(), StorageError> {
        let statement = format!("DELETE FROM {} WHERE name = ? IF value = ?", self.table);
        let answer = self.session.query_unpaged(statement.as_str(), (name, value)).await;
        answer.map(drop).map_err(|error| self.refused(&error))
    }

    /// Tries a compare-and-set: a database that refuses it is told from one that does not answer before anyone needs it.
    pub async fn probe(&self) -> Result<(), StorageError> {
        let chance = getrandom::u64().map_err(|error| StorageError::Unavailable {
            reason: error.to_string(),
        })?;
        let name = format!("probe {chance:016x}");
        match self.take(&name, "it works", Some(PROBE_LIFETIME)).await? {
            Held::ByUs => Ok(()),
            Held::By(_) => Err(StorageError::Unavailable {
                reason: format!(
                    "a compare-and-set in {} was not applied, though nothing was there",
                    self.table
                ),
            }),
        }
    }

    /// What an answer says: `None` that it was applied, else what stands there. Read by column names, because databases
    /// differ in what they add.
    fn standing(&self, answer: QueryResult) -> Result<Option<String>, StorageError> {
        let foreign = |error: &dyn std::error::Error| StorageError::Unavailable {
            reason: format!("the database's answer of {}: {}", self.table, chain(error)),
        };
        let rows = answer.into_rows_result().map_err(|error| foreign(&error))?;
        let row = rows.single_row::<CqlRow>().map_err(|error| foreign(&error))?;
        if row.columns.first() == Some(&Some(CqlValue::Boolean(true))) {
            return Ok(None);
        }
        let place = rows.column_specs().iter().position(|column| column.name() == "value");
        match place.and_then(|place| row.columns.into_iter().nth(place)).flatten() {
            Some(CqlValue::Text(value)) => Ok(Some(value)),
            _ => Ok(Some(String::new())),
        }
    }

    fn refused(&self, error: &dyn std::error::Error) -> StorageError {
        StorageError::Unavailable {
            reason: format!(
                "a compare-and-set in {} fails: {}. If the database refuses lightweight transactions where there are \
                 tablets, make that keyspace by hand without them (docs/operations.md), then run `samtale migrate`",
                self.table,
                chain(error)
            ),
        }
    }
}
