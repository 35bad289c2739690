//! The contract over each engine, and the embedded engine beside the one in memory under random operations.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use samtale_protocol::time::Clock;
use samtale_storage::coalescing::CoalescingEngine;
use samtale_storage::cql::CqlEngine;
use samtale_storage::custodian::KeyFile;
use samtale_storage::encrypted::EncryptedEngine;
use samtale_storage::memory::MemoryEngine;
use samtale_storage::schema::{DRAFTS, GROUP_MEMBERS, THREADS};
use samtale_storage::{Batch, Change, Engine, Key, KeyValue, Keyring, Range, RowChange};

use crate::contract::{Subject, check};
use crate::database::{self, Database};
use crate::rig::{Folders, TestClock, change, id, put};

fn memory(clock: &Arc<TestClock>) -> Arc<dyn Engine> {
    Arc::new(MemoryEngine::new(clock.clone()))
}

async fn encrypted(folders: &Folders, engine: Arc<dyn Engine>) -> Arc<dyn Engine> {
    let custodian = KeyFile::open_or_create(&folders.keys().join("master.key")).unwrap();
    let keyring = Keyring::open(&folders.keys().join("ring"), Arc::new(custodian)).await;
    Arc::new(EncryptedEngine::new(engine, Arc::new(keyring.unwrap())))
}

fn subject(engine: Arc<dyn Engine>, clock: Arc<TestClock>, compares_bodies: bool) -> Subject {
    Subject {
        engine,
        clock: Some(clock),
        compares_bodies,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_engine_in_memory_keeps_the_contract() {
    let clock = TestClock::new();
    check(subject(memory(&clock), clock, true)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_engine_keeps_the_contract() {
    let (folders, clock) = (Folders::new(), TestClock::new());
    let engine = Arc::new(folders.embedded(clock.clone()));
    check(subject(engine, clock, true)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn encrypted_over_memory_keeps_the_contract() {
    let (folders, clock) = (Folders::new(), TestClock::new());
    let engine = encrypted(&folders, memory(&clock)).await;
    check(subject(engine, clock, false)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn encrypted_over_embedded_keeps_the_contract() {
    let (folders, clock) = (Folders::new(), TestClock::new());
    let engine = encrypted(&folders, Arc::new(folders.embedded(clock.clone()))).await;
    check(subject(engine, clock, false)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_engine_on_cql_keeps_the_contract() {
    let Some(database) = Database::new("plain").await else {
        return;
    };
    let subject = Subject {
        engine: database.engine().await,
        clock: None,
        compares_bodies: true,
    };
    check(subject).await;
    database.drop_tables().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn encrypted_over_cql_keeps_the_contract() {
    let Some(database) = Database::new("encrypted").await else {
        return;
    };
    let folders = Folders::new();
    let subject = Subject {
        // As a server has it.
        engine: encrypted(&folders, Arc::new(CoalescingEngine::new(database.engine().await))).await,
        clock: None,
        compares_bodies: false,
    };
    check(subject).await;
    database.drop_tables().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_on_cql_end_by_the_second() {
    let Some(database) = Database::new("expiry").await else {
        return;
    };
    let clock = TestClock::new();
    let engine = CqlEngine::open(&database.options, clock.clone()).await.unwrap();
    let key = Key::new([id(1), id(1)], [id(1)]);
    let short = Change::Put {
        body: b"soon gone".to_vec(),
        expires_at: Some(clock.now().plus(Duration::from_millis(1_500))),
    };
    engine.write(change(&DRAFTS, &key, short, 5)).await.unwrap();
    let row = engine.get(&DRAFTS, &key).await.unwrap();
    assert_eq!(row.map(|row| row.body), Some(b"soon gone".to_vec()));
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while engine.get(&DRAFTS, &key).await.unwrap().is_some() {
        assert!(std::time::Instant::now() < deadline, "it never ended");
        // tidy: waits because the database counts the seconds
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    engine.write(put(&DRAFTS, &key, b"older", 4)).await.unwrap();
    assert_eq!(
        engine.get(&DRAFTS, &key).await.unwrap(),
        None,
        "an older write does not bring it back"
    );
    database.drop_tables().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_without_tables_is_refused_with_what_is_missing() {
    let Ok(address) = std::env::var("SAMTALE_CQL") else {
        return;
    };
    let missing = CqlEngine::open(&database::options(&address, "not_there"), TestClock::new()).await;
    let text = missing.err().unwrap().to_string();
    assert!(
        text.contains("the keyspace not_there has none yet: run `samtale migrate`"),
        "{text}"
    );
    let nobody = CqlEngine::open(&database::options("127.0.0.1:1", "not_there"), TestClock::new()).await;
    assert!(nobody.err().unwrap().to_string().contains("127.0.0.1:1"));
}

/// A row of a batch: two columns, a body or a deletion, a timestamp, and for how many milliseconds it lives.
type RandomRow = (u8, u8, Option<u8>, u8, Option<u16>);

/// Something that is done to both engines.
#[derive(Clone, Debug)]
enum Operation {
    Write(u8, Vec<RandomRow>),
    Set(u8, Option<u8>, Option<u8>),
    Read(u8, u8, u8),
    Scan(u8, Range),
    Pass(u16),
    Reopen,
}

fn columns() -> impl Strategy<Value = Vec<KeyValue>> {
    prop::collection::vec((0_u8..4).prop_map(id), 0..=2)
}

fn bound() -> impl Strategy<Value = std::ops::Bound<Vec<KeyValue>>> {
    use std::ops::Bound;
    prop_oneof![
        Just(Bound::Unbounded),
        columns().prop_map(Bound::Included),
        columns().prop_map(Bound::Excluded),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    let row = (
        0_u8..4,
        0_u8..4,
        prop::option::weighted(0.7, 0_u8..4),
        0_u8..6,
        prop::option::weighted(0.2, 0_u16..100),
    );
    prop_oneof![
        5 => (0_u8..2, prop::collection::vec(row, 1..4)).prop_map(|(partition, rows)| Operation::Write(partition, rows)),
        3 => (0_u8..3, prop::option::of(1_u8..5), prop::option::weighted(0.8, 0_u8..9))
            .prop_map(|(key, expected, body)| Operation::Set(key, expected, body)),
        2 => (0_u8..2, 0_u8..4, 0_u8..4).prop_map(|(partition, one, two)| Operation::Read(partition, one, two)),
        4 => (0_u8..2, bound(), bound(), any::<bool>(), 0_usize..9)
            .prop_map(|(partition, from, to, descending, limit)| {
                Operation::Scan(partition, Range { from, to, descending, limit })
            }),
        1 => (0_u16..50).prop_map(Operation::Pass),
        1 => Just(Operation::Reopen),
    ]
}

fn batch(partition: u8, rows: Vec<RandomRow>, clock: &TestClock) -> Batch {
    let rows = rows.into_iter().map(|(one, two, body, timestamp, lives)| RowChange {
        clustering: vec![id(one), id(two)],
        change: match body {
            Some(byte) => Change::Put {
                body: vec![byte],
                expires_at: lives.map(|millis| clock.now().plus(Duration::from_millis(millis.into()))),
            },
            None => Change::Delete,
        },
        timestamp: timestamp.into(),
    });
    Batch {
        table: &GROUP_MEMBERS,
        partition: vec![id(partition)],
        rows: rows.collect(),
    }
}

async fn both_agree(operations: Vec<Operation>) {
    let (folders, clock) = (Folders::new(), TestClock::new());
    let memory = memory(&clock);
    let mut embedded = folders.embedded(clock.clone());
    for operation in operations {
        match operation {
            Operation::Write(partition, rows) => {
                let batch = batch(partition, rows, &clock);
                memory.write(batch.clone()).await.unwrap();
                embedded.write(batch).await.unwrap();
            }
            Operation::Set(key, expected, body) => {
                let key = Key::new([id(1), id(key)], []);
                let (expected, body) = (expected.map(u64::from), body.map(|byte| vec![byte]));
                let one = memory
                    .compare_and_set(&THREADS, &key, expected, body.clone())
                    .await
                    .unwrap();
                let two = embedded.compare_and_set(&THREADS, &key, expected, body).await.unwrap();
                assert_eq!(one, two);
                let serial = embedded.get_serial(&THREADS, &key).await.unwrap();
                assert_eq!(memory.get_serial(&THREADS, &key).await.unwrap(), serial);
            }
            Operation::Read(partition, one, two) => {
                let key = Key::new([id(partition)], [id(one), id(two)]);
                let found = embedded.get(&GROUP_MEMBERS, &key).await.unwrap();
                assert_eq!(memory.get(&GROUP_MEMBERS, &key).await.unwrap(), found);
            }
            Operation::Scan(partition, range) => {
                let found = embedded.scan(&GROUP_MEMBERS, &[id(partition)], &range).await.unwrap();
                let expected = memory.scan(&GROUP_MEMBERS, &[id(partition)], &range).await.unwrap();
                assert_eq!(expected, found, "{range:?}");
            }
            Operation::Pass(millis) => clock.advance(Duration::from_millis(millis.into())),
            Operation::Reopen => {
                drop(embedded);
                embedded = folders.embedded(clock.clone());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_embedded_agree(operations in prop::collection::vec(operation(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(both_agree(operations));
    }
}
