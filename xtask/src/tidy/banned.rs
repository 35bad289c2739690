//! Words and calls the house does not use, each with what to do instead.

mod attributes;
mod calls;
mod machines;
pub mod names;
mod sleeps;
mod words;

use super::problem::Problem;
use super::rust_source::RustSource;

/// What a Rust file may not say in its code.
pub fn check_rust(path: &str, source: &RustSource<'_>) -> Vec<Problem> {
    let mut problems = calls::check(path, source);
    problems.extend(sleeps::check(path, source));
    problems.extend(attributes::check(path, source));
    problems.extend(names::check_declarations(path, source));
    problems
}

/// What no text may say, whatever its language.
pub fn check_text(path: &str, text: &str) -> Vec<Problem> {
    let mut problems = words::check(path, text);
    problems.extend(machines::check(path, text));
    problems
}
