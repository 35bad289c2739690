//! The report of an import in words.

use std::fmt::Write;

use samtale_school::import::{Counts, Report};

/// A kind of row by its name for people, and its count.
type Kind = (&'static str, fn(&Counts) -> u64);

/// The report for people: what changed by kind, and every problem with its place.
pub(super) fn text(report: &Report, dry_run: bool) -> String {
    let mut text = String::new();
    for problem in &report.problems {
        let column = problem
            .column
            .as_ref()
            .map_or_else(String::new, |column| format!(" {column}"));
        let _ = writeln!(text, "{}:{}{column}: {}", problem.file, problem.line, problem.message);
    }
    match (report.problems.len(), report.problems_left_out) {
        (0, _) => {}
        (1, 0) => text.push_str("1 problem\n\n"),
        (shown, 0) => {
            let _ = writeln!(text, "{shown} problems\n");
        }
        (shown, left_out) => {
            let _ = writeln!(text, "{shown} problems, and {left_out} more that are not shown\n");
        }
    }
    text.push_str("                  added  changed  removed  unchanged\n");
    let kinds: [Kind; 5] = [
        ("spaces", |counts| counts.spaces),
        ("people", |counts| counts.profiles),
        ("groups", |counts| counts.groups),
        ("places in groups", |counts| counts.group_members),
        ("guardians", |counts| counts.relations),
    ];
    for (name, count) in kinds {
        let _ = writeln!(
            text,
            "{name:<16} {:>6} {:>8} {:>8} {:>10}",
            count(&report.added),
            count(&report.changed),
            count(&report.removed),
            count(&report.unchanged)
        );
    }
    let changes = [report.added, report.changed, report.removed];
    text.push_str(match (&report.refused, dry_run) {
        (Some(_), _) => "\nNothing was applied.\n",
        (None, true) => "\nA dry run: nothing was applied.\n",
        (None, false) if changes.iter().all(Counts::is_zero) => "\nEverything was as the roster says already.\n",
        (None, false) => "\nApplied.\n",
    });
    text
}

#[cfg(test)]
mod tests {
    use samtale_school::import::ReportedProblem;

    use super::*;

    #[test]
    fn a_report_names_the_place_of_every_problem_and_counts_by_kind() {
        let problem = |line, column: Option<&str>| ReportedProblem {
            file: "users.csv".to_owned(),
            line,
            column: column.map(str::to_owned),
            message: "not a role".to_owned(),
        };
        let mut report = Report {
            problems: vec![problem(3, Some("role")), problem(0, None)],
            problems_left_out: 7,
            ..Report::default()
        };
        report.added.profiles = 12;
        let text = text(&report, false);
        assert!(
            text.contains("users.csv:3 role: not a role\nusers.csv:0: not a role\n"),
            "{text}"
        );
        assert!(text.contains("2 problems, and 7 more"), "{text}");
        assert!(
            text.contains("people               12        0        0          0\n"),
            "{text}"
        );
        assert!(text.ends_with("\nApplied.\n"), "{text}");
    }
}
