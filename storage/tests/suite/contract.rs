//! What every engine must do: one list of cases, run over each of them.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use samtale_protocol::time::Clock;
use samtale_storage::schema::{
    DIRECTORY_VERSIONS, DRAFTS, GROUP_MEMBERS, JOURNAL, JOURNAL_LIFETIME, LOGINS, MESSAGES, PEOPLE, PROFILES, THREADS,
};
use samtale_storage::{Batch, Change, Compared, Engine, Key, KeyValue, Range, RowChange, Table};

use crate::rig::{TestClock, body, change, delete, id, put};

/// An engine and what is known of it.
#[derive(Clone)]
pub struct Subject {
    pub engine: Arc<dyn Engine>,
    /// Its clock, if it can be set; without it the cases about time are left out.
    pub clock: Option<Arc<TestClock>>,
    /// Whether it compares the bodies of equal timestamps as they were given. An encrypting engine compares what it
    /// stores, in which the same text differs each time.
    pub compares_bodies: bool,
}

/// What a case is given: the subject, and a space of its own.
#[derive(Clone)]
struct Case {
    subject: Subject,
    space: KeyValue,
}

impl Case {
    fn engine(&self) -> &dyn Engine {
        &*self.subject.engine
    }

    fn key<const N: usize>(&self, partition: [KeyValue; N], clustering: &[KeyValue]) -> Key {
        let mut columns = vec![self.space];
        columns.extend(partition);
        Key::new(columns, clustering)
    }

    async fn put(&self, table: &'static Table, key: &Key, text: &str, timestamp: u64) {
        let batch = put(table, key, text.as_bytes(), timestamp);
        self.engine().write(batch).await.unwrap();
    }

    async fn text(&self, table: &'static Table, key: &Key) -> Option<String> {
        let body = body(self.engine(), table, key).await;
        body.map(|body| String::from_utf8(body).unwrap())
    }

    async fn set(&self, key: &Key, expected: Option<u64>, text: &str) -> Compared {
        let body = Some(text.as_bytes().to_vec());
        let set = self.engine().compare_and_set(&THREADS, key, expected, body);
        set.await.unwrap()
    }
}

type Future = Pin<Box<dyn std::future::Future<Output = ()> + Send>>;

/// Runs every case, and says at the end which failed.
pub async fn check(subject: Subject) {
    let mut failed = Vec::new();
    for (number, (name, run)) in cases().into_iter().enumerate() {
        let number = u8::try_from(number).unwrap();
        let case = Case {
            subject: subject.clone(),
            space: KeyValue::Id([number + 1; 16]),
        };
        if tokio::spawn(run(case)).await.is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "these cases failed: {failed:?}");
}

type Named = (&'static str, fn(Case) -> Future);

fn cases() -> Vec<Named> {
    macro_rules! list {
        ($($name:ident),+ $(,)?) => {
            vec![$((stringify!($name), (|case| Box::pin($name(case))) as fn(Case) -> Future)),+]
        };
    }
    list![
        a_row_is_absent_until_it_is_written_and_after_it_is_deleted,
        the_highest_timestamp_holds_in_whatever_order_writes_arrive,
        at_the_same_timestamp_a_deletion_wins_then_the_larger_body,
        the_timestamp_of_a_row_is_the_one_it_was_written_with,
        a_batch_is_applied_whole,
        a_batch_is_seen_whole,
        a_row_twice_in_a_batch_is_settled_by_timestamp,
        ranges_take_in_what_their_bounds_say,
        pages_follow_each_other,
        ids_sort_by_their_bytes,
        quarters_stand_apart_and_each_is_in_order,
        partitions_and_tables_stand_apart,
        a_table_without_clustering_has_one_row_a_partition,
        rows_end_when_they_expire,
        rows_of_a_table_with_a_lifetime_end_with_it,
        a_version_rises_with_each_compare_and_set,
        a_deleted_compare_and_set_row_starts_above_its_old_versions,
        of_a_hundred_who_race_one_wins,
        a_compare_and_set_row_without_clustering,
        a_serial_read_sees_what_was_set_before,
        bodies_may_be_empty_and_large,
    ]
}

async fn a_row_is_absent_until_it_is_written_and_after_it_is_deleted(case: Case) {
    let key = case.key([], &[id(1)]);
    assert_eq!(case.text(&PROFILES, &key).await, None);
    case.put(&PROFILES, &key, "one", 1).await;
    assert_eq!(case.text(&PROFILES, &key).await.as_deref(), Some("one"));
    case.put(&PROFILES, &key, "two", 2).await;
    assert_eq!(case.text(&PROFILES, &key).await.as_deref(), Some("two"));
    case.engine().write(delete(&PROFILES, &key, 3)).await.unwrap();
    assert_eq!(case.text(&PROFILES, &key).await, None);
    let page = case
        .engine()
        .scan(&PROFILES, &key.partition, &Range::all(10))
        .await
        .unwrap();
    assert_eq!((page.rows.len(), page.more), (0, false));
    case.put(&PROFILES, &key, "again", 4).await;
    assert_eq!(case.text(&PROFILES, &key).await.as_deref(), Some("again"));
}

async fn the_highest_timestamp_holds_in_whatever_order_writes_arrive(case: Case) {
    let orders = [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]];
    for (number, order) in (1_u8..).zip(orders) {
        let (kept, deleted) = (case.key([], &[id(number)]), case.key([], &[id(100 + number)]));
        for timestamp in order {
            case.put(&PROFILES, &kept, &format!("at {timestamp}"), timestamp).await;
            let batch = match timestamp {
                3 => delete(&PROFILES, &deleted, 3),
                _ => put(&PROFILES, &deleted, b"here", timestamp),
            };
            case.engine().write(batch).await.unwrap();
        }
        assert_eq!(case.text(&PROFILES, &kept).await.as_deref(), Some("at 3"), "{order:?}");
        assert_eq!(case.text(&PROFILES, &deleted).await, None, "{order:?}");
    }
}

async fn at_the_same_timestamp_a_deletion_wins_then_the_larger_body(case: Case) {
    for (number, order) in (1_u8..).zip([["a", "b"], ["b", "a"]]) {
        let key = case.key([], &[id(number)]);
        for text in order {
            case.put(&PROFILES, &key, text, 5).await;
        }
        let found = case.text(&PROFILES, &key).await.unwrap();
        assert!(found == "b" || !case.subject.compares_bodies, "{order:?}");
        case.put(&PROFILES, &key, "a", 5).await;
    }
    for number in 1..=2 {
        let key = case.key([], &[id(10 + number)]);
        let mut batches = vec![put(&PROFILES, &key, b"z", 5), delete(&PROFILES, &key, 5)];
        if number == 2 {
            batches.reverse();
        }
        for batch in batches {
            case.engine().write(batch).await.unwrap();
        }
        assert_eq!(case.text(&PROFILES, &key).await, None);
    }
}

async fn the_timestamp_of_a_row_is_the_one_it_was_written_with(case: Case) {
    let key = case.key([], &[id(1)]);
    case.put(&PROFILES, &key, "text", 1_700_000_000_000_123).await;
    let row = case.engine().get(&PROFILES, &key).await.unwrap().unwrap();
    assert_eq!((row.timestamp, row.clustering), (1_700_000_000_000_123, vec![id(1)]));
}

async fn a_batch_is_applied_whole(case: Case) {
    let key = case.key([], &[]);
    let rows = |text: &str, timestamp| -> Vec<RowChange> {
        (0..50)
            .map(|number| RowChange {
                clustering: vec![id(number)],
                change: Change::Put {
                    body: text.as_bytes().to_vec(),
                    expires_at: None,
                },
                timestamp,
            })
            .collect()
    };
    // One row is ahead of the batch: it stays, and the others change.
    case.put(&PROFILES, &case.key([], &[id(7)]), "ahead", 9).await;
    for (text, timestamp) in [("one", 1), ("two", 2)] {
        let batch = Batch {
            table: &PROFILES,
            partition: key.partition.clone(),
            rows: rows(text, timestamp),
        };
        case.engine().write(batch).await.unwrap();
    }
    let page = case
        .engine()
        .scan(&PROFILES, &key.partition, &Range::all(100))
        .await
        .unwrap();
    assert_eq!(page.rows.len(), 50);
    for row in page.rows {
        let expected = if row.clustering == [id(7)] { "ahead" } else { "two" };
        assert_eq!(row.body, expected.as_bytes());
    }
}

async fn a_batch_is_seen_whole(case: Case) {
    let partition = case.key([], &[]).partition;
    let writer = {
        let (case, partition) = (case.clone(), partition.clone());
        tokio::spawn(async move {
            for round in 1..=100_u64 {
                let rows = (0..5).map(|number| RowChange {
                    clustering: vec![id(number)],
                    change: Change::Put {
                        body: round.to_be_bytes().to_vec(),
                        expires_at: None,
                    },
                    timestamp: round,
                });
                let batch = Batch {
                    table: &PROFILES,
                    partition: partition.clone(),
                    rows: rows.collect(),
                };
                case.engine().write(batch).await.unwrap();
            }
        })
    };
    while !writer.is_finished() {
        let page = case
            .engine()
            .scan(&PROFILES, &partition, &Range::all(10))
            .await
            .unwrap();
        let bodies: BTreeSet<_> = page.rows.iter().map(|row| &row.body).collect();
        assert!(bodies.len() <= 1, "rows of different batches: {bodies:?}");
        assert!(page.rows.is_empty() || page.rows.len() == 5);
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
}

async fn a_row_twice_in_a_batch_is_settled_by_timestamp(case: Case) {
    let key = case.key([], &[id(1)]);
    let mut batch = put(&PROFILES, &key, b"later", 5);
    batch.rows.extend(put(&PROFILES, &key, b"earlier", 4).rows);
    batch.rows.extend(delete(&PROFILES, &key, 3).rows);
    case.engine().write(batch).await.unwrap();
    assert_eq!(case.text(&PROFILES, &key).await.as_deref(), Some("later"));
}

async fn ranges_take_in_what_their_bounds_say(case: Case) {
    let values = [0, 1, 0x7f, 0x80, 0xff];
    let partition = case.key([], &[]).partition;
    let mut places = Vec::new();
    for first in values {
        for second in values {
            let key = case.key([], &[id(first), id(second)]);
            case.put(&GROUP_MEMBERS, &key, "member", 1).await;
            places.push(key.clustering);
        }
    }
    places.sort();
    let mut bounds = vec![Bound::Unbounded];
    for columns in [
        vec![],
        vec![id(0)],
        vec![id(0x7f)],
        vec![id(5)],
        vec![id(0xff)],
        vec![id(1), id(0x80)],
        vec![id(0xff), id(0xff)],
        vec![id(0), id(0)],
        vec![id(1), id(2)],
    ] {
        bounds.push(Bound::Included(columns.clone()));
        bounds.push(Bound::Excluded(columns));
    }
    for from in &bounds {
        for to in &bounds {
            let within: Vec<_> = places
                .iter()
                .filter(|place| begins(from, place) && ends(to, place))
                .collect();
            for (descending, limit) in [(false, 100), (true, 100), (false, 3), (true, 3), (false, 0)] {
                let range = Range {
                    from: from.clone(),
                    to: to.clone(),
                    descending,
                    limit,
                };
                let page = case.engine().scan(&GROUP_MEMBERS, &partition, &range).await.unwrap();
                let mut expected = within.clone();
                if descending {
                    expected.reverse();
                }
                assert_eq!(page.more, expected.len() > limit, "{range:?}");
                expected.truncate(limit);
                let found: Vec<_> = page.rows.iter().map(|row| &row.clustering).collect();
                assert_eq!(found, expected, "{range:?}");
            }
        }
    }
}

/// A bound that names fewer columns than the key has takes in, when it is included, all that begins with it.
fn begins(from: &Bound<Vec<KeyValue>>, place: &[KeyValue]) -> bool {
    match from {
        Bound::Unbounded => true,
        Bound::Included(columns) => place[..columns.len()] >= columns[..],
        Bound::Excluded(columns) => place[..columns.len()] > columns[..],
    }
}

fn ends(to: &Bound<Vec<KeyValue>>, place: &[KeyValue]) -> bool {
    match to {
        Bound::Unbounded => true,
        Bound::Included(columns) => place[..columns.len()] <= columns[..],
        Bound::Excluded(columns) => place[..columns.len()] < columns[..],
    }
}

async fn pages_follow_each_other(case: Case) {
    let partition = case.key([], &[]).partition;
    for number in 0..25 {
        case.put(&PROFILES, &case.key([], &[id(number)]), "row", 1).await;
    }
    for descending in [false, true] {
        let mut found = Vec::new();
        let mut range = Range::all(10);
        range.descending = descending;
        loop {
            let page = case.engine().scan(&PROFILES, &partition, &range).await.unwrap();
            found.extend(page.rows.into_iter().map(|row| row.clustering));
            let Some(last) = found.last().cloned().filter(|_| page.more) else {
                break;
            };
            range = if descending {
                range.before(last)
            } else {
                range.after(last)
            };
        }
        if descending {
            found.reverse();
        }
        let all: Vec<_> = (0..25).map(|number| vec![id(number)]).collect();
        assert_eq!(found, all);
    }
}

async fn ids_sort_by_their_bytes(case: Case) {
    // Version 7 by time and not by version or variant bits, and neither as signed halves nor as CQL's timeuuid.
    let mut ids = Vec::new();
    for first in [0x00, 0x01, 0x7f, 0x80, 0xff] {
        for last in [0x00, 0x7f, 0x80, 0xff] {
            let mut bytes = [0x55; 16];
            bytes[0] = first;
            bytes[6] = if last == 0x7f { 0x7a } else { 0x11 };
            bytes[15] = last;
            ids.push(bytes);
        }
    }
    for bytes in ids.iter().rev() {
        case.put(&PROFILES, &case.key([], &[KeyValue::Id(*bytes)]), "row", 1)
            .await;
    }
    ids.sort_unstable();
    let page = case
        .engine()
        .scan(&PROFILES, &[case.space], &Range::all(100))
        .await
        .unwrap();
    let found: Vec<_> = page.rows.into_iter().map(|row| row.clustering[0]).collect();
    assert_eq!(found, ids.into_iter().map(KeyValue::Id).collect::<Vec<_>>());
}

async fn quarters_stand_apart_and_each_is_in_order(case: Case) {
    let thread = id(9);
    let quarters = [0, 1, 255, 256, u64::MAX];
    for quarter in quarters {
        for message in [3, 1, 2] {
            let key = case.key([thread, KeyValue::Number(quarter)], &[id(message)]);
            case.put(&MESSAGES, &key, &format!("{quarter}/{message}"), 1).await;
        }
    }
    for quarter in quarters {
        let partition = [case.space, thread, KeyValue::Number(quarter)];
        let page = case
            .engine()
            .scan(&MESSAGES, &partition, &Range::all(10))
            .await
            .unwrap();
        let found: Vec<_> = page.rows.iter().map(|row| String::from_utf8_lossy(&row.body)).collect();
        let expected: Vec<_> = (1..=3).map(|message| format!("{quarter}/{message}")).collect();
        assert_eq!(found, expected);
        let last = case
            .engine()
            .scan(&MESSAGES, &partition, &Range::all(1).descending())
            .await
            .unwrap();
        assert_eq!((last.rows[0].clustering[0], last.more), (id(3), true));
    }
}

async fn partitions_and_tables_stand_apart(case: Case) {
    let other = case.key([id(2)], &[id(1)]);
    let key = case.key([id(1)], &[id(1)]);
    case.put(&DRAFTS, &key, "here", 1).await;
    assert_eq!(case.text(&DRAFTS, &other).await, None);
    assert_eq!(case.text(&samtale_storage::schema::THREAD_SETTINGS, &key).await, None);
    let page = case
        .engine()
        .scan(&DRAFTS, &other.partition, &Range::all(10))
        .await
        .unwrap();
    assert!(page.rows.is_empty());
    case.engine().write(delete(&DRAFTS, &other, 9)).await.unwrap();
    assert_eq!(case.text(&DRAFTS, &key).await.as_deref(), Some("here"));
}

async fn a_table_without_clustering_has_one_row_a_partition(case: Case) {
    for number in [1, 2] {
        case.put(&PEOPLE, &case.key([id(number)], &[]), &number.to_string(), 1)
            .await;
    }
    for number in [1, 2] {
        let key = case.key([id(number)], &[]);
        assert_eq!(case.text(&PEOPLE, &key).await, Some(number.to_string()));
        let page = case
            .engine()
            .scan(&PEOPLE, &key.partition, &Range::all(10))
            .await
            .unwrap();
        assert_eq!((page.rows.len(), page.more), (1, false));
        assert!(page.rows[0].clustering.is_empty());
    }
    case.engine()
        .write(delete(&PEOPLE, &case.key([id(1)], &[]), 2))
        .await
        .unwrap();
    assert_eq!(case.text(&PEOPLE, &case.key([id(1)], &[])).await, None);
    assert_eq!(case.text(&PEOPLE, &case.key([id(2)], &[])).await.as_deref(), Some("2"));
}

async fn rows_end_when_they_expire(case: Case) {
    let Some(clock) = &case.subject.clock else { return };
    let key = case.key([id(1)], &[id(1)]);
    let put = Change::Put {
        body: b"soon gone".to_vec(),
        expires_at: Some(clock.now().plus(Duration::from_secs(10))),
    };
    case.engine().write(change(&DRAFTS, &key, put, 5)).await.unwrap();
    clock.advance(Duration::from_millis(9_999));
    assert_eq!(case.text(&DRAFTS, &key).await.as_deref(), Some("soon gone"));
    clock.advance(Duration::from_millis(1));
    assert_eq!(case.text(&DRAFTS, &key).await, None);
    let page = case
        .engine()
        .scan(&DRAFTS, &key.partition, &Range::all(10))
        .await
        .unwrap();
    assert_eq!((page.rows.len(), page.more), (0, false));
    case.put(&DRAFTS, &key, "older", 4).await;
    assert_eq!(
        case.text(&DRAFTS, &key).await,
        None,
        "an older write does not bring it back"
    );
    case.put(&DRAFTS, &key, "newer", 6).await;
    assert_eq!(case.text(&DRAFTS, &key).await.as_deref(), Some("newer"));
}

async fn rows_of_a_table_with_a_lifetime_end_with_it(case: Case) {
    let Some(clock) = &case.subject.clock else { return };
    let key = case.key([KeyValue::Number(1)], &[id(1)]);
    case.put(&JOURNAL, &key, "fact", 1).await;
    clock.advance(JOURNAL_LIFETIME - Duration::from_millis(1));
    assert_eq!(case.text(&JOURNAL, &key).await.as_deref(), Some("fact"));
    clock.advance(Duration::from_millis(1));
    assert_eq!(case.text(&JOURNAL, &key).await, None);
}

async fn a_version_rises_with_each_compare_and_set(case: Case) {
    let key = case.key([id(1)], &[]);
    assert_eq!(case.set(&key, Some(1), "too early").await, Compared::Conflict);
    assert_eq!(case.set(&key, None, "one").await, Compared::Applied { version: 1 });
    assert_eq!(case.set(&key, None, "too late").await, Compared::Conflict);
    assert_eq!(case.set(&key, Some(1), "two").await, Compared::Applied { version: 2 });
    assert_eq!(case.set(&key, Some(1), "stale").await, Compared::Conflict);
    let row = case.engine().get(&THREADS, &key).await.unwrap().unwrap();
    assert_eq!((row.timestamp, row.body.as_slice()), (2, b"two".as_slice()));
}

async fn a_deleted_compare_and_set_row_starts_above_its_old_versions(case: Case) {
    let key = case.key([id(1)], &[]);
    assert_eq!(case.set(&key, None, "one").await, Compared::Applied { version: 1 });
    let engine = case.engine();
    let deleted = engine.compare_and_set(&THREADS, &key, Some(1), None).await.unwrap();
    assert_eq!(deleted, Compared::Applied { version: 2 });
    assert_eq!(case.text(&THREADS, &key).await, None);
    assert_eq!(engine.get_serial(&THREADS, &key).await.unwrap(), None);
    assert_eq!(case.set(&key, Some(2), "stale").await, Compared::Conflict);
    assert_eq!(case.set(&key, None, "again").await, Compared::Applied { version: 3 });
}

async fn of_a_hundred_who_race_one_wins(case: Case) {
    let key = case.key([id(1)], &[]);
    let mut expected = None;
    for round in 1..=5 {
        let mut racers = tokio::task::JoinSet::new();
        for number in 0..100 {
            let (case, key) = (case.clone(), key.clone());
            racers.spawn(async move { (case.set(&key, expected, &number.to_string()).await, number) });
        }
        let outcomes = racers.join_all().await;
        let winners: Vec<_> = outcomes
            .iter()
            .filter(|(compared, _)| *compared != Compared::Conflict)
            .collect();
        assert_eq!(winners.len(), 1, "{winners:?}");
        assert_eq!(winners[0].0, Compared::Applied { version: round });
        let text = case.text(&THREADS, &key).await.unwrap();
        assert_eq!(text, winners[0].1.to_string());
        expected = Some(round);
    }
}

async fn a_compare_and_set_row_without_clustering(case: Case) {
    let engine = case.engine();
    for (number, expected) in [(1_u64, None), (2, Some(1)), (3, Some(2))] {
        let key = case.key([], &[]);
        let set = engine.compare_and_set(&DIRECTORY_VERSIONS, &key, expected, Some(vec![7]));
        assert_eq!(set.await.unwrap(), Compared::Applied { version: number });
    }
    let (one, two) = (case.key([id(1)], &[id(1)]), case.key([id(1)], &[id(2)]));
    for key in [&one, &two] {
        engine.compare_and_set(&LOGINS, key, None, Some(vec![1])).await.unwrap();
    }
    let page = engine.scan(&LOGINS, &one.partition, &Range::all(10)).await.unwrap();
    assert_eq!(
        page.rows.len(),
        2,
        "rows of a compare-and-set table are scanned as others are"
    );
}

async fn a_serial_read_sees_what_was_set_before(case: Case) {
    let key = case.key([id(1)], &[]);
    for version in 1..=20 {
        let expected = (version > 1).then(|| version - 1);
        case.set(&key, expected, &version.to_string()).await;
        let row = case.engine().get_serial(&THREADS, &key).await.unwrap().unwrap();
        assert_eq!((row.timestamp, row.body), (version, version.to_string().into_bytes()));
    }
}

async fn bodies_may_be_empty_and_large(case: Case) {
    let large: Vec<u8> = (0..1024 * 1024_u32).map(|number| number.to_be_bytes()[3]).collect();
    for (number, bytes) in (1_u8..).zip([vec![], large]) {
        let key = case.key([], &[id(number)]);
        case.engine().write(put(&PROFILES, &key, &bytes, 1)).await.unwrap();
        assert!(body(case.engine(), &PROFILES, &key).await == Some(bytes));
    }
}
