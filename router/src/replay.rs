//! What one person missed in one space: answered from the log, beyond it from the journal, or said to be unknown.

use std::sync::Arc;

use samtale_protocol::time::Clock;
use samtale_protocol::{PersonId, ServerFrame, SpaceId, Timestamp};
use samtale_storage::schema::JOURNAL_LIFETIME;

use crate::log::{Log, Position, Slice};
use crate::rights::{JOURNAL_MARGIN, JournalPlace, Rights, RightsError};

/// How many entries are read at once.
const PAGE: usize = 128;

/// A client's place in one space, as its cursor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CursorPlace {
    /// The space.
    pub space: SpaceId,
    /// The place in its log.
    pub position: Position,
    /// The time of the newest event up to there.
    pub time: Timestamp,
}

/// From where a replay goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayFrom {
    /// After this place of the log; if the log does not reach back, from the journal of this time.
    Log {
        /// The place.
        position: Position,
        /// The time of the newest event up to there.
        time: Timestamp,
    },
    /// From the journal, then from the log.
    Journal {
        /// The place in the journal.
        place: JournalPlace,
        /// Where the log goes on.
        then: Position,
        /// When the log stood there. Not the time of the newest row: of the minute that is now, a page has only what was
        /// there when it was read, and the rest is after `then`.
        time: Timestamp,
    },
}

/// A piece of a replay.
#[derive(Debug)]
pub enum ReplayPage {
    /// Some events, and where it goes on.
    Events {
        /// The frames, in order.
        frames: Vec<ServerFrame>,
        /// Where it goes on.
        next: ReplayFrom,
    },
    /// The last events: the person has everything up to `position`.
    Reached {
        /// The frames, in order.
        frames: Vec<ServerFrame>,
        /// Where the log stands.
        position: Position,
    },
    /// The journal does not reach back so far: the client must ask for what it shows.
    Resync,
}

/// Replays.
#[derive(Clone)]
pub struct Replay {
    log: Arc<dyn Log>,
    rights: Arc<dyn Rights>,
    clock: Arc<dyn Clock>,
}

impl Replay {
    /// A replay from `log` and the journal behind `rights`.
    pub fn new(log: Arc<dyn Log>, rights: Arc<dyn Rights>, clock: Arc<dyn Clock>) -> Self {
        Self { log, rights, clock }
    }

    /// The next piece of what `person` missed in `space`.
    pub async fn page(&self, space: SpaceId, person: PersonId, from: ReplayFrom) -> Result<ReplayPage, RightsError> {
        match from {
            ReplayFrom::Log { position, time } => self.from_log(space, person, position, time).await,
            ReplayFrom::Journal { place, then, time } => self.from_journal(space, person, place, then, time).await,
        }
    }

    async fn from_log(
        &self,
        space: SpaceId,
        person: PersonId,
        position: Position,
        time: Timestamp,
    ) -> Result<ReplayPage, RightsError> {
        let slice = self.log.read(space, position, PAGE).await;
        let entries = match slice.map_err(|error| RightsError {
            reason: error.to_string(),
        })? {
            Slice::Entries(entries) => entries,
            Slice::Gone { head } => {
                if self.clock.now().since(time) + JOURNAL_MARGIN >= JOURNAL_LIFETIME {
                    return Ok(ReplayPage::Resync);
                }
                let place = JournalPlace {
                    time: time.minus(JOURNAL_MARGIN),
                    after: None,
                };
                let next = ReplayFrom::Journal {
                    place,
                    then: head,
                    time: self.clock.now(),
                };
                return Ok(ReplayPage::Events {
                    frames: Vec::new(),
                    next,
                });
            }
        };
        let mut frames = Vec::new();
        let (mut reached, mut newest) = (position.offset, time);
        let full = entries.len() == PAGE;
        for (offset, entry) in entries {
            (reached, newest) = (offset, newest.max(entry.time));
            let Some(event) = entry.event.clone() else { continue };
            if self.rights.permits(space, person, &entry.audience, entry.time).await? {
                frames.push(ServerFrame::Event {
                    space,
                    id: entry.id,
                    event,
                });
            }
        }
        let position = Position {
            epoch: position.epoch,
            offset: reached,
        };
        Ok(if full {
            ReplayPage::Events {
                frames,
                next: ReplayFrom::Log { position, time: newest },
            }
        } else {
            ReplayPage::Reached { frames, position }
        })
    }

    async fn from_journal(
        &self,
        space: SpaceId,
        person: PersonId,
        place: JournalPlace,
        then: Position,
        time: Timestamp,
    ) -> Result<ReplayPage, RightsError> {
        let page = self.rights.journal(space, place).await?;
        let mut frames = Vec::new();
        for (id, record) in page.rows {
            if !self
                .rights
                .permits(space, person, &record.audience, record.time)
                .await?
            {
                continue;
            }
            if let Some(event) = self.rights.event_of(space, &record).await? {
                frames.push(ServerFrame::Event { space, id, event });
            }
        }
        let next = match page.next {
            Some(place) => ReplayFrom::Journal { place, then, time },
            None => ReplayFrom::Log { position: then, time },
        };
        Ok(ReplayPage::Events { frames, next })
    }
}
