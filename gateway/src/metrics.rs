//! What the server counts and times, for Prometheus: every name and its meaning, and where each is counted.
//!
//! Nothing is counted until [`install`] was called, as it is when `metrics.listen` is set. Labels are closed lists; none
//! of them names a person, a thread or a space.

mod endpoint;
mod tally;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use samtale_protocol::{CloseCode, ErrorCode, Refusal, Reply};

pub use endpoint::serve;
pub(crate) use tally::{count_delivery, count_queued, count_sent, publish_tally};

const SESSIONS: &str = "samtale_sessions";
const CONNECTIONS: &str = "samtale_connections";
const ACCEPTED: &str = "samtale_connections_accepted_total";
const REFUSED: &str = "samtale_connections_refused_total";
const TLS_HANDSHAKES: &str = "samtale_tls_handshakes_total";
const TLS_RELOADS: &str = "samtale_tls_reloads_total";
const HANDSHAKES: &str = "samtale_handshakes_total";
const CLOSES: &str = "samtale_closes_total";
const REQUESTS: &str = "samtale_requests_total";
const REQUEST_SECONDS: &str = "samtale_request_seconds";
const FRAMES_SENT: &str = "samtale_frames_sent_total";
const BYTES_SENT: &str = "samtale_bytes_sent_total";
const FRAMES_QUEUED: &str = "samtale_frames_queued_total";
const DELIVERIES: &str = "samtale_deliveries_total";
const LOGINS: &str = "samtale_logins_total";
const LIMITED: &str = "samtale_limited_total";

/// The metrics of this crate, each with what it means. A name that ends in `_total` is a counter, one that ends in
/// `_seconds` a histogram, any other a gauge.
const METRICS: &[(&str, &str)] = &[
    (SESSIONS, "Sessions that are open now."),
    (CONNECTIONS, "Connections that are open now and are not sessions."),
    (ACCEPTED, "Connections that were accepted."),
    (
        REFUSED,
        "Connections that were closed before anything was read from them.",
    ),
    (TLS_HANDSHAKES, "TLS handshakes by how they ended."),
    (
        TLS_RELOADS,
        "Certificates that were read again because the files changed or the operator asked.",
    ),
    (HANDSHAKES, "Sockets by what became of their hello."),
    (CLOSES, "Sockets that the server closed, by the name of the close code."),
    (
        REQUESTS,
        "Requests over sockets, by what they asked for and how they were answered.",
    ),
    (
        REQUEST_SECONDS,
        "How long requests took from being read to being answered.",
    ),
    (FRAMES_SENT, "Frames to clients that were written or queued."),
    (BYTES_SENT, "The bytes of these frames, before TLS."),
    (
        FRAMES_QUEUED,
        "Frames that had to wait because the socket did not take them at once.",
    ),
    (
        DELIVERIES,
        "Events and signals that were handed to sessions, counted once for each session.",
    ),
    (LOGINS, "Requests for a login, by way and outcome."),
    (LIMITED, "What was refused because of a limit, by the limit."),
];

/// From half a millisecond, a write of the embedded store, to ten seconds, when every client has given up.
const BUCKETS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// All metrics of the house, those of the rooms below included.
pub fn described() -> impl Iterator<Item = (&'static str, &'static str)> {
    let rooms = [
        METRICS,
        samtale_storage::metered::METRICS,
        samtale_router::metered::METRICS,
    ];
    rooms.into_iter().flatten().copied()
}

/// Whether anybody looks, so that a request of a server without metrics pays for no labels.
static IS_COUNTING: AtomicBool = AtomicBool::new(false);

static INSTALLED: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

/// Begins to count, and returns what renders the counts. A process counts once: several servers in it share their
/// counts, so this may be called as often as there are servers.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*installed {
        return Ok(handle.clone());
    }
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(seconds, BUCKETS)?
        .install_recorder()?;
    for (name, about) in described() {
        match Kind::of(name) {
            Kind::Counter => describe_counter!(name, about),
            Kind::Histogram => describe_histogram!(name, Unit::Seconds, about),
            Kind::Gauge => describe_gauge!(name, about),
        }
    }
    *installed = Some(handle.clone());
    IS_COUNTING.store(true, Ordering::Relaxed);
    Ok(handle)
}

/// What kind of metric a name is of; the name says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counter,
    Histogram,
    Gauge,
}

impl Kind {
    fn of(name: &str) -> Self {
        if name.ends_with("_total") {
            Self::Counter
        } else if name.ends_with("_seconds") {
            Self::Histogram
        } else {
            Self::Gauge
        }
    }
}

/// Why a connection was closed before anything was read from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefusedFor {
    /// The node has as many as it may have.
    Full,
    /// Its address makes too many.
    Address,
    /// Too many TLS handshakes are under way.
    Handshakes,
}

pub(crate) fn on_accepted() {
    counter!(ACCEPTED).increment(1);
}

pub(crate) fn on_refused(reason: RefusedFor) {
    let reason = match reason {
        RefusedFor::Full => "full",
        RefusedFor::Address => "address",
        RefusedFor::Handshakes => "handshakes",
    };
    counter!(REFUSED, "reason" => reason).increment(1);
}

pub(crate) fn set_connections(open: usize) {
    gauge!(CONNECTIONS).set(in_a_double(open));
}

pub(crate) fn set_sessions(shard: usize, sessions: usize) {
    gauge!(SESSIONS, "shard" => shard.to_string()).set(in_a_double(sessions));
}

pub(crate) fn on_tls_handshake(outcome: &'static str) {
    counter!(TLS_HANDSHAKES, "outcome" => outcome).increment(1);
}

pub(crate) fn on_tls_reload(is_good: bool) {
    counter!(TLS_RELOADS, "outcome" => if is_good { "done" } else { "failed" }).increment(1);
}

/// A socket said a valid hello, or was closed with a code.
pub(crate) fn on_handshake(refused: Option<CloseCode>) {
    let outcome = refused.map_or("done", CloseCode::name);
    counter!(HANDSHAKES, "outcome" => outcome).increment(1);
}

pub(crate) fn on_close(code: CloseCode) {
    counter!(CLOSES, "code" => code.name()).increment(1);
}

pub(crate) fn on_request(op: &'static str, outcome: &Result<Reply, Refusal>, took: Duration) {
    if !IS_COUNTING.load(Ordering::Relaxed) {
        return;
    }
    let outcome = outcome
        .as_ref()
        .map_or_else(|refusal| code_name(refusal.code), |_| "done".to_owned());
    counter!(REQUESTS, "op" => op, "outcome" => outcome).increment(1);
    histogram!(REQUEST_SECONDS, "op" => op).record(took);
}

pub(crate) fn on_login(way: &'static str, refused: Option<ErrorCode>) {
    let outcome = refused.map_or_else(|| "done".to_owned(), code_name);
    counter!(LOGINS, "way" => way, "outcome" => outcome).increment(1);
}

pub(crate) fn on_limited(limit: &'static str) {
    counter!(LIMITED, "limit" => limit).increment(1);
}

/// The name of an error code as it is on the wire.
fn code_name(code: ErrorCode) -> String {
    code.text_key().trim_start_matches("error-").replace('-', "_")
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of what one machine holds are below 2^53"
)]
const fn in_a_double(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
