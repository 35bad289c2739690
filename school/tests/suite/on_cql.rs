//! What the rules cost a database: statements of a send, and queries when a thousand open one thread.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use samtale_protocol::messages::History;
use samtale_protocol::{Reply, Request};
use samtale_storage::Engine;
use samtale_storage::coalescing::CoalescingEngine;
use samtale_storage::cql::{CqlEngine, CqlOptions, Keyspaces, Migrator};
use samtale_storage::memory::MemoryEngine;
use tokio::task::JoinSet;

use crate::counting::CountingEngine;
use crate::harness::{Class, TestClock, World, sent};
use crate::inbox::a_thread_of_two_and_one_of_a_thousand;

/// The database whose address is in `SAMTALE_CQL`, with tables of this test's own.
async fn database(clock: &Arc<TestClock>) -> Option<Arc<CqlEngine>> {
    let Ok(address) = std::env::var("SAMTALE_CQL") else {
        let what = "the rules on CQL: scripts/test starts a server where it can; or give one's address in SAMTALE_CQL";
        println!("skipped: {what}");
        if let Some(path) = std::env::var_os("SAMTALE_SKIPPED") {
            let mut file = std::fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(path)
                .unwrap();
            writeln!(file, "{what}").unwrap();
        }
        return None;
    };
    let options = CqlOptions {
        nodes: vec![address],
        keyspaces: Keyspaces::named(&format!("test_school_{}", std::process::id())).unwrap(),
        replicas: 1,
        // A shared machine is slow at times; what is tested is what is answered.
        request_timeout: Duration::from_secs(20),
        credentials: None,
    };
    let migrator = Migrator::connect(&options).await.unwrap();
    migrator.migrate(&|_| {}).await.unwrap();
    Some(Arc::new(CqlEngine::open(&options, clock.clone()).await.unwrap()))
}

#[tokio::test]
async fn a_send_is_three_statements_for_two_members_and_for_a_thousand_and_none_is_a_lightweight_transaction() {
    let clock = TestClock::new();
    let Some(engine) = database(&clock).await else {
        return;
    };
    let world = World::over(clock, engine.clone()).await;
    let (teacher, threads) = a_thread_of_two_and_one_of_a_thousand(&world).await;
    assert!(
        engine.statements_sent().serial > 0,
        "a thread is started by compare-and-set, so they are counted"
    );
    let mut costs = Vec::new();
    for thread in threads {
        let send = world.a_send(thread, "en til");
        let before = engine.statements_sent();
        sent(world.ask(teacher, Request::SendMessage(send)).await).unwrap();
        let after = engine.statements_sent();
        assert_eq!((after.reads, after.serial), (before.reads, before.serial));
        costs.push(after.writes - before.writes);
    }
    println!("statements per send on CQL: {costs:?}");
    assert_eq!(costs, [3, 3]);
}

#[tokio::test]
async fn a_thousand_who_open_one_thread_cost_at_most_two_queries_for_each_that_one_costs() {
    let clock = TestClock::new();
    let below = Arc::new(CountingEngine::new(Arc::new(MemoryEngine::new(clock.clone()))));
    let coalescing: Arc<dyn Engine> = Arc::new(CoalescingEngine::new(below.clone()));
    let class = Class::of(World::over(clock, coalescing).await).await;
    let world = Arc::new(class.world);
    let thread = world
        .start(class.teacher, vec![class.anna.to()], "hej")
        .await
        .unwrap()
        .thread;
    for number in 0..60 {
        world.send(class.anna, thread, &number.to_string()).await.unwrap();
    }
    let anna = class.anna;
    let open = move |world: Arc<World>| async move {
        let history = History {
            thread,
            before: None,
            after: None,
            limit: 50,
        };
        match world.ask(anna, Request::History(history)).await.unwrap() {
            Reply::History(page) => page.messages.len(),
            reply => panic!("{reply:?}"),
        }
    };
    assert_eq!(open(Arc::clone(&world)).await, 50);
    let before = below.calls();
    open(Arc::clone(&world)).await;
    let one = below.calls();
    let mut readers = JoinSet::new();
    for _ in 0..1_000 {
        readers.spawn(open(Arc::clone(&world)));
    }
    assert!(readers.join_all().await.into_iter().all(|messages| messages == 50));
    let all = below.calls();
    let (of_one, of_all) = (
        (one.gets - before.gets, one.scans - before.scans),
        (all.gets - one.gets, all.scans - one.scans),
    );
    println!("gets and scans of one reader: {of_one:?}, of a thousand: {of_all:?}");
    assert!(of_one.1 > 0 && of_all.0 <= 2 * of_one.0 && of_all.1 <= 2 * of_one.1);
}
