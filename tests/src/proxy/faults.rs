//! What a proxy can do to connections.

use std::time::Duration;

/// What happens to connections that come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Door {
    /// They are handed on.
    #[default]
    Open,
    /// They are refused, as when no process listens.
    Closed,
    /// They are accepted by the operating system and nobody serves them, as when a process hangs.
    Silent,
}

/// What happens to bytes of one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineFaults {
    /// How much later they arrive.
    pub latency: Duration,
    /// How much later still, at most and by chance. The order of bytes stays.
    pub jitter: Duration,
    /// Each byte is written by itself.
    pub is_sliced: bool,
    /// The most bytes of a second.
    pub bytes_per_second: Option<u64>,
    /// They go nowhere, and the connection stays open: what a network does whose other end has vanished. A connection
    /// that lost bytes so is reset when this ends.
    pub is_swallowed: bool,
    /// One published message of so many is lost, whole, and by chance. Only to clients, and only of a Redis server.
    pub one_message_lost_of: Option<u32>,
    /// Some requests arrive late. Only to servers, and only to a CQL server.
    pub late_requests: Option<LateRequests>,
}

/// Requests for one partition, which arrive late while the others do not: what a partition is whose replicas are busy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateRequests {
    /// The bytes of its key.
    pub key: Vec<u8>,
    /// How much later they arrive.
    pub by: Duration,
}

/// What a proxy does at the moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// To connections that come.
    pub door: Door,
    /// To what clients say.
    pub to_server: LineFaults,
    /// To what the servers say.
    pub to_client: LineFaults,
}

impl Faults {
    /// The same change for both directions.
    pub fn both_ways(&mut self, mut change: impl FnMut(&mut LineFaults)) {
        change(&mut self.to_server);
        change(&mut self.to_client);
    }
}
