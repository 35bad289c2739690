//! Backups, drilled: made while writing goes on, restored elsewhere, useless without the keys, and damage is noticed.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use samtale_storage::backup::{BackupError, FILE_NAME, backup, restore, verify};
use samtale_storage::schema::{DRAFTS, PEOPLE, PROFILES, THREADS};
use samtale_storage::{Engine, Key, KeyValue, Keyring, OpenOptions, Opened, Range, StorageError, Table, open};

use crate::rig::{Folders, TestClock, body, delete, embedded_options, id, put};

/// Rows of several tables and spaces, deleted ones and compare-and-set ones.
async fn fill(engine: &dyn Engine) {
    for number in 0..200 {
        let space = id(1 + number % 3);
        let text = format!("text {number}").repeat(usize::from(number));
        let key = Key::new([space], [id(number)]);
        engine.write(put(&PROFILES, &key, text.as_bytes(), 5)).await.unwrap();
        engine
            .write(put(&PEOPLE, &Key::new([space, id(number)], []), b"person", 5))
            .await
            .unwrap();
        if number % 10 == 0 {
            engine.write(delete(&PROFILES, &key, 6)).await.unwrap();
        }
    }
    let thread = Key::new([id(1), id(1)], []);
    for version in 0..3_u64 {
        let expected = (version > 0).then_some(version);
        engine
            .compare_and_set(&THREADS, &thread, expected, Some(vec![7]))
            .await
            .unwrap();
    }
    engine.compare_and_set(&THREADS, &thread, Some(3), None).await.unwrap();
}

async fn rows(engine: &dyn Engine, table: &'static Table, partition: &[KeyValue]) -> Vec<samtale_storage::Row> {
    engine.scan(table, partition, &Range::all(100_000)).await.unwrap().rows
}

async fn open_restored(folders: &Folders, data: &Path) -> Opened {
    let mut options = OpenOptions::new(data, folders.keys());
    options.embedded = embedded_options();
    open(options, TestClock::new()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_holds_what_was_there_while_writing_went_on() {
    let folders = Folders::new();
    let opened = open(folders.options(), TestClock::new()).await.unwrap();
    fill(&*opened.engine).await;
    let (written, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let draft = |number: u64| Key::new([id(9), id(9)], [KeyValue::Id(u128::from(number).to_be_bytes())]);
    let writer = {
        let (engine, written, stop) = (Arc::clone(&opened.engine), Arc::clone(&written), Arc::clone(&stop));
        tokio::spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                let number = written.load(Ordering::SeqCst) + 1;
                engine
                    .write(put(&DRAFTS, &draft(number), &number.to_be_bytes(), 1))
                    .await
                    .unwrap();
                written.store(number, Ordering::SeqCst);
            }
        })
    };
    while written.load(Ordering::SeqCst) < 50 {
        tokio::task::yield_now().await;
    }
    let before = written.load(Ordering::SeqCst);
    let target = folders.at("backup");
    let report = backup(opened.embedded.as_ref().unwrap(), &target).await.unwrap();
    let after = written.load(Ordering::SeqCst);
    while written.load(Ordering::SeqCst) < after + 20 {
        tokio::task::yield_now().await;
    }
    stop.store(true, Ordering::SeqCst);
    writer.await.unwrap();
    assert_eq!(verify(&target).await.unwrap(), report);

    let restored = folders.at("restored");
    assert_eq!(restore(&target, &restored).await.unwrap(), report);
    let again = open_restored(&folders, &restored).await;
    for space in 1..=3 {
        let one = rows(&*opened.engine, &PROFILES, &[id(space)]).await;
        let two = rows(&*again.engine, &PROFILES, &[id(space)]).await;
        assert_eq!(one, two);
    }
    for number in 0..200 {
        let key = Key::new([id(1 + number % 3), id(number)], []);
        assert_eq!(
            body(&*again.engine, &PEOPLE, &key).await.as_deref(),
            Some(b"person".as_slice())
        );
    }
    // Of what was written meanwhile a beginning without gaps, at least all that was acknowledged before.
    let drafts = rows(&*again.engine, &DRAFTS, &[id(9), id(9)]).await;
    let count = drafts.len() as u64;
    assert!(
        (before..=after + 1).contains(&count),
        "{before} <= {count} <= {after} + 1"
    );
    for (number, row) in (1..).zip(&drafts) {
        assert_eq!(
            (&row.clustering, row.body.as_slice()),
            (&draft(number).clustering, number.to_be_bytes().as_slice())
        );
    }
    // Traces are restored too: a deleted row stays deleted for older writes, versions go on.
    let key = Key::new([id(1)], [id(0)]);
    again.engine.write(put(&PROFILES, &key, b"late", 4)).await.unwrap();
    assert_eq!(body(&*again.engine, &PROFILES, &key).await, None);
    let thread = Key::new([id(1), id(1)], []);
    let set = again
        .engine
        .compare_and_set(&THREADS, &thread, None, Some(vec![8]))
        .await
        .unwrap();
    assert_eq!(set, samtale_storage::Compared::Applied { version: 5 });
}

#[tokio::test]
async fn without_the_keys_a_backup_can_not_be_read() {
    let folders = Folders::new();
    let opened = open(folders.options(), TestClock::new()).await.unwrap();
    fill(&*opened.engine).await;
    let (target, restored, others) = (folders.at("backup"), folders.at("restored"), folders.at("other-keys"));
    backup(opened.embedded.as_ref().unwrap(), &target).await.unwrap();
    restore(&target, &restored).await.unwrap();
    let mut options = OpenOptions::new(&restored, &others);
    options.embedded = embedded_options();
    let error = open(options.clone(), TestClock::new()).await.err().unwrap();
    assert!(matches!(error, StorageError::KeysUnavailable { .. }), "{error}");
    // With a master key of one's own it opens, and holds nothing that can be read.
    let custodian = samtale_storage::custodian::KeyFile::open_or_create(&others.join("master.key")).unwrap();
    Keyring::open(&others.join("ring"), Arc::new(custodian)).await.unwrap();
    let again = open(options, TestClock::new()).await.unwrap();
    for space in 1..=3 {
        let error = again
            .engine
            .scan(&PROFILES, &[id(space)], &Range::all(1))
            .await
            .unwrap_err();
        assert!(matches!(error, StorageError::Unreadable { .. }), "{error}");
    }
    // Destroyed keys take their space out of the backup too.
    opened
        .keyring
        .destroy(samtale_protocol::SpaceId::from_bytes([1; 16]))
        .await
        .unwrap();
    drop(again);
    let again = open_restored(&folders, &restored).await;
    assert!(again.engine.scan(&PROFILES, &[id(1)], &Range::all(1)).await.is_err());
    assert_eq!(rows(&*again.engine, &PROFILES, &[id(2)]).await.len(), 66 - 6);
}

#[tokio::test]
async fn damage_is_noticed_wherever_it_is() {
    let folders = Folders::new();
    let engine = folders.embedded(TestClock::new());
    fill(&engine).await;
    let target = folders.at("backup");
    backup(&engine, &target).await.unwrap();
    let file = target.join(FILE_NAME);
    let sound = std::fs::read(&file).unwrap();
    let places = (0..200)
        .chain((200..sound.len() - 200).step_by(9973))
        .chain(sound.len() - 200..sound.len());
    for place in places {
        let mut damaged = sound.clone();
        damaged[place] ^= 0x10;
        std::fs::write(&file, damaged).unwrap();
        let error = verify(&target).await.unwrap_err();
        let newer = (16..20).contains(&place) && matches!(error, BackupError::NewerFormat { .. });
        assert!(
            newer || matches!(error, BackupError::Damaged { .. }),
            "byte {place}: {error}"
        );
    }
    for length in [0, 10, 20, sound.len() / 2, sound.len() - 1] {
        std::fs::write(&file, &sound[..length]).unwrap();
        assert!(
            matches!(verify(&target).await.unwrap_err(), BackupError::Damaged { .. }),
            "{length} bytes"
        );
        let restored = folders.at("restored");
        restore(&target, &restored).await.unwrap_err();
        assert!(!restored.exists());
    }
    std::fs::write(&file, [sound.as_slice(), b"more"].concat()).unwrap();
    assert!(matches!(
        verify(&target).await.unwrap_err(),
        BackupError::Damaged { .. }
    ));
}

#[tokio::test]
async fn nothing_is_overwritten() {
    let folders = Folders::new();
    let engine = folders.embedded(TestClock::new());
    fill(&engine).await;
    let (target, restored) = (folders.at("backup"), folders.at("restored"));
    backup(&engine, &target).await.unwrap();
    assert!(matches!(
        backup(&engine, &target).await.unwrap_err(),
        BackupError::NotEmpty { .. }
    ));
    std::fs::create_dir(&restored).unwrap();
    std::fs::write(restored.join("mine"), "").unwrap();
    assert!(matches!(
        restore(&target, &restored).await.unwrap_err(),
        BackupError::NotEmpty { .. }
    ));
    std::fs::remove_file(restored.join("mine")).unwrap();
    restore(&target, &restored).await.unwrap();
    assert!(matches!(
        restore(&target, &restored).await.unwrap_err(),
        BackupError::NotEmpty { .. }
    ));
}
