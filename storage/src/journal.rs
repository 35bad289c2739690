//! The journal: a space's facts of the last days, in order of time. The truth of what happened.
//!
//! A row names what changed and who may know, and holds none of its text: a text that is recalled is gone from here
//! without being looked for, and a replay tells each object as it is now.

use samtale_protocol::{Audience, EventId, MessageId, PersonId, ProfileId, SessionId, SpaceId, ThreadId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::key::{Key, KeyValue};
use crate::people::records;
use crate::schema::{self, Table};
use crate::store::Record;

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fact {
    /// A message was sent, edited or recalled.
    Message {
        /// Its thread.
        thread: ThreadId,
        /// Which.
        message: MessageId,
    },
    /// A thread was started or renamed.
    Thread {
        /// Which.
        thread: ThreadId,
    },
    /// A member came or left.
    Membership {
        /// Of which thread.
        thread: ThreadId,
        /// Who.
        profile: ProfileId,
    },
    /// Someone read.
    Read {
        /// In which thread.
        thread: ThreadId,
        /// Who.
        profile: ProfileId,
    },
    /// Someone changed their settings for a thread.
    ThreadSettings {
        /// Which thread.
        thread: ThreadId,
        /// Whose settings.
        profile: ProfileId,
    },
    /// Someone wrote on an unfinished message.
    Draft {
        /// In which thread.
        thread: ThreadId,
        /// Whose.
        profile: ProfileId,
    },
    /// Facts that were journalled long before they got into the log got there now: whoever reads the journal from after
    /// them, to make up for a log that is gone, finds them from here. Nobody is told.
    Late {
        /// When the first of them was journalled.
        since: Timestamp,
    },
    /// People, groups or relations of the space changed.
    Directory {
        /// The directory's version.
        version: u64,
    },
    /// A person's profiles changed. In the space `system`.
    Profiles {
        /// Whose.
        person: PersonId,
    },
    /// A login was ended. In the space `system`.
    LoginEnded {
        /// Whose.
        person: PersonId,
        /// Which; `None` is all of them.
        session: Option<SessionId>,
    },
    /// A person hid or showed their presence. In the space `system`.
    PresenceVisibility {
        /// Whose.
        person: PersonId,
        /// Whether it is hidden.
        hidden: bool,
    },
}

impl Fact {
    /// Whether clients are told of it, as an event.
    pub fn has_event(&self) -> bool {
        !matches!(
            self,
            Self::Late { .. } | Self::Profiles { .. } | Self::LoginEnded { .. } | Self::PresenceVisibility { .. }
        )
    }
}

/// A row of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalRecord {
    /// When the node wrote it.
    pub time: Timestamp,
    /// Who may know.
    pub audience: Audience,
    /// What changed.
    pub fact: Fact,
}

/// Says that the space's journal has rows in a minute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalMinuteRecord {}

/// A minute: how much of a space's journal stands in one partition.
const MINUTE_MILLIS: u64 = 60_000;

/// The number of the minute that a time is in.
pub const fn minute(time: Timestamp) -> u64 {
    time.as_millis() / MINUTE_MILLIS
}

/// How many minutes the index of minutes keeps in one partition.
pub const MINUTES_PER_DAY: u64 = 24 * 60;

/// The partition of a day of the index of minutes.
pub fn day_partition(space: SpaceId, day: u64) -> [KeyValue; 2] {
    [space.into(), day.into()]
}

/// The key of a minute in the index of minutes.
pub fn minute_key(space: SpaceId, minute: u64) -> Key {
    Key::new(day_partition(space, minute / MINUTES_PER_DAY), [minute.into()])
}

/// The partition of a minute of a space's journal.
pub fn minute_partition(space: SpaceId, minute: u64) -> [KeyValue; 2] {
    [space.into(), minute.into()]
}

/// The key of a journal row. `event` is a UUID of the row's time.
pub fn journal_key(space: SpaceId, time: Timestamp, event: EventId) -> Key {
    Key::new(minute_partition(space, minute(time)), [event.into()])
}

records! {
    JournalRecord in JOURNAL;
    JournalMinuteRecord in JOURNAL_MINUTES;
}
