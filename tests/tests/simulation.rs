//! The seeded simulation: histories of a school in which everything that can go wrong does, and a checker that knows only
//! what the clients wrote down. `SAMTALE_SOAK=1` plays ten times as many.
//!
//! A history that fails prints its seed; this replays it, with everything that happens:
//!
//!     SAMTALE_SEED=… cargo test -p samtale-tests --test simulation replay -- --nocapture

use samtale_school::Sabotage;
use samtale_tests::checker::Promise;
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
    let reports: Vec<String> = failed.iter().take(60).map(|outcome| report(outcome)).collect();
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

/// How many histories may pass until a broken build is caught.
const CAUGHT_WITHIN: u64 = 400;

/// The first of the seeds from `first` on whose history a broken build fails by breaking this promise; the healthy build keeps
/// it. `SAMTALE_FIRST_SEED` and `SAMTALE_HISTORIES` look elsewhere, when what histories are drawn from has changed.
fn is_caught(broken: Broken, promise: Promise, first: u64) {
    let breaks = |outcome: &Outcome| outcome.violations.iter().any(|violation| violation.promise == promise);
    let first = number("SAMTALE_FIRST_SEED").unwrap_or(first);
    let count = number("SAMTALE_HISTORIES").unwrap_or(CAUGHT_WITHIN);
    let caught = play_many(first, count, broken, breaks, breaks);
    let caught = caught.first();
    let seed = caught.map(|outcome| outcome.seed);
    assert!(
        caught.is_some(),
        "the broken build passed {count} histories from seed {first}: {promise:?} was never found broken"
    );
    println!("caught by seed {seed:?}: {}", caught.map(report).unwrap_or_default());
    let healthy = play(seed.unwrap_or(first), Broken::default(), false);
    assert!(healthy.violations.is_empty(), "{}", report(&healthy));
}

#[test]
fn an_acknowledgement_before_the_write_is_caught() {
    let sabotage = Sabotage {
        acknowledge_before_write: true,
        ..Sabotage::default()
    };
    is_caught(
        Broken {
            sabotage,
            ..Broken::default()
        },
        Promise::NothingLost,
        1,
    );
}

#[test]
fn a_lost_publish_is_caught() {
    is_caught(
        Broken {
            ignore_gaps: true,
            ..Broken::default()
        },
        Promise::CompleteOrSaidSo,
        1,
    );
}

#[test]
fn a_stale_member_list_is_caught() {
    let sabotage = Sabotage {
        stale_members: true,
        ..Sabotage::default()
    };
    is_caught(
        Broken {
            sabotage,
            ..Broken::default()
        },
        Promise::OnlyItsAudience,
        // One history in a thousand shows it: from near one that does.
        1,
    );
}

#[test]
fn a_seed_repeats_its_history() {
    for seed in 1..=4 {
        let (first, second) = (
            play(seed, Broken::default(), false),
            play(seed, Broken::default(), false),
        );
        assert_eq!(first.trace, second.trace, "seed {seed} is two histories");
        assert!(
            first.acknowledged > 0 && first.shown > first.acknowledged,
            "nothing happens in seed {seed}"
        );
    }
}
