//! Brings the tables of a database to this program's version, one migrator at a time.
//!
//! Concurrent changes of a schema are a classic way to lose a cluster, so whoever changes it holds a lock with a lease,
//! and renews it before every statement. A migrator that dies leaves its lock to the database, which takes it away.

use std::time::Duration;

use scylla::client::session::Session;
use tokio::time::Instant;

use super::connection::{AGREEMENT_TIMEOUT, CqlOptions, connect};
use super::marks::{self, Held, Marks};
use super::migrations::{Applied, BEFORE, MigrateError, Migration, pending};
use super::tables::Keyspaces;
use crate::engine::{StorageError, chain};

/// Whose migrations are meant; the table could hold those of others.
const PROGRAM: &str = "samtale";
/// The name of the lock.
const LOCK: &str = "migrator";
/// How long a statement that changes the schema may take, besides the nodes' agreement on it.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the lock holds without being renewed: longer than any statement between two renewals.
const LEASE: Duration = Duration::from_secs(STATEMENT_TIMEOUT.as_secs() + AGREEMENT_TIMEOUT.as_secs() + 30);
/// The pause between two looks at a lock that someone else holds.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How much longer than the lease to wait for the lock: a holder that is alive may renew it, one that is not may not.
const BEYOND_THE_LEASE: Duration = Duration::from_secs(10);

/// What a database has and what it lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// What was applied.
    pub applied: Vec<Applied>,
    /// What was not.
    pub pending: Vec<&'static Migration>,
}

/// Changes the tables.
pub struct Migrator {
    session: Session,
    keyspaces: Keyspaces,
    replicas: u8,
    lease: Duration,
    name: String,
}

impl Migrator {
    /// A migrator of this database.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`] when the database is not reached.
    pub async fn connect(options: &CqlOptions) -> Result<Self, StorageError> {
        let chance = getrandom::u64().map_err(|error| StorageError::Unavailable {
            reason: error.to_string(),
        })?;
        Ok(Self {
            session: connect(options, STATEMENT_TIMEOUT).await?,
            keyspaces: options.keyspaces.clone(),
            replicas: options.replicas,
            lease: LEASE,
            name: format!("process {}, {chance:016x}", std::process::id()),
        })
    }

    /// With another lease, for tests that do not wait for minutes.
    #[must_use]
    pub const fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// What the database has and what it lacks. Changes nothing.
    ///
    /// # Errors
    ///
    /// [`MigrateError::Newer`] or [`MigrateError::Changed`] when its tables are not this program's.
    pub async fn status(&self) -> Result<Status, MigrateError> {
        let applied = applied(&self.session, &self.keyspaces).await?;
        let pending = pending(&applied)?;
        Ok(Status { applied, pending })
    }

    /// The statements that [`Migrator::migrate`] would run now. Changes nothing.
    ///
    /// # Errors
    ///
    /// As for [`Migrator::status`].
    pub async fn planned(&self) -> Result<Vec<String>, MigrateError> {
        let status = self.status().await?;
        let before = if self.has_lock_table().await? {
            None
        } else {
            Some(&BEFORE)
        };
        let migrations = before.into_iter().chain(status.pending);
        Ok(migrations
            .flat_map(|one| one.statements(&self.keyspaces, self.replicas))
            .collect())
    }

    /// Applies what is pending, and says what it was. `progress` hears of every statement.
    ///
    /// # Errors
    ///
    /// As for [`Migrator::status`], [`MigrateError::Busy`] when another migrator holds the lock for longer than its
    /// lease, and [`MigrateError::Refused`]. What was applied stays; running it again goes on.
    pub async fn migrate(&self, progress: &(dyn Fn(&str) + Sync)) -> Result<Vec<&'static Migration>, MigrateError> {
        // What is up to date needs no lock, so that many nodes may start with a migration in front.
        if self.status().await?.pending.is_empty() {
            return Ok(Vec::new());
        }
        if !self.has_lock_table().await? {
            for statement in BEFORE.statements(&self.keyspaces, self.replicas) {
                self.change(&statement, progress).await?;
            }
        }
        self.lock(progress).await?;
        let outcome = self.apply(progress).await;
        // Whatever it came to, the next one need not wait for the lease.
        if let Err(error) = self.marks().release(LOCK, &self.name).await {
            tracing::warn!(error = %chain(&error), "the lock of the migrator was not released, and ends by itself");
        }
        outcome
    }

    async fn apply(&self, progress: &(dyn Fn(&str) + Sync)) -> Result<Vec<&'static Migration>, MigrateError> {
        // Another one may have done it meanwhile.
        let pending = self.status().await?.pending;
        for migration in &pending {
            for statement in migration.statements(&self.keyspaces, self.replicas) {
                self.hold().await?;
                self.change(&statement, progress).await?;
            }
            self.hold().await?;
            self.record(migration).await?;
        }
        Ok(pending)
    }

    async fn lock(&self, progress: &(dyn Fn(&str) + Sync)) -> Result<(), MigrateError> {
        let give_up = Instant::now() + self.lease + BEYOND_THE_LEASE;
        loop {
            match self.marks().take(LOCK, &self.name, Some(self.lease)).await? {
                Held::ByUs => return Ok(()),
                Held::By(holder) if Instant::now() >= give_up => {
                    let seconds = self.lease.as_secs();
                    return Err(MigrateError::Busy { holder, seconds });
                }
                Held::By(holder) => {
                    progress(&format!("waiting for another migrator ({holder})"));
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
            }
        }
    }

    async fn hold(&self) -> Result<(), MigrateError> {
        match self.marks().renew(LOCK, &self.name, self.lease).await? {
            true => Ok(()),
            false => Err(MigrateError::LockLost),
        }
    }

    async fn change(&self, statement: &str, progress: &(dyn Fn(&str) + Sync)) -> Result<(), MigrateError> {
        progress(statement.lines().next().unwrap_or_default());
        // The driver waits until all nodes agree on the schema.
        let changed = self.session.query_unpaged(statement, ()).await;
        changed.map(drop).map_err(|error| MigrateError::Refused {
            statement: statement.to_owned(),
            reason: chain(&error),
        })
    }

    async fn record(&self, migration: &Migration) -> Result<(), MigrateError> {
        let statement = format!(
            "INSERT INTO {}.schema_migrations (program, version, name, checksum, applied_at) \
             VALUES (?, ?, ?, ?, toTimestamp(now()))",
            self.keyspaces.plain
        );
        let version = i32::try_from(migration.version).unwrap_or(i32::MAX);
        let values = (PROGRAM, version, migration.name, migration.checksum());
        let recorded = self.session.query_unpaged(statement.as_str(), values).await;
        recorded.map(drop).map_err(|error| MigrateError::Refused {
            reason: chain(&error),
            statement,
        })
    }

    async fn has_lock_table(&self) -> Result<bool, StorageError> {
        has_table(&self.session, &self.keyspaces.settled, marks::TABLE).await
    }

    fn marks(&self) -> Marks<'_> {
        Marks::new(&self.session, &self.keyspaces)
    }
}

/// Refuses tables that are not of exactly this program's version.
pub(super) async fn require(session: &Session, keyspaces: &Keyspaces) -> Result<(), StorageError> {
    let applied = applied(session, keyspaces).await?;
    let missing = pending(&applied)?;
    if missing.is_empty() {
        return Ok(());
    }
    let reason = if applied.is_empty() {
        format!("the keyspace {} has none yet: run `samtale migrate`", keyspaces.plain)
    } else {
        let names: Vec<String> = missing
            .iter()
            .map(|one| format!("{} ({})", one.version, one.name))
            .collect();
        format!("they lack {}: run `samtale migrate`", names.join(", "))
    };
    Err(StorageError::Schema { reason })
}

async fn applied(session: &Session, keyspaces: &Keyspaces) -> Result<Vec<Applied>, StorageError> {
    if !has_table(session, &keyspaces.plain, "schema_migrations").await? {
        return Ok(Vec::new());
    }
    let statement = format!(
        "SELECT version, name, checksum FROM {}.schema_migrations WHERE program = ?",
        keyspaces.plain
    );
    let unavailable = |error: &dyn std::error::Error| StorageError::Unavailable {
        reason: format!("the versions of the tables can not be read: {}", chain(error)),
    };
    let answer = session.query_unpaged(statement.as_str(), (PROGRAM,)).await;
    let rows = answer.map_err(|error| unavailable(&error))?.into_rows_result();
    let rows = rows.map_err(|error| unavailable(&error))?;
    let mut applied = Vec::new();
    for row in rows
        .rows::<(i32, String, String)>()
        .map_err(|error| unavailable(&error))?
    {
        let (version, name, checksum) = row.map_err(|error| unavailable(&error))?;
        applied.push(Applied {
            version: u32::try_from(version).unwrap_or(u32::MAX),
            name,
            checksum,
        });
    }
    Ok(applied)
}

async fn has_table(session: &Session, keyspace: &str, table: &str) -> Result<bool, StorageError> {
    let statement = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?";
    let unavailable = |error: &dyn std::error::Error| StorageError::Unavailable {
        reason: format!("the database's tables can not be listed: {}", chain(error)),
    };
    let answer = session.query_unpaged(statement, (keyspace, table)).await;
    let rows = answer.map_err(|error| unavailable(&error))?.into_rows_result();
    Ok(rows.map_err(|error| unavailable(&error))?.rows_num() > 0)
}
