//! Opening a store: what is there again after a restart, what is refused, and what a full disk leaves.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use crate::rig::{Folders, TestClock, body, change, delete, embedded_options, id, put, reason, space};
use samtale_protocol::time::Clock;
use samtale_protocol::{PersonId, SpaceId};
use samtale_storage::embedded::EmbeddedEngine;
use samtale_storage::people::{PersonRecord, UsernameRecord, person_key, username_key};
use samtale_storage::schema::{DRAFTS, PROFILES};
use samtale_storage::{Change, Compared, Engine, Key, StorageError, open};

fn person(username: &str) -> PersonRecord {
    PersonRecord {
        username: username.to_owned(),
        disabled: false,
        closed_by_roster: false,
        presence_hidden: false,
    }
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let folders = Folders::new();
    let anna = PersonId::from_bytes([1; 16]);
    let name = {
        let opened = open(folders.options(), TestClock::new()).await.unwrap();
        opened.store.put(person_key(anna), &person("Anna"), 1).await.unwrap();
        let name = opened
            .keyring
            .lookup(SpaceId::SYSTEM, "username", "anna")
            .await
            .unwrap();
        let taken = UsernameRecord { person: anna };
        let set = opened
            .store
            .compare_and_set(&username_key(name), None, &taken)
            .await
            .unwrap();
        assert_eq!(set, Compared::Applied { version: 1 });
        name
    };
    let opened = open(folders.options(), TestClock::new()).await.unwrap();
    let found = opened
        .store
        .get::<PersonRecord>(&person_key(anna))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.record, person("Anna"));
    assert_eq!(
        opened
            .keyring
            .lookup(SpaceId::SYSTEM, "username", "anna")
            .await
            .unwrap(),
        name
    );
    let taken = opened
        .store
        .get_serial::<UsernameRecord>(&username_key(name))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((taken.record.person, taken.timestamp), (anna, 1));
}

#[tokio::test]
async fn a_data_folder_belongs_to_one_process() {
    let folders = Folders::new();
    let first = folders.embedded(TestClock::new());
    let second = EmbeddedEngine::open(&folders.data(), embedded_options(), TestClock::new());
    let error = second.err().unwrap();
    assert!(matches!(error, StorageError::Unavailable { .. }));
    assert!(reason(&error).contains(folders.data().to_str().unwrap()), "{error}");
    drop(first);
    folders.embedded(TestClock::new());
}

#[tokio::test]
async fn data_of_a_newer_program_is_refused() {
    let folders = Folders::new();
    drop(folders.embedded(TestClock::new()));
    std::fs::write(folders.data().join("FORMAT"), "2\n").unwrap();
    let error = EmbeddedEngine::open(&folders.data(), embedded_options(), TestClock::new())
        .err()
        .unwrap();
    assert!(
        matches!(error, StorageError::NewerFormat { found: 2, known: 1 }),
        "{error}"
    );
    std::fs::remove_file(folders.data().join("FORMAT")).unwrap();
    let error = EmbeddedEngine::open(&folders.data(), embedded_options(), TestClock::new())
        .err()
        .unwrap();
    assert!(matches!(error, StorageError::Io { .. }), "{error}");
}

#[tokio::test]
async fn below_the_reserve_writes_are_refused_and_reads_go_on() {
    let folders = Folders::new();
    let key = Key::new([space(1).into()], [id(1)]);
    {
        let engine = folders.embedded(TestClock::new());
        engine.write(put(&PROFILES, &key, b"there", 1)).await.unwrap();
    }
    let mut options = embedded_options();
    options.reserve_bytes = u64::MAX;
    let engine = EmbeddedEngine::open(&folders.data(), options, TestClock::new()).unwrap();
    let error = engine.write(put(&PROFILES, &key, b"late", 2)).await.unwrap_err();
    assert!(
        matches!(
            error,
            StorageError::Full {
                reserve_bytes: u64::MAX,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(
        body(&engine, &PROFILES, &key).await.as_deref(),
        Some(b"there".as_slice())
    );
    assert!(
        !engine.sweep(10).await.unwrap().more,
        "sweeping frees room, so it goes on"
    );
}

#[tokio::test]
async fn a_deleted_row_stays_deleted_for_older_writes_and_its_trace_goes_after_a_day() {
    let folders = Folders::new();
    let clock = TestClock::new();
    let engine = folders.embedded(clock.clone());
    let key = Key::new([space(1).into(), id(2)], [id(3)]);
    engine.write(put(&DRAFTS, &key, b"new", 10)).await.unwrap();
    engine.write(delete(&DRAFTS, &key, 20)).await.unwrap();
    clock.advance(Duration::from_secs(24 * 60 * 60 - 1));
    assert_eq!(engine.sweep(10).await.unwrap().removed, 0);
    engine.write(put(&DRAFTS, &key, b"late", 15)).await.unwrap();
    assert_eq!(body(&engine, &DRAFTS, &key).await, None);
    clock.advance(Duration::from_secs(2));
    let swept = engine.sweep(10).await.unwrap();
    assert_eq!((swept.removed, swept.more), (1, false));
    engine.write(put(&DRAFTS, &key, b"much later", 12)).await.unwrap();
    assert_eq!(
        body(&engine, &DRAFTS, &key).await.as_deref(),
        Some(b"much later".as_slice())
    );
}

#[tokio::test]
async fn what_is_due_is_swept_in_steps_and_what_was_written_again_stays() {
    let folders = Folders::new();
    let clock = TestClock::new();
    let engine = folders.embedded(clock.clone());
    let key = |number| Key::new([space(1).into(), id(2)], [id(number)]);
    for number in 0..25 {
        let expires_at = Some(clock.now().plus(Duration::from_secs(60)));
        let put = Change::Put {
            body: b"passing".to_vec(),
            expires_at,
        };
        engine.write(change(&DRAFTS, &key(number), put, 1)).await.unwrap();
    }
    engine.write(put(&DRAFTS, &key(3), b"kept", 2)).await.unwrap();
    clock.advance(Duration::from_secs(24 * 60 * 60 + 61));
    let mut removed = Vec::new();
    loop {
        let swept = engine.sweep(10).await.unwrap();
        removed.push(swept.removed);
        if !swept.more {
            break;
        }
    }
    assert_eq!((removed.len(), removed.iter().sum::<usize>()), (3, 24), "{removed:?}");
    assert_eq!(engine.sweep(10).await.unwrap().removed, 0);
    assert_eq!(
        body(&engine, &DRAFTS, &key(3)).await.as_deref(),
        Some(b"kept".as_slice())
    );
}

#[tokio::test]
async fn data_without_its_keys_is_not_given_new_ones() {
    let folders = Folders::new();
    drop(open(folders.options(), TestClock::new()).await.unwrap());
    std::fs::rename(folders.keys(), folders.at("elsewhere")).unwrap();
    let error = open(folders.options(), TestClock::new()).await.err().unwrap();
    assert!(reason(&error).contains("no master key"), "{error}");
    assert!(!folders.keys().exists());
}

#[tokio::test]
async fn a_master_key_that_others_can_read_is_refused() {
    let folders = Folders::new();
    drop(open(folders.options(), TestClock::new()).await.unwrap());
    let file = folders.keys().join("master.key");
    let mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    mode(0o640);
    let error = open(folders.options(), TestClock::new()).await.err().unwrap();
    assert!(reason(&error).contains("chmod 600"), "{error}");
    mode(0o600);
    open(folders.options(), TestClock::new()).await.unwrap();
}

/// The place of these bytes in the store's only log.
fn in_log(folders: &Folders, bytes: &[u8]) -> (std::path::PathBuf, usize) {
    let log = folders.data().join("store/0.jnl");
    let place = std::fs::read(&log)
        .unwrap()
        .windows(bytes.len())
        .position(|window| window == bytes);
    (log, place.unwrap())
}

fn flip(log: &std::path::Path, place: usize) {
    use std::os::unix::fs::FileExt;

    let file = std::fs::OpenOptions::new().read(true).write(true).open(log).unwrap();
    let (place, mut byte) = (place as u64, [0]);
    file.read_exact_at(&mut byte, place).unwrap();
    file.write_all_at(&[byte[0] ^ 1], place).unwrap();
}

#[tokio::test]
async fn a_last_group_that_is_torn_is_left_out_and_an_earlier_one_that_is_damaged_is_not() {
    let folders = Folders::new();
    let keys = [1, 2, 3].map(|number| Key::new([space(1).into()], [id(number)]));
    {
        let engine = folders.embedded(TestClock::new());
        for (key, text) in keys.iter().zip([b"the first", b"in middle", b"very last"]) {
            engine.write(put(&PROFILES, key, text, 1)).await.unwrap();
        }
    }
    let (log, middle) = in_log(&folders, b"in middle");
    let before = std::fs::read(&log).unwrap();
    flip(&log, middle);
    let opened = EmbeddedEngine::open(&folders.data(), embedded_options(), TestClock::new());
    assert!(
        matches!(opened.err().unwrap(), StorageError::Embedded { .. }),
        "acknowledged rows are not dropped in silence"
    );
    flip(&log, middle);
    // The store itself cuts off what is zero; of what was written nothing may have changed.
    let after = std::fs::read(&log).unwrap();
    assert!(after == before[..after.len()] && before[after.len()..].iter().all(|byte| *byte == 0));

    let (_, last) = in_log(&folders, b"very last");
    flip(&log, last);
    let engine = folders.embedded(TestClock::new());
    assert!(body(&engine, &PROFILES, &keys[0]).await.is_some() && body(&engine, &PROFILES, &keys[1]).await.is_some());
    assert_eq!(body(&engine, &PROFILES, &keys[2]).await, None);
    engine.write(put(&PROFILES, &keys[2], b"once more", 1)).await.unwrap();
    drop(engine);
    let engine = folders.embedded(TestClock::new());
    assert_eq!(
        body(&engine, &PROFILES, &keys[2]).await.as_deref(),
        Some(b"once more".as_slice())
    );
}
