//! What the router counts; `docs/metrics.md` says what it means. No label names a space.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

const APPENDED: &str = "samtale_log_appended_total";
const APPEND_SECONDS: &str = "samtale_log_append_seconds";
const WAITING: &str = "samtale_log_waiting";
const REPUBLISHED: &str = "samtale_log_republished_total";
const DROPPED: &str = "samtale_log_dropped_total";
const GAPS: &str = "samtale_log_gaps_total";
const BRIDGES: &str = "samtale_log_bridges_total";
const REPLAYS: &str = "samtale_replays_total";

/// The metrics of this crate, each with what it means. A name that ends in `_total` is a counter, one that ends in
/// `_seconds` a histogram, any other a gauge.
pub const METRICS: &[(&str, &str)] = &[
    (APPENDED, "Entries that this node appended to logs."),
    (APPEND_SECONDS, "How long it took to append to the log of one space."),
    (WAITING, "Entries that wait for a log that is away."),
    (REPUBLISHED, "Entries that were published again from the journal."),
    (
        DROPPED,
        "Published messages that were dropped because this node was behind; their entries are read from the log.",
    ),
    (
        GAPS,
        "Times that entries were read from a log because their publication was missed.",
    ),
    (
        BRIDGES,
        "Times that a space's log had begun anew and the journal filled in.",
    ),
    (
        REPLAYS,
        "Sessions that came back with a cursor, counted once for each of their spaces.",
    ),
];

/// Entries were appended to a log.
pub(crate) fn count_appended(entries: usize, took: Duration) {
    counter!(APPENDED).increment(entries as u64);
    histogram!(APPEND_SECONDS).record(took);
}

/// So many entries wait.
pub(crate) fn show_waiting(entries: usize) {
    gauge!(WAITING).set(u32::try_from(entries).unwrap_or(u32::MAX));
}

/// Entries were published again.
pub(crate) fn count_republished(entries: usize) {
    counter!(REPUBLISHED).increment(entries as u64);
}

/// Something published was dropped.
pub(crate) fn count_dropped() {
    counter!(DROPPED).increment(1);
}

/// A gap was found.
pub(crate) fn count_gap() {
    counter!(GAPS).increment(1);
}

/// The journal fills in.
pub(crate) fn count_bridge() {
    counter!(BRIDGES).increment(1);
}

/// What became of a session that came back with a cursor: `resumed`; before that perhaps `beyond_log`, if its log did not
/// reach back; or `resync`.
pub fn count_replay(what: &'static str) {
    counter!(REPLAYS, "what" => what).increment(1);
}
