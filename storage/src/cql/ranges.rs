//! A range of a partition as a CQL condition.
//!
//! Bounds are written as tuples, `(guardian, child) > (?, ?)`, of as many columns as they name: so a bound of fewer columns
//! takes in every row that begins with it, or none of them, as [`crate::Range`] says.

use std::ops::Bound;

use crate::engine::Range;
use crate::key::KeyValue;
use crate::schema::{Table, WriteKind};

use super::tables::{Keyspaces, all_equal, names};

/// One end of a range: whether it takes in what it names, and of how many columns it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// There is none.
    Open,
    /// It takes in what begins with it.
    Included(usize),
    /// It does not.
    Excluded(usize),
}

/// The shape of a range: all ranges of one shape are one prepared statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    from: End,
    to: End,
    descending: bool,
}

impl Shape {
    /// The whole partition, from its first row.
    pub const ALL: Self = Self {
        from: End::Open,
        to: End::Open,
        descending: false,
    };

    /// The shape of a range; `None` if nothing can be in it.
    pub fn of(range: &Range) -> Option<Self> {
        Some(Self {
            from: end(&range.from)?,
            to: end(&range.to)?,
            descending: range.descending,
        })
    }

    /// The statement that reads it: the clustering columns, the body, and its timestamp or version.
    pub fn select(self, keyspaces: &Keyspaces, table: &Table) -> String {
        let mut conditions = vec![all_equal(table.partition)];
        conditions.extend(self.from.condition(table, ">=", ">"));
        conditions.extend(self.to.condition(table, "<=", "<"));
        let order = if self.descending && !table.clustering.is_empty() {
            format!(" ORDER BY {} DESC", names(table.clustering).join(" DESC, "))
        } else {
            String::new()
        };
        format!(
            "SELECT {} FROM {} WHERE {}{order} LIMIT ?",
            selected(table).join(", "),
            keyspaces.table(table),
            conditions.join(" AND ")
        )
    }
}

/// What a read selects.
pub fn selected(table: &Table) -> Vec<String> {
    let written = match table.kind {
        WriteKind::Plain => "WRITETIME(body)",
        WriteKind::CompareAndSet => "version",
    };
    [names(table.clustering), vec!["body".to_owned(), written.to_owned()]].concat()
}

fn end(bound: &Bound<Vec<KeyValue>>) -> Option<End> {
    match bound {
        Bound::Unbounded => Some(End::Open),
        Bound::Included(columns) if columns.is_empty() => Some(End::Open),
        Bound::Included(columns) => Some(End::Included(columns.len())),
        // Every row begins with no columns at all.
        Bound::Excluded(columns) if columns.is_empty() => None,
        Bound::Excluded(columns) => Some(End::Excluded(columns.len())),
    }
}

impl End {
    fn condition(self, table: &Table, included: &str, excluded: &str) -> Option<String> {
        let (columns, comparison) = match self {
            Self::Open => return None,
            Self::Included(columns) => (columns, included),
            Self::Excluded(columns) => (columns, excluded),
        };
        let names = names(table.clustering.get(..columns)?).join(", ");
        let marks = vec!["?"; columns].join(", ");
        Some(format!("({names}) {comparison} ({marks})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{MESSAGES, RELATIONS};

    #[test]
    fn each_shape_is_a_statement_of_its_own() {
        let keyspaces = Keyspaces::named("school").unwrap();
        let (one, two) = (KeyValue::Number(1), KeyValue::Number(2));
        let range = Range::all(5).after(vec![one, two]);
        assert_eq!(
            Shape::of(&range).unwrap().select(&keyspaces, &RELATIONS),
            "SELECT guardian, child, body, WRITETIME(body) FROM school.relations WHERE space = ? AND \
             (guardian, child) > (?, ?) LIMIT ?"
        );
        let range = Range::prefix(vec![one], 5).descending();
        assert!(
            Shape::of(&range)
                .unwrap()
                .select(&keyspaces, &RELATIONS)
                .ends_with("AND (guardian) >= (?) AND (guardian) <= (?) ORDER BY guardian DESC, child DESC LIMIT ?")
        );
        let nothing = Range::all(5).before(Vec::new());
        assert_eq!(Shape::of(&nothing), None);
        assert!(
            Shape::ALL
                .select(&keyspaces, &MESSAGES)
                .contains("thread = ? AND quarter = ? LIMIT ?")
        );
    }
}
