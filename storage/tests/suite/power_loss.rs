//! A power loss: everything that was not synced is gone, and nothing that was acknowledged may be.
//!
//! A child process writes over a disk that forgets (`power_loss/disk.c`, preloaded) and prints what was acknowledged; it
//! is killed at a random moment, what was durable then takes the place of its folders, and the next child goes on
//! from there. The seed is printed; `SAMTALE_SEED` replays it, as far as the scheduling of threads allows.

mod child;
mod disk;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use samtale_storage::schema::{PROFILES, THREADS};
use samtale_storage::{Engine, open};

use self::child::{WRITERS, counter_key, round_of, row_body, row_key, version_key};
use self::disk::{Chance, ForgetfulDisk, Loss};
use crate::rig::{TestClock, embedded_options};

/// Kills per run; `make soak` does more.
const ROUNDS: u64 = 10;
const SOAK_ROUNDS: u64 = 60;

/// What the children were told is stored.
#[derive(Default)]
struct Acknowledged {
    rows: Vec<(u64, u64)>,
    /// By writer and round.
    counters: BTreeMap<(u64, u64), u64>,
    versions: BTreeMap<u64, u64>,
}

impl Acknowledged {
    fn take(&mut self, line: &str) -> bool {
        let mut words = line.split(' ');
        let (Some(kind), Some(Ok(writer)), Some(Ok(number))) =
            (words.next(), words.next().map(str::parse), words.next().map(str::parse))
        else {
            return false;
        };
        match kind {
            "row" => {
                self.rows.push((writer, number));
                self.counters.insert((writer, round_of(number)), number);
            }
            "version" => {
                self.versions.insert(writer, number);
            }
            _ => return false,
        }
        true
    }

    /// What of it is missing in the store that the power loss left, of the rows from the `first` on.
    async fn missing(&mut self, engine: &dyn Engine, first: usize) -> Vec<String> {
        let mut missing = Vec::new();
        for (writer, number) in &self.rows[first..] {
            let row = engine.get(&PROFILES, &row_key(*writer, *number)).await.unwrap();
            if row.map(|row| row.body) != Some(row_body(*writer, *number)) {
                missing.push(format!("row {number} of writer {writer}"));
            }
        }
        for ((writer, round), acknowledged) in &self.counters {
            let counter = engine.get(&PROFILES, &counter_key(*writer, *round)).await.unwrap();
            let counted = counter.map_or(0, |row| row.timestamp);
            if counted < *acknowledged {
                missing.push(format!(
                    "the counter of writer {writer} is {counted}, {acknowledged} was acknowledged"
                ));
            }
            // Row and counter are one batch.
            let row = engine.get(&PROFILES, &row_key(*writer, counted)).await.unwrap();
            if counted > 0 && row.is_none() {
                missing.push(format!("half of batch {counted} of writer {writer}"));
            }
        }
        for writer in 0..WRITERS {
            let version = engine.get_serial(&THREADS, &version_key(writer)).await.unwrap();
            let (version, acknowledged) = (
                version.map_or(0, |row| row.timestamp),
                self.versions.get(&writer).copied().unwrap_or(0),
            );
            if version < acknowledged || version > acknowledged + 1 {
                missing.push(format!(
                    "writer {writer} has version {version}, {acknowledged} was acknowledged"
                ));
            }
            // One that was not acknowledged may be there, and the next child goes on from it.
            self.versions.insert(writer, version);
        }
        missing
    }
}

/// A child that writes, and the lines it prints.
struct Writing {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Writing {
    fn start(disk: &ForgetfulDisk, round: u64, hasty: bool) -> Self {
        let mut process = disk
            .run(Command::new(std::env::current_exe().unwrap()))
            .args([
                "--exact",
                "power_loss::child::write_until_killed",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(child::FOLDER, disk.root())
            .env(child::ROUND, round.to_string())
            .env(child::HASTY, if hasty { "yes" } else { "" })
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    /// Reads until so many acknowledgements have come, or the child has ended.
    fn read(&mut self, acknowledged: &mut Acknowledged, mut count: u64) {
        while count > 0 {
            let Some(Ok(line)) = self.lines.next() else { return };
            count -= u64::from(acknowledged.take(&line));
        }
    }

    /// Kills it, and reads what it had printed.
    fn kill(mut self, acknowledged: &mut Acknowledged) {
        self.process.kill().unwrap();
        self.read(acknowledged, u64::MAX);
        self.process.wait().unwrap();
    }
}

/// Takes the power away, round after round; returns what was lost.
fn lose_power(rounds: u64, loss: Loss, hasty: bool) -> Vec<String> {
    let Some(disk) = ForgetfulDisk::new() else {
        return Vec::new();
    };
    let mut chance = Chance::of_this_run();
    let mut acknowledged = Acknowledged::default();
    for round in 1..=rounds {
        // All rows now and then and at the end, else those of this round: what is lost stays lost.
        let first = if round % 10 == 0 || round == rounds {
            0
        } else {
            acknowledged.rows.len()
        };
        let mut writing = Writing::start(&disk, round, hasty);
        // Some die while they open the store, most while they write, some after tables were written out.
        let count = match chance.below(4) {
            _ if child::is_large(round) => 300 + chance.below(200),
            0 => chance.below(3),
            1 => chance.below(100),
            2 => chance.below(1000),
            _ => chance.below(2000),
        };
        writing.read(&mut acknowledged, count);
        writing.kill(&mut acknowledged);
        disk.lose_power(loss, &mut chance);
        let missing = missing(&disk, &mut acknowledged, first);
        if !missing.is_empty() {
            return missing;
        }
        disk.remember();
    }
    println!("{} rows were acknowledged in {rounds} rounds", acknowledged.rows.len());
    Vec::new()
}

/// What is missing in the store on this disk.
fn missing(disk: &ForgetfulDisk, acknowledged: &mut Acknowledged, first: usize) -> Vec<String> {
    let mut options = child::options(&disk.root());
    options.embedded = embedded_options();
    runtime().block_on(async {
        let opened = open(options, TestClock::new()).await.unwrap();
        acknowledged.missing(&*opened.engine, first).await
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn rounds() -> u64 {
    if std::env::var_os("SAMTALE_SOAK").is_some() {
        SOAK_ROUNDS
    } else {
        ROUNDS
    }
}

#[test]
fn what_was_acknowledged_survives_a_power_loss() {
    let lost = lose_power(rounds(), Loss::Unsynced, false);
    assert!(lost.is_empty(), "lost: {lost:?}");
}

#[test]
fn what_was_acknowledged_survives_a_power_loss_that_tears_the_last_writes() {
    let lost = lose_power(rounds(), Loss::HalfOfUnsynced, false);
    assert!(lost.is_empty(), "lost: {lost:?}");
}

/// The test of the test: a store that acknowledges before it syncs is found out.
#[test]
fn an_acknowledgement_before_the_sync_is_caught() {
    let Some(disk) = ForgetfulDisk::new() else { return };
    drop(disk);
    let lost = lose_power(100, Loss::Unsynced, true);
    assert!(
        !lost.is_empty(),
        "a store that acknowledges before it syncs lost nothing in a hundred power losses"
    );
}

#[test]
fn on_a_full_disk_writes_are_refused_and_reads_go_on() {
    let Some(disk) = ForgetfulDisk::new() else { return };
    let mut acknowledged = Acknowledged::default();
    let mut writing = Writing::start(&disk, 1, false);
    writing.read(&mut acknowledged, 200);
    disk.fill();
    // The child prints "full" once a write is refused so, and "read" when it then reads back its own rows.
    let mut seen = Vec::new();
    while !seen.contains(&"read".to_owned()) {
        let line = writing.lines.next().expect("the child ended").unwrap();
        if !acknowledged.take(&line) {
            seen.push(line);
        }
    }
    assert!(seen.contains(&"full".to_owned()), "{seen:?}");
    writing.kill(&mut acknowledged);
    disk.empty();
    disk.lose_power(Loss::Unsynced, &mut Chance::of_this_run());
    let missing = missing(&disk, &mut acknowledged, 0);
    assert!(missing.is_empty(), "lost: {missing:?}");
}

#[test]
fn a_failed_sync_stops_the_process() {
    use std::os::unix::process::ExitStatusExt;

    const SIGABRT: i32 = 6;
    let Some(disk) = ForgetfulDisk::new() else { return };
    let mut acknowledged = Acknowledged::default();
    let mut writing = Writing::start(&disk, 1, false);
    writing.read(&mut acknowledged, 200);
    disk.break_syncs();
    writing.read(&mut acknowledged, u64::MAX);
    assert_eq!(writing.process.wait().unwrap().signal(), Some(SIGABRT));
    disk.lose_power(Loss::Unsynced, &mut Chance::of_this_run());
    let missing = missing(&disk, &mut acknowledged, 0);
    assert!(missing.is_empty(), "lost: {missing:?}");
}
