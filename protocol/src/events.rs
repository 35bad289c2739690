//! Events: facts that clients learn about. State, never deltas: each names its object and that object's version, and
//! applied twice or late it changes nothing.

use serde::{Deserialize, Serialize};

use crate::ids::{ProfileId, SpaceId, ThreadId};
use crate::messages::{Message, ReadMarker};
use crate::threads::{Draft, Thread, ThreadSettings};
use crate::time::Timestamp;

/// A fact of a space, kept in its journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A message as it is now: sent, edited or recalled.
    Message(Message),
    /// A thread as it is now: started or renamed.
    Thread(Thread),
    /// A member of a thread as they are now: joined or left.
    Membership {
        /// The thread.
        thread: ThreadId,
        /// The version of its membership.
        membership_version: u64,
        /// Who.
        profile: ProfileId,
        /// Since when.
        joined_at: Timestamp,
        /// Until when, if they have left.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left_at: Option<Timestamp>,
    },
    /// What someone has read of a thread.
    Read {
        /// The thread.
        thread: ThreadId,
        /// Who.
        profile: ProfileId,
        /// Rises with each change.
        version: u64,
        /// What they have read.
        read: ReadMarker,
    },
    /// One's own settings for a thread.
    ThreadSettings(ThreadSettings),
    /// One's own unfinished message.
    Draft(Draft),
    /// People, groups or relations of the space changed: ask again for what the screen shows.
    Directory {
        /// Rises with each change.
        version: u64,
    },
    /// One's own profiles changed: they are in the `welcome` of the next connection, which follows at once.
    Profiles {
        /// Rises with each change.
        version: u64,
    },
    /// An event of a kind that this program does not know.
    #[serde(other)]
    Unknown,
}

/// Something that passes: never stored, never replayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Signal {
    /// Someone is writing in a thread. Ends by itself after six seconds, or with their next message.
    Typing {
        /// The thread.
        thread: ThreadId,
        /// Who.
        profile: ProfileId,
    },
    /// Someone on the screen came online or went offline.
    Presence {
        /// The space.
        space: SpaceId,
        /// Who.
        profile: ProfileId,
        /// Whether they are online.
        online: bool,
    },
    /// A signal of a kind that this program does not know.
    #[serde(other)]
    Unknown,
}
