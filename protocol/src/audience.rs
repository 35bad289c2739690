//! Who may see an event. Nodes tell each other; clients never see it.

use serde::{Deserialize, Serialize};

use crate::ids::{PersonId, ThreadId};
use crate::time::Timestamp;

/// Who may see an event: everyone in any of its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audience {
    /// The members of a thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<ThreadAudience>,
    /// These persons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<PersonId>,
    /// Everyone with a profile in the space.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub space: bool,
}

/// The members of a thread, as of a version of its membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadAudience {
    /// The thread.
    pub thread: ThreadId,
    /// The version of the membership that the event was checked against: a node with an older list loads it first.
    pub version: u64,
    /// The event tells of a message of this time: only for those who may read so far back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
}

impl Audience {
    /// The members of a thread.
    pub fn thread(thread: ThreadId, version: u64) -> Self {
        Self {
            thread: Some(ThreadAudience {
                thread,
                version,
                sent_at: None,
            }),
            ..Self::default()
        }
    }

    /// The same, less those who may not read a message of this time.
    #[must_use]
    pub fn who_may_read(mut self, sent_at: Timestamp) -> Self {
        if let Some(thread) = &mut self.thread {
            thread.sent_at = Some(sent_at);
        }
        self
    }

    /// These persons.
    pub fn people(people: impl IntoIterator<Item = PersonId>) -> Self {
        Self {
            people: people.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Everyone in the space.
    pub fn space() -> Self {
        Self {
            space: true,
            ..Self::default()
        }
    }

    /// These persons too.
    #[must_use]
    pub fn and_people(mut self, people: impl IntoIterator<Item = PersonId>) -> Self {
        self.people.extend(people);
        self
    }
}
