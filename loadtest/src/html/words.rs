//! The sentences of a page: what a run was about and what came of it, for someone who has never seen one.

use super::{grouped, shown};
use crate::budgets::verdicts;
use crate::figure::float;
use crate::outcome::{Figures, Outcome};

/// The heading.
pub fn title(outcome: &Outcome) -> String {
    let sessions = people(outcome);
    match outcome.scenario.as_str() {
        "floor" => format!("The machine's own limit, with {sessions} sockets"),
        "fanout" => format!("One thread, {sessions} listeners"),
        "idle" => format!("{sessions} people who are logged in and wait"),
        "storm" => format!("{sessions} people lose their connection at once"),
        "stall" => format!("{sessions} people, some of whom stop reading"),
        "peers" => format!("Samtale beside other servers, {sessions} sessions each"),
        "day" => format!("A school day of {} people", counted(outcome, "people_simulated")),
        "populate" => format!("{} people are loaded", counted(outcome, "people_simulated")),
        "login" => format!("{sessions} people log in with their passwords at once"),
        other => format!("{other}, {sessions} sessions"),
    }
}

/// The paragraphs at the top: what was simulated, what came out, whether the budgets are met.
pub fn summary(outcome: &Outcome) -> Vec<String> {
    let mut all = vec![format!("{} {}", simulated(outcome), came_out(&outcome.figures))];
    all.extend(judged(outcome));
    all
}

fn simulated(outcome: &Outcome) -> String {
    let sessions = people(outcome);
    match outcome.scenario.as_str() {
        "floor" => format!(
            "Messages were written to {sessions} bare connections, without any server's work in between. No server on this \
             machine can be cheaper than that, so everything else is measured against it."
        ),
        "fanout" => format!(
            "{sessions} people had the same conversation open while messages were sent to it, as when a head teacher \
             writes to all parents of a school. Each message was stored first, and then shown to every one of them."
        ),
        "idle" => format!(
            "{sessions} people were logged in and did nothing, as most people do most of the time. What they cost is what \
             decides how many one machine can hold."
        ),
        "storm" => format!(
            "{sessions} people were logged in and lost their connection in the same moment, as when a node dies or a network \
             fails. All came back at once and asked for what they had missed."
        ),
        "stall" => format!(
            "Of {sessions} people who were logged in some stopped reading without going, as a phone in a tunnel does, while \
             messages were sent. They may cost the server little, and the others nothing."
        ),
        "peers" => format!(
            "The same messages went to {sessions} listeners of Samtale and of each of the other servers, in turns, on the \
             same machine and in the same run. The other servers only pass messages on: they check no rights and store \
             nothing, which Samtale does before it shows a message to anybody."
        ),
        "day" => format!(
            "A school day of {} people in {} institutions was played at {} times its speed: they come online, read, write \
             and answer, and leave. {} of them had a real connection to the server at once at most; the others are counted, \
             not connected. A message was for {} others on average, of whom {} had a connection open.",
            counted(outcome, "people_simulated"),
            counted(outcome, "institutions"),
            counted(outcome, "speed"),
            counted(outcome, "real_sockets_most"),
            counted(outcome, "recipients_per_message"),
            counted(outcome, "open_recipients_per_message")
        ),
        "populate" => format!(
            "{} people in {} institutions were drawn by chance, with families, classes and staff, and loaded the way a \
             municipality's files are: {} people per second. Given a second time, as after a stop, it took {} seconds.",
            counted(outcome, "people_simulated"),
            counted(outcome, "institutions"),
            counted(outcome, "people_loaded_per_second"),
            counted(outcome, "seconds_when_given_again")
        ),
        "login" => format!(
            "{sessions} people logged in with their passwords, again and again. A login is dear on purpose: whoever steals \
             the stored passwords has to pay the same for every guess. {} logins per second came through.",
            counted(outcome, "logins_per_second")
        ),
        other => format!("The scenario `{other}` ran with {sessions} sessions."),
    }
}

fn came_out(figures: &Figures) -> String {
    let mut text = Vec::new();
    if let Some(deliveries) = figures.deliveries {
        text.push(format!(
            "{} times a message was shown to somebody.",
            grouped(float(deliveries))
        ));
    }
    let faults = [
        (figures.lost, "lost"),
        (figures.duplicated, "shown twice"),
        (figures.reordered, "shown out of order"),
    ];
    if faults.iter().any(|(count, _)| count.is_some()) {
        let found = faults.iter().filter(|(count, _)| count.unwrap_or_default() > 0);
        let found: Vec<String> = found
            .map(|(count, what)| format!("{} {what}", grouped(float(count.unwrap_or_default()))))
            .collect();
        text.push(match found.is_empty() {
            true => "None was lost, none came twice, and none came out of order.".to_owned(),
            false => format!("That is not as it should be: {}.", found.join(", ")),
        });
    }
    if let Some(latency) = figures.latency_ms {
        text.push(format!(
            "Half of them came within {} milliseconds, 99 of 100 within {}, and the slowest took {}.",
            shown(latency.p50),
            shown(latency.p99),
            shown(latency.max)
        ));
    }
    if let Some((first, last)) = figures.first_recipient_ms.zip(figures.last_recipient_ms) {
        text.push(format!(
            "Of half of the messages the first recipient was shown them within {} milliseconds and the last within {}.",
            shown(first.p50),
            shown(last.p50)
        ));
    }
    if let Some(seconds) = figures.back_seconds {
        text.push(format!(
            "After {} seconds the last one was back and had caught up.",
            shown(seconds)
        ));
    }
    if let Some(kib) = figures.user_kib_per_session {
        text.push(format!("Each person took {} KiB of the server's memory.", shown(kib)));
    }
    text.join(" ")
}

/// Whether the budgets are met, in a sentence.
fn judged(outcome: &Outcome) -> Option<String> {
    let all: Vec<(String, bool)> = verdicts(outcome)
        .iter()
        .filter_map(|verdict| {
            let measured = verdict.measured?;
            let is_met = verdict.ratio? <= 1.0;
            let word = if is_met { "is met" } else { "is missed" };
            let (what, bound) = (verdict.what, &verdict.bound);
            Some((
                format!("the budget for {what}, {bound}, {word} with {}", shown(measured)),
                is_met,
            ))
        })
        .collect();
    let met = all.iter().filter(|(_, is_met)| *is_met).count();
    let sentences: Vec<&str> = all.iter().map(|(sentence, _)| sentence.as_str()).collect();
    let begin = match (met, all.len()) {
        (_, 0) => return None,
        (0, 1) => "Its budget is missed".to_owned(),
        (1, 1) => "Its budget is met".to_owned(),
        (0, _) => "No budget is met".to_owned(),
        (met, count) if met == count => "All is within its budget".to_owned(),
        (met, count) => format!("{met} of {count} budgets are met"),
    };
    Some(format!("{begin}: {}.", sentences.join("; ")))
}

/// What a figure is called.
pub fn label(name: &str) -> String {
    let known = match name {
        "floor_cpu_us_per_delivery" => "CPU of the floor per delivery, µs",
        "cpu_us_per_delivery" => "CPU of the server per delivery, µs",
        "ratio_to_floor" => "the server over the floor",
        "deliveries_per_second" => "deliveries per second",
        "user_kib_per_session" => "memory of the server per session, KiB",
        "idle_cpu_us_per_session_second" => "CPU of an idle session per second, µs",
        "sessions_opened_per_second" => "sessions opened per second",
        "event_bytes" => "size of an event, bytes",
        "closed" => "sessions that ended before the run did",
        "latency_ms p50" => "latency, half were faster, ms",
        "latency_ms p99" => "latency, 99 of 100 were faster, ms",
        "latency_ms max" => "latency, the slowest, ms",
        "first_recipient_ms p50" => "to a message's first recipient, half were faster, ms",
        "first_recipient_ms p99" => "to a message's first recipient, 99 of 100 were faster, ms",
        "first_recipient_ms max" => "to a message's first recipient, the slowest, ms",
        "last_recipient_ms p50" => "to a message's last recipient, half were faster, ms",
        "last_recipient_ms p99" => "to a message's last recipient, 99 of 100 were faster, ms",
        "last_recipient_ms max" => "to a message's last recipient, the slowest, ms",
        "recipients_per_message" => "members a message was for, there or not, mean",
        "open_recipients_per_message" => "of these, who had a connection open and were told at once, mean",
        "learned_from_pages" => "messages that only a page of history showed, though they were to be told",
        "left_with_close_frame" => "times someone left with a good-bye, which the server answered",
        "left_half_open" => "times a phone fell asleep with its connection half open",
        "left_by_reset" => "times a phone fell asleep and its connection was reset",
        other => return other.replace('_', " "),
    };
    known.to_owned()
}

/// What a line of latencies is called that stands beside that of all deliveries.
pub fn latencies(name: &str) -> String {
    match name {
        "floor" => "the floor: bare sockets".to_owned(),
        "first_recipient" => "a message's first recipient".to_owned(),
        "last_recipient" => "a message's last recipient".to_owned(),
        "without_stalled" => "while nobody had stopped reading".to_owned(),
        other => other.replace('_', " "),
    }
}

/// The words of a chart over time or size.
pub fn series(name: &str) -> (String, &'static str) {
    match name {
        "deliveries_per_second" => (
            "Deliveries per second, over time".to_owned(),
            "How many times a message was shown to somebody in each second. Gaps are turns of what it is compared with; \
             the first and the last second of a turn are not whole.",
        ),
        "user_kib_per_session" => (
            "Memory per session, KiB".to_owned(),
            "What the sessions that were open added to the server's memory, divided by their number.",
        ),
        other => (format!("{}, over time", label(other)), ""),
    }
}

/// The words of a chart of bars.
pub fn bars(name: &str) -> (String, &'static str) {
    let (title, explained) = match name {
        "cpu_us_per_delivery" => (
            "Processor time per delivery, µs",
            "What it costs to show one message to one person. Shorter is better.",
        ),
        "deliveries_per_second" => (
            "Deliveries per second",
            "Offered to all alike; less means that one fell behind.",
        ),
        "latency_p50_ms" => (
            "Half were faster than, ms",
            "From when a message was due. Shorter is better.",
        ),
        "latency_p99_ms" => (
            "99 of 100 were faster than, ms",
            "From when a message was due. Shorter is better.",
        ),
        "user_kib_per_session" => (
            "Memory per session, KiB",
            "What one person who is logged in adds to the server. Shorter is better.",
        ),
        "idle_cpu_us_per_session_second" => (
            "Processor time per idle session and second, µs",
            "What it costs to keep one quiet connection alive. Shorter is better.",
        ),
        _ => ("", ""),
    };
    let title = if title.is_empty() {
        label(name)
    } else {
        title.to_owned()
    };
    (title, explained)
}

fn people(outcome: &Outcome) -> String {
    grouped(float(outcome.sessions as u64))
}

fn counted(outcome: &Outcome, name: &str) -> String {
    outcome
        .counts
        .get(name)
        .map_or_else(|| "some".to_owned(), |count| shown(*count))
}
