//! Equal reads at the same time: how many queries they cost, and that none of them answers with what is too old.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use samtale_storage::coalescing::CoalescingEngine;
use samtale_storage::memory::MemoryEngine;
use samtale_storage::schema::{DRAFTS, MESSAGES, THREADS};
use samtale_storage::{Batch, Compared, Engine, Key, KeyValue, Page, Range, Row, StorageError, Table};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::database::Database;
use crate::rig::{TestClock, body, id, put};

/// Counts the queries that reach an engine, and answers one only when it is let.
struct Gate {
    engine: Arc<dyn Engine>,
    queries: AtomicUsize,
    answers: Semaphore,
}

impl Gate {
    fn over(engine: Arc<dyn Engine>, answers: usize) -> Arc<Self> {
        Arc::new(Self {
            engine,
            queries: AtomicUsize::new(0),
            answers: Semaphore::new(answers),
        })
    }

    fn queries(&self) -> usize {
        self.queries.load(Ordering::SeqCst)
    }

    /// What is answered is what stood there when the query was sent.
    async fn answered<T>(&self, query: impl Future<Output = T>) -> T {
        self.queries.fetch_add(1, Ordering::SeqCst);
        let answer = query.await;
        self.answers.acquire().await.unwrap().forget();
        answer
    }

    async fn reached(&self, queries: usize) {
        let reached = async {
            while self.queries() < queries {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), reached)
            .await
            .unwrap();
    }
}

#[async_trait]
impl Engine for Gate {
    async fn get(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        assert_ne!(key.partition[0], id(99), "a query that panics");
        self.answered(self.engine.get(table, key)).await
    }

    async fn scan(&self, table: &'static Table, partition: &[KeyValue], range: &Range) -> Result<Page, StorageError> {
        self.answered(self.engine.scan(table, partition, range)).await
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
        self.answered(self.engine.get_serial(table, key)).await
    }
}

fn memory() -> Arc<dyn Engine> {
    Arc::new(MemoryEngine::new(TestClock::new()))
}

async fn a_thousand_read_two_pages(engine: Arc<dyn Engine>) {
    let partition = [id(1), id(2), KeyValue::Number(3)];
    for number in 0..60 {
        let key = Key::new(partition, [id(number)]);
        engine.write(put(&MESSAGES, &key, &[number], 1)).await.unwrap();
    }
    let gate = Gate::over(engine, usize::MAX >> 4);
    let engine = Arc::new(CoalescingEngine::new(Arc::clone(&gate) as _));
    let mut readers = JoinSet::new();
    for _ in 0..1_000 {
        let engine = Arc::clone(&engine);
        readers.spawn(async move {
            let newest = Range::all(50).descending();
            let first = engine.scan(&MESSAGES, &partition, &newest).await.unwrap();
            let older = newest.before(first.rows[49].clustering.clone());
            (first, engine.scan(&MESSAGES, &partition, &older).await.unwrap())
        });
    }
    for (first, second) in readers.join_all().await {
        assert_eq!((first.rows.len(), first.more), (50, true));
        assert_eq!((second.rows.len(), second.more), (10, false));
    }
    println!("queries of 1,000 readers of two pages: {}", gate.queries());
    assert!(gate.queries() <= 4, "{} queries for two pages", gate.queries());
}

// One thread: so all thousand have asked before the first query is sent, as in a node under load.
#[tokio::test]
async fn a_thousand_readers_of_a_page_cost_two_queries() {
    a_thousand_read_two_pages(memory()).await;
}

#[tokio::test]
async fn a_thousand_readers_of_a_page_cost_two_queries_of_a_real_database() {
    let Some(database) = Database::new("coalescing").await else {
        return;
    };
    a_thousand_read_two_pages(database.engine().await).await;
    database.drop_tables().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_after_a_write_sees_it_though_an_older_query_is_under_way() {
    let gate = Gate::over(memory(), 0);
    let engine = Arc::new(CoalescingEngine::new(Arc::clone(&gate) as _));
    let key = Key::new([id(1), id(1)], [id(1)]);
    let read = || {
        let (engine, key) = (Arc::clone(&engine), key.clone());
        tokio::spawn(async move { body(&*engine, &DRAFTS, &key).await })
    };
    engine.write(put(&DRAFTS, &key, b"old", 1)).await.unwrap();
    let before = read();
    gate.reached(1).await;
    engine.write(put(&DRAFTS, &key, b"new", 2)).await.unwrap();
    let after = [read(), read()];
    // Enough for a query each: the second may come when the first one's is on its way.
    gate.answers.add_permits(4);
    assert_eq!(
        before.await.unwrap().as_deref(),
        Some(&b"old"[..]),
        "it was asked before"
    );
    for read in after {
        assert_eq!(read.await.unwrap().as_deref(), Some(&b"new"[..]));
    }
    // Nothing is remembered: the next reader asks again.
    let asked = gate.queries();
    assert_eq!(read().await.unwrap().as_deref(), Some(&b"new"[..]));
    assert_eq!(gate.queries(), asked + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_goes_away_takes_no_answer_from_the_others() {
    let gate = Gate::over(memory(), 0);
    let engine = Arc::new(CoalescingEngine::new(Arc::clone(&gate) as _));
    let key = Key::new([id(1), id(1)], [id(1)]);
    let read = || {
        let (engine, key) = (Arc::clone(&engine), key.clone());
        tokio::spawn(async move { body(&*engine, &DRAFTS, &key).await })
    };
    let first = read();
    gate.reached(1).await;
    let second = read();
    first.abort();
    gate.answers.add_permits(2);
    assert_eq!(second.await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_panics_ends_for_all_who_wait_and_the_next_is_asked() {
    let gate = Gate::over(memory(), 100);
    let engine = CoalescingEngine::new(gate);
    let key = Key::new([id(99), id(1)], [id(1)]);
    for _ in 0..2 {
        let error = engine.get(&DRAFTS, &key).await.unwrap_err();
        assert!(matches!(error, StorageError::Unavailable { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_serial_read_is_never_joined() {
    let gate = Gate::over(memory(), 100);
    let engine = Arc::new(CoalescingEngine::new(Arc::clone(&gate) as _));
    let mut readers = JoinSet::new();
    for _ in 0..10 {
        let engine = Arc::clone(&engine);
        readers.spawn(async move {
            let key = Key::new([id(1), id(1)], []);
            engine.get_serial(&THREADS, &key).await.unwrap()
        });
    }
    readers.join_all().await;
    assert_eq!(gate.queries(), 10);
}
