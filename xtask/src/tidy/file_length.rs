//! A file fits in a head: 500 lines at most. Tests are not counted.

use super::place;
use super::problem::Problem;
use super::rust_source::RustSource;

/// The most lines a file may have.
const MOST_LINES: usize = 500;

/// Which files are counted, by their extension.
const COUNTED: [&str; 4] = ["rs", "ts", "tsx", "py"];

/// Says so when a file is too long. `source` is the same file when it is Rust.
pub fn check(path: &str, text: &str, source: Option<&RustSource<'_>>) -> Option<Problem> {
    if !COUNTED.contains(&place::extension(path)) || place::is_test(path) {
        return None;
    }
    let lines = source.map_or_else(|| text.lines().count(), RustSource::length_without_tests);
    (lines > MOST_LINES).then(|| {
        Problem::new(
            path,
            MOST_LINES + 1,
            format!("the file has {lines} lines, {MOST_LINES} is the most"),
            "split it by idea",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: usize) -> String {
        "let a = 1;\n".repeat(count)
    }

    fn check_rust(path: &str, text: &str) -> Option<Problem> {
        check(path, text, Some(&RustSource::new(text)))
    }

    #[test]
    fn counts_to_the_limit() {
        assert_eq!(check_rust("school/src/threads.rs", &lines(500)), None);
        let problem = check_rust("school/src/threads.rs", &lines(501)).unwrap();
        assert!(problem.what.contains("501"), "{problem}");
        assert!(check("clients/web/src/app.tsx", &lines(501), None).is_some());
        assert!(check("tools/report.py", &lines(501), None).is_some());
    }

    #[test]
    fn leaves_tests_aside() {
        assert_eq!(check_rust("school/tests/threads.rs", &lines(501)), None);
        assert_eq!(check_rust("school/src/threads/tests.rs", &lines(501)), None);
        let with_tests = format!("{}\n#[cfg(test)]\nmod tests {{\n{}}}\n", lines(500), lines(300));
        assert_eq!(check_rust("school/src/threads.rs", &with_tests), None);
    }

    #[test]
    fn counts_only_code() {
        assert_eq!(check("docs/protocol.md", &lines(900), None), None);
    }
}
