//! Storage as one node sees it: a wrapper of the shared engine in which every call may be slow, fail before or after it
//! was applied, be applied later, or twice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use samtale_storage::memory::MemoryEngine;
use samtale_storage::{Batch, Compared, Engine, Key, KeyValue, Page, Range, Row, StorageError, Table};

use crate::simulation::faults::Faults;
use crate::simulation::randomness::Seeded;
use crate::simulation::world::World;

/// The longest that a write hangs before it lands.
const HANGS_MS: u64 = 20_000;

/// After how long a call whose answer got lost is given up.
const TIMEOUT_MS: u64 = 5_000;

/// A node's way to storage.
pub struct FaultyEngine {
    engine: Arc<MemoryEngine>,
    world: World,
    faults: Faults,
    random: Mutex<Seeded>,
    is_dead: Arc<AtomicBool>,
}

/// What becomes of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Applied,
    Refused,
    Lost,
    Unanswered,
    Hanging,
    Repeated,
}

impl FaultyEngine {
    /// A way to `engine`. Once `is_dead` is set, nothing new reaches it.
    pub fn new(
        engine: Arc<MemoryEngine>,
        world: World,
        faults: Faults,
        random: Seeded,
        is_dead: Arc<AtomicBool>,
    ) -> Self {
        Self {
            engine,
            world,
            faults,
            random: Mutex::new(random),
            is_dead,
        }
    }

    fn draw<T>(&self, with: impl FnOnce(&mut Seeded) -> T) -> T {
        with(&mut self.random.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The way there; a dead node's calls never arrive.
    async fn travel(&self) {
        let rates = self.faults.rates();
        let millis = self.draw(|random| {
            if random.chance(rates.very_slow) {
                random.between(5_000, 16_000)
            } else if random.chance(rates.slow) {
                random.below(4_000)
            } else {
                random.below(12)
            }
        });
        if millis > 0 {
            self.world.pass(Duration::from_millis(millis)).await;
        }
        if self.is_dead.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }

    fn is_refused(&self) -> bool {
        let rates = self.faults.rates();
        self.draw(|random| random.chance(rates.refused))
    }

    fn fate(&self) -> Fate {
        let rates = self.faults.rates();
        self.draw(|random| {
            let fates = [
                (rates.refused, Fate::Refused),
                (rates.lost, Fate::Lost),
                (rates.unanswered, Fate::Unanswered),
                (rates.hanging, Fate::Hanging),
                (rates.repeated, Fate::Repeated),
            ];
            let drawn = fates.into_iter().find(|(rate, _)| random.chance(*rate));
            drawn.map_or(Fate::Applied, |(_, fate)| fate)
        })
    }

    /// Applies a write later, whoever still waits for it: what is on its way arrives even when its node has died.
    fn apply_later(&self, batch: Batch) {
        let (engine, world) = (Arc::clone(&self.engine), self.world.clone());
        let millis = self.draw(|random| random.between(1, HANGS_MS));
        let table = batch.table.name;
        tokio::spawn(async move {
            world.pass(Duration::from_millis(millis)).await;
            world.trace(format_args!("a write of {table} lands late"));
            let _ = engine.write(batch).await;
        });
    }

    async fn time_out(&self, operation: &'static str, table: &'static Table) -> StorageError {
        let millis = self.draw(|random| random.below(TIMEOUT_MS));
        self.world.pass(Duration::from_millis(millis)).await;
        StorageError::Timeout {
            operation,
            table: table.name,
        }
    }
}

fn refused() -> StorageError {
    StorageError::Unavailable {
        reason: "the simulation refused it".to_owned(),
    }
}

#[async_trait]
impl Engine for FaultyEngine {
    async fn get(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        self.travel().await;
        if self.is_refused() {
            return Err(refused());
        }
        let row = self.engine.get(table, key).await;
        self.travel().await;
        row
    }

    async fn scan(&self, table: &'static Table, partition: &[KeyValue], range: &Range) -> Result<Page, StorageError> {
        self.travel().await;
        if self.is_refused() {
            return Err(refused());
        }
        let page = self.engine.scan(table, partition, range).await;
        self.travel().await;
        page
    }

    async fn write(&self, batch: Batch) -> Result<(), StorageError> {
        let table = batch.table;
        let fate = self.fate();
        if fate != Fate::Applied {
            self.world.trace(format_args!("a write of {} is {fate:?}", table.name));
        }
        if fate == Fate::Hanging {
            self.apply_later(batch);
            return Err(self.time_out("write", table).await);
        }
        self.travel().await;
        match fate {
            Fate::Refused => return Err(refused()),
            Fate::Lost => return Err(self.time_out("write", table).await),
            Fate::Repeated => self.apply_later(batch.clone()),
            Fate::Applied | Fate::Unanswered | Fate::Hanging => {}
        }
        self.engine.write(batch).await?;
        if fate == Fate::Unanswered {
            return Err(self.time_out("write", table).await);
        }
        self.travel().await;
        Ok(())
    }

    async fn compare_and_set(
        &self,
        table: &'static Table,
        key: &Key,
        expected: Option<u64>,
        body: Option<Vec<u8>>,
    ) -> Result<Compared, StorageError> {
        let fate = self.fate();
        self.travel().await;
        match fate {
            Fate::Refused => return Err(refused()),
            // None of them hangs: a serial read comes after every one that was begun.
            Fate::Lost | Fate::Hanging => return Err(self.time_out("compare and set", table).await),
            Fate::Applied | Fate::Unanswered | Fate::Repeated => {}
        }
        let compared = self.engine.compare_and_set(table, key, expected, body).await;
        if fate == Fate::Unanswered {
            return Err(self.time_out("compare and set", table).await);
        }
        self.travel().await;
        compared
    }

    async fn get_serial(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        self.get(table, key).await
    }
}
