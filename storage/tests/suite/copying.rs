//! A closed embedded store that is moved to a real database: interrupted, gone on with, compared, opened there.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use samtale_protocol::time::Clock;
use samtale_storage::copying::{Copied, CopyError, CopyOptions, Watcher, copy};
use samtale_storage::schema::{DRAFTS, JOURNAL, MESSAGES, THREADS};
use samtale_storage::{Change, Compared, Key, KeyValue, OpenOptions, StorageError, open};

use crate::database::Database;
use crate::rig::{Folders, TestClock, body, change, delete, embedded_options, id, put, reason};

/// Stops after so many steps.
struct Steps {
    left: AtomicUsize,
}

impl Steps {
    fn many() -> Self {
        Self::at_most(usize::MAX)
    }

    fn at_most(steps: usize) -> Self {
        Self {
            left: AtomicUsize::new(steps),
        }
    }
}

impl Watcher for Steps {
    fn report(&self, _: &str) {}

    fn stops(&self) -> bool {
        self.left.fetch_sub(1, Ordering::SeqCst) <= 1
    }
}

fn now() -> Arc<TestClock> {
    let clock = TestClock::new();
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    clock.advance(since - Duration::from_millis(clock.now().as_millis()));
    clock
}

fn micros(clock: &TestClock) -> u64 {
    clock.now().as_millis() * 1_000
}

fn message(number: u16) -> Key {
    let [high, low] = number.to_be_bytes();
    let mut bytes = [0; 16];
    (bytes[0], bytes[1]) = (high, low);
    Key::new([id(1), id(2), KeyValue::Number(8_000)], [KeyValue::Id(bytes)])
}

/// A store with rows of each kind, through the encryption.
async fn fill(folders: &Folders, clock: &Arc<TestClock>) {
    let opened = open(folders.options(), clock.clone()).await.unwrap();
    let engine = &opened.engine;
    let at = micros(clock);
    for number in 0..2_500 {
        let text = format!("message {number}");
        engine
            .write(put(
                &MESSAGES,
                &message(number),
                text.as_bytes(),
                at + u64::from(number),
            ))
            .await
            .unwrap();
    }
    engine.write(delete(&MESSAGES, &message(7), at + 10_000)).await.unwrap();
    let fact = Key::new([id(1), KeyValue::Number(5)], [id(3)]);
    engine.write(put(&JOURNAL, &fact, b"a fact", at)).await.unwrap();
    let draft = Change::Put {
        body: b"for an hour".to_vec(),
        expires_at: Some(clock.now().plus(Duration::from_secs(3_600))),
    };
    engine
        .write(change(&DRAFTS, &Key::new([id(1), id(1)], [id(1)]), draft, at))
        .await
        .unwrap();
    for (thread, ends) in [(1, false), (2, true)] {
        let key = Key::new([id(1), id(thread)], []);
        for version in [None, Some(1)] {
            let set = engine
                .compare_and_set(&THREADS, &key, version, Some(b"thread".to_vec()))
                .await;
            assert!(matches!(set.unwrap(), Compared::Applied { .. }));
        }
        if ends {
            engine.compare_and_set(&THREADS, &key, Some(2), None).await.unwrap();
        }
    }
}

async fn run(
    folders: &Folders,
    database: &Database,
    clock: &Arc<TestClock>,
    steps: Steps,
) -> Result<Copied, CopyError> {
    let options = CopyOptions {
        from: folders.data(),
        to: database.options.clone(),
        most_rows: None,
    };
    copy(options, clock.clone(), &steps).await
}

fn on_database(data: &Path, folders: &Folders, database: &Database) -> OpenOptions {
    let mut options = OpenOptions::new(data, folders.keys());
    options.embedded = embedded_options();
    options.cql = Some(database.options.clone());
    options
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_is_moved_in_parts_and_is_the_same_there() {
    let Some(database) = Database::new("copying").await else {
        return;
    };
    let (folders, clock) = (Folders::new(), now());
    fill(&folders, &clock).await;
    let part = run(&folders, &database, &clock, Steps::at_most(1)).await.unwrap();
    assert!(matches!(part, Copied::Part { moved: 1_000 }), "{part:?}");
    let whole = run(&folders, &database, &clock, Steps::many()).await.unwrap();
    let Copied::Whole { moved, tables } = whole else {
        panic!("{whole:?}")
    };
    assert!((1_500..1_600).contains(&moved), "the rest, and not all again: {moved}");
    assert_eq!((tables["messages"].rows, tables["threads"].rows), (2_499, 2));

    // A database of which the folder's node would take a second view is refused.
    let left_behind = open(on_database(&folders.data(), &folders, &database), clock.clone()).await;
    assert!(reason(&left_behind.err().unwrap()).contains("samtale copy"));
    let opened = open(on_database(&folders.at("node"), &folders, &database), clock.clone())
        .await
        .unwrap();
    let engine = &*opened.engine;
    assert_eq!(
        body(engine, &MESSAGES, &message(6)).await.as_deref(),
        Some(&b"message 6"[..])
    );
    let row = engine.get(&MESSAGES, &message(2_499)).await.unwrap().unwrap();
    assert_eq!(row.timestamp, micros(&clock) + 2_499, "write timestamps go along");
    let late = put(&MESSAGES, &message(7), b"late", micros(&clock) + 9_999);
    engine.write(late).await.unwrap();
    assert_eq!(body(engine, &MESSAGES, &message(7)).await, None, "deletions go along");
    let fact = Key::new([id(1), KeyValue::Number(5)], [id(3)]);
    assert_eq!(body(engine, &JOURNAL, &fact).await.as_deref(), Some(&b"a fact"[..]));
    let thread = |number| Key::new([id(1), id(number)], []);
    let set = engine
        .compare_and_set(&THREADS, &thread(1), Some(2), Some(b"more".to_vec()))
        .await
        .unwrap();
    assert_eq!(set, Compared::Applied { version: 3 }, "versions go along");
    let set = engine
        .compare_and_set(&THREADS, &thread(2), None, Some(b"again".to_vec()))
        .await
        .unwrap();
    assert_eq!(set, Compared::Applied { version: 4 }, "and those of what was deleted");
    let session = database.session().await;
    for (table, most) in [("drafts", 3_600), ("journal", 14 * 24 * 3_600)] {
        let asked = format!("SELECT TTL(body) FROM {}.{table}", database.options.keyspaces.plain);
        let rows = session
            .query_unpaged(asked, ())
            .await
            .unwrap()
            .into_rows_result()
            .unwrap();
        let (seconds,) = rows.single_row::<(i32,)>().unwrap();
        assert!((most - 600..=most).contains(&seconds), "{table} ends in {seconds} s");
    }
    database.drop_tables().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_differs_is_said_and_written_again() {
    let Some(database) = Database::new("copy_differs").await else {
        return;
    };
    let (folders, clock) = (Folders::new(), now());
    fill(&folders, &clock).await;
    let first = run(&folders, &database, &clock, Steps::many()).await.unwrap();
    assert!(matches!(first, Copied::Whole { .. }));
    // As after a database that lost rows, by an operator's mistake.
    let (session, keyspace) = (database.session().await, &database.options.keyspaces.plain);
    for table in ["messages", "journal", "drafts"] {
        session
            .query_unpaged(format!("TRUNCATE {keyspace}.{table}"), ())
            .await
            .unwrap();
    }
    let error = run(&folders, &database, &clock, Steps::many()).await.unwrap_err();
    let CopyError::Differ { differences } = &error else {
        panic!("{error}")
    };
    let tables: Vec<_> = differences.iter().map(|difference| difference.table).collect();
    assert_eq!(tables, ["messages", "drafts", "journal"]);
    assert!(error.to_string().contains("messages has 2499 rows"), "{error}");
    let again = run(&folders, &database, &clock, Steps::many()).await.unwrap();
    assert!(
        matches!(again, Copied::Whole { moved, .. } if moved > 2_500),
        "{again:?}"
    );
    database.drop_tables().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_something_else_and_other_keys_are_refused() {
    let Some(database) = Database::new("copy_refused").await else {
        return;
    };
    let (folders, clock) = (Folders::new(), now());
    let nothing = run(&folders, &database, &clock, Steps::many()).await.unwrap_err();
    assert!(matches!(nothing, CopyError::NoData { .. }));
    fill(&folders, &clock).await;
    let node = open(on_database(&folders.at("node"), &folders, &database), clock.clone())
        .await
        .unwrap();
    node.engine
        .write(put(&DRAFTS, &Key::new([id(9), id(1)], [id(1)]), b"other", 1))
        .await
        .unwrap();
    let taken = run(&folders, &database, &clock, Steps::many()).await.unwrap_err();
    assert!(matches!(taken, CopyError::NotEmpty { table: "drafts" }), "{taken}");

    let mut second = on_database(&folders.at("second"), &folders, &database);
    open(second.clone(), clock.clone()).await.unwrap();
    second.keys = folders.at("other-keys");
    let refused = open(second, clock.clone()).await.err().unwrap();
    assert!(matches!(refused, StorageError::KeysUnavailable { .. }), "{refused}");
    let locked = open(on_database(&folders.at("node"), &folders, &database), clock)
        .await
        .err()
        .unwrap();
    assert!(reason(&locked).contains("another process"), "{locked}");
    database.drop_tables().await;
}
