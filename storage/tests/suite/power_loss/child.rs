//! The process that is killed: writes from several tasks, and prints what was acknowledged.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use samtale_storage::embedded::{EmbeddedEngine, EmbeddedOptions};
use samtale_storage::schema::{PROFILES, THREADS};
use samtale_storage::{Batch, Change, Compared, Engine, Key, KeyValue, RowChange, StorageError};

use super::disk::Chance;
use crate::rig::{TestClock, id};

/// The data folder; set only for the child.
pub const FOLDER: &str = "SAMTALE_POWER_LOSS_FOLDER";
/// Which child it is, so that no two write the same row.
pub const ROUND: &str = "SAMTALE_POWER_LOSS_ROUND";
/// Whether it acknowledges before it syncs.
pub const HASTY: &str = "SAMTALE_POWER_LOSS_HASTY";

/// Tasks that write.
pub const WRITERS: u64 = 8;
const ROWS_PER_ROUND: u64 = 1_000_000;

/// The key of a writer's row.
pub fn row_key(writer: u64, number: u64) -> Key {
    let mut name = [0; 16];
    name[..8].copy_from_slice(&writer.to_be_bytes());
    name[8..].copy_from_slice(&number.to_be_bytes());
    Key::new([id(1)], [KeyValue::Id(name)])
}

/// The key of the row that each batch of a writer changes.
pub fn counter_key(writer: u64) -> Key {
    row_key(writer, u64::MAX)
}

/// The key of a writer's compare-and-set row.
pub fn version_key(writer: u64) -> Key {
    Key::new([id(1), row_key(writer, 0).clustering[0]], [])
}

/// What a row holds: some bytes, a page, or several, and different in each row.
pub fn row_body(writer: u64, number: u64) -> Vec<u8> {
    let mut chance = Chance::new(writer << 48 | number);
    let length = match chance.below(20) {
        0 => chance.below(60_000),
        1..4 => chance.below(6_000),
        _ => chance.below(500),
    };
    (0..length.div_ceil(8))
        .flat_map(|_| chance.draw().to_be_bytes())
        .collect()
}

#[test]
fn write_until_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let round: u64 = std::env::var(ROUND).unwrap().parse().unwrap();
    let options = EmbeddedOptions {
        reserve_bytes: 0,
        // Small, so that tables are written out and merged, and logs begun anew, while it runs.
        memtable_bytes: 256 * 1024,
        acknowledge_before_sync: std::env::var(HASTY).is_ok_and(|hasty| !hasty.is_empty()),
        ..EmbeddedOptions::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let engine = Arc::new(EmbeddedEngine::open(&PathBuf::from(folder), options, TestClock::new()).unwrap());
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            writers.spawn(write(Arc::clone(&engine), writer, round * ROWS_PER_ROUND));
        }
        writers.join_all().await;
    });
}

async fn write(engine: Arc<EmbeddedEngine>, writer: u64, first: u64) {
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
            partition: counter_key(writer).partition,
            rows: vec![
                put(row_key(writer, number), row_body(writer, number)),
                put(counter_key(writer), number.to_be_bytes().to_vec()),
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
