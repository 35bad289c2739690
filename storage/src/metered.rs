//! An engine whose calls are counted and timed.
//!
//! The names stand here, once; `docs/metrics.md` says what they mean. Which table was asked is no label: it would tell
//! little, and multiply the series by thirty.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use metrics::{counter, histogram};

use crate::engine::{Batch, Compared, Engine, Page, Range, Row, StorageError};
use crate::key::{Key, KeyValue};
use crate::schema::Table;

/// Calls by `call` and `outcome`.
const CALLS: &str = "samtale_storage_calls_total";
/// How long they took, by `call`.
const SECONDS: &str = "samtale_storage_call_seconds";

/// The metrics of this crate, each with what it means. A name that ends in `_total` is a counter, one that ends in
/// `_seconds` a histogram, any other a gauge.
pub const METRICS: &[(&str, &str)] = &[
    (CALLS, "Calls of the storage engine."),
    (
        SECONDS,
        "How long calls of the storage engine took, encryption included.",
    ),
];

/// An engine whose calls are counted and timed.
pub struct MeteredEngine {
    inner: Arc<dyn Engine>,
}

impl MeteredEngine {
    /// Counts and times the calls of `inner`.
    pub fn new(inner: Arc<dyn Engine>) -> Self {
        Self { inner }
    }
}

/// Waits for a call, and counts how it went.
async fn metered<T>(
    call: &'static str,
    work: impl Future<Output = Result<T, StorageError>>,
    outcome: impl FnOnce(&T) -> &'static str,
) -> Result<T, StorageError> {
    let began = Instant::now();
    let result = work.await;
    let outcome = match &result {
        Ok(value) => outcome(value),
        Err(error) => failure(error),
    };
    counter!(CALLS, "call" => call, "outcome" => outcome).increment(1);
    histogram!(SECONDS, "call" => call).record(began.elapsed());
    result
}

const fn failure(error: &StorageError) -> &'static str {
    match error {
        StorageError::Timeout { .. } => "timeout",
        StorageError::Unavailable { .. } => "unavailable",
        StorageError::Full { .. } => "full",
        StorageError::KeysUnavailable { .. } => "keys_unavailable",
        StorageError::Unreadable { .. } => "unreadable",
        _ => "failed",
    }
}

#[async_trait]
impl Engine for MeteredEngine {
    async fn get(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        metered("get", self.inner.get(table, key), |_| "done").await
    }

    async fn scan(&self, table: &'static Table, partition: &[KeyValue], range: &Range) -> Result<Page, StorageError> {
        metered("scan", self.inner.scan(table, partition, range), |_| "done").await
    }

    async fn write(&self, batch: Batch) -> Result<(), StorageError> {
        metered("write", self.inner.write(batch), |()| "done").await
    }

    async fn compare_and_set(
        &self,
        table: &'static Table,
        key: &Key,
        expected: Option<u64>,
        body: Option<Vec<u8>>,
    ) -> Result<Compared, StorageError> {
        let work = self.inner.compare_and_set(table, key, expected, body);
        metered("compare_and_set", work, |compared| match compared {
            Compared::Applied { .. } => "done",
            Compared::Conflict => "conflict",
        })
        .await
    }

    async fn get_serial(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        metered("get_serial", self.inner.get_serial(table, key), |_| "done").await
    }
}
