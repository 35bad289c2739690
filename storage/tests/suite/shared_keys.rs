//! One key folder for several processes: each test has two that know nothing of each other but the folder.

use std::sync::Arc;
use std::time::Duration;

use samtale_storage::custodian::KeyFile;
use samtale_storage::encrypted::EncryptedEngine;
use samtale_storage::keyring::LEASE_INTERVAL;
use samtale_storage::memory::MemoryEngine;
use samtale_storage::schema::PROFILES;
use samtale_storage::{Engine, Key, Keyring, Range};
use tokio::task::JoinSet;

use crate::rig::{Folders, TestClock, body, id, put, reason, space};

/// A process: its own keyring over the shared folder, its own view of the shared rows.
struct Node {
    keyring: Arc<Keyring>,
    engine: EncryptedEngine,
}

async fn open(folders: &Folders) -> Arc<Keyring> {
    let custodian = KeyFile::open_or_create(&folders.keys().join("master.key")).unwrap();
    Arc::new(
        Keyring::open(&folders.keys().join("ring"), Arc::new(custodian))
            .await
            .unwrap(),
    )
}

async fn two_nodes(folders: &Folders) -> [Node; 2] {
    let rows: Arc<dyn Engine> = Arc::new(MemoryEngine::new(TestClock::new()));
    let mut nodes = Vec::new();
    for _ in 0..2 {
        let keyring = open(folders).await;
        let engine = EncryptedEngine::new(Arc::clone(&rows), Arc::clone(&keyring));
        nodes.push(Node { keyring, engine });
    }
    nodes.try_into().ok().unwrap()
}

fn key(number: u8) -> Key {
    Key::new([space(1).into()], [id(number)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_processes_that_start_in_an_empty_folder_one_makes_the_master_key() {
    for _ in 0..10 {
        let folders = Folders::new();
        let path = folders.keys().join("master.key");
        let mut starting = JoinSet::new();
        for _ in 0..8 {
            let (path, ring) = (path.clone(), folders.keys().join("ring"));
            starting.spawn(async move {
                let opening = tokio::task::spawn_blocking(move || KeyFile::open_or_create(&path))
                    .await
                    .unwrap();
                let keyring = Keyring::open(&ring, Arc::new(opening.unwrap())).await.unwrap();
                keyring.lookup(space(1), "roster", "anna").await.unwrap()
            });
        }
        let found = starting.join_all().await;
        assert!(found.iter().all(|name| *name == found[0]));
        let left: Vec<_> = std::fs::read_dir(folders.keys()).unwrap().collect();
        assert_eq!(left.len(), 2, "nothing but the key and the ring");
    }
}

#[tokio::test]
async fn a_process_finds_the_keys_that_another_has_made_since() {
    let folders = Folders::new();
    let [one, two] = two_nodes(&folders).await;
    one.engine.write(put(&PROFILES, &key(1), b"text", 1)).await.unwrap();
    assert_eq!(
        body(&two.engine, &PROFILES, &key(1)).await.as_deref(),
        Some(&b"text"[..])
    );
}

#[tokio::test]
async fn a_process_reads_what_another_has_written_with_a_new_key() {
    let folders = Folders::new();
    let [one, two] = two_nodes(&folders).await;
    one.engine.write(put(&PROFILES, &key(1), b"old", 1)).await.unwrap();
    assert_eq!(
        body(&two.engine, &PROFILES, &key(1)).await.as_deref(),
        Some(&b"old"[..])
    );
    one.keyring.rotate(space(1)).await.unwrap();
    one.engine.write(put(&PROFILES, &key(2), b"new", 1)).await.unwrap();
    let page = two
        .engine
        .scan(&PROFILES, &[space(1).into()], &Range::all(5))
        .await
        .unwrap();
    let bodies: Vec<_> = page.rows.iter().map(|row| row.body.as_slice()).collect();
    assert_eq!(bodies, [b"old", b"new"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_rotate_at_once_do_not_lose_each_others_keys() {
    let folders = Folders::new();
    let nodes = two_nodes(&folders).await;
    let mut rotating = JoinSet::new();
    for turn in 0..20 {
        let keyring = Arc::clone(&nodes[turn % 2].keyring);
        rotating.spawn(async move { keyring.rotate(space(1)).await.unwrap() });
    }
    let mut ids = rotating.join_all().await;
    ids.sort_unstable();
    let first = ids[0];
    assert_eq!(
        ids,
        (first..first + 20).collect::<Vec<_>>(),
        "each has an id of its own"
    );
    for (number, node) in (1..).zip(&nodes) {
        node.engine
            .write(put(&PROFILES, &key(number), b"text", 1))
            .await
            .unwrap();
    }
    for (node, number) in [(0, 2), (1, 1)] {
        assert_eq!(
            body(&nodes[node].engine, &PROFILES, &key(number)).await.as_deref(),
            Some(&b"text"[..])
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_notices_within_its_lease_that_another_destroyed_or_rotated_keys() {
    let folders = Folders::new();
    let [one, two] = two_nodes(&folders).await;
    one.engine.write(put(&PROFILES, &key(1), b"text", 1)).await.unwrap();
    assert!(body(&two.engine, &PROFILES, &key(1)).await.is_some());
    let renewing = Arc::clone(&two.keyring);
    let renewing = tokio::spawn(async move { renewing.run_lease().await });
    one.keyring.rotate(space(1)).await.unwrap();
    one.engine.write(put(&PROFILES, &key(1), b"newer", 2)).await.unwrap();
    one.keyring.destroy(space(1)).await.unwrap();
    let mut waited = Duration::ZERO;
    let refused = loop {
        match two.engine.get(&PROFILES, &key(1)).await {
            Err(error) => break error,
            Ok(_) => {
                assert!(waited <= LEASE_INTERVAL * 2, "it is still read after {waited:?}");
                // tidy: waits because time is paused here: it jumps.
                tokio::time::sleep(Duration::from_secs(1)).await;
                waited += Duration::from_secs(1);
            }
        }
    };
    assert!(reason(&refused).contains("destroyed"), "{refused}");
    renewing.abort();
}
