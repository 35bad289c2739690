//! What the router asks the rules of the school: who is behind an audience, and what a fact of the journal says now.

use std::time::Duration;

use async_trait::async_trait;
use samtale_protocol::{Audience, Event, EventId, PersonId, SpaceId, Timestamp};
use samtale_storage::journal::{Fact, JournalRecord};
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

    /// The node follows the space from here on. What it kept of it in memory before may be old.
    fn followed(&self, space: SpaceId) {
        let _ = space;
    }

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

    /// What facts of the journal say now, in their order; `None` where there is nothing to tell any more. As many as can be
    /// told now, which may be fewer than were asked for, but at least one: an error when the first can not.
    async fn events_of(&self, space: SpaceId, facts: &[&Fact]) -> Result<Vec<Option<Event>>, RightsError>;

    /// A page of the space's journal from `from` on, oldest first, with the ids of its rows, and where the next page
    /// begins; `None` when this was the last.
    async fn journal(&self, space: SpaceId, from: JournalPlace) -> Result<JournalPage, RightsError>;

    /// Journals that facts since `since` get into the log only now: [`samtale_storage::journal::Fact::Late`].
    async fn note_late(&self, space: SpaceId, since: Timestamp) -> Result<(), RightsError>;
}

/// A place in a space's journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalPlace {
    /// Rows of this time on.
    pub time: Timestamp,
    /// And after this row.
    pub after: Option<EventId>,
    /// From when on everything is read, or was.
    pub begun: Timestamp,
    /// From when on it was to be read at first. What got into a log before was heard of there.
    pub asked: Timestamp,
}

impl JournalPlace {
    /// Everything from this time on.
    pub const fn since(time: Timestamp) -> Self {
        Self {
            time,
            after: None,
            begun: time,
            asked: time,
        }
    }

    /// The place right behind a row. Whoever reads a page and comes to a row that can not be told now goes on from behind
    /// the last that could: storage that fails one call in twenty would let no whole page pass.
    #[must_use]
    pub const fn behind(self, row: EventId, time: Timestamp) -> Self {
        Self {
            time,
            after: Some(row),
            ..self
        }
    }

    /// Where reading has to go on when it comes to this row: further back, if it says that something older got into the
    /// log late. What was read is read again, which is harmless, since events are state.
    ///
    /// On the way back there are notes of what got into the log before anything was missed: they lead no further, or one
    /// would lead to the next, through a whole day of outages.
    pub fn back_for(self, row: &JournalRecord) -> Option<Self> {
        match row.fact {
            Fact::Late { since } if since < self.begun && row.time >= self.asked => Some(Self {
                asked: self.asked,
                ..Self::since(since)
            }),
            _ => None,
        }
    }
}

/// A page of a journal.
#[derive(Clone, Debug, Default)]
pub struct JournalPage {
    /// The rows.
    pub rows: Vec<(EventId, JournalRecord)>,
    /// Where the next page begins.
    pub next: Option<JournalPlace>,
}

/// Of several rows that say the same to the same audience, the last: each would tell its object as it is now.
pub(crate) fn newest_of_each(rows: Vec<(EventId, JournalRecord)>) -> Vec<(EventId, JournalRecord)> {
    let mut newest: Vec<(EventId, JournalRecord)> = Vec::with_capacity(rows.len());
    for (id, record) in rows.into_iter().rev() {
        let says_the_same = |later: &JournalRecord| later.fact == record.fact && later.audience == record.audience;
        if !newest.iter().any(|(_, later)| says_the_same(later)) {
            newest.push((id, record));
        }
    }
    newest.reverse();
    newest
}

/// Makes the members of threads known whose change is in these rows of a journal: what is told of someone would be told of a
/// time before they came or left. Rows from the first on whose members can not be known now are taken away.
pub(crate) async fn know_members(rights: &dyn Rights, space: SpaceId, rows: &mut Vec<(EventId, JournalRecord)>) {
    for (index, (_, record)) in rows.iter().enumerate() {
        if matches!(record.fact, Fact::Membership { .. }) && rights.recipients(space, &record.audience).await.is_err() {
            rows.truncate(index);
            return;
        }
    }
}

/// Of how many rows of a journal it is looked up at once who is behind them.
pub(crate) const AT_ONCE: usize = 16;

/// How far before a cursor's time the journal is read. What is in the log after the cursor's place has a row of the journal
/// that is at most [`LATE`] older, or a second by another clock; the rest is for an append that takes its time.
pub const JOURNAL_MARGIN: Duration = Duration::from_secs(30);

/// A fact that gets into the log later than this after it was journalled is noted there again, by [`Rights::note_late`].
pub const LATE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use samtale_protocol::ProfileId;

    use super::*;
    use crate::testing::{BEGIN, FAST, FakeRights, SPACE};

    #[tokio::test]
    async fn what_is_told_of_a_member_is_told_by_a_list_as_new_as_that() {
        let rights = FakeRights::default();
        let row = |fact: Fact, version: u64| {
            let audience = Audience::thread(FAST, version);
            let time = Timestamp::saturating(BEGIN + version);
            (EventId::at(time, &[0; 10]), JournalRecord { time, audience, fact })
        };
        let came = Fact::Membership {
            thread: FAST,
            profile: ProfileId::from_bytes([5; 16]),
        };
        let rows = || {
            vec![
                row(Fact::Thread { thread: FAST }, 1),
                row(came.clone(), 2),
                row(came.clone(), 3),
            ]
        };
        let mut known = rows();
        know_members(&rights, SPACE, &mut known).await;
        assert_eq!(known, rows());
        let asked = rights.members_asked.lock().unwrap().clone();
        assert_eq!(asked, [Audience::thread(FAST, 2), Audience::thread(FAST, 3)]);
        rights.members_away.store(true, Ordering::SeqCst);
        know_members(&rights, SPACE, &mut known).await;
        assert_eq!(known, rows()[..1], "what follows is read again later");
    }
}
