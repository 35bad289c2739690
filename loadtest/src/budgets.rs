//! The budgets of the design, and how far a measured figure is from its own.

use std::fmt::Write;

use crate::outcome::{Figures, Outcome};

/// A budget: a figure that is not to be exceeded.
struct Budget {
    scenario: &'static str,
    what: &'static str,
    most: f64,
    unit: &'static str,
    measured: fn(&Figures) -> Option<f64>,
}

/// The budgets that this program measures; the design has the rest, and where they come from.
const BUDGETS: [Budget; 3] = [
    Budget {
        scenario: "fanout",
        what: "CPU per delivered event, over the floor's",
        most: 1.15,
        unit: "x floor",
        measured: |figures| figures.ratio_to_floor,
    },
    Budget {
        scenario: "idle",
        what: "user memory of an idle session",
        most: 2.0,
        unit: "KiB",
        measured: |figures| figures.user_kib_per_session,
    },
    Budget {
        scenario: "idle",
        what: "CPU of an idle session per second",
        most: 1.0,
        unit: "us",
        measured: |figures| figures.idle_cpu_us_per_session_second,
    },
];

/// A budget and what a run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What is not to be exceeded.
    pub what: &'static str,
    /// By how much.
    pub most: f64,
    /// In what.
    pub unit: &'static str,
    /// What was measured, if it was.
    pub measured: Option<f64>,
}

/// The budgets of a run's scenario, and what it came to.
pub fn verdicts(outcome: &Outcome) -> Vec<Verdict> {
    let own = BUDGETS.iter().filter(|budget| budget.scenario == outcome.scenario);
    let verdict = |budget: &Budget| Verdict {
        what: budget.what,
        most: budget.most,
        unit: budget.unit,
        measured: (budget.measured)(&outcome.figures),
    };
    own.map(verdict).collect()
}

/// The budgets beside what runs came to.
pub fn report(outcomes: &[Outcome]) -> String {
    let mut report = format!(
        "{:<8} {:<42} {:>10} {:>12} {:>8}\n",
        "scenario", "budget", "at most", "measured", "ratio"
    );
    for outcome in outcomes {
        for line in lines(outcome) {
            report.push_str(&line);
        }
    }
    report
}

fn lines(outcome: &Outcome) -> Vec<String> {
    let mut lines = Vec::new();
    for budget in BUDGETS.iter().filter(|budget| budget.scenario == outcome.scenario) {
        let (what, unit) = (budget.what, budget.unit);
        let mut line = format!("{:<8} {what:<42} {:>6} {unit}", outcome.scenario, budget.most);
        let _ = match (budget.measured)(&outcome.figures) {
            None => writeln!(line, "  not measured"),
            Some(measured) => writeln!(line, "  {measured:>8} {unit} {}", verdict(measured / budget.most)),
        };
        lines.push(line);
    }
    let figures = &outcome.figures;
    for (name, count) in [
        ("lost", figures.lost),
        ("duplicated", figures.duplicated),
        ("reordered", figures.reordered),
    ] {
        if let Some(count) = count {
            let met = if count == 0 { "met" } else { "MISSED" };
            lines.push(format!(
                "{:<8} messages {name:<33} {:>6} {:>14} {met}\n",
                outcome.scenario, 0, count
            ));
        }
    }
    if let Some(floor) = figures.floor_cpu_us_per_delivery {
        lines.push(format!(
            "{:<8} the floor, CPU per delivery {floor:>31} us\n",
            outcome.scenario
        ));
    }
    lines
}

/// How a figure stands to its budget.
fn verdict(ratio: f64) -> String {
    if ratio <= 1.0 {
        format!("{ratio:>6.2} met")
    } else {
        format!("{ratio:>6.2} missed by {:.0} %", (ratio - 1.0) * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_met_or_missed_by_so_much() {
        let mut fanout = Outcome::new("fanout", 20, 2);
        fanout.figures.ratio_to_floor = Some(2.3);
        fanout.figures.lost = Some(1);
        let mut idle = Outcome::new("idle", 20, 2);
        idle.figures.user_kib_per_session = Some(1.9);
        let report = report(&[fanout, idle]);
        assert!(report.contains("2.00 missed by 100 %"), "{report}");
        assert!(report.contains("0.95 met"), "{report}");
        assert!(report.contains("not measured"), "{report}");
        assert!(report.contains("MISSED"), "{report}");
    }
}
