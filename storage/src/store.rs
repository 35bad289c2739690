//! Typed records over any engine. A body is one byte of version, then MessagePack with named fields.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use samtale_protocol::Timestamp;

use crate::engine::{Batch, Change, Compared, Engine, Range, Row, RowChange, StorageError};
use crate::key::{Key, KeyValue};
use crate::schema::Table;

/// A record that a table keeps.
pub trait Record: Serialize + DeserializeOwned + Send + Sync {
    /// Its table.
    const TABLE: &'static Table;
    /// The version of its body. A field that is added has a default and needs no new version.
    const VERSION: u8 = 1;
}

/// A record with where and when it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored<R> {
    /// Its place in the partition.
    pub clustering: Vec<KeyValue>,
    /// The timestamp it was written with; of a compare-and-set row its version.
    pub timestamp: u64,
    /// The record.
    pub record: R,
}

/// Records of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPage<R> {
    /// The records, in the asked order.
    pub records: Vec<Stored<R>>,
    /// Whether the limit cut the range short.
    pub more: bool,
}

/// Reads and writes records.
#[derive(Clone)]
pub struct Store {
    engine: Arc<dyn Engine>,
}

impl Store {
    /// A store over `engine`.
    pub fn new(engine: Arc<dyn Engine>) -> Self {
        Self { engine }
    }

    /// Reads one record.
    pub async fn get<R: Record>(&self, key: &Key) -> Result<Option<Stored<R>>, StorageError> {
        self.engine.get(R::TABLE, key).await?.map(decode).transpose()
    }

    /// Reads one record after every compare-and-set of it that was begun before.
    pub async fn get_serial<R: Record>(&self, key: &Key) -> Result<Option<Stored<R>>, StorageError> {
        self.engine.get_serial(R::TABLE, key).await?.map(decode).transpose()
    }

    /// Reads a range of a partition.
    pub async fn scan<R: Record>(&self, partition: &[KeyValue], range: &Range) -> Result<StoredPage<R>, StorageError> {
        let page = self.engine.scan(R::TABLE, partition, range).await?;
        let records = page.rows.into_iter().map(decode).collect::<Result<_, _>>()?;
        Ok(StoredPage {
            records,
            more: page.more,
        })
    }

    /// Reads a range of a partition of which some records may be unreadable: `None` stands in their place, so that lists
    /// can count them.
    pub async fn scan_readable<R: Record>(
        &self,
        partition: &[KeyValue],
        range: &Range,
    ) -> Result<StoredPage<Option<R>>, StorageError> {
        let page = self.engine.scan(R::TABLE, partition, range).await?;
        let records = page.rows.into_iter().map(|row| {
            let (clustering, timestamp) = (row.clustering.clone(), row.timestamp);
            let record = decode::<R>(row).ok().map(|stored| stored.record);
            Stored {
                clustering,
                timestamp,
                record,
            }
        });
        Ok(StoredPage {
            records: records.collect(),
            more: page.more,
        })
    }

    /// Reads a whole range, page by page; for partitions that are bounded by the size of an institution.
    pub async fn scan_all<R: Record>(
        &self,
        partition: &[KeyValue],
        mut range: Range,
    ) -> Result<Vec<Stored<R>>, StorageError> {
        let mut records = Vec::new();
        loop {
            let page = self.scan::<R>(partition, &range).await?;
            records.extend(page.records);
            match records.last() {
                Some(last) if page.more => range = range.after(last.clustering.clone()),
                _ => return Ok(records),
            }
        }
    }

    /// Writes a record of a plain table.
    pub async fn put<R: Record>(&self, key: Key, record: &R, timestamp: u64) -> Result<(), StorageError> {
        self.change::<R>(
            key,
            Change::Put {
                body: encode(record)?,
                expires_at: None,
            },
            timestamp,
        )
        .await
    }

    /// Writes a record that ceases to be at `expires_at`.
    pub async fn put_until<R: Record>(
        &self,
        key: Key,
        record: &R,
        timestamp: u64,
        expires_at: Timestamp,
    ) -> Result<(), StorageError> {
        let change = Change::Put {
            body: encode(record)?,
            expires_at: Some(expires_at),
        };
        self.change::<R>(key, change, timestamp).await
    }

    /// Writes several records of one partition together or not at all.
    pub async fn put_all<R: Record>(
        &self,
        partition: Vec<KeyValue>,
        records: impl IntoIterator<Item = (Vec<KeyValue>, R)>,
        timestamp: u64,
    ) -> Result<(), StorageError> {
        let rows = records
            .into_iter()
            .map(|(clustering, record)| {
                let change = Change::Put {
                    body: encode(&record)?,
                    expires_at: None,
                };
                Ok(RowChange {
                    clustering,
                    change,
                    timestamp,
                })
            })
            .collect::<Result<Vec<_>, StorageError>>()?;
        if rows.is_empty() {
            return Ok(());
        }
        self.engine
            .write(Batch {
                table: R::TABLE,
                partition,
                rows,
            })
            .await
    }

    /// Deletes a record of a plain table.
    pub async fn delete<R: Record>(&self, key: Key, timestamp: u64) -> Result<(), StorageError> {
        self.change::<R>(key, Change::Delete, timestamp).await
    }

    /// Replaces a record if its version is `expected`. When the outcome is not known, a serial read settles it.
    pub async fn compare_and_set<R: Record>(
        &self,
        key: &Key,
        expected: Option<u64>,
        record: &R,
    ) -> Result<Compared, StorageError> {
        let body = encode(record)?;
        match self
            .engine
            .compare_and_set(R::TABLE, key, expected, Some(body.clone()))
            .await
        {
            Err(unknown @ StorageError::Timeout { .. }) => {
                // An error of this read says nothing of the write: the outcome stays unknown.
                let now = self.engine.get_serial(R::TABLE, key).await.map_err(|_| unknown)?;
                Ok(match now {
                    // Another writer's equal body is as good as ours: the row says what we wanted it to say.
                    Some(row) if Some(row.timestamp) != expected && row.body == body => {
                        Compared::Applied { version: row.timestamp }
                    }
                    _ => Compared::Conflict,
                })
            }
            outcome => outcome,
        }
    }

    async fn change<R: Record>(&self, key: Key, change: Change, timestamp: u64) -> Result<(), StorageError> {
        let rows = vec![RowChange {
            clustering: key.clustering,
            change,
            timestamp,
        }];
        self.engine
            .write(Batch {
                table: R::TABLE,
                partition: key.partition,
                rows,
            })
            .await
    }
}

fn encode<R: Record>(record: &R) -> Result<Vec<u8>, StorageError> {
    let mut body = vec![R::VERSION];
    rmp_serde::encode::write_named(&mut body, record).map_err(|error| StorageError::Unreadable {
        table: R::TABLE.name,
        reason: error.to_string(),
    })?;
    Ok(body)
}

fn decode<R: Record>(row: Row) -> Result<Stored<R>, StorageError> {
    let unreadable = |reason: String| StorageError::Unreadable {
        table: R::TABLE.name,
        reason,
    };
    let record = match row.body.split_first() {
        Some((version, body)) if *version == R::VERSION => {
            rmp_serde::from_slice(body).map_err(|error| unreadable(error.to_string()))?
        }
        Some((version, _)) => return Err(unreadable(format!("its body has version {version}"))),
        None => return Err(unreadable("its body is empty".to_owned())),
    };
    Ok(Stored {
        clustering: row.clustering,
        timestamp: row.timestamp,
        record,
    })
}
