//! A space's log: the ordered, bounded list of its recent events. Fast, and never the truth.

use std::sync::Arc;

use async_trait::async_trait;
use samtale_protocol::{Audience, Event, EventId, PersonId, Signal, SpaceId, Timestamp};
use samtale_storage::journal::Fact;
use thiserror::Error;

/// One life of a log: another epoch means that offsets of before say nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch(pub u64);

/// A place in a space's log: everything up to and with `offset` of `epoch`. The first entry has offset 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Position {
    /// Which life of the log.
    pub epoch: Epoch,
    /// The last entry.
    pub offset: u64,
}

impl Position {
    /// Where a log stands that can not be asked. No log is ever in this epoch.
    pub const UNKNOWN: Self = Self {
        epoch: Epoch(0),
        offset: 0,
    };

    /// Whether it is known.
    pub fn is_known(&self) -> bool {
        *self != Self::UNKNOWN
    }
}

/// A fact in a log, with the event that tells clients of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The journal row's id.
    pub id: EventId,
    /// The journal row's time.
    pub time: Timestamp,
    /// Who may know.
    pub audience: Audience,
    /// What changed.
    pub fact: Fact,
    /// What clients are told; `None` is for nodes alone.
    pub event: Option<Event>,
}

/// A signal with those who may know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressedSignal {
    /// Who may know.
    pub audience: Audience,
    /// The person it is about: they are not told of themselves.
    pub about: PersonId,
    /// What passes.
    pub signal: Signal,
}

/// What a log tells a node that subscribed to a space. It may be lost: offsets show it.
#[derive(Clone, Debug)]
pub enum Published {
    /// An entry was appended.
    Entry {
        /// To which space's log.
        space: SpaceId,
        /// Where.
        position: Position,
        /// What.
        entry: Arc<LogEntry>,
    },
    /// Something passes.
    Signal {
        /// In which space.
        space: SpaceId,
        /// What.
        signal: Arc<AddressedSignal>,
    },
    /// Something of these spaces may have passed unheard, as while a connection was broken: their heads are to be compared.
    Doubtful {
        /// Which.
        spaces: Vec<SpaceId>,
    },
}

/// What a read of a log gave.
#[derive(Clone, Debug)]
pub enum Slice {
    /// The entries after the asked position, in order, with their offsets. Fewer than asked means: up to the head.
    Entries(Vec<(u64, Arc<LogEntry>)>),
    /// The log does not reach back to the asked position: it is of another epoch, or trimmed.
    Gone {
        /// The head of the log as it is.
        head: Position,
        /// The place behind which it has entries.
        trimmed: u64,
    },
}

/// A log did not do what it was asked to.
#[derive(Debug, Error)]
#[error("the log of events is not available: {reason}")]
pub struct LogError {
    /// Why.
    pub reason: String,
}

/// The logs of all spaces, as one node sees them.
#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// Appends entries to a space's log and publishes them, in one atomic step. An error says nothing of whether it
    /// was done; to append again is harmless. A few hundred at most: more hold up the log's other work.
    async fn append(&self, space: SpaceId, entries: &[Arc<LogEntry>]) -> Result<(), LogError>;

    /// Reads at most `limit` entries after `after`.
    async fn read(&self, space: SpaceId, after: Position, limit: usize) -> Result<Slice, LogError>;

    /// The heads of these spaces' logs, in their order; [`Position::UNKNOWN`] of one that does not answer while others do.
    async fn heads(&self, spaces: &[SpaceId]) -> Result<Vec<Position>, LogError>;

    /// Since when the space's log as it is now is used, by the log's own clock; `None` where there is never a log of before
    /// that is used still.
    async fn begun(&self, space: SpaceId) -> Result<Option<Timestamp>, LogError> {
        let _ = space;
        Ok(None)
    }

    /// From now on, what happens in the space is published to this node. Returns the head as of then. Asked again, it
    /// changes nothing. After an error it may be published or not.
    async fn subscribe(&self, space: SpaceId) -> Result<Position, LogError>;

    /// Ends it.
    async fn unsubscribe(&self, space: SpaceId);

    /// Publishes something that is not kept.
    async fn signal(&self, space: SpaceId, signal: Arc<AddressedSignal>) -> Result<(), LogError>;
}
