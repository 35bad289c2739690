//! The table list as CQL that runs unchanged on ScyllaDB and on Apache Cassandra 5.
//!
//! Key columns are typed, so that an operator reads them in `cqlsh`: ids of the partition are `uuid`, numbers are
//! `bigint`. Ids that order rows are `blob`, because a `uuid` is not ordered by its bytes: its version comes first.

use crate::schema::{Column, ColumnKind, Table, WriteKind};

/// Names of the keyspaces. Compare-and-set tables have one of their own, because some versions of ScyllaDB refuse
/// lightweight transactions where there are tablets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyspaces {
    /// Of plain tables.
    pub plain: String,
    /// Of compare-and-set tables.
    pub settled: String,
}

impl Keyspaces {
    /// The keyspaces that begin with `name`: lower-case letters, digits and underscores, which need no quotes.
    pub fn named(name: &str) -> Option<Self> {
        let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
        let begins_well = name.starts_with(|letter: char| letter.is_ascii_lowercase());
        let fits = name.len() <= 40;
        (begins_well && fits && name.chars().all(is_plain)).then(|| Self {
            plain: name.to_owned(),
            settled: format!("{name}_settled"),
        })
    }

    /// The full name of a table.
    pub fn table(&self, table: &Table) -> String {
        let keyspace = match table.kind {
            WriteKind::Plain => &self.plain,
            WriteKind::CompareAndSet => &self.settled,
        };
        format!("{keyspace}.{}", table.name)
    }
}

/// The statement that creates a keyspace, kept `replicas` times in each data centre.
pub fn create_keyspace(name: &str, replicas: u8) -> String {
    format!(
        "CREATE KEYSPACE IF NOT EXISTS {name} WITH replication = \
         {{'class': 'NetworkTopologyStrategy', 'replication_factor': {replicas}}}"
    )
}

/// The statement that creates a table.
pub fn create_table(keyspaces: &Keyspaces, table: &Table) -> String {
    let partition = table.partition.iter().map(|column| declared(column, "uuid"));
    let clustering = table.clustering.iter().map(|column| declared(column, "blob"));
    let version = (table.kind == WriteKind::CompareAndSet).then(|| "version bigint".to_owned());
    let columns: Vec<String> = partition
        .chain(clustering)
        .chain(version)
        .chain(["body blob".to_owned()])
        .collect();
    let key = [
        vec![format!("({})", names(table.partition).join(", "))],
        names(table.clustering),
    ]
    .concat();
    let lifetime = table.lifetime.map_or_else(String::new, |lifetime| {
        format!(" WITH default_time_to_live = {}", lifetime.as_secs())
    });
    format!(
        "CREATE TABLE IF NOT EXISTS {} ({}, PRIMARY KEY ({})){lifetime}",
        keyspaces.table(table),
        columns.join(", "),
        key.join(", ")
    )
}

fn declared(column: &Column, id: &str) -> String {
    let kind = match column.kind {
        ColumnKind::Id => id,
        ColumnKind::Number | ColumnKind::Time => "bigint",
    };
    format!("{} {kind}", column.name)
}

/// The names of columns.
pub fn names(columns: &[Column]) -> Vec<String> {
    columns.iter().map(|column| column.name.to_owned()).collect()
}

/// `a = ? AND b = ?` for these columns.
pub fn all_equal(columns: &[Column]) -> String {
    let equal: Vec<String> = columns.iter().map(|column| format!("{} = ?", column.name)).collect();
    equal.join(" AND ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{JOURNAL, RELATIONS, THREADS};

    #[test]
    fn a_table_is_created_with_typed_keys() {
        let keyspaces = Keyspaces::named("school").unwrap();
        assert_eq!(
            create_table(&keyspaces, &RELATIONS),
            "CREATE TABLE IF NOT EXISTS school.relations (space uuid, guardian blob, child blob, body blob, \
             PRIMARY KEY ((space), guardian, child))"
        );
        assert_eq!(
            create_table(&keyspaces, &THREADS),
            "CREATE TABLE IF NOT EXISTS school_settled.threads (space uuid, thread uuid, version bigint, body blob, \
             PRIMARY KEY ((space, thread)))"
        );
        assert!(create_table(&keyspaces, &JOURNAL).ends_with("WITH default_time_to_live = 1209600"));
    }

    #[test]
    fn a_keyspace_that_needs_quotes_is_refused() {
        for name in ["", "School", "1a", "a-b", "a; DROP KEYSPACE b", "å", &"a".repeat(41)] {
            assert_eq!(Keyspaces::named(name), None, "{name}");
        }
    }
}
