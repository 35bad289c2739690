//! Bars: this run beside the floor, the budget, other servers and an earlier run.

use std::fmt::Write;

use super::{escaped, shown, words};
use crate::budgets::verdicts;
use crate::outcome::Outcome;

/// A bar: its name, its look, how long it is, and what is written behind it.
type Bar = (String, &'static str, f64, String);

/// A figure that is drawn as bars: its name, and the figure of the floor.
const DRAWN: [(&str, Option<&str>); 7] = [
    ("cpu_us_per_delivery", Some("floor_cpu_us_per_delivery")),
    ("deliveries_per_second", None),
    ("latency_p50_ms", None),
    ("latency_p99_ms", None),
    ("user_kib_per_session", None),
    ("idle_cpu_us_per_session_second", None),
    ("sessions_opened_per_second", None),
];

/// All of them that the run has.
pub fn all(outcome: &Outcome, earlier: Option<&Outcome>) -> String {
    let mut text = String::new();
    for (name, floor) in DRAWN {
        let bars = bars(outcome, earlier, name, floor);
        // One bar alone says no more than its figure.
        if bars.len() > 1 {
            let (title, explained) = words::bars(name);
            text += &drawn(&title, explained, &bars);
        }
    }
    text += &shares(outcome);
    text
}

fn bars(outcome: &Outcome, earlier: Option<&Outcome>, name: &str, floor: Option<&str>) -> Vec<Bar> {
    let Some(own) = figure(outcome, name) else {
        return Vec::new();
    };
    let range = |least: f64, most: f64| format!("{} to {}", shown(least), shown(most));
    let behind = outcome.repeats.get(name).map(|figure| range(figure.least, figure.most));
    let mut bars: Vec<Bar> = vec![("Samtale".to_owned(), "own", own, behind.unwrap_or_default())];
    if let Some(floor) = floor.and_then(|floor| figure(outcome, floor)) {
        bars.push(("the floor".to_owned(), "floor", floor, String::new()));
    }
    for other in &outcome.compared {
        if let Some(figure) = other.figures.get(name) {
            let mut behind = range(figure.least, figure.most);
            if let Some(ratio) = other.ratios.get(name) {
                behind = format!("{behind}; {:.2} × Samtale", ratio.median);
            }
            bars.push((other.name.clone(), "other", figure.median, behind));
        }
    }
    if let Some(value) = earlier.and_then(|run| figure(run, name)) {
        bars.push(("the earlier run".to_owned(), "earlier", value, String::new()));
    }
    let budget = verdicts(outcome)
        .into_iter()
        .find(|verdict| verdict.measured == Some(own));
    if let Some(verdict) = budget {
        bars.push((
            format!("budget: {}", verdict.bound),
            "budget",
            verdict.number,
            String::new(),
        ));
    }
    bars
}

/// Whose CPU a run used.
fn shares(outcome: &Outcome) -> String {
    let of = |name: &str| name.strip_prefix("cpu_share_").map(|who| who.replace('_', " "));
    let bars: Vec<Bar> = outcome
        .counts
        .iter()
        .filter_map(|(name, share)| Some((of(name)?, "own", *share * 100.0, "% of the machine".to_owned())))
        .collect();
    if bars.is_empty() {
        return String::new();
    }
    let explained =
        "Of the time of all cores while the day ran. Whatever stands near the whole is what holds the rest up.";
    drawn("Whose processor time it was", explained, &bars)
}

/// A figure of a run by its name.
fn figure(outcome: &Outcome, name: &str) -> Option<f64> {
    let latency = outcome.figures.latency_ms;
    match name {
        "latency_p50_ms" => latency.map(|latency| latency.p50),
        "latency_p99_ms" => latency.map(|latency| latency.p99),
        _ => serde_json::to_value(&outcome.figures).ok()?.get(name)?.as_f64(),
    }
}

fn drawn(title: &str, explained: &str, bars: &[Bar]) -> String {
    let most = bars.iter().map(|bar| bar.2).fold(f64::MIN_POSITIVE, f64::max);
    let mut text = format!(
        "<figure>\n<h3>{}</h3>\n<p>{}</p>\n<div class=\"bars\">\n",
        escaped(title),
        escaped(explained)
    );
    for (name, class, value, behind) in bars {
        let length = (value / most * 100.0).clamp(0.0, 100.0);
        let _ = writeln!(
            text,
            "<div class=\"bar\"><b>{}</b> <span>{} <small>{}</small></span><i class=\"{class}\" style=\"width:{length:.1}%\"></i></div>",
            escaped(name),
            shown(*value),
            escaped(behind)
        );
    }
    text + "</div>\n</figure>\n"
}
