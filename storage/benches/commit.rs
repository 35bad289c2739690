//! What a durable write costs, beside a bare loop of write and fdatasync on the same disk, and what a read costs on the
//! runtime's own thread and beside it. `cargo bench -p samtale-storage`; figures as ratios are in `docs/adr/0001-…`.
#![expect(clippy::unwrap_used, reason = "a measurement that fails may end")]

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use samtale_protocol::Timestamp;
use samtale_protocol::time::Clock;
use samtale_storage::embedded::{EmbeddedEngine, EmbeddedOptions};
use samtale_storage::schema::MESSAGES;
use samtale_storage::{Batch, Change, Engine, Key, KeyValue, RowChange};

/// A message's body at rest, with its header and tag.
const BODY_BYTES: usize = 300;
const ROUND: Duration = Duration::from_millis(500);
const ROUNDS: usize = 11;
const WRITERS: [usize; 3] = [1, 8, 64];
/// Rows that are read: more than the cache of the cold run holds.
const ROWS: u64 = 200_000;
const READS: u64 = 20_000;

fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    output
        .write_all(line.as_bytes())
        .and_then(|()| output.write_all(b"\n"))
        .unwrap();
}

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        Timestamp::saturating(u64::try_from(now.as_millis()).unwrap())
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    runtime.block_on(async {
        writes(folder.path()).await;
        reads(folder.path()).await;
    });
}

fn open(folder: &std::path::Path, cache_bytes: u64) -> Arc<EmbeddedEngine> {
    let options = EmbeddedOptions {
        cache_bytes,
        reserve_bytes: 0,
        ..EmbeddedOptions::default()
    };
    Arc::new(EmbeddedEngine::open(&folder.join("data"), options, Arc::new(SystemClock)).unwrap())
}

fn batch(number: u64) -> Batch {
    Batch {
        table: &MESSAGES,
        partition: key(number).partition,
        rows: vec![RowChange {
            clustering: key(number).clustering,
            change: Change::Put {
                // Not one byte over and over, which would be compressed away.
                body: (0..BODY_BYTES as u64)
                    .map(|place| (number.wrapping_mul(31) ^ place.wrapping_mul(place)) as u8)
                    .collect(),
                expires_at: None,
            },
            timestamp: 1,
        }],
    }
}

fn key(number: u64) -> Key {
    let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let message = (u128::from(spread) << 64 | u128::from(number)).to_be_bytes();
    Key::new(
        [KeyValue::Id([1; 16]), KeyValue::Id([2; 16]), KeyValue::Number(3)],
        [KeyValue::Id(message)],
    )
}

/// Writes per second of a loop that writes and syncs: into a file that has its size from the beginning, as the store's
/// log has, or at the end of one that grows, where each sync writes the size too.
fn bare(folder: &std::path::Path, size: u64) -> f64 {
    let mut file = std::fs::File::create(folder.join("bare")).unwrap();
    file.set_len(size).unwrap();
    file.sync_all().unwrap();
    let (begun, mut count) = (Instant::now(), 0_u32);
    while begun.elapsed() < ROUND {
        file.write_all(&[7; BODY_BYTES]).unwrap();
        file.sync_data().unwrap();
        count += 1;
    }
    f64::from(count) / begun.elapsed().as_secs_f64()
}

async fn acknowledged(engine: &Arc<EmbeddedEngine>, next: &Arc<AtomicU64>, writers: usize) -> f64 {
    let (begun, first) = (Instant::now(), next.load(Ordering::SeqCst));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..writers {
        let (engine, next) = (Arc::clone(engine), Arc::clone(next));
        tasks.spawn(async move {
            while begun.elapsed() < ROUND {
                engine.write(batch(next.fetch_add(1, Ordering::SeqCst))).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    (next.load(Ordering::SeqCst) - first) as f64 / begun.elapsed().as_secs_f64()
}

async fn writes(folder: &std::path::Path) {
    let (engine, next) = (open(folder, 64 << 20), Arc::new(AtomicU64::new(0)));
    let (mut floor, mut growing) = (Vec::new(), Vec::new());
    let (mut rates, mut ratios) = (vec![Vec::new(); WRITERS.len()], vec![Vec::new(); WRITERS.len()]);
    // In short turns, each beside a bare loop of its own: what else the machine does falls on both.
    for _ in 0..ROUNDS {
        growing.push(bare(folder, 0));
        for (place, writers) in WRITERS.into_iter().enumerate() {
            let before = bare(folder, 64 << 20);
            let rate = acknowledged(&engine, &next, writers).await;
            let after = bare(folder, 64 << 20);
            floor.extend([before, after]);
            rates[place].push(rate);
            ratios[place].push(rate / f64::midpoint(before, after));
        }
    }
    say(&format!(
        "bare write + fdatasync: {:.0}/s; in a file that grows: {:.0}/s",
        median(floor),
        median(growing)
    ));
    for (place, writers) in WRITERS.into_iter().enumerate() {
        let (rate, ratio) = (median(rates[place].clone()), median(ratios[place].clone()));
        say(&format!(
            "{writers:2} writers: {rate:.0} acknowledged writes/s, {ratio:.2} x bare"
        ));
    }
}

async fn reads(folder: &std::path::Path) {
    let engine = open(folder, 64 << 20);
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..64 {
        let engine = Arc::clone(&engine);
        tasks.spawn(async move {
            for number in (writer..ROWS).step_by(64) {
                engine.write(batch(number)).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    drop(engine);
    for (name, cache_bytes) in [("warm cache", 256 << 20), ("no cache", 1 << 20)] {
        let engine = open(folder, cache_bytes);
        for number in 0..ROWS {
            engine.get_blocking(&MESSAGES, &key(number)).unwrap().unwrap();
        }
        let (mut inline, mut beside) = (Vec::new(), Vec::new());
        for number in 0..READS {
            let key = key(number.wrapping_mul(7919) % ROWS);
            let begun = Instant::now();
            engine.get_blocking(&MESSAGES, &key).unwrap().unwrap();
            inline.push(begun.elapsed().as_secs_f64() * 1e6);
            let key = self::key((number + 13).wrapping_mul(104_729) % ROWS);
            let begun = Instant::now();
            engine.get(&MESSAGES, &key).await.unwrap().unwrap();
            beside.push(begun.elapsed().as_secs_f64() * 1e6);
        }
        for (way, times) in [
            ("on the runtime's thread", &mut inline),
            ("by spawn_blocking", &mut beside),
        ] {
            times.sort_by(f64::total_cmp);
            let at = |part: f64| times[(times.len() as f64 * part) as usize];
            say(&format!(
                "get, {name}, {way}: p50 {:.1} us, p99 {:.1} us, max {:.0} us",
                at(0.5),
                at(0.99),
                at(0.9999)
            ));
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
