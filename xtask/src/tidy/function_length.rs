//! A function fits on a screen: 70 lines at most, from `fn` to its last brace. Tests are not counted.

use super::place;
use super::problem::Problem;
use super::rust_source::RustSource;

/// The most lines a function may have.
const MOST_LINES: usize = 70;

/// Every function of a file that is too long.
pub fn check(path: &str, source: &RustSource<'_>) -> Vec<Problem> {
    if place::is_test(path) {
        return Vec::new();
    }
    source
        .places_of("fn")
        .filter(|place| !source.is_test(*place))
        .filter_map(|place| too_long(path, source, place))
        .collect()
}

fn too_long(path: &str, source: &RustSource<'_>, place: usize) -> Option<Problem> {
    // Without a name it is a type, `fn(u8) -> u8`.
    let name = source.name_after(place + "fn".len())?;
    let body = source.body_after(place)?;
    let first = source.line_of(place);
    let lines = source.line_of(body.end - 1) - first + 1;
    (lines > MOST_LINES).then(|| {
        Problem::new(
            path,
            first,
            format!("`{name}` has {lines} lines, {MOST_LINES} is the most"),
            "give its parts names and functions of their own",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    \"{\";\n".repeat(lines - 2))
    }

    fn problems(path: &str, text: &str) -> Vec<Problem> {
        check(path, &RustSource::new(text))
    }

    #[test]
    fn counts_to_the_limit() {
        assert!(problems("school/src/threads.rs", &function(70)).is_empty());
        let text = format!("struct A;\n{}{}", function(71), function(3));
        let found = problems("school/src/threads.rs", &text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 2);
        assert!(found[0].what.contains("`long` has 71 lines"));
    }

    #[test]
    fn leaves_tests_types_and_declarations_aside() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", function(200));
        assert!(problems("school/src/threads.rs", &tests).is_empty());
        assert!(problems("school/tests/threads.rs", &function(200)).is_empty());
        let others = format!(
            "type F = fn(u8) -> u8;\ntrait T {{ fn a(&self); }}\n{}",
            "const A: u8 = 1;\n".repeat(90)
        );
        assert!(problems("school/src/threads.rs", &others).is_empty());
    }
}
