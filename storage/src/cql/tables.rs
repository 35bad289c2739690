//! What the table list is called in CQL. The tables themselves are made by the files in `migrations/`.

use crate::schema::{Column, Table, WriteKind};

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
    /// Those that are used if no others are named.
    pub fn of_samtale() -> Self {
        Self::of("samtale")
    }

    /// The keyspaces that begin with `name`: lower-case letters, digits and underscores, which need no quotes.
    pub fn named(name: &str) -> Option<Self> {
        let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
        let begins_well = name.starts_with(|letter: char| letter.is_ascii_lowercase());
        let fits = name.len() <= 40;
        (begins_well && fits && name.chars().all(is_plain)).then(|| Self::of(name))
    }

    fn of(name: &str) -> Self {
        Self {
            plain: name.to_owned(),
            settled: format!("{name}_settled"),
        }
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

    #[test]
    fn a_keyspace_that_needs_quotes_is_refused() {
        for name in ["", "School", "1a", "a-b", "a; DROP KEYSPACE b", "å", &"a".repeat(41)] {
            assert_eq!(Keyspaces::named(name), None, "{name}");
        }
    }
}
