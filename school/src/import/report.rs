//! What an import did, or would do.

use serde::{Deserialize, Serialize};

use crate::roster::Reading;

/// Counts by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Municipalities and institutions.
    pub spaces: u64,
    /// People in an institution, one per role.
    pub profiles: u64,
    /// Classes and teams.
    pub groups: u64,
    /// Places in classes and teams.
    pub group_members: u64,
    /// Guardians of children.
    pub relations: u64,
}

impl Counts {
    /// Whether there are none.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

/// A problem with a roster, for the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedProblem {
    /// The file.
    pub file: String,
    /// The line, counted from 1; 0 for the file as a whole.
    pub line: u64,
    /// The column.
    pub column: Option<String>,
    /// What was found, what was expected, what was done.
    pub message: String,
}

/// What an import did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What is new, or is there again.
    pub added: Counts,
    /// What is other than it was.
    pub changed: Counts,
    /// What is gone.
    pub removed: Counts,
    /// What is as it was.
    pub unchanged: Counts,
    /// What was wrong with the roster.
    pub problems: Vec<ReportedProblem>,
    /// How many problems more there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub problems_left_out: u64,
    /// Why it was not applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

impl Report {
    /// A report of a roster's problems, and nothing done yet.
    pub(super) fn of(reading: &Reading) -> Self {
        let problems = reading.problems.iter().map(|problem| ReportedProblem {
            file: problem.file.clone(),
            line: problem.line,
            column: problem.column.clone(),
            message: problem.message.clone(),
        });
        Self {
            problems: problems.collect(),
            problems_left_out: reading.problems_left_out,
            ..Self::default()
        }
    }

    /// The same, and why it goes no further.
    pub(super) fn refuse(mut self, reason: impl Into<String>) -> Self {
        self.refused = Some(reason.into());
        self
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}
