//! Calls that are banned everywhere, or in some rooms: unfinished code, queues without a bound, clocks, printing.

use crate::tidy::place;
use crate::tidy::problem::Problem;
use crate::tidy::rust_source::RustSource;

/// Rooms that are replayed and simulated, so time is given to them.
const WITHOUT_A_CLOCK: [&str; 4] = ["protocol/", "clients/sealed/", "router/", "school/"];

/// Rooms that are fuzzed and replayed, so chance is given to them too.
const WITHOUT_CHANCE: [&str; 2] = ["protocol/", "clients/sealed/"];

/// Where a program speaks to the person who started it.
const PRINTING: [&str; 7] = [
    "gateway/src/cli/",
    "gateway/src/cli.rs",
    "gateway/src/main.rs",
    "clients/rust/src/bin",
    "loadtest/",
    "xtask/",
    "tests/",
];

const UNFINISHED: &str = "finish it before it lands";
const UNBOUNDED: &str = "every queue has a bound: use `tokio::sync::mpsc::channel(limit)` with a named limit";
const CLOCK: &str = "the clock comes from outside: take the time as an argument";
const CHANCE: &str = "chance comes from outside: take the random bytes as an argument";
const PRINT: &str = "only programs print, in their `cli` folder: log with `tracing`, or return it";

struct Ban {
    calls: &'static [&'static str],
    /// Whether it holds for a place, given the path and whether the place is in a test.
    holds: fn(&str, bool) -> bool,
    remedy: &'static str,
}

const BANS: [Ban; 5] = [
    Ban {
        calls: &["todo!", "unimplemented!", "dbg!"],
        holds: |_, _| true,
        remedy: UNFINISHED,
    },
    Ban {
        calls: &[
            "unbounded_channel",
            "UnboundedSender",
            "UnboundedReceiver",
            "mpsc::unbounded",
            "flume::unbounded",
            "crossbeam_channel::unbounded",
            "std::sync::mpsc::channel",
        ],
        holds: |_, _| true,
        remedy: UNBOUNDED,
    },
    Ban {
        calls: &[
            "SystemTime::now",
            "Instant::now",
            "Timestamp::now",
            "Zoned::now",
            "Utc::now",
            "Uuid::now_v7",
        ],
        holds: |path, _| is_below(path, &WITHOUT_A_CLOCK),
        remedy: CLOCK,
    },
    Ban {
        calls: &["Uuid::new_v4", "getrandom::fill", "rand::rng", "rand::random"],
        holds: |path, in_test| is_below(path, &WITHOUT_CHANCE) && !in_test,
        remedy: CHANCE,
    },
    Ban {
        calls: &["println!", "eprintln!", "print!", "eprint!"],
        holds: |path, in_test| !in_test && !is_below(path, &PRINTING) && place::file_name(path) != "build.rs",
        remedy: PRINT,
    },
];

/// Every banned call of a file.
pub fn check(path: &str, source: &RustSource<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for ban in &BANS {
        for call in ban.calls {
            let places = source.places_of(call);
            let held = places.filter(|at| (ban.holds)(path, place::is_test(path) || source.is_test(*at)));
            problems.extend(held.map(|at| problem(path, source.line_of(at), call, ban.remedy)));
        }
    }
    let unbounded = source
        .places_of("mpsc::channel")
        .filter(|at| has_no_bound(&source.code[*at..]));
    problems.extend(unbounded.map(|at| problem(path, source.line_of(at), "mpsc::channel()", UNBOUNDED)));
    problems
}

fn problem(path: &str, line: usize, call: &str, remedy: &str) -> Problem {
    Problem::new(path, line, format!("`{call}` is banned here"), remedy)
}

fn is_below(path: &str, places: &[&str]) -> bool {
    places.iter().any(|place| path.starts_with(place))
}

/// `mpsc::channel()` and `mpsc::channel::<T>()`: the channel of the standard library, which takes no limit.
fn has_no_bound(code: &str) -> bool {
    let after_name = code.trim_start_matches("mpsc::channel");
    let arguments = match after_name.starts_with("::<") {
        true => after_name.find('(').map_or("", |open| &after_name[open..]),
        false => after_name,
    };
    arguments
        .strip_prefix('(')
        .is_some_and(|rest| rest.trim_start().starts_with(')'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(path, &RustSource::new(text)).len()
    }

    #[test]
    fn finds_unfinished_code_anywhere() {
        for call in ["todo!()", "unimplemented!(\"later\")", "dbg!(a)"] {
            assert_eq!(
                count("tests/e2e/threads.rs", &format!("fn a() {{ {call} }}")),
                1,
                "{call}"
            );
        }
        assert_eq!(
            count(
                "school/src/threads.rs",
                "// todo!\nlet a = \"dbg!(b)\"; let method_todo = 1;"
            ),
            0
        );
    }

    #[test]
    fn finds_queues_without_a_bound() {
        for call in [
            "tokio::sync::mpsc::unbounded_channel()",
            "mpsc::channel()",
            "mpsc::channel::<Vec<u8>>()",
            "use std::sync::mpsc::channel;",
            "sender: UnboundedSender<u8>",
        ] {
            assert_eq!(count("router/src/log.rs", call), 1, "{call}");
        }
        for call in [
            "mpsc::channel(OUTBOX_LIMIT)",
            "mpsc::channel::<u8>(8)",
            "std::sync::mpsc::sync_channel(1)",
        ] {
            assert_eq!(count("router/src/log.rs", call), 0, "{call}");
        }
    }

    #[test]
    fn finds_clocks_where_time_is_given() {
        for path in ["protocol/src/ids.rs", "router/src/log.rs", "school/src/threads.rs"] {
            assert_eq!(count(path, "let now = std::time::Instant::now();"), 1, "{path}");
            assert_eq!(count(path, "let now = SystemTime::now();"), 1, "{path}");
        }
        assert_eq!(count("gateway/src/clock.rs", "SystemTime::now()"), 0);
        assert_eq!(count("school/src/threads.rs", "let now = clock.now();"), 0);
    }

    #[test]
    fn finds_chance_where_it_is_given() {
        assert_eq!(count("protocol/src/ids.rs", "Uuid::new_v4()"), 1);
        assert_eq!(count("protocol/tests/ids.rs", "Uuid::new_v4()"), 0);
        assert_eq!(count("school/src/codes.rs", "getrandom::fill(&mut code)"), 0);
    }

    #[test]
    fn finds_printing_outside_programs() {
        let print = "fn a() { println!(\"a\"); eprintln!(\"b\"); }";
        assert_eq!(count("gateway/src/listener.rs", print), 2);
        for path in [
            "gateway/src/cli/demo.rs",
            "gateway/src/main.rs",
            "clients/rust/src/bin/samtale-chat.rs",
            "loadtest/src/report.rs",
            "storage/tests/contract.rs",
            "storage/build.rs",
        ] {
            assert_eq!(count(path, print), 0, "{path}");
        }
        assert_eq!(
            count("school/src/demo.rs", &format!("#[cfg(test)]\nmod tests {{ {print} }}")),
            0
        );
    }
}
