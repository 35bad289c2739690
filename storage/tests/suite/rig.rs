//! What several tests need: a clock that is set by hand, folders that are removed, rows to write.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use samtale_protocol::time::Clock;
use samtale_protocol::{SpaceId, Timestamp};
use samtale_storage::embedded::{EmbeddedEngine, EmbeddedOptions};
use samtale_storage::{Batch, Change, Engine, Key, KeyValue, OpenOptions, Row, RowChange, StorageError, Table};

/// A clock that stands until it is set.
pub struct TestClock(AtomicU64);

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(1_700_000_000_000)))
    }

    pub fn advance(&self, by: std::time::Duration) {
        self.0
            .fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::saturating(self.0.load(Ordering::SeqCst))
    }
}

/// A data folder and a key folder.
pub struct Folders {
    root: tempfile::TempDir,
}

impl Folders {
    pub fn new() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
        }
    }

    pub fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    pub fn keys(&self) -> PathBuf {
        self.root.path().join("keys")
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn options(&self) -> OpenOptions {
        let mut options = OpenOptions::new(self.data(), self.keys());
        options.embedded = embedded_options();
        options
    }

    pub fn embedded(&self, clock: Arc<dyn Clock>) -> EmbeddedEngine {
        EmbeddedEngine::open(&self.data(), embedded_options(), clock).unwrap()
    }
}

/// Options for a machine whose disk may be small, where a failed sync fails the test and not the whole run.
pub fn embedded_options() -> EmbeddedOptions {
    EmbeddedOptions {
        reserve_bytes: 0,
        on_fatal: Arc::new(|error| eprintln!("fatal: {error:?}")),
        ..EmbeddedOptions::default()
    }
}

pub fn space(number: u8) -> SpaceId {
    SpaceId::from_bytes([number; 16])
}

pub fn id(number: u8) -> KeyValue {
    KeyValue::Id([number; 16])
}

pub fn put(table: &'static Table, key: &Key, body: &[u8], timestamp: u64) -> Batch {
    change(
        table,
        key,
        Change::Put {
            body: body.to_vec(),
            expires_at: None,
        },
        timestamp,
    )
}

pub fn delete(table: &'static Table, key: &Key, timestamp: u64) -> Batch {
    change(table, key, Change::Delete, timestamp)
}

pub fn change(table: &'static Table, key: &Key, change: Change, timestamp: u64) -> Batch {
    Batch {
        table,
        partition: key.partition.clone(),
        rows: vec![RowChange {
            clustering: key.clustering.clone(),
            change,
            timestamp,
        }],
    }
}

pub async fn body(engine: &dyn Engine, table: &'static Table, key: &Key) -> Option<Vec<u8>> {
    engine.get(table, key).await.unwrap().map(|row: Row| row.body)
}

pub fn reason(error: &StorageError) -> String {
    error.to_string()
}

/// Says what was skipped, where the whole run reports it.
pub fn skip(what: &str) {
    println!("skipped: {what}");
    if let Some(path) = std::env::var_os("SAMTALE_SKIPPED") {
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .unwrap();
        writeln!(file, "{what}").unwrap();
    }
}
