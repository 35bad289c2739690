//! What was wrong with a roster, said in a way that the person who exports it can act on.

use std::sync::Arc;

use super::limits::{MAX_PROBLEMS, MAX_SHOWN_CHARACTERS};

/// How much a problem cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something in the file was not taken: a row, a value, a reference, a file.
    Error,
    /// Everything was taken, but by an assumption that the message names.
    Warning,
}

/// One thing that was wrong: where, what was found, what was expected, and what was done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file's name as it came.
    pub file: String,
    /// The line in the file, counted from 1; 0 when the problem is about the file as a whole.
    pub line: u64,
    /// The column, by its OneRoster name, or as the file spells it where it has none.
    pub column: Option<String>,
    /// What was found, what was expected, what was done.
    pub message: String,
    /// How much it cost.
    pub severity: Severity,
}

/// Where a record was read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file's name as it came.
    pub file: Arc<str>,
    /// The line, counted from 1; 0 for the file as a whole.
    pub line: u64,
}

impl Place {
    /// A line of a file.
    pub fn new(file: &str, line: u64) -> Self {
        Self {
            file: Arc::from(file),
            line,
        }
    }
}

/// The problems found so far; bounded.
#[derive(Debug, Default)]
pub(super) struct Problems {
    kept: Vec<Problem>,
    left_out: u64,
    errors: u64,
}

impl Problems {
    /// Something was not taken.
    pub(super) fn error(&mut self, place: &Place, column: Option<&str>, message: impl Into<String>) {
        self.errors += 1;
        self.keep(place, column, message.into(), Severity::Error);
    }

    /// Something was taken by an assumption.
    pub(super) fn warning(&mut self, place: &Place, column: Option<&str>, message: impl Into<String>) {
        self.keep(place, column, message.into(), Severity::Warning);
    }

    fn keep(&mut self, place: &Place, column: Option<&str>, message: String, severity: Severity) {
        self.add(Problem {
            file: place.file.to_string(),
            line: place.line,
            column: column.map(str::to_owned),
            message,
            severity,
        });
    }

    fn add(&mut self, problem: Problem) {
        if self.kept.len() < MAX_PROBLEMS {
            self.kept.push(problem);
        } else {
            self.left_out += 1;
        }
    }

    /// Problems found before the reading began, by whoever opened the files.
    pub(super) fn extend(&mut self, earlier: &[Problem]) {
        for problem in earlier {
            self.errors += u64::from(problem.severity == Severity::Error);
            self.add(problem.clone());
        }
    }

    /// All of them by file and line, the number of those that were not kept, and the number of errors among both.
    pub(super) fn finish(mut self) -> (Vec<Problem>, u64, u64) {
        self.kept.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        (self.kept, self.left_out, self.errors)
    }
}

/// A value as a message repeats it: short, on one line, and harmless in a terminal.
pub(super) fn shown(value: &str) -> String {
    let mut text: String = value
        .chars()
        .take(MAX_SHOWN_CHARACTERS)
        .map(|character| if character.is_control() { '\u{fffd}' } else { character })
        .collect();
    if value.chars().nth(MAX_SHOWN_CHARACTERS).is_some() {
        text.push('…');
    }
    format!("`{text}`")
}
