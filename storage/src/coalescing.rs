//! The wrapper that asks once for many: equal reads at the same time become one query.
//!
//! When a thousand clients open one thread, a node asks the database at most twice for each page. A reader never joins a
//! query that may have been sent before it came, because a write that was acknowledged in between could be missing from
//! the answer. So of each read there is at most one query under way and one that waits for it; whoever comes meanwhile
//! joins the one that waits, which is sent after they came.
//!
//! Reads that settle a compare-and-set are never joined.

use std::collections::HashMap;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::engine::{Batch, Compared, Engine, Page, Range, Row, StorageError, chain};
use crate::key::{Key, KeyValue};
use crate::schema::Table;

/// Different reads that are looked after at a time: some megabytes of keys. Beyond it each reader asks for itself.
const MOST_READS: usize = 20_000;

/// Joins equal reads of an engine.
pub struct CoalescingEngine {
    engine: Arc<dyn Engine>,
    gets: Reads<(&'static str, Key), Option<Row>>,
    scans: Reads<(&'static str, Vec<KeyValue>, Range), Page>,
}

impl CoalescingEngine {
    /// Joins equal reads of `engine`, which are made by this runtime.
    ///
    /// # Panics
    ///
    /// Outside a runtime.
    pub fn new(engine: Arc<dyn Engine>) -> Self {
        Self {
            engine,
            gets: Reads::new(),
            scans: Reads::new(),
        }
    }
}

#[async_trait]
impl Engine for CoalescingEngine {
    async fn get(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        let (engine, asked) = (Arc::clone(&self.engine), key.clone());
        let query = async move { engine.get(table, &asked).await };
        self.gets.read((table.name, key.clone()), query).await
    }

    async fn scan(&self, table: &'static Table, partition: &[KeyValue], range: &Range) -> Result<Page, StorageError> {
        let name = (table.name, partition.to_vec(), range.clone());
        let (engine, partition, range) = (Arc::clone(&self.engine), partition.to_vec(), range.clone());
        let query = async move { engine.scan(table, &partition, &range).await };
        self.scans.read(name, query).await
    }

    async fn write(&self, batch: Batch) -> Result<(), StorageError> {
        self.engine.write(batch).await
    }

    async fn compare_and_set(
        &self,
        table: &'static Table,
        key: &Key,
        expected: Option<u64>,
        body: Option<Vec<u8>>,
    ) -> Result<Compared, StorageError> {
        self.engine.compare_and_set(table, key, expected, body).await
    }

    async fn get_serial(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        self.engine.get_serial(table, key).await
    }
}

type Query<V> = Pin<Box<dyn Future<Output = Result<V, StorageError>> + Send>>;
type Answer<V> = Option<Result<V, Arc<StorageError>>>;

/// A query that is not sent yet, and whoever waits for its answer.
struct Waiting<V> {
    query: Query<V>,
    answer: watch::Sender<Answer<V>>,
}

/// The reads that are under way, each with the query that follows it if there is one.
type UnderWay<N, V> = Arc<Mutex<HashMap<N, Option<Waiting<V>>>>>;

/// Reads of one kind, by what they ask for.
struct Reads<N, V> {
    under_way: UnderWay<N, V>,
    runtime: Handle,
}

impl<N, V> Reads<N, V>
where
    N: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn new() -> Self {
        Self {
            under_way: UnderWay::default(),
            runtime: Handle::current(),
        }
    }

    async fn read(
        &self,
        name: N,
        query: impl Future<Output = Result<V, StorageError>> + Send + 'static,
    ) -> Result<V, StorageError> {
        let mut answer = match self.join(name, query) {
            Ok(answer) => answer,
            Err(query) => return query.await,
        };
        match answer.wait_for(Option::is_some).await.map(|answer| answer.clone()) {
            Ok(Some(Ok(value))) => Ok(value),
            Ok(Some(Err(error))) => Err(again(&error)),
            Ok(None) | Err(_) => Err(StorageError::Unavailable {
                reason: "the runtime is stopping".to_owned(),
            }),
        }
    }

    /// The answer of a query that is sent from now on; the query itself, when too many are looked after already.
    fn join<Q>(&self, name: N, query: Q) -> Result<watch::Receiver<Answer<V>>, Q>
    where
        Q: Future<Output = Result<V, StorageError>> + Send + 'static,
    {
        let mut under_way = lock(&self.under_way);
        let is_full = under_way.len() >= MOST_READS;
        match under_way.get_mut(&name) {
            Some(Some(waiting)) => Ok(waiting.answer.subscribe()),
            Some(next) => {
                let (waiting, answer) = waiting(query);
                *next = Some(waiting);
                Ok(answer)
            }
            None if is_full => Err(query),
            None => {
                let (waiting, answer) = waiting(query);
                under_way.insert(name.clone(), None);
                let asking = Asking {
                    under_way: Arc::clone(&self.under_way),
                    name: Some(name),
                };
                // A task of its own: whoever asked first may go away, and the others still wait. Of the runtime that
                // outlives all who ask.
                self.runtime.spawn(asking.run(waiting));
                Ok(answer)
            }
        }
    }
}

fn waiting<V>(
    query: impl Future<Output = Result<V, StorageError>> + Send + 'static,
) -> (Waiting<V>, watch::Receiver<Answer<V>>) {
    let (sender, receiver) = watch::channel(None);
    let waiting = Waiting {
        query: Box::pin(query),
        answer: sender,
    };
    (waiting, receiver)
}

/// Asks one read for as long as there is someone who wants it.
struct Asking<N: Eq + Hash, V> {
    under_way: UnderWay<N, V>,
    /// What is read; nothing once it is no longer under way.
    name: Option<N>,
}

impl<N: Eq + Hash, V> Asking<N, V> {
    async fn run(mut self, mut waiting: Waiting<V>) {
        loop {
            let answer = waiting.query.await;
            waiting.answer.send_replace(Some(answer.map_err(Arc::new)));
            match self.next() {
                Some(next) => waiting = next,
                None => return,
            }
        }
    }

    /// The query that follows; without one, the read is no longer under way.
    fn next(&mut self) -> Option<Waiting<V>> {
        let name = self.name.take()?;
        let mut under_way = lock(&self.under_way);
        let next = under_way.get_mut(&name).and_then(Option::take);
        match &next {
            Some(_) => self.name = Some(name),
            None => drop(under_way.remove(&name)),
        }
        next
    }
}

impl<N: Eq + Hash, V> Drop for Asking<N, V> {
    /// When a query panics or the runtime stops: nobody may wait for one that no longer runs.
    fn drop(&mut self) {
        if let Some(name) = self.name.take() {
            lock(&self.under_way).remove(&name);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same error for another reader: one error can not be handed to many.
fn again(error: &StorageError) -> StorageError {
    match error {
        StorageError::Timeout { operation, table } => StorageError::Timeout { operation, table },
        StorageError::KeysUnavailable { reason } => StorageError::KeysUnavailable { reason: reason.clone() },
        StorageError::Unreadable { table, reason } => StorageError::Unreadable {
            table,
            reason: reason.clone(),
        },
        StorageError::Unavailable { reason } => StorageError::Unavailable { reason: reason.clone() },
        error => StorageError::Unavailable { reason: chain(error) },
    }
}
