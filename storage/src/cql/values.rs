//! Keys and rows as CQL values.

use scylla::value::{CqlValue, Row as CqlRow};
use uuid::Uuid;

use crate::engine::{Row, StorageError};
use crate::key::KeyValue;
use crate::schema::{ColumnKind, Table};

/// The values of partition columns.
pub fn partition(columns: &[KeyValue]) -> impl Iterator<Item = CqlValue> {
    columns.iter().map(|column| match column {
        KeyValue::Id(id) => CqlValue::Uuid(Uuid::from_bytes(*id)),
        KeyValue::Number(number) => number_value(*number),
    })
}

/// The values of clustering columns.
pub fn clustering(columns: &[KeyValue]) -> impl Iterator<Item = CqlValue> {
    columns.iter().map(|column| match column {
        KeyValue::Id(id) => CqlValue::Blob(id.to_vec()),
        KeyValue::Number(number) => number_value(*number),
    })
}

/// A number; those from 2^63 on, which no table orders by, are stored as negative ones and read back.
fn number_value(number: u64) -> CqlValue {
    CqlValue::BigInt(number.cast_signed())
}

/// A write timestamp in microseconds, as CQL has it.
pub fn timestamp(timestamp: u64) -> CqlValue {
    CqlValue::BigInt(i64::try_from(timestamp).unwrap_or(i64::MAX))
}

/// The value of a clustering column; `None` if it is of another type.
pub fn clustering_value(kind: ColumnKind, value: Option<CqlValue>) -> Option<KeyValue> {
    match (kind, value) {
        (ColumnKind::Id, Some(CqlValue::Blob(bytes))) => bytes.try_into().ok().map(KeyValue::Id),
        (ColumnKind::Number | ColumnKind::Time, Some(CqlValue::BigInt(number))) => {
            Some(KeyValue::Number(number.cast_unsigned()))
        }
        _ => None,
    }
}

/// A row of a query that selects the clustering columns, the body, and its write timestamp or version: its place, and the
/// row unless it is what a deletion by compare-and-set left behind.
pub fn row(table: &'static Table, row: CqlRow) -> Result<(Vec<KeyValue>, Option<Row>), StorageError> {
    let foreign = |what: &str| StorageError::Unreadable {
        table: table.name,
        reason: format!("its {what} in the database is of another type"),
    };
    let mut columns = row.columns.into_iter();
    let mut place = Vec::with_capacity(table.clustering.len());
    for column in table.clustering {
        let value = clustering_value(column.kind, columns.next().flatten());
        place.push(value.ok_or_else(|| foreign(column.name))?);
    }
    let body = match columns.next() {
        Some(Some(CqlValue::Blob(body))) => body,
        Some(None) => return Ok((place, None)),
        _ => return Err(foreign("body")),
    };
    let timestamp = match columns.next().flatten() {
        Some(CqlValue::BigInt(written)) => u64::try_from(written).map_err(|_| foreign("timestamp"))?,
        _ => return Err(foreign("timestamp")),
    };
    let row = Row {
        clustering: place.clone(),
        body,
        timestamp,
    };
    Ok((place, Some(row)))
}
