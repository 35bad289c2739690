//! A run as one page that anyone can read: what was simulated, what came out, whether the budgets are met, and charts.
//! Everything is in the file: no script, no font and no picture from elsewhere.

mod bars;
mod chart;
mod curves;
mod words;

use std::fmt::Write;

use crate::budgets::{Verdict, verdicts};
use crate::outcome::Outcome;

const STYLE: &str = include_str!("html/style.css");

/// The page of a run, beside an earlier one if there is one.
pub fn page(outcome: &Outcome, earlier: Option<&Outcome>) -> String {
    let title = words::title(outcome);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n<main>\n<h1>{title}</h1>\n",
        title = escaped(&title)
    );
    for (number, paragraph) in words::summary(outcome).iter().enumerate() {
        let class = if number == 0 { " class=\"lead\"" } else { "" };
        let _ = writeln!(page, "<p{class}>{}</p>", escaped(paragraph));
    }
    page += &budgets(outcome);
    page += "<div class=\"charts\">\n";
    page += &curves::all(outcome, earlier);
    page += &bars::all(outcome, earlier);
    page += "</div>\n";
    page += &figures(outcome, earlier);
    page += &origin(outcome);
    page += "</main>\n</html>\n";
    page
}

/// The budgets, each met or not.
fn budgets(outcome: &Outcome) -> String {
    let rows: Vec<String> = verdicts(outcome).iter().map(budget_row).collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<h2>Budgets</h2>\n<div class=\"wide\"><table>\n<tr><th>what<th class=\"n\">budget<th class=\"n\">measured<th></tr>\n{}</table></div>\n",
        rows.concat()
    )
}

fn budget_row(verdict: &Verdict) -> String {
    let Verdict { what, bound, .. } = verdict;
    let word = match verdict.ratio {
        None => "<span class=\"pill\">not measured</span>".to_owned(),
        Some(ratio) if ratio <= 1.0 => "<span class=\"pill met\">met</span>".to_owned(),
        Some(f64::INFINITY) => "<span class=\"pill missed\">missed</span>".to_owned(),
        Some(ratio) => format!(
            "<span class=\"pill missed\">missed by {:.0} %</span>",
            (ratio - 1.0) * 100.0
        ),
    };
    let measured = verdict.measured.map_or_else(|| "—".to_owned(), shown);
    format!("<tr><td>{what}<td class=\"n\">{bound}<td class=\"n\">{measured}<td>{word}</tr>\n")
}

/// All figures, with their ranges, and those of the earlier run.
fn figures(outcome: &Outcome, earlier: Option<&Outcome>) -> String {
    let before = earlier.map(|_| "<th class=\"n\">earlier run").unwrap_or_default();
    let mut table = format!(
        "<h2>All figures</h2>\n<div class=\"wide\"><table>\n<tr><th>figure<th class=\"n\">measured<th class=\"n\">range{before}</tr>\n"
    );
    let old: Vec<(String, String)> = earlier.map(rows).unwrap_or_default();
    for (name, value) in rows(outcome) {
        let range = outcome.repeats.get(&name).map(|figure| {
            let count = figure.repeats.len();
            format!("{} to {} in {count} repeats", figure.least, figure.most)
        });
        let _ = write!(
            table,
            "<tr><td>{}<td class=\"n\">{}<td class=\"n\">{}",
            escaped(&words::label(&name)),
            escaped(&value),
            range.unwrap_or_default()
        );
        if earlier.is_some() {
            let value = old
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| escaped(value));
            let _ = write!(table, "<td class=\"n\">{}", value.unwrap_or_default());
        }
        table += "</tr>\n";
    }
    table + "</table></div>\n"
}

/// The figures of a run by name, as text.
fn rows(outcome: &Outcome) -> Vec<(String, String)> {
    let figures = serde_json::to_value(&outcome.figures).unwrap_or_default();
    let mut rows = Vec::new();
    for (name, value) in figures.as_object().into_iter().flatten() {
        match value.as_object() {
            None => rows.push((name.clone(), value.as_f64().map_or_else(|| value.to_string(), shown))),
            Some(parts) => rows.extend(
                parts
                    .iter()
                    .map(|(part, value)| (format!("{name} {part}"), value.as_f64().map_or_else(String::new, shown))),
            ),
        }
    }
    rows.extend(outcome.counts.iter().map(|(name, value)| (name.clone(), shown(*value))));
    rows
}

/// What it ran on, and how to do it again.
fn origin(outcome: &Outcome) -> String {
    let machine = &outcome.machine;
    let mut text = format!(
        "<h2>How it was measured</h2>\n<ul>\n<li>{} cores, {} MiB of memory, Linux {}; commit {}{}</li>\n",
        machine.cores,
        machine.memory_mib,
        escaped(&machine.kernel),
        escaped(outcome.commit.as_deref().unwrap_or("unknown")),
        outcome.seed.map(|seed| format!("; seed {seed}")).unwrap_or_default()
    );
    for note in &outcome.notes {
        let _ = writeln!(text, "<li>{}</li>", escaped(note));
    }
    text += "</ul>\n<p>To measure it again, from the folder of the source:</p>\n";
    let _ = writeln!(text, "<pre>make build\n{}</pre>", escaped(&outcome.command));
    text + "<p>A median with its range is given where something was measured several times. The same machine does other \
            work too, so a difference smaller than the range says nothing.</p>\n"
}

/// A number with as many digits as it is worth.
fn shown(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => grouped(value),
        size if size >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Thousands apart: 2,000,000.
fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = if value < 0.0 { "-".to_owned() } else { String::new() };
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Text as it stands in a page.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pairs::Pairs;

    #[test]
    fn a_page_says_in_words_what_came_out_and_needs_nothing_from_elsewhere() {
        let mut outcome = Outcome::new("fanout", 2_000, 20);
        outcome.figures.ratio_to_floor = outcome.repeated("ratio_to_floor", vec![1.3, 1.4, 1.2]);
        outcome.figures.lost = Some(0);
        outcome.note("a <note>");
        let pairs = Pairs(vec![(900.0, 90.0), (5_000.0, 9.0), (9_000.0, 1.0)]);
        outcome.histograms.insert("latency_us".to_owned(), pairs.clone());
        let mut earlier = outcome.clone();
        earlier.figures.ratio_to_floor = Some(1.9);
        let page = page(&outcome, Some(&earlier));
        for part in [
            "2,000",
            "missed by 13 %",
            "a &lt;note&gt;",
            "<svg",
            "the earlier run",
            "1.90",
            "1.2 to 1.4",
        ] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
        for part in ["<script", "http://", "https://", "url("] {
            assert!(!page.contains(part), "{part} is in {page}");
        }
    }

    #[test]
    fn numbers_are_shown_with_the_digits_they_are_worth() {
        let all = [2_000_000.0, 123.4, 12.34, 1.234, 7.0, -4_200.0].map(shown);
        assert_eq!(all, ["2,000,000", "123", "12.3", "1.23", "7", "-4,200"]);
    }
}
