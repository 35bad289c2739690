//! The budgets of the design, and how far a measured figure is from its own.

use std::fmt::Write;

use crate::figure::per;
use crate::outcome::{Figures, Outcome};

use Bound::{Least, Most};

/// A budget: a figure, and what it is to be.
struct Budget {
    scenario: &'static str,
    /// Whether it is one of sessions over TLS, or of plain ones.
    tls: bool,
    what: &'static str,
    bound: Bound,
    unit: &'static str,
    measured: fn(&Figures) -> Option<f64>,
}

/// On which side of it a figure is to be.
#[derive(Clone, Copy)]
enum Bound {
    /// Not above.
    Most(f64),
    /// Not below.
    Least(f64),
}

const fn plain(
    scenario: &'static str,
    what: &'static str,
    bound: Bound,
    unit: &'static str,
    measured: fn(&Figures) -> Option<f64>,
) -> Budget {
    Budget {
        scenario,
        tls: false,
        what,
        bound,
        unit,
        measured,
    }
}

const fn over_tls(
    scenario: &'static str,
    what: &'static str,
    bound: Bound,
    unit: &'static str,
    measured: fn(&Figures) -> Option<f64>,
) -> Budget {
    Budget {
        tls: true,
        ..plain(scenario, what, bound, unit, measured)
    }
}

/// The budgets that this program measures; the design has the rest, and where they come from.
const BUDGETS: [Budget; 12] = [
    plain("day", "99 of 100 messages shown within", Most(200.0), "ms", |of| {
        of.latency_ms.map(|latency| latency.p99)
    }),
    plain(
        "fanout",
        "CPU per delivered event, over the floor's",
        Most(1.15),
        "x floor",
        |of| of.ratio_to_floor,
    ),
    plain("idle", "user memory of an idle session", Most(2.0), "KiB", |of| {
        of.user_kib_per_session
    }),
    plain("idle", "CPU of an idle session per second", Most(1.0), "us", |of| {
        of.idle_cpu_us_per_session_second
    }),
    over_tls(
        "idle",
        "user memory beyond a bare TLS server's",
        Most(2.0),
        "KiB",
        |of| of.user_kib_over_bare_tls,
    ),
    over_tls("idle", "CPU of an idle session per second", Most(1.0), "us", |of| {
        of.idle_cpu_us_per_session_second
    }),
    plain("storm", "resumes per second of one core", Least(5_000.0), "/s", |of| {
        of.resumes_per_core_second
    }),
    plain("storm", "reads of storage per resume", Most(0.0), "", |of| {
        of.storage_reads_per_resume
    }),
    over_tls("storm", "resumes per second of one core", Least(2_000.0), "/s", |of| {
        of.resumes_per_core_second
    }),
    over_tls("storm", "reads of storage per resume", Most(0.0), "", |of| {
        of.storage_reads_per_resume
    }),
    plain("stall", "user memory of a stalled session", Most(64.0), "KiB", |of| {
        of.user_kib_per_stalled
    }),
    plain(
        "stall",
        "the others' p99 over that without stalled",
        Most(1.1),
        "x",
        |of| of.p99_ratio_to_without_stalled,
    ),
];

/// A budget of the design that no file of a run tells of.
struct Elsewhere {
    scenario: &'static str,
    what: &'static str,
    bound: Bound,
    unit: &'static str,
    /// What measures it.
    command: &'static str,
}

const ELSEWHERE: [Elsewhere; 3] = [
    Elsewhere {
        scenario: "idle",
        what: "live sessions of a machine, both ends",
        bound: Least(1_000_000.0),
        unit: "",
        command: "samtale-loadtest idle --sessions 1000000 --seconds 75 --repeats 3",
    },
    Elsewhere {
        scenario: "cluster",
        what: "delivery back after Redis was gone for 1 s",
        bound: Most(2.0),
        unit: "s",
        command: OUTAGES,
    },
    Elsewhere {
        scenario: "cluster",
        what: "the same after 30 s to 300 s",
        bound: Most(2.0),
        unit: "s",
        command: OUTAGES,
    },
];

/// The floor of the machine that the design's times are of: `send` to 12,000 sockets.
const FLOOR_OF_BUDGETS: &str = "7.7 to 9.5";

/// The test that takes Redis away.
const OUTAGES: &str = "SAMTALE_SOAK=1 cargo test --profile long -p samtale-tests --test cluster";

/// What measures the budgets of a scenario, with as many sessions as they speak of.
fn command(scenario: &str, tls: bool) -> String {
    let options = match (scenario, tls) {
        ("idle", true) => " --sessions 12000 --seconds 30 --tls",
        ("idle", false) => " --sessions 18000 --seconds 60",
        ("fanout", false) => " --sessions 12000 --seconds 60",
        ("storm", true) => " --sessions 12000 --seconds 40 --tls",
        ("storm", false) => " --sessions 12000 --seconds 40",
        ("stall", false) => " --sessions 12000 --stalled 100 --seconds 60",
        (_, true) => " --tls",
        (_, false) => "",
    };
    format!("samtale-loadtest {scenario}{options}")
}

/// A budget and what a run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What has the budget.
    pub what: &'static str,
    /// The budget in words: "at most 2 KiB".
    pub bound: String,
    /// Its number.
    pub number: f64,
    /// What was measured, if it was.
    pub measured: Option<f64>,
    /// How it stands to the budget: at or below 1 where it is met.
    pub ratio: Option<f64>,
}

/// The budgets of a run's scenario, and what it came to.
pub fn verdicts(outcome: &Outcome) -> Vec<Verdict> {
    let own = BUDGETS
        .iter()
        .filter(|budget| budget.scenario == outcome.scenario && budget.tls == outcome.tls);
    let verdict = |budget: &Budget| {
        let (words, number) = match budget.bound {
            Most(number) => ("at most", number),
            Least(number) => ("at least", number),
        };
        let measured = (budget.measured)(&outcome.figures);
        Verdict {
            what: budget.what,
            bound: format!("{words} {number} {}", budget.unit),
            number,
            measured,
            ratio: measured.map(|measured| ratio(budget.bound, measured)),
        }
    };
    own.map(verdict).collect()
}

/// Below 1 where a budget is met, whichever side that is on.
fn ratio(bound: Bound, measured: f64) -> f64 {
    match bound {
        Most(most) if most > 0.0 => measured / most,
        Most(_) if measured <= 0.0 => 0.0,
        Most(_) => f64::INFINITY,
        Least(least) => per(least, measured),
    }
}

/// The budgets beside what runs came to, those of runs that are not there last, with what measures them.
pub fn report(outcomes: &[Outcome]) -> String {
    let mut report = format!(
        "{:<10} {:<42} {:>16} {:>19} {:>8}\n",
        "scenario", "budget", "to be", "measured", "ratio"
    );
    for outcome in outcomes {
        for line in lines(outcome) {
            report.push_str(&line);
        }
    }
    let is_there = |budget: &Budget| {
        let mut runs = outcomes.iter();
        runs.any(|outcome| budget.scenario == outcome.scenario && budget.tls == outcome.tls)
    };
    for budget in BUDGETS.iter().filter(|budget| !is_there(budget)) {
        let command = command(budget.scenario, budget.tls);
        let name = name(budget.scenario, budget.tls);
        let begin = begin(&name, budget.what, budget.bound, budget.unit);
        let _ = writeln!(report, "{begin}  not measured here: {command}");
    }
    for budget in &ELSEWHERE {
        let begin = begin(budget.scenario, budget.what, budget.bound, budget.unit);
        let _ = writeln!(report, "{begin}  not measured here: {}", budget.command);
    }
    let mut fanouts = outcomes.iter().filter(|outcome| outcome.scenario == "fanout");
    if let Some(floor) = fanouts.find_map(|outcome| outcome.figures.floor_cpu_us_per_delivery) {
        let _ = writeln!(
            report,
            "Times and rates are this machine's, whose floor is {floor} us; the budgets were set where it was {FLOOR_OF_BUDGETS}."
        );
    }
    report
}

/// What a scenario is called in the report.
fn name(scenario: &str, tls: bool) -> String {
    let over = if tls { " TLS" } else { "" };
    format!("{scenario}{over}")
}

/// The first columns of a budget's line.
fn begin(name: &str, what: &str, bound: Bound, unit: &str) -> String {
    let (side, bound) = match bound {
        Most(bound) => ("<=", bound),
        Least(bound) => (">=", bound),
    };
    format!("{name:<10} {what:<42} {side} {bound:>6} {unit:<7}")
}

fn lines(outcome: &Outcome) -> Vec<String> {
    let mut lines = Vec::new();
    let own = |budget: &&Budget| budget.scenario == outcome.scenario && budget.tls == outcome.tls;
    let name = name(&outcome.scenario, outcome.tls);
    for budget in BUDGETS.iter().filter(own) {
        let unit = budget.unit;
        let mut line = begin(&name, budget.what, budget.bound, unit);
        let _ = match (budget.measured)(&outcome.figures) {
            None => writeln!(line, "  not measured here: {}", command(budget.scenario, budget.tls)),
            Some(measured) => writeln!(line, "  {measured:>10} {unit:<7} {}", verdict(budget.bound, measured)),
        };
        lines.push(line);
    }
    let figures = &outcome.figures;
    for (fault, count) in [
        ("lost", figures.lost),
        ("duplicated", figures.duplicated),
        ("reordered", figures.reordered),
    ] {
        if let Some(count) = count {
            let met = if count == 0 { "met" } else { "MISSED" };
            lines.push(format!(
                "{name:<10} messages {fault:<33} <= {:>6} {count:>18} {met}\n",
                0
            ));
        }
    }
    if let Some(floor) = figures.floor_cpu_us_per_delivery {
        lines.push(format!("{name:<10} the floor, CPU per delivery {floor:>36} us\n"));
    }
    lines
}

/// How a figure stands to its budget.
fn verdict(bound: Bound, measured: f64) -> String {
    match ratio(bound, measured) {
        0.0 => "       met".to_owned(),
        f64::INFINITY => "       MISSED: there are to be none".to_owned(),
        ratio if ratio <= 1.0 => format!("{ratio:>6.2} met"),
        ratio => format!("{ratio:>6.2} missed by {:.0} %", (ratio - 1.0) * 100.0),
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
        let mut storm = Outcome::new("storm", 20, 2);
        storm.figures.resumes_per_core_second = Some(4_000.0);
        storm.figures.storage_reads_per_resume = Some(2.0);
        let report = report(&[fanout, idle, storm]);
        assert!(report.contains("1.25 missed by 25 %"), "{report}");
        assert!(report.contains("there are to be none"), "{report}");
        assert!(report.contains("2.00 missed by 100 %"), "{report}");
        assert!(report.contains("0.95 met"), "{report}");
        assert!(report.contains("not measured"), "{report}");
        assert!(report.contains("MISSED"), "{report}");
    }

    #[test]
    fn each_budget_is_listed_measured_or_with_what_measures_it() {
        let mut idle = Outcome::new("idle", 20, 2);
        idle.figures.user_kib_per_session = Some(1.9);
        let report = report(&[idle]);
        for budget in &BUDGETS {
            assert!(report.contains(budget.what), "{} is not in {report}", budget.what);
        }
        for budget in &ELSEWHERE {
            assert!(report.contains(budget.command), "{} is not in {report}", budget.command);
        }
        let storm = report.lines().find(|line| line.starts_with("storm TLS")).unwrap();
        let command = "not measured here: samtale-loadtest storm --sessions 12000 --seconds 40 --tls";
        assert!(storm.ends_with(command), "{storm}");
        let met = report
            .lines()
            .find(|line| line.contains("of an idle session  "))
            .unwrap();
        assert!(met.ends_with("0.95 met"), "{met}");
    }
}
