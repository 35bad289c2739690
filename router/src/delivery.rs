//! What the router hands to the node's sessions: an entry once, with those who may see it.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;
use samtale_protocol::{Encoding, PersonId, ServerFrame, SpaceId, Timestamp};

use crate::log::{AddressedSignal, LogEntry, Position};

/// Those who may see an entry, as of now.
#[derive(Clone, Debug)]
pub enum Recipients {
    /// Everyone with a session in the space.
    Space,
    /// These persons, none twice.
    People(Arc<[PersonId]>),
}

/// A frame that many sessions get: encoded and framed once per encoding, on first need.
pub struct SharedFrame {
    frame: ServerFrame,
    encoded: [OnceLock<Bytes>; 2],
}

impl SharedFrame {
    /// The frame of a log entry that clients are told of.
    pub fn of_entry(space: SpaceId, entry: &LogEntry) -> Option<Self> {
        let event = entry.event.clone()?;
        Some(Self::new(ServerFrame::Event {
            space,
            id: entry.id,
            event,
        }))
    }

    /// Any frame.
    pub fn new(frame: ServerFrame) -> Self {
        Self {
            frame,
            encoded: [OnceLock::new(), OnceLock::new()],
        }
    }

    /// The bytes for sessions of `encoding`; `write` makes them, once.
    pub fn bytes(&self, encoding: Encoding, write: impl FnOnce(&ServerFrame) -> Bytes) -> &Bytes {
        let slot = match encoding {
            Encoding::MessagePack => 0,
            Encoding::Json => 1,
        };
        self.encoded[slot].get_or_init(|| write(&self.frame))
    }
}

/// An entry for the node's sessions.
#[derive(Clone)]
pub struct Delivery {
    /// Its space.
    pub space: SpaceId,
    /// Where it stands in the space's log; `None` of what was told another way: from the journal, or by the node itself.
    pub position: Option<Position>,
    /// What the node has delivered without a hole, this entry included where it fits.
    pub safe: Safe,
    /// The entry itself: some of them act on the sessions.
    pub entry: Arc<LogEntry>,
    /// Who may see it.
    pub recipients: Recipients,
    /// What they get; `None` is for the node alone.
    pub frame: Option<Arc<SharedFrame>>,
}

/// A place up to which everything was delivered: what a cursor may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Safe {
    /// The place.
    pub position: Position,
    /// The time of the newest event up to there.
    pub time: Timestamp,
}

/// What the router hands over.
#[derive(Clone)]
pub enum Sent {
    /// An entry.
    Delivery(Delivery),
    /// Something that passes, for these persons.
    Signal {
        /// In which space.
        space: SpaceId,
        /// What.
        signal: Arc<AddressedSignal>,
        /// For whom.
        recipients: Recipients,
        /// What they get.
        frame: Arc<SharedFrame>,
    },
    /// The journal fills in until [`Sent::Moved`]: whoever has not caught up by now does so after it only, since what is
    /// told meanwhile has no place in the log by which it would be missed.
    Moving {
        /// The space.
        space: SpaceId,
    },
    /// The space's log goes on at another place, as after a new epoch.
    Moved {
        /// The space.
        space: SpaceId,
        /// Where it goes on.
        safe: Safe,
    },
}

/// The node's sessions.
#[async_trait]
pub trait Sink: Send + Sync + 'static {
    /// Takes what the router hands over, in order per space. Waits only while the node's own threads are behind.
    async fn take(&self, sent: Sent);
}
