//! A lint is silenced with its reason, or not at all.

use crate::tidy::problem::Problem;
use crate::tidy::rust_source::RustSource;

/// Every attribute that allows or expects a lint and does not say why.
pub fn check(path: &str, source: &RustSource<'_>) -> Vec<Problem> {
    let opened = source.code.match_indices('#');
    opened
        .filter_map(|(at, _)| {
            let body = source.code[at + 1..].trim_start_matches('!').strip_prefix('[')?;
            let attribute = &body[..closing_bracket(body)];
            let lint_level = ["allow", "expect"]
                .into_iter()
                .find(|level| names_call(attribute, level))?;
            let has_reason = attribute
                .split_once("reason")
                .is_some_and(|(_, rest)| rest.trim_start().starts_with('='));
            (!has_reason).then(|| {
                Problem::new(
                    path,
                    source.line_of(at),
                    format!("the attribute `{lint_level}` gives no reason"),
                    "write `#[expect(lint, reason = \"…\")]`, or do what the lint says",
                )
            })
        })
        .collect()
}

fn closing_bracket(body: &str) -> usize {
    let mut depth = 0_usize;
    for (at, character) in body.char_indices() {
        match character {
            '[' => depth += 1,
            ']' if depth == 0 => return at,
            ']' => depth -= 1,
            _ => {}
        }
    }
    body.len()
}

/// `allow(…)` itself, also inside `cfg_attr(…)`.
fn names_call(attribute: &str, name: &str) -> bool {
    attribute.match_indices(name).any(|(at, _)| {
        let before = attribute[..at].chars().next_back();
        attribute[at + name.len()..].starts_with('(') && !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        check("a.rs", &RustSource::new(text))
            .iter()
            .map(|problem| problem.line)
            .collect()
    }

    #[test]
    fn finds_lints_silenced_without_a_reason() {
        assert_eq!(
            lines("//! A.\n#![allow(dead_code)]\n#[allow(clippy::a)]\n#[expect(b)]\nfn c() {}\n"),
            [2, 3, 4]
        );
        assert_eq!(lines("#[cfg_attr(test, allow(dead_code))]\nfn a() {}\n"), [1]);
    }

    #[test]
    fn lets_reasons_and_other_attributes_pass() {
        assert_eq!(
            lines("#[expect(clippy::a, reason = \"the table is read once\")]\nfn a() {}\n"),
            Vec::<usize>::new()
        );
        assert_eq!(
            lines("#[derive(Debug)]\n#[serde(rename = \"allow(\")]\nstruct A;\n// #[allow(x)]\n"),
            Vec::<usize>::new()
        );
        assert_eq!(lines("fn a() { b.expect(\"c\"); disallow(d); }"), Vec::<usize>::new());
    }
}
