//! An engine that counts what it is asked for, and can be told to fail or to hang.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use samtale_storage::{Batch, Change, Compared, Engine, Key, KeyValue, Page, Range, Row, StorageError, Table};
use tokio::sync::Notify;

/// How often each kind of call was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    pub gets: usize,
    pub scans: usize,
    pub writes: usize,
    pub compares: usize,
}

pub struct CountingEngine {
    engine: Arc<dyn Engine>,
    calls: [AtomicUsize; 4],
    /// Every body that was ever written, with its table.
    bodies: Mutex<Vec<(&'static str, Vec<u8>)>>,
    full: AtomicBool,
    /// Whoever loses a compare-and-set hears that its outcome is not known.
    unsure: AtomicBool,
    /// The table whose next scan is read and then held back.
    slow: Mutex<Option<&'static str>>,
    held: AtomicBool,
    /// How many more writes are taken.
    left: AtomicI64,
    /// Which write from now on hangs; none at 0.
    hanging_write: AtomicI64,
    /// Whether the next read of what is written by compare-and-set hangs.
    hanging_read: AtomicBool,
    hangs: Notify,
    goes_on: Notify,
}

impl CountingEngine {
    pub fn new(engine: Arc<dyn Engine>) -> Self {
        Self {
            engine,
            calls: Default::default(),
            bodies: Mutex::default(),
            full: AtomicBool::new(false),
            unsure: AtomicBool::new(false),
            slow: Mutex::default(),
            held: AtomicBool::new(false),
            left: AtomicI64::new(i64::MAX),
            hanging_write: AtomicI64::new(0),
            hanging_read: AtomicBool::new(false),
            hangs: Notify::new(),
            goes_on: Notify::new(),
        }
    }

    pub fn calls(&self) -> Calls {
        let count = |place: usize| self.calls[place].load(Ordering::SeqCst);
        Calls {
            gets: count(0),
            scans: count(1),
            writes: count(2),
            compares: count(3),
        }
    }

    /// From now on every write of messages is refused, or none.
    pub fn refuse_messages(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    /// From now on nobody hears that a compare-and-set failed, only that its outcome is not known.
    pub fn be_unsure(&self) {
        self.unsure.store(true, Ordering::SeqCst);
    }

    /// What the next scan of a table reads is held back until [`CountingEngine::let_go`].
    pub fn hold_next_scan(&self, table: &'static str) {
        *self.slow.lock().unwrap() = Some(table);
    }

    /// Whether a scan was read and is held back.
    pub fn holds(&self) -> bool {
        self.held.load(Ordering::SeqCst)
    }

    /// What is held back arrives.
    pub fn let_go(&self) {
        self.held.store(false, Ordering::SeqCst);
    }

    /// Takes so many more writes, and then none.
    pub fn take_writes(&self, count: i64) {
        self.left.store(count, Ordering::SeqCst);
    }

    /// The write with this number from now on hangs until [`CountingEngine::go_on`].
    pub fn let_write_hang(&self, number: i64) {
        self.hanging_write.store(number, Ordering::SeqCst);
    }

    /// The next read of what is written by compare-and-set hangs until [`CountingEngine::go_on`].
    pub fn let_read_hang(&self) {
        self.hanging_read.store(true, Ordering::SeqCst);
    }

    /// Waits until what is to hang does.
    pub async fn hangs(&self) {
        self.hangs.notified().await;
    }

    /// What hangs goes on.
    pub fn go_on(&self) {
        self.goes_on.notify_one();
    }

    async fn hang_if(&self, is_due: bool) {
        if is_due {
            self.hangs.notify_one();
            self.goes_on.notified().await;
        }
    }

    async fn check_write(&self) -> Result<(), StorageError> {
        let number = self.hanging_write.fetch_sub(1, Ordering::SeqCst);
        self.hang_if(number == 1).await;
        if self.left.fetch_sub(1, Ordering::SeqCst) > 0 {
            return Ok(());
        }
        Err(StorageError::Unavailable {
            reason: "no more writes".to_owned(),
        })
    }

    /// The tables into which a body that holds `text` was ever written.
    pub fn tables_that_saw(&self, text: &str) -> Vec<&'static str> {
        let bodies = self.bodies.lock().unwrap();
        let holds = |body: &[u8]| body.windows(text.len()).any(|window| window == text.as_bytes());
        let mut tables: Vec<_> = bodies
            .iter()
            .filter(|(_, body)| holds(body))
            .map(|(table, _)| *table)
            .collect();
        tables.sort_unstable();
        tables.dedup();
        tables
    }

    fn count(&self, place: usize) {
        self.calls[place].fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Engine for CountingEngine {
    async fn get(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        self.count(0);
        // Others go on meanwhile, as while a database is asked.
        tokio::task::yield_now().await;
        self.engine.get(table, key).await
    }

    async fn scan(&self, table: &'static Table, partition: &[KeyValue], range: &Range) -> Result<Page, StorageError> {
        self.count(1);
        tokio::task::yield_now().await;
        let page = self.engine.scan(table, partition, range).await;
        let is_slow = self.slow.lock().unwrap().take_if(|slow| *slow == table.name).is_some();
        if is_slow {
            self.held.store(true, Ordering::SeqCst);
            while self.holds() {
                tokio::task::yield_now().await;
            }
        }
        page
    }

    async fn write(&self, batch: Batch) -> Result<(), StorageError> {
        self.count(2);
        self.check_write().await?;
        if self.full.load(Ordering::SeqCst) && batch.table.name == "messages" {
            return Err(StorageError::Full {
                free_bytes: 0,
                reserve_bytes: 1,
            });
        }
        for row in &batch.rows {
            if let Change::Put { body, .. } = &row.change {
                self.bodies.lock().unwrap().push((batch.table.name, body.clone()));
            }
        }
        self.engine.write(batch).await
    }

    async fn compare_and_set(
        &self,
        table: &'static Table,
        key: &Key,
        expected: Option<u64>,
        body: Option<Vec<u8>>,
    ) -> Result<Compared, StorageError> {
        self.count(3);
        self.check_write().await?;
        tokio::task::yield_now().await;
        let outcome = self.engine.compare_and_set(table, key, expected, body).await?;
        if outcome == Compared::Conflict && self.unsure.load(Ordering::SeqCst) {
            return Err(StorageError::Timeout {
                operation: "compare_and_set",
                table: table.name,
            });
        }
        Ok(outcome)
    }

    async fn get_serial(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        self.count(0);
        self.hang_if(self.hanging_read.swap(false, Ordering::SeqCst)).await;
        self.engine.get_serial(table, key).await
    }
}
