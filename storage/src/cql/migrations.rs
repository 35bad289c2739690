//! The versions of the tables: numbered files of CQL that only add, and what of them a database has.

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::tables::Keyspaces;
use crate::engine::StorageError;

/// Before anyone can hold the lock.
pub(super) static BEFORE: Migration = Migration {
    version: 0,
    name: "before",
    text: include_str!("migrations/before.cql"),
};

/// Every version of the tables, in order. A file that was released is never changed: the next change is the next file.
pub static ALL: &[Migration] = &[
    Migration {
        version: 1,
        name: "tables",
        text: include_str!("migrations/0001_tables.cql"),
    },
    Migration {
        version: 2,
        name: "nodes",
        text: include_str!("migrations/0002_nodes.cql"),
    },
];

/// A version of the tables.
#[derive(Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its number.
    pub version: u32,
    /// What it brings.
    pub name: &'static str,
    text: &'static str,
}

/// A migration that a database has had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its number.
    pub version: u32,
    /// What it brought.
    pub name: String,
    /// Of its text, as it was then.
    pub checksum: String,
}

/// Why the tables are not brought to this program's version, or can not be used by it.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// A newer program has been here.
    #[error("the tables in the database have version {found}, this program knows up to {known}: use a newer program")]
    Newer {
        /// The version of the tables.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// What was applied is not what this program has under that number.
    #[error(
        "migration {version} ({name}) was applied to the database with another text than this program has: \
         use the program that made these tables, or a release after it"
    )]
    Changed {
        /// Its number.
        version: u32,
        /// What it brought.
        name: String,
    },
    /// Another process is at it.
    #[error("another migrator is at work ({holder}); its lock ends by itself {seconds} s after its last step")]
    Busy {
        /// Which.
        holder: String,
        /// How long its lease is.
        seconds: u64,
    },
    /// The lease ran out meanwhile.
    #[error("the lock was lost while the tables were changed: run it again")]
    LockLost,
    /// The database refuses a statement.
    #[error("the database refuses: {reason}: {statement}")]
    Refused {
        /// The statement.
        statement: String,
        /// Why.
        reason: String,
    },
    /// The database can not be asked.
    #[error(transparent)]
    Database(#[from] StorageError),
}

impl From<MigrateError> for StorageError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Database(error) => error,
            MigrateError::Newer { found, known } => Self::NewerFormat { found, known },
            error => Self::Schema {
                reason: error.to_string(),
            },
        }
    }
}

impl Migration {
    /// What tells its text from any other.
    pub fn checksum(&self) -> String {
        let digest = Sha256::digest(self.text.as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Its statements for these keyspaces.
    pub fn statements(&self, keyspaces: &Keyspaces, replicas: u8) -> Vec<String> {
        let replication = format!("{{'class': 'NetworkTopologyStrategy', 'replication_factor': {replicas}}}");
        let lines = self.text.lines().filter(|line| !line.trim_start().starts_with("--"));
        let text = lines
            .collect::<Vec<_>>()
            .join("\n")
            .replace("{keyspace}", &keyspaces.plain)
            .replace("{replication}", &replication);
        let statements = text.split(';').map(str::trim);
        statements
            .filter(|statement| !statement.is_empty())
            .map(str::to_owned)
            .collect()
    }
}

/// What a database that has had `applied` still needs.
pub(super) fn pending(applied: &[Applied]) -> Result<Vec<&'static Migration>, MigrateError> {
    for had in applied {
        let Some(ours) = ALL.iter().find(|ours| ours.version == had.version) else {
            return Err(MigrateError::Newer {
                found: had.version,
                known: newest(),
            });
        };
        if ours.checksum() != had.checksum {
            return Err(MigrateError::Changed {
                version: had.version,
                name: had.name.clone(),
            });
        }
    }
    let has = |version| applied.iter().any(|had| had.version == version);
    Ok(ALL.iter().filter(|ours| !has(ours.version)).collect())
}

fn newest() -> u32 {
    ALL.last().map_or(0, |newest| newest.version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{self, Column, ColumnKind, Table, WriteKind};

    fn keyspaces() -> Keyspaces {
        Keyspaces::named("school").unwrap()
    }

    /// A table of the list as CQL creates it.
    fn created(table: &Table) -> String {
        let declared = |columns: &[Column], id: &str| -> Vec<String> {
            let kind = |column: &Column| match column.kind {
                ColumnKind::Id => id.to_owned(),
                ColumnKind::Number | ColumnKind::Time => "bigint".to_owned(),
            };
            let columns = columns.iter();
            columns
                .map(|column| format!("{} {}", column.name, kind(column)))
                .collect()
        };
        let names = |columns: &[Column]| -> Vec<&str> { columns.iter().map(|column| column.name).collect() };
        let mut columns = [declared(table.partition, "uuid"), declared(table.clustering, "blob")].concat();
        if table.kind == WriteKind::CompareAndSet {
            columns.push("version bigint".to_owned());
        }
        columns.push("body blob".to_owned());
        let partition = format!("({})", names(table.partition).join(", "));
        let key = [vec![partition.as_str()], names(table.clustering)].concat().join(", ");
        let lifetime = table.lifetime.map_or_else(String::new, |lifetime| {
            format!(" WITH default_time_to_live = {}", lifetime.as_secs())
        });
        let name = keyspaces().table(table);
        format!(
            "CREATE TABLE IF NOT EXISTS {name} ( {}, PRIMARY KEY ({key}) ){lifetime}",
            columns.join(", ")
        )
    }

    #[test]
    fn all_migrations_together_make_the_tables_of_the_list() {
        let statements = ALL.iter().flat_map(|migration| migration.statements(&keyspaces(), 3));
        let mut made: Vec<String> = statements
            .map(|statement| statement.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        let mut listed: Vec<String> = schema::ALL.iter().map(|table| created(table)).collect();
        made.sort();
        listed.sort();
        assert_eq!(made, listed);
    }

    #[test]
    fn migrations_are_numbered_and_only_add() {
        for (place, migration) in ALL.iter().enumerate() {
            assert_eq!(migration.version as usize, place + 1);
        }
        for migration in ALL.iter().chain([&BEFORE]) {
            for statement in migration.statements(&keyspaces(), 3) {
                assert!(statement.is_ascii() && !statement.contains(['{', '"']) || statement.contains("replication"));
                let begins = [
                    "CREATE TABLE IF NOT EXISTS school",
                    "CREATE KEYSPACE IF NOT EXISTS school",
                ];
                assert!(begins.iter().any(|begin| statement.starts_with(begin)), "{statement}");
            }
        }
    }

    #[test]
    fn a_released_migration_is_never_changed() {
        let checksums: Vec<String> = ALL.iter().map(Migration::checksum).collect();
        assert_eq!(
            checksums,
            [
                "870d0ec3cc92f61b24f299ac7322db2dc0ee819dbe4fce85d7a0ec0f1ca3713b",
                "dabe66e429d6ee220f27f40591b0913a6c265cedae92092769a59b27f54bfd49",
            ]
        );
    }

    #[test]
    fn what_was_applied_decides_what_is_pending() {
        let applied = |version, checksum: String| Applied {
            version,
            name: "tables".to_owned(),
            checksum,
        };
        assert_eq!(pending(&[]).unwrap().len(), ALL.len());
        let all: Vec<Applied> = ALL.iter().map(|ours| applied(ours.version, ours.checksum())).collect();
        assert!(pending(&all).unwrap().is_empty());
        let changed = pending(&[applied(1, "other".to_owned())]).unwrap_err();
        assert!(matches!(changed, MigrateError::Changed { version: 1, .. }));
        let newer = pending(&[applied(999, "x".to_owned())]).unwrap_err();
        assert!(matches!(newer, MigrateError::Newer { found: 999, .. }));
    }
}
