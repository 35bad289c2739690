//! Keys at rest: what their loss, rotation and destruction does, and that rows can not be swapped.

use std::sync::Arc;
use std::time::Duration;

use crate::rig::{Folders, TestClock, body, id, put, reason, space};
use samtale_protocol::SpaceId;
use samtale_storage::custodian::KeyFile;
use samtale_storage::encrypted::EncryptedEngine;
use samtale_storage::memory::MemoryEngine;
use samtale_storage::schema::{DRAFTS, PROFILES, THREAD_SETTINGS};
use samtale_storage::{Engine, Key, Keyring, Range, StorageError};

struct Rig {
    folders: Folders,
    plain: Arc<dyn Engine>,
    keyring: Arc<Keyring>,
    engine: EncryptedEngine,
}

impl Rig {
    async fn new() -> Self {
        let folders = Folders::new();
        let plain: Arc<dyn Engine> = Arc::new(MemoryEngine::new(TestClock::new()));
        let keyring = open_keyring(&folders).await;
        let engine = EncryptedEngine::new(Arc::clone(&plain), Arc::clone(&keyring));
        Self {
            folders,
            plain,
            keyring,
            engine,
        }
    }

    /// The same rows, opened by a process that knows no key yet.
    async fn restart(&mut self) {
        self.keyring = open_keyring(&self.folders).await;
        self.engine = EncryptedEngine::new(Arc::clone(&self.plain), Arc::clone(&self.keyring));
    }
}

async fn open_keyring(folders: &Folders) -> Arc<Keyring> {
    let custodian = KeyFile::open_or_create(&folders.keys().join("master.key")).unwrap();
    Arc::new(
        Keyring::open(&folders.keys().join("ring"), Arc::new(custodian))
            .await
            .unwrap(),
    )
}

/// Lets this much of the paused time pass, with everything that happens in it.
async fn pass(time: Duration) {
    // tidy: waits because time is paused here: it jumps.
    tokio::time::sleep(time).await;
}

fn key(space_number: u8) -> Key {
    Key::new([space(space_number).into()], [id(7)])
}

#[tokio::test]
async fn bodies_are_not_in_the_engine_in_clear() {
    let rig = Rig::new().await;
    rig.engine.write(put(&PROFILES, &key(1), b"a canary", 1)).await.unwrap();
    assert_eq!(
        body(&rig.engine, &PROFILES, &key(1)).await.as_deref(),
        Some(b"a canary".as_slice())
    );
    let stored = body(&*rig.plain, &PROFILES, &key(1)).await.unwrap();
    assert_eq!(stored.len(), 1 + 4 + 24 + 8 + 16);
    assert!(!stored.windows(8).any(|window| window == b"a canary"));
}

#[tokio::test]
async fn a_row_that_is_moved_can_not_be_read() {
    let rig = Rig::new().await;
    let (from, to) = (
        Key::new([space(1).into(), id(2)], [id(3)]),
        Key::new([space(1).into(), id(2)], [id(4)]),
    );
    rig.engine.write(put(&DRAFTS, &from, b"text", 1)).await.unwrap();
    let stored = body(&*rig.plain, &DRAFTS, &from).await.unwrap();
    rig.plain.write(put(&DRAFTS, &to, &stored, 1)).await.unwrap();
    rig.plain.write(put(&THREAD_SETTINGS, &from, &stored, 1)).await.unwrap();
    for (table, place) in [(&DRAFTS, &to), (&THREAD_SETTINGS, &from)] {
        let error = rig.engine.get(table, place).await.unwrap_err();
        assert!(matches!(error, StorageError::Unreadable { .. }), "{error}");
    }
    // A range has it in its place with nothing in it, and the others beside it.
    let page = rig
        .engine
        .scan(&DRAFTS, &from.partition, &Range::all(10))
        .await
        .unwrap();
    let bodies: Vec<&[u8]> = page.rows.iter().map(|row| row.body.as_slice()).collect();
    assert_eq!(bodies, [b"text".as_slice(), b"".as_slice()]);
    // Back at its place, it can.
    rig.plain.write(put(&DRAFTS, &from, &stored, 2)).await.unwrap();
    assert_eq!(
        body(&rig.engine, &DRAFTS, &from).await.as_deref(),
        Some(b"text".as_slice())
    );
}

#[tokio::test]
async fn rotation_changes_the_key_of_new_rows_and_old_rows_are_still_read() {
    let mut rig = Rig::new().await;
    let (old, new) = (
        Key::new([space(1).into()], [id(1)]),
        Key::new([space(1).into()], [id(2)]),
    );
    let name = rig.keyring.lookup(space(1), "roster", "anna").await.unwrap();
    rig.engine.write(put(&PROFILES, &old, b"old", 1)).await.unwrap();
    let id = rig.keyring.rotate(space(1)).await.unwrap();
    rig.engine.write(put(&PROFILES, &new, b"new", 1)).await.unwrap();
    let key_id = |bytes: Vec<u8>| u32::from_be_bytes(bytes[1..5].try_into().unwrap());
    assert_eq!(key_id(body(&*rig.plain, &PROFILES, &new).await.unwrap()), id);
    assert_eq!(key_id(body(&*rig.plain, &PROFILES, &old).await.unwrap()), id - 1);
    rig.restart().await;
    let page = rig
        .engine
        .scan(&PROFILES, &old.partition, &Range::all(10))
        .await
        .unwrap();
    let bodies: Vec<_> = page.rows.iter().map(|row| row.body.as_slice()).collect();
    assert_eq!(bodies, [b"old", b"new"]);
    assert_eq!(rig.keyring.lookup(space(1), "roster", "anna").await.unwrap(), name);
}

#[tokio::test]
async fn destroyed_keys_take_their_space_away_and_no_other() {
    let mut rig = Rig::new().await;
    for number in [1, 2] {
        rig.engine
            .write(put(&PROFILES, &key(number), b"text", 1))
            .await
            .unwrap();
    }
    rig.keyring.destroy(space(1)).await.unwrap();
    for _ in 0..2 {
        let read = rig.engine.get(&PROFILES, &key(1)).await.unwrap_err();
        assert!(reason(&read).contains("destroyed"), "{read}");
        let write = rig.engine.write(put(&PROFILES, &key(1), b"more", 2)).await.unwrap_err();
        assert!(matches!(write, StorageError::KeysUnavailable { .. }), "{write}");
        assert!(rig.keyring.lookup(space(1), "roster", "anna").await.is_err());
        assert_eq!(
            body(&rig.engine, &PROFILES, &key(2)).await.as_deref(),
            Some(b"text".as_slice())
        );
        rig.restart().await;
    }
    assert!(
        !rig.folders
            .keys()
            .join("ring")
            .join(format!("{}.keys", space(1)))
            .exists()
    );
}

#[tokio::test]
async fn rows_whose_keys_are_lost_are_said_to_lack_them() {
    let mut rig = Rig::new().await;
    rig.engine.write(put(&PROFILES, &key(1), b"text", 1)).await.unwrap();
    std::fs::remove_file(rig.folders.keys().join("ring").join(format!("{}.keys", space(1)))).unwrap();
    rig.restart().await;
    let error = rig.engine.get(&PROFILES, &key(1)).await.unwrap_err();
    assert!(reason(&error).contains("no keys of its space"), "{error}");
    rig.keyring.lookup(space(1), "roster", "anna").await.unwrap();
    let error = rig.engine.get(&PROFILES, &key(1)).await.unwrap_err();
    assert!(reason(&error).contains("does not have its key"), "{error}");
}

#[tokio::test]
async fn many_who_need_a_new_space_get_the_same_keys() {
    let rig = Rig::new().await;
    let other = open_keyring(&rig.folders).await;
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..20 {
        let keyring = if number % 2 == 0 {
            Arc::clone(&rig.keyring)
        } else {
            Arc::clone(&other)
        };
        waiting.spawn(async move { keyring.lookup(space(9), "roster", "anna").await.unwrap() });
    }
    let found = waiting.join_all().await;
    assert!(found.iter().all(|name| *name == found[0]));
}

#[tokio::test(start_paused = true)]
async fn without_the_key_file_nothing_is_read_within_a_minute_and_with_it_all_is_again() {
    let rig = Rig::new().await;
    rig.engine.write(put(&PROFILES, &key(1), b"text", 1)).await.unwrap();
    let keyring = Arc::clone(&rig.keyring);
    let lease = tokio::spawn(async move { keyring.run_lease().await });
    let file = rig.folders.keys().join("master.key");
    let aside = rig.folders.at("aside");
    pass(Duration::from_secs(100)).await;
    assert!(
        rig.engine.get(&PROFILES, &key(1)).await.is_ok(),
        "a lease that is renewed goes on"
    );
    std::fs::rename(&file, &aside).unwrap();
    pass(Duration::from_secs(60)).await;
    for result in [
        rig.engine.get(&PROFILES, &key(1)).await.map(|_| ()),
        rig.engine.write(put(&PROFILES, &key(1), b"more", 2)).await,
        rig.keyring
            .lookup(SpaceId::SYSTEM, "username", "anna")
            .await
            .map(|_| ()),
    ] {
        let error = result.unwrap_err();
        assert!(matches!(error, StorageError::KeysUnavailable { .. }), "{error}");
        assert!(reason(&error).contains("master.key"), "{error}");
    }
    std::fs::rename(&aside, &file).unwrap();
    pass(Duration::from_secs(10)).await;
    assert_eq!(
        body(&rig.engine, &PROFILES, &key(1)).await.as_deref(),
        Some(b"text".as_slice())
    );
    lease.abort();
}

#[tokio::test(start_paused = true)]
async fn the_lease_ends_though_nobody_renews_it() {
    let rig = Rig::new().await;
    rig.engine.write(put(&PROFILES, &key(1), b"text", 1)).await.unwrap();
    std::fs::remove_file(rig.folders.keys().join("master.key")).unwrap();
    pass(Duration::from_secs(61)).await;
    let error = rig.engine.get(&PROFILES, &key(1)).await.unwrap_err();
    assert!(matches!(error, StorageError::KeysUnavailable { .. }), "{error}");
}

#[tokio::test]
async fn another_master_key_is_told_from_the_right_one() {
    let rig = Rig::new().await;
    rig.engine.write(put(&PROFILES, &key(1), b"text", 1)).await.unwrap();
    std::fs::remove_file(rig.folders.keys().join("master.key")).unwrap();
    let keyring = open_keyring(&rig.folders).await;
    let error = keyring.lookup(space(1), "roster", "anna").await.unwrap_err();
    assert!(reason(&error).contains("the master key is another one"), "{error}");
}
