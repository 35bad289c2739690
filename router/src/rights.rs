//! What the router asks the rules of the school: who is behind an audience, and what a fact of the journal says now.

use async_trait::async_trait;
use samtale_protocol::{Audience, Event, PersonId, SpaceId, Timestamp};
use samtale_storage::journal::JournalRecord;
use thiserror::Error;

use crate::delivery::Recipients;
use crate::log::LogEntry;

/// The rules could not be asked: storage did not answer.
#[derive(Debug, Error)]
#[error("who may see it is not known right now: {reason}")]
pub struct RightsError {
    /// Why.
    pub reason: String,
}

/// The rules, as the router needs them.
#[async_trait]
pub trait Rights: Send + Sync + 'static {
    /// Takes note of a log entry, before anything is delivered: what the node keeps in memory follows the log.
    fn observe(&self, space: SpaceId, entry: &LogEntry);

    /// The node follows the space no longer: what it keeps of it in memory is not kept current from here on.
    fn unfollowed(&self, space: SpaceId) {
        let _ = space;
    }

    /// The persons behind an audience now, if the node has a list that is new enough in memory.
    fn recipients_in_memory(&self, space: SpaceId, audience: &Audience) -> Option<Recipients>;

    /// The persons behind an audience now, loaded where needed.
    async fn recipients(&self, space: SpaceId, audience: &Audience) -> Result<Recipients, RightsError>;

    /// Whether `person` was in the audience at `time` and may see it now: for replays.
    async fn permits(
        &self,
        space: SpaceId,
        person: PersonId,
        audience: &Audience,
        time: Timestamp,
    ) -> Result<bool, RightsError>;

    /// What a fact of the journal says now; `None` when there is nothing to tell of it any more.
    async fn event_of(&self, space: SpaceId, record: &JournalRecord) -> Result<Option<Event>, RightsError>;

    /// A page of the space's journal from `from` on, oldest first, with the ids of its rows, and where the next page
    /// begins; `None` when this was the last.
    async fn journal(&self, space: SpaceId, from: JournalPlace) -> Result<JournalPage, RightsError>;
}

/// A place in a space's journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalPlace {
    /// Rows of this time on.
    pub time: Timestamp,
    /// And after this row.
    pub after: Option<samtale_protocol::EventId>,
}

/// A page of a journal.
#[derive(Clone, Debug, Default)]
pub struct JournalPage {
    /// The rows.
    pub rows: Vec<(samtale_protocol::EventId, JournalRecord)>,
    /// Where the next page begins.
    pub next: Option<JournalPlace>,
}

/// How far before a cursor's time the journal is read: a row may be written this long after its time, and clocks differ.
pub const JOURNAL_MARGIN: std::time::Duration = std::time::Duration::from_secs(30);
