//! The curves of a page: how long something took, and rates over time.

use super::chart::{Chart, Line, Scale};
use super::words;
use crate::outcome::Outcome;

/// All of them that the run has.
pub fn all(outcome: &Outcome, earlier: Option<&Outcome>) -> String {
    latency(outcome, earlier) + &away(outcome, earlier) + &over_time(outcome, earlier)
}

/// How long messages took, as percentiles.
fn latency(outcome: &Outcome, earlier: Option<&Outcome>) -> String {
    let mut lines = Vec::new();
    lines.extend(percentiles(outcome, "latency_us", "this run", "own"));
    for other in outcome.histograms.keys() {
        if let Some(name) = other.strip_suffix("_latency_us") {
            let class = match name {
                "floor" => "floor",
                "first_recipient" => "first",
                "last_recipient" => "last",
                _ => "other",
            };
            lines.extend(percentiles(outcome, other, &words::latencies(name), class));
        }
    }
    lines.extend(earlier.and_then(|run| percentiles(run, "latency_us", "the earlier run", "earlier")));
    Chart {
        title: "How long a message took",
        explained: "From the moment it was due to be sent until a client was shown it. Read it from left to right: half \
                    of all deliveries were at or below the line at 50 %, all but one in a hundred at 99 %.",
        x: Scale::Nines,
        y: Scale::Log("ms"),
        lines,
    }
    .svg()
}

/// How long sessions that were cut were away, as percentiles.
fn away(outcome: &Outcome, earlier: Option<&Outcome>) -> String {
    let mut lines = Vec::new();
    lines.extend(percentiles(outcome, "away_us", "while messages were sent", "own"));
    lines.extend(percentiles(outcome, "silent_away_us", "in silence", "other"));
    lines.extend(percentiles(
        outcome,
        "with_tickets_away_us",
        "in silence, with TLS tickets",
        "floor",
    ));
    lines.extend(earlier.and_then(|run| percentiles(run, "away_us", "the earlier run", "earlier")));
    Chart {
        title: "How long a session was away",
        explained: "From the moment all were cut until it was back and had been told what it missed. Read it from left to \
                    right: half of all sessions were back at the line at 50 %, all but one in a hundred at 99 %.",
        x: Scale::Nines,
        y: Scale::Log("ms"),
        lines,
    }
    .svg()
}

/// The line of a histogram in microseconds, if the run has it.
fn percentiles(run: &Outcome, name: &str, label: &str, class: &'static str) -> Option<Line> {
    let pairs = run.histograms.get(name)?;
    let points = pairs.percentiles().into_iter().map(|(share, us)| (share, us / 1000.0));
    Some(Line::new(label, class, points.collect()))
}

/// What was recorded over time or size. Other servers' rates lie in the chart of our own.
fn over_time(outcome: &Outcome, earlier: Option<&Outcome>) -> String {
    let mut charts = String::new();
    let others = |name: &str| {
        let end = format!("_{name}");
        let of = outcome.series.iter();
        of.filter_map(move |(other, pairs)| Some((other.strip_suffix(&end)?.to_owned(), pairs)))
    };
    for (name, pairs) in &outcome.series {
        if name.ends_with("_deliveries_per_second") {
            continue;
        }
        let mut lines = vec![Line::new("this run", "own", pairs.0.clone())];
        lines.extend(others(name).map(|(other, pairs)| Line::new(&other, "other", pairs.0.clone())));
        let before = earlier.and_then(|run| run.series.get(name));
        lines.extend(before.map(|pairs| Line::new("the earlier run", "earlier", pairs.0.clone())));
        let (title, explained) = words::series(name);
        charts += &Chart {
            title: &title,
            explained,
            x: Scale::From0(if name.ends_with("per_session") { "sessions" } else { "s" }),
            y: Scale::From0(""),
            lines,
        }
        .svg();
    }
    charts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pairs::Pairs;

    #[test]
    fn rates_of_other_servers_lie_in_the_chart_of_our_own() {
        let mut outcome = Outcome::new("peers", 2_000, 20);
        let pairs = Pairs(vec![(0.0, 900.0), (1.0, 950.0)]);
        for name in ["deliveries_per_second", "Centrifugo_deliveries_per_second"] {
            outcome.series.insert(name.to_owned(), pairs.clone());
        }
        outcome.histograms.insert("away_us".to_owned(), pairs);
        let charts = all(&outcome, None);
        assert_eq!(
            charts.matches("<h3>Deliveries per second, over time").count(),
            1,
            "{charts}"
        );
        for part in [">Centrifugo</span>", "How long a session was away"] {
            assert!(charts.contains(part), "{part} is not in {charts}");
        }
    }
}
