//! The seeded simulation: histories of a school in which everything that can go wrong does, and a checker that knows only
//! what the clients wrote down. `SAMTALE_SOAK=1` plays ten times as many.
//!
//! A history that fails prints its seed; this replays it, with everything that happens:
//!
//!     SAMTALE_SEED=… cargo test -p samtale-tests --test simulation replay -- --nocapture

use samtale_tests::simulation::{Broken, Outcome, play, play_many};

/// How many histories `make test` plays; `make soak` ten times as many.
const HISTORIES: u64 = 1_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn report(outcome: &Outcome) -> String {
    let lines: Vec<String> = outcome
        .violations
        .iter()
        .take(8)
        .map(|violation| format!("  {violation}"))
        .collect();
    format!(
        "seed {}: {} violations\n{}\n  replay: SAMTALE_SEED={} cargo test -p samtale-tests --test simulation replay -- --nocapture",
        outcome.seed,
        outcome.violations.len(),
        lines.join("\n"),
        outcome.seed
    )
}

#[test]
fn no_history_breaks_a_promise() {
    let count = number("SAMTALE_HISTORIES").unwrap_or(HISTORIES)
        * if std::env::var_os("SAMTALE_SOAK").is_some() {
            10
        } else {
            1
        };
    let first = number("SAMTALE_FIRST_SEED").unwrap_or(1);
    let outcomes = play_many(first, count, Broken::default(), |_| false, |_| true);
    let failed: Vec<&Outcome> = outcomes
        .iter()
        .filter(|outcome| !outcome.violations.is_empty())
        .collect();
    let acknowledged: usize = outcomes.iter().map(|outcome| outcome.acknowledged).sum();
    let shown: usize = outcomes.iter().map(|outcome| outcome.shown).sum();
    println!(
        "{count} histories from seed {first}: {acknowledged} messages acknowledged, {shown} shown, {} failed",
        failed.len()
    );
    let reports: Vec<String> = failed.iter().take(20).map(|outcome| report(outcome)).collect();
    assert!(
        failed.is_empty(),
        "{} of {count} histories broke a promise\n{}",
        failed.len(),
        reports.join("\n")
    );
}

#[test]
fn replay() {
    let Some(seed) = number("SAMTALE_SEED") else { return };
    let outcome = play(seed, Broken::default(), true);
    assert!(outcome.violations.is_empty(), "{}", report(&outcome));
}
