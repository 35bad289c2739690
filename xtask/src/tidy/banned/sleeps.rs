//! A test waits for a state, with a bound; it never sleeps and hopes.
//!
//! The one way out is a comment on the line or the line above: `// tidy: waits because …`, with a reason.

use crate::tidy::place;
use crate::tidy::problem::Problem;
use crate::tidy::rust_source::RustSource;

const CALLS: [&str; 3] = ["sleep", "sleep_until", "sleep_ms"];

const EXCUSE: &str = "// tidy: waits because ";

/// Every call that sleeps in a test and gives no reason.
pub fn check(path: &str, source: &RustSource<'_>) -> Vec<Problem> {
    let calls = CALLS
        .iter()
        .flat_map(|call| source.places_of(call).map(move |at| (*call, at)));
    calls
        .filter(|(call, at)| is_call(source, call, *at))
        .filter(|(_, at)| place::is_test(path) || source.is_test(*at))
        .map(|(_, at)| source.line_of(at))
        .filter(|line| !is_excused(source.line(*line)) && !is_excused(source.line(*line - 1)))
        .map(|line| {
            let remedy = format!("wait for the state, with a bound, or say `{EXCUSE}…`");
            Problem::new(path, line, "the test sleeps", remedy)
        })
        .collect()
}

/// A simulated clock may have a method or a function of that name: neither is called as a path or a plain name.
fn is_call(source: &RustSource<'_>, call: &str, at: usize) -> bool {
    let before = source.code[..at].trim_end();
    let is_definition = before.ends_with("fn") || before.ends_with('.');
    source.code[at + call.len()..].starts_with('(') && !is_definition
}

fn is_excused(line: &str) -> bool {
    line.split_once(EXCUSE)
        .is_some_and(|(_, reason)| !reason.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(path, &RustSource::new(text))
            .iter()
            .map(|problem| problem.line)
            .collect()
    }

    #[test]
    fn finds_sleeps_in_tests_however_they_are_named() {
        let text = "use tokio::time::sleep;\nfn a() {\n    std::thread::sleep(B);\n    tokio::time::sleep(B).await;\n    sleep(B).await;\n}\n";
        assert_eq!(lines("tests/e2e/threads.rs", text), [3, 4, 5]);
        assert_eq!(lines("router/src/log.rs", text), Vec::<usize>::new());
        let unit = format!("fn c() {{}}\n#[cfg(test)]\nmod tests {{\n{text}}}\n");
        assert_eq!(lines("router/src/log.rs", &unit).len(), 3);
    }

    #[test]
    fn takes_a_reason() {
        let same_line = "sleep(B); // tidy: waits because the token must expire\n";
        let line_above = "// tidy: waits because the token must expire\nsleep(B);\n";
        assert_eq!(lines("tests/a.rs", same_line), Vec::<usize>::new());
        assert_eq!(lines("tests/a.rs", line_above), Vec::<usize>::new());
        assert_eq!(lines("tests/a.rs", "sleep(B); // tidy: waits because \n"), [1]);
        assert_eq!(lines("tests/a.rs", &format!("{line_above}sleep(B);\n")), [3]);
    }

    #[test]
    fn lets_a_simulated_clock_sleep() {
        assert_eq!(
            lines("tests/src/clock.rs", "fn sleep(a: A) {}\nclock.sleep(a);\n"),
            Vec::<usize>::new()
        );
    }
}
