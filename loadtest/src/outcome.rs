//! What a run came to: the JSON for scripts and the table for people.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::figure::{Figure, float, rounded};
use crate::machine::{Machine, commit};
use crate::pairs::Pairs;

/// The form of the JSON. Fields are added; those that are there stay as they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Its name, as on the command line.
    pub scenario: String,
    /// The sessions, or sockets of the floor.
    pub sessions: usize,
    /// How long it was asked to measure.
    pub seconds: u64,
    /// Whether the sessions were over TLS.
    #[serde(default)]
    pub tls: bool,
    /// The figures themselves; of those with repeats the median.
    #[serde(flatten)]
    pub figures: Figures,
    /// The repeats behind the medians, with their range, by the names of the figures.
    pub repeats: BTreeMap<String, Figure>,
    /// What it ran on.
    pub machine: Machine,
    /// Of which commit, as far as the folder knows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<String>,
    /// What a reader of the figures has to know.
    pub notes: Vec<String>,
    /// What was typed to start it.
    #[serde(default)]
    pub command: String,
    /// What everything that was drawn was drawn from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seed: Option<u64>,
    /// Latencies in microseconds, each with how often it was seen: `latency_us`, `floor_latency_us`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub histograms: BTreeMap<String, Pairs>,
    /// Figures over time or size: seconds, or sessions, and the figure then.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub series: BTreeMap<String, Pairs>,
    /// Other servers of the same run.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub compared: Vec<Compared>,
    /// What else was counted, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub counts: BTreeMap<String, f64>,
}

/// Another server, measured in turns with ours.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// What it is called.
    pub name: String,
    /// Its version, and how it was set.
    pub what: String,
    /// Its figures, by the names of ours.
    pub figures: BTreeMap<String, Figure>,
    /// Its figures over ours of the same rounds.
    pub ratios: BTreeMap<String, Figure>,
    /// Why there are none, if there are none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub skipped: Option<String>,
}

/// The figures of a run; a scenario has only some.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// CPU of the thread that writes the same frames to raw sockets, per frame and socket.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub floor_cpu_us_per_delivery: Option<f64>,
    /// CPU of the server per message and session, without what it uses when idle.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cpu_us_per_delivery: Option<f64>,
    /// The one over the other, each round with the floor of the same round.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ratio_to_floor: Option<f64>,
    /// Messages shown per second while they were sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub deliveries_per_second: Option<f64>,
    /// From when a message was due to be sent to when a client was shown it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub latency_ms: Option<Latency>,
    /// From when a message was due to when the first session was shown it, over messages.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_recipient_ms: Option<Latency>,
    /// From when a message was due to when the last session was shown it, over messages.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_recipient_ms: Option<Latency>,
    /// Resident memory of the server that a session adds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user_kib_per_session: Option<f64>,
    /// CPU of the server per session and second, in which nothing is sent but pings.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub idle_cpu_us_per_session_second: Option<f64>,
    /// Sessions that were opened per second, many at once, each until it was told its cursor.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sessions_opened_per_second: Option<f64>,
    /// Servers that the sessions are spread over, each by itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub servers: Option<usize>,
    /// Memory of the kernel that a session adds, of both its ends: objects and buffers of sockets.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kernel_kib_per_session: Option<f64>,
    /// Resident memory of a bare TLS server of tokio-rustls that a connection adds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bare_tls_kib_per_connection: Option<f64>,
    /// What a session adds beyond the bare TLS server of the same run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user_kib_over_bare_tls: Option<f64>,
    /// From when all sessions were cut to when the last had come back and caught up.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub back_seconds: Option<f64>,
    /// The same while messages were sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub back_seconds_under_load: Option<f64>,
    /// From when all were cut to when one was back, while messages were sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub back_ms: Option<Latency>,
    /// Sessions that came back per second.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resumes_per_second: Option<f64>,
    /// CPU of the server for one that comes back: the cut noticed, connection, token and resume.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cpu_us_per_resume: Option<f64>,
    /// How many would come back per second of one core that does nothing else.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resumes_per_core_second: Option<f64>,
    /// The same over TLS where a ticket saves the signature.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resumes_per_core_second_with_tickets: Option<f64>,
    /// Calls of storage that read something, for one that comes back with a fresh cursor.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub storage_reads_per_resume: Option<f64>,
    /// The same while messages were sent, of which some were missed; the sending itself reads too.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub storage_reads_per_resume_under_load: Option<f64>,
    /// Attempts to come back that failed and were made again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failed_attempts: Option<u64>,
    /// Spaces that a session had to load anew, because the server did not know what was missed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resyncs: Option<u64>,
    /// Messages that a session was told again when it came back, because they were behind its cursor.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub repeated: Option<u64>,
    /// Sessions that stopped reading.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stalled: Option<u64>,
    /// Resident memory of the server that one of them adds before it is closed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user_kib_per_stalled: Option<f64>,
    /// Memory of the kernel that one of them adds: what its socket took before the server had to keep anything.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kernel_kib_per_stalled: Option<f64>,
    /// From when they stopped reading to when the server had closed all of them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stalled_closed_seconds: Option<f64>,
    /// Latencies of those that read, in the rounds in which nobody had stopped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub latency_without_stalled_ms: Option<Latency>,
    /// The 99th percentile with stalled sessions over that without, each round with the one before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub p99_ratio_to_without_stalled: Option<f64>,
    /// The size of an event as a WebSocket payload.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub event_bytes: Option<usize>,
    /// Messages shown, each session's counted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub deliveries: Option<u64>,
    /// Messages that a session was never shown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lost: Option<u64>,
    /// Messages that a session was shown more than once.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub duplicated: Option<u64>,
    /// Messages that a session was shown after a later one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reordered: Option<u64>,
    /// Sessions that ended before the run did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub closed: Option<u64>,
}

/// Percentiles of a latency.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Half of all were faster.
    pub p50: f64,
    /// All but one in a hundred were faster.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
}

impl Latency {
    /// The percentiles of a histogram in microseconds.
    pub fn of(microseconds: &Histogram<u64>) -> Self {
        let milliseconds = |value: u64| rounded(float(value) / 1000.0);
        Self {
            p50: milliseconds(microseconds.value_at_quantile(0.5)),
            p99: milliseconds(microseconds.value_at_quantile(0.99)),
            max: milliseconds(microseconds.max()),
        }
    }
}

impl Outcome {
    /// The outcome of a run that has no figures yet.
    pub fn new(scenario: &str, sessions: usize, seconds: u64) -> Self {
        Self {
            scenario: scenario.to_owned(),
            sessions,
            seconds,
            tls: false,
            figures: Figures::default(),
            repeats: BTreeMap::new(),
            machine: Machine::this(),
            commit: commit(),
            notes: Vec::new(),
            command: std::env::args().collect::<Vec<_>>().join(" "),
            seed: None,
            histograms: BTreeMap::new(),
            series: BTreeMap::new(),
            compared: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    /// Takes the repeats of a figure, and returns their median for it; nothing if nothing was measured.
    pub fn repeated(&mut self, name: &str, repeats: Vec<f64>) -> Option<f64> {
        let figure = Figure::of(repeats)?;
        let median = figure.median;
        self.repeats.insert(name.to_owned(), figure);
        Some(median)
    }

    /// Adds a note.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Reads one from a file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("{} can not be read", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no outcome of a run", path.display()))
    }

    /// Writes it to a file.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(path, text + "\n").with_context(|| format!("{} can not be written", path.display()))
    }

    /// The table for people.
    pub fn table(&self) -> Result<String> {
        let over = if self.tls { " over TLS" } else { "" };
        let mut table = format!("{}, {} sessions{over}\n", self.scenario, self.sessions);
        let figures = serde_json::to_value(&self.figures)?;
        for (name, value) in figures.as_object().into_iter().flatten() {
            write!(table, "  {name:<32} {:>12}", shown(value))?;
            if let Some(figure) = self.repeats.get(name) {
                let (least, most, count) = (figure.least, figure.most, figure.repeats.len());
                write!(table, "   {least} to {most} in {count} repeats")?;
            }
            table.push('\n');
        }
        for (name, count) in &self.counts {
            writeln!(table, "  {name:<32} {count:>12}")?;
        }
        for other in &self.compared {
            writeln!(table, "{}", other.lines())?;
        }
        let Machine {
            cores,
            memory_mib,
            kernel,
        } = &self.machine;
        writeln!(table, "  on {cores} cores, {memory_mib} MiB, Linux {kernel}")?;
        for note in &self.notes {
            writeln!(table, "  - {note}")?;
        }
        Ok(table)
    }
}

impl Compared {
    /// The lines of the table for people.
    fn lines(&self) -> String {
        if let Some(why) = &self.skipped {
            return format!("  {}: skipped, {why}", self.name);
        }
        let mut lines = vec![format!("  {} ({})", self.name, self.what)];
        for (name, figure) in &self.figures {
            let ratio = self.ratios.get(name).map(|ratio| format!("{:.2} x ours", ratio.median));
            let (ratio, count) = (ratio.unwrap_or_default(), figure.repeats.len());
            let Figure {
                median, least, most, ..
            } = figure;
            lines.push(format!(
                "    {name:<30} {median:>12}   {ratio:<14} {least} to {most} in {count} repeats"
            ));
        }
        lines.join("\n")
    }
}

fn shown(value: &serde_json::Value) -> String {
    match value.as_object() {
        None => value.to_string(),
        Some(fields) => {
            let fields: Vec<String> = ["p50", "p99", "max"]
                .iter()
                .filter_map(|name| Some(format!("{name} {}", fields.get(*name)?)))
                .collect();
            fields.join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_find_the_fields_that_were_promised() {
        let mut outcome = Outcome::new("fanout", 20, 2);
        outcome.figures.ratio_to_floor = outcome.repeated("ratio_to_floor", vec![1.5, 1.1, 1.2]);
        outcome.figures.latency_ms = Some(Latency {
            p50: 1.0,
            p99: 2.0,
            max: 3.5,
        });
        outcome.figures.lost = Some(0);
        let json = serde_json::to_value(&outcome).unwrap();
        assert_eq!(json["scenario"], "fanout");
        assert_eq!(json["sessions"], 20);
        assert_eq!(json["ratio_to_floor"], 1.2);
        assert_eq!(json["latency_ms"]["max"], 3.5);
        assert_eq!(json["lost"], 0);
        assert_eq!(json["repeats"]["ratio_to_floor"]["least"], 1.1);
        assert!(json["machine"]["cores"].as_u64().unwrap() > 0);
        assert!(
            json.get("user_kib_per_session").is_none(),
            "a scenario has only its own figures"
        );
        assert_eq!(serde_json::from_value::<Outcome>(json).unwrap(), outcome);
        let table = outcome.table().unwrap();
        assert!(table.contains("p50 1.0, p99 2.0, max 3.5"), "{table}");
        assert!(table.contains("1.1 to 1.5 in 3 repeats"), "{table}");
    }
}
