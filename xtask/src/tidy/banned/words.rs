//! Marks of unfinished work, which belong in an issue and not in the code.

use crate::tidy::place;
use crate::tidy::problem::Problem;

/// Put together here, so that this file does not say them.
const MARKS: [&str; 2] = [concat!("FIX", "ME"), concat!("XX", "X")];

/// Every mark in a file that is not prose, in code and comments alike.
pub fn check(path: &str, text: &str) -> Vec<Problem> {
    if place::extension(path) == "md" || place::is_lock_file(path) {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let words = line.split(|character: char| !(character.is_alphanumeric() || character == '_'));
        let found = words.filter_map(|word| MARKS.into_iter().find(|mark| *mark == word));
        problems.extend(found.map(|mark| {
            let what = format!("`{mark}` marks work that is not done");
            Problem::new(path, index + 1, what, "do it, or write an issue and take the mark away")
        }));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_marks_in_code_and_comments() {
        for mark in MARKS {
            let text = format!("let a = 1;\n// {mark}: later\n");
            let found = check("school/src/threads.rs", &text);
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].line, 2);
            assert_eq!(check("Makefile", &format!("# {mark}\n")).len(), 1);
        }
    }

    #[test]
    fn leaves_longer_words_and_prose_alone() {
        let mark = MARKS[1];
        assert!(check("scripts/test", &format!("mktemp name.{mark}{mark}\n")).is_empty());
        assert!(check("docs/style.md", &format!("never write {mark}\n")).is_empty());
    }
}
