//! The process that is killed: writes from several tasks, and prints what was acknowledged.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use samtale_storage::embedded::EmbeddedOptions;
use samtale_storage::schema::{PROFILES, THREADS};
use samtale_storage::{Batch, Change, Compared, Engine, Key, KeyValue, OpenOptions, RowChange, StorageError, open};

use super::disk::Chance;
use crate::rig::{TestClock, id};

/// The folder of data and keys; set only for the child.
pub const FOLDER: &str = "SAMTALE_POWER_LOSS_FOLDER";
/// Which child it is, so that no two write the same row.
pub const ROUND: &str = "SAMTALE_POWER_LOSS_ROUND";
/// Whether it acknowledges before it syncs.
pub const HASTY: &str = "SAMTALE_POWER_LOSS_HASTY";

/// Tasks that write.
pub const WRITERS: u64 = 8;
const ROWS_PER_ROUND: u64 = 1_000_000;

/// The key of a writer's row. Each child writes into a space of its own, so that keys are made while it runs.
pub fn row_key(writer: u64, number: u64) -> Key {
    let space = u8::try_from(round_of(number) % 200).unwrap();
    Key::new([id(space)], [KeyValue::Id(name(writer, number))])
}

/// The key of the row that each batch of a writer changes, in the round of this batch.
pub fn counter_key(writer: u64, round: u64) -> Key {
    let mut key = row_key(writer, round * ROWS_PER_ROUND);
    key.clustering = vec![KeyValue::Id(name(writer, u64::MAX))];
    key
}

/// The key of a writer's compare-and-set row.
pub fn version_key(writer: u64) -> Key {
    Key::new([id(1), KeyValue::Id(name(writer, 0))], [])
}

/// The round in which a row was written.
pub fn round_of(number: u64) -> u64 {
    number / ROWS_PER_ROUND
}

fn name(writer: u64, number: u64) -> [u8; 16] {
    (u128::from(writer) << 64 | u128::from(number)).to_be_bytes()
}

/// The store on this disk: data and keys in folders of their own.
pub fn options(disk: &Path) -> OpenOptions {
    OpenOptions::new(disk.join("data"), disk.join("keys"))
}

/// Whether rows of a round are large, so that a log is filled and the next one begun: in the long form only, because in
/// an unoptimised build this takes minutes.
pub fn is_large(round: u64) -> bool {
    is_soak() && round % 4 == 3
}

/// Whether this is the long form.
pub fn is_soak() -> bool {
    std::env::var_os("SAMTALE_SOAK").is_some()
}

/// What a row holds: some bytes, a page, or many, and different in each row.
pub fn row_body(writer: u64, number: u64) -> Vec<u8> {
    let mut chance = Chance::new(writer << 48 | number);
    let length = match chance.below(20) {
        _ if is_large(round_of(number)) => chance.below(200_000),
        0 => chance.below(60_000),
        1..4 => chance.below(6_000),
        _ => chance.below(500),
    };
    let bytes: Vec<u8> = (0..32).flat_map(|_| chance.draw().to_be_bytes()).collect();
    let mut body = bytes.repeat(usize::try_from(length).unwrap() / bytes.len() + 1);
    body.truncate(usize::try_from(length).unwrap());
    body
}

#[test]
fn write_until_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let round: u64 = std::env::var(ROUND).unwrap().parse().unwrap();
    let mut options = options(Path::new(&folder));
    options.embedded = EmbeddedOptions {
        reserve_bytes: 0,
        // Small, so that tables are written out and merged, and logs begun anew, while it runs.
        memtable_bytes: if is_soak() { 2 * 1024 * 1024 } else { 256 * 1024 },
        acknowledge_before_sync: std::env::var(HASTY).is_ok_and(|hasty| !hasty.is_empty()),
        ..EmbeddedOptions::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let opened = open(options, TestClock::new()).await.unwrap();
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            writers.spawn(write(Arc::clone(&opened.engine), writer, round));
        }
        writers.join_all().await;
    });
}

async fn write(engine: Arc<dyn Engine>, writer: u64, round: u64) {
    let first = round * ROWS_PER_ROUND;
    let row = engine.get_serial(&THREADS, &version_key(writer)).await.unwrap();
    let mut version = row.map(|row| row.timestamp);
    for number in first..first + ROWS_PER_ROUND {
        let put = |key: Key, body: Vec<u8>| RowChange {
            clustering: key.clustering,
            change: Change::Put { body, expires_at: None },
            timestamp: number,
        };
        let batch = Batch {
            table: &PROFILES,
            partition: counter_key(writer, round).partition,
            rows: vec![
                put(row_key(writer, number), row_body(writer, number)),
                put(counter_key(writer, round), number.to_be_bytes().to_vec()),
            ],
        };
        match engine.write(batch).await {
            Ok(()) => say(&format!("row {writer} {number}")),
            Err(StorageError::Full { .. }) => {
                say("full");
                if number > first {
                    let row = engine.get(&PROFILES, &row_key(writer, first)).await.unwrap();
                    assert_eq!(row.unwrap().body, row_body(writer, first));
                    say("read");
                }
                std::future::pending::<()>().await;
            }
            // The write that met the full disk, or the failed sync: whether it is there is not known.
            Err(StorageError::Timeout { .. }) => continue,
            Err(error) => panic!("{error:?}"),
        }
        if number % 16 == 0 {
            let key = version_key(writer);
            let set = engine.compare_and_set(&THREADS, &key, version, Some(vec![1]));
            if let Ok(Compared::Applied { version: now }) = set.await {
                version = Some(now);
                say(&format!("version {writer} {now}"));
            }
        }
    }
}

/// Prints a line at once: a pipe takes it whole.
fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    output.write_all(format!("{line}\n").as_bytes()).unwrap();
    output.flush().unwrap();
}
