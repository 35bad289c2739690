//! Where a row stands: table name, zero byte, partition and clustering columns, all in the order of their values.
//!
//! A name holds no zero byte and the columns have fixed widths, so bytes sort as keys do and no table is inside another.

use std::ops::Bound;

use crate::engine::Range;
use crate::key::{self, KeyValue};
use crate::schema::{Column, ColumnKind, Table};

/// Where the rows of a table begin.
pub(super) fn table_prefix(table: &Table) -> Vec<u8> {
    let mut bytes = table.name.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

/// Where the rows of a partition begin.
pub(super) fn row_prefix(table: &Table, partition: &[KeyValue]) -> Vec<u8> {
    check(table, "partition", table.partition, partition);
    let mut bytes = table_prefix(table);
    bytes.extend_from_slice(&key::encode(partition));
    bytes
}

/// Where a row stands.
///
/// # Panics
///
/// When the columns are not those of the table: a mistake of the caller that no retry mends.
pub(super) fn row_place(table: &Table, partition: &[KeyValue], clustering: &[KeyValue]) -> Vec<u8> {
    check(table, "clustering", table.clustering, clustering);
    let mut bytes = row_prefix(table, partition);
    bytes.extend_from_slice(&key::encode(clustering));
    bytes
}

/// The first place of a range and the first one after it, or `None` if nothing can be between.
pub(super) fn bounds(table: &Table, partition: &[KeyValue], range: &Range) -> Option<(Vec<u8>, Vec<u8>)> {
    let prefix = row_prefix(table, partition);
    let at = |columns: &[KeyValue]| {
        let named = table.clustering.len().min(columns.len());
        check(table, "clustering", &table.clustering[..named], columns);
        let mut bytes = prefix.clone();
        bytes.extend_from_slice(&key::encode(columns));
        bytes
    };
    let from = match &range.from {
        Bound::Unbounded => prefix.clone(),
        Bound::Included(columns) => at(columns),
        Bound::Excluded(columns) => after(at(columns))?,
    };
    let to = match &range.to {
        Bound::Unbounded => after(prefix.clone())?,
        Bound::Included(columns) => after(at(columns))?,
        Bound::Excluded(columns) => at(columns),
    };
    (from < to).then_some((from, to))
}

/// The columns that these bytes hold; `None` if they hold others.
pub(super) fn columns(kinds: &[Column], mut bytes: &[u8]) -> Option<(Vec<KeyValue>, usize)> {
    let whole = bytes.len();
    let mut values = Vec::with_capacity(kinds.len());
    for column in kinds {
        let (value, rest) = match column.kind {
            ColumnKind::Id => {
                let (id, rest) = bytes.split_first_chunk::<16>()?;
                (KeyValue::Id(*id), rest)
            }
            ColumnKind::Number | ColumnKind::Time => {
                let (number, rest) = bytes.split_first_chunk::<8>()?;
                (KeyValue::Number(u64::from_be_bytes(*number)), rest)
            }
        };
        values.push(value);
        bytes = rest;
    }
    Some((values, whole - bytes.len()))
}

/// The first bytes that sort after everything that begins with these.
pub(super) fn after(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    while let Some(last) = bytes.last_mut() {
        if *last < u8::MAX {
            *last += 1;
            return Some(bytes);
        }
        bytes.pop();
    }
    None
}

fn check(table: &Table, part: &str, columns: &[Column], values: &[KeyValue]) {
    let fits = |column: &Column, value: &KeyValue| {
        matches!(
            (column.kind, value),
            (ColumnKind::Id, KeyValue::Id(_)) | (ColumnKind::Number | ColumnKind::Time, KeyValue::Number(_))
        )
    };
    assert!(
        columns.len() == values.len() && columns.iter().zip(values).all(|(column, value)| fits(column, value)),
        "the {part} key of {} has other columns",
        table.name
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{GROUP_MEMBERS, MESSAGES};

    #[test]
    fn what_follows_a_prefix_is_after_all_that_begins_with_it() {
        assert_eq!(after(vec![1, 2]), Some(vec![1, 3]));
        assert_eq!(after(vec![1, 0xff]), Some(vec![2]));
        assert_eq!(after(vec![0xff, 0xff]), None);
    }

    #[test]
    fn the_columns_come_back() {
        let partition = [KeyValue::Id([1; 16]), KeyValue::Id([2; 16]), KeyValue::Number(3)];
        let place = row_place(&MESSAGES, &partition, &[KeyValue::Id([4; 16])]);
        let bytes = &place[table_prefix(&MESSAGES).len()..];
        let (found, read) = columns(MESSAGES.partition, bytes).unwrap();
        assert_eq!(found, partition);
        assert_eq!(
            columns(MESSAGES.clustering, &bytes[read..]),
            Some((vec![KeyValue::Id([4; 16])], 16))
        );
    }

    #[test]
    #[should_panic(expected = "the clustering key of group_members has other columns")]
    fn other_columns_are_refused() {
        row_place(&GROUP_MEMBERS, &[KeyValue::Id([1; 16])], &[KeyValue::Id([2; 16])]);
    }
}
