//! The statements of a table, prepared when the engine starts: a mistake in one fails then, and not on a school day.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use scylla::client::session::Session;
use scylla::statement::Consistency;
use scylla::statement::prepared::PreparedStatement;

use crate::engine::{StorageError, chain};
use crate::schema::{Table, WriteKind};

use super::ranges::{Shape, selected};
use super::tables::{Keyspaces, all_equal, names};

/// How a table's rows are written.
pub enum Writes {
    /// With a timestamp.
    Plain {
        /// Key, body, timestamp.
        put: PreparedStatement,
        /// Key, body, seconds, timestamp.
        put_until: PreparedStatement,
        /// Timestamp, key.
        delete: PreparedStatement,
    },
    /// If the version is the expected one.
    CompareAndSet {
        /// Key, version, body: if there is no row.
        insert: PreparedStatement,
        /// Version, body, key, expected version: if there is a body.
        replace: PreparedStatement,
        /// Version, body, key, expected version: if there is none any more.
        revive: PreparedStatement,
        /// Key: after every one that was begun before.
        get_serial: PreparedStatement,
    },
}

/// The statements of a table.
pub struct Statements {
    /// Key.
    pub get: PreparedStatement,
    /// How its rows are written.
    pub writes: Writes,
    scans: RwLock<HashMap<Shape, Arc<PreparedStatement>>>,
}

/// Prepares statements.
#[derive(Clone, Copy)]
pub struct Preparing<'a> {
    /// The session.
    pub session: &'a Session,
    /// Where the tables are.
    pub keyspaces: &'a Keyspaces,
}

impl Preparing<'_> {
    /// The statements of `table`.
    pub async fn statements(self, table: &'static Table) -> Result<Statements, StorageError> {
        let name = self.keyspaces.table(table);
        let key = [table.partition, table.clustering].concat();
        let get = format!(
            "SELECT {} FROM {name} WHERE {}",
            selected(table).join(", "),
            all_equal(&key)
        );
        let writes = match table.kind {
            WriteKind::Plain => self.plain(table, &name).await?,
            WriteKind::CompareAndSet => self.compare_and_set(table, &name, &get).await?,
        };
        let statements = Statements {
            get: self.one(table, &get, true).await?,
            writes,
            scans: RwLock::default(),
        };
        statements.scan(self, table, Shape::ALL).await?;
        Ok(statements)
    }

    async fn plain(self, table: &'static Table, name: &str) -> Result<Writes, StorageError> {
        let key = [table.partition, table.clustering].concat();
        let insert = insert_into(name, &[names(&key), vec!["body".to_owned()]].concat());
        let delete = format!("DELETE FROM {name} USING TIMESTAMP ? WHERE {}", all_equal(&key));
        Ok(Writes::Plain {
            put: self.one(table, &format!("{insert} USING TIMESTAMP ?"), true).await?,
            put_until: self
                .one(table, &format!("{insert} USING TTL ? AND TIMESTAMP ?"), true)
                .await?,
            delete: self.one(table, &delete, true).await?,
        })
    }

    async fn compare_and_set(self, table: &'static Table, name: &str, get: &str) -> Result<Writes, StorageError> {
        let key = [table.partition, table.clustering].concat();
        let all = [names(&key), vec!["version".to_owned(), "body".to_owned()]].concat();
        let insert = format!("{} IF NOT EXISTS", insert_into(name, &all));
        let update = format!("UPDATE {name} SET version = ?, body = ? WHERE {}", all_equal(&key));
        let mut get_serial = self.one(table, get, true).await?;
        get_serial.set_consistency(Consistency::LocalSerial);
        Ok(Writes::CompareAndSet {
            insert: self.one(table, &insert, false).await?,
            replace: self
                .one(table, &format!("{update} IF version = ? AND body != null"), false)
                .await?,
            revive: self
                .one(table, &format!("{update} IF version = ? AND body = null"), false)
                .await?,
            get_serial,
        })
    }

    /// A statement. Only one that may be sent twice is tried again by the driver.
    async fn one(
        self,
        table: &'static Table,
        text: &str,
        is_idempotent: bool,
    ) -> Result<PreparedStatement, StorageError> {
        let prepared = self.session.prepare(text).await;
        let mut prepared = prepared.map_err(|error| StorageError::Unavailable {
            reason: format!(
                "a statement of {} can not be prepared: {}: {text}",
                table.name,
                chain(&error)
            ),
        })?;
        prepared.set_is_idempotent(is_idempotent);
        Ok(prepared)
    }
}

impl Statements {
    /// The statement that reads ranges of this shape.
    pub async fn scan(
        &self,
        preparing: Preparing<'_>,
        table: &'static Table,
        shape: Shape,
    ) -> Result<Arc<PreparedStatement>, StorageError> {
        let known = self
            .scans
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&shape)
            .cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let text = shape.select(preparing.keyspaces, table);
        let prepared = Arc::new(preparing.one(table, &text, true).await?);
        let mut scans = self.scans.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(scans.entry(shape).or_insert(prepared)))
    }
}

fn insert_into(name: &str, columns: &[String]) -> String {
    let marks = vec!["?"; columns.len()].join(", ");
    format!("INSERT INTO {name} ({}) VALUES ({marks})", columns.join(", "))
}
