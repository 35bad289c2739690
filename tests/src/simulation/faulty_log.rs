//! The log as one node sees it: a wrapper of the shared log in which every call may be slow, fail, or fail though it was
//! done, and a feed that loses some of what is published.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use samtale_protocol::SpaceId;
use samtale_router::log::AddressedSignal;
use samtale_router::{Log, LogEntry, LogError, MemoryLog, Position, Published, Slice};
use tokio::sync::mpsc;

use crate::simulation::faults::Faults;
use crate::simulation::randomness::Seeded;
use crate::simulation::world::World;

/// What may wait between the log and a node.
const FEED: usize = 256;

/// A node's way to the log.
pub struct FaultyLog {
    log: MemoryLog,
    world: World,
    faults: Faults,
    random: Mutex<Seeded>,
}

impl FaultyLog {
    /// A way to `log`.
    pub fn new(log: MemoryLog, world: World, faults: Faults, random: Seeded) -> Self {
        Self {
            log,
            world,
            faults,
            random: Mutex::new(random),
        }
    }

    fn draw<T>(&self, with: impl FnOnce(&mut Seeded) -> T) -> T {
        with(&mut self.random.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn chance(&self, in_a_thousand: u64) -> bool {
        self.draw(|random| random.chance(in_a_thousand))
    }

    async fn travel(&self) -> Result<(), LogError> {
        let rates = self.faults.rates();
        let millis = self.draw(|random| {
            if random.chance(rates.log_slow) {
                random.below(3_000)
            } else {
                random.below(8)
            }
        });
        if millis > 0 {
            self.world.pass(Duration::from_millis(millis)).await;
        }
        if self.faults.is_log_away() || self.chance(rates.log_refused) {
            return Err(refused());
        }
        Ok(())
    }
}

fn refused() -> LogError {
    LogError {
        reason: "the simulation refused it".to_owned(),
    }
}

#[async_trait]
impl Log for FaultyLog {
    async fn append(&self, space: SpaceId, entries: &[Arc<LogEntry>]) -> Result<(), LogError> {
        self.travel().await?;
        let rates = self.faults.rates();
        for entry in entries {
            self.world.trace(format_args!(
                "to the log: {:?} for {:?}",
                entry.fact, entry.audience.thread
            ));
        }
        self.log.append(space, entries).await?;
        if self.chance(rates.log_repeated) {
            self.log.append(space, entries).await?;
        }
        if self.chance(rates.log_unanswered) {
            return Err(refused());
        }
        Ok(())
    }

    async fn read(&self, space: SpaceId, after: Position, limit: usize) -> Result<Slice, LogError> {
        self.travel().await?;
        let slice = self.log.read(space, after, limit).await;
        self.travel().await?;
        slice
    }

    async fn heads(&self, spaces: &[SpaceId]) -> Result<Vec<Position>, LogError> {
        self.travel().await?;
        let heads = self.log.heads(spaces).await;
        self.travel().await?;
        heads
    }

    async fn subscribe(&self, space: SpaceId) -> Result<Position, LogError> {
        self.travel().await?;
        self.log.subscribe(space).await
    }

    async fn unsubscribe(&self, space: SpaceId) {
        self.log.unsubscribe(space).await;
    }

    async fn signal(&self, space: SpaceId, signal: Arc<AddressedSignal>) -> Result<(), LogError> {
        self.travel().await?;
        self.log.signal(space, signal).await
    }
}

/// The feed of a node, and the task that passes it on and loses some of it.
pub fn lossy_feed(
    mut from: mpsc::Receiver<Published>,
    world: World,
    faults: Faults,
    mut random: Seeded,
) -> (mpsc::Receiver<Published>, impl Future<Output = ()>) {
    let (sender, receiver) = mpsc::channel(FEED);
    let passing = async move {
        while let Some(published) = from.recv().await {
            let is_lost = random.chance(faults.rates().unpublished) || faults.is_log_away();
            if is_lost {
                world.trace(format_args!("something published is lost"));
            } else if sender.send(published).await.is_err() {
                return;
            }
        }
    };
    (receiver, passing)
}
