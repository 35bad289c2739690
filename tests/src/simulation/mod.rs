//! Whole histories of a school, from a seed: the real sessions, rules, router and shards over the engines in memory, in
//! one thread and in simulated time, with every fault that the design names.
//!
//! A history is drawn from its seed alone, so a seed that fails is printed and replayed. What is simulated is storage,
//! the log, the sockets, the clocks, and the people with their devices; the only fake is who a token belongs to.

pub mod accounts;
pub mod device;
pub mod faults;
pub mod faulty_engine;
pub mod faulty_log;
mod history;
pub mod node;
pub mod office;
pub mod people;
pub mod randomness;
pub mod wire;
pub mod world;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use samtale_school::Sabotage;
use tokio::task::LocalSet;

use crate::checker::{self, Violation};

/// A deliberately broken build.
#[derive(Clone, Copy, Debug, Default)]
pub struct Broken {
    /// Of the rules.
    pub sabotage: Sabotage,
    /// Of the router: gaps are left unfilled.
    pub ignore_gaps: bool,
}

/// How a history came out.
#[derive(Debug)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// The hash of everything that happened, in order.
    pub trace: u64,
    /// What was broken.
    pub violations: Vec<Violation>,
    /// How many messages were acknowledged.
    pub acknowledged: usize,
    /// How often a message came to a screen.
    pub shown: usize,
}

/// Plays the history of a seed. `is_told` prints all that happens.
pub fn play(seed: u64, broken: Broken, is_told: bool) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return failed(seed, &error.to_string()),
    };
    let local = LocalSet::new();
    let (notes, trace) = match local.block_on(&runtime, history::play(seed, broken, is_told)) {
        Ok(played) => played,
        Err(error) => return failed(seed, &error.to_string()),
    };
    let count = |which: fn(&checker::Note) -> bool| notes.iter().filter(|noted| which(&noted.note)).count();
    Outcome {
        seed,
        trace,
        violations: checker::check(&notes),
        acknowledged: count(|note| matches!(note, checker::Note::Told { .. })),
        shown: count(|note| matches!(note, checker::Note::Shown { .. })),
    }
}

fn failed(seed: u64, what: &str) -> Outcome {
    let violation = checker::violation(
        checker::Promise::Answered,
        format!("the history could not be played: {what}"),
    );
    Outcome {
        seed,
        trace: 0,
        violations: vec![violation],
        acknowledged: 0,
        shown: 0,
    }
}

/// Plays `count` histories from `first` on, on as many threads as the machine has cores, until `stop` says enough.
/// Returns those that `keep` keeps, by seed.
pub fn play_many(
    first: u64,
    count: u64,
    broken: Broken,
    stop: impl Fn(&Outcome) -> bool + Sync,
    keep: impl Fn(&Outcome) -> bool + Sync,
) -> Vec<Outcome> {
    let next = AtomicU64::new(first);
    let kept = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        return;
                    }
                    let outcome = play(seed, broken, false);
                    if stop(&outcome) {
                        next.store(first + count, Ordering::Relaxed);
                    }
                    if keep(&outcome) {
                        kept.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
                    }
                }
            });
        }
    });
    let mut kept = kept.into_inner().unwrap_or_else(PoisonError::into_inner);
    kept.sort_by_key(|outcome| outcome.seed);
    kept
}
