//! What one person missed in one space: answered from the log, beyond it from the journal, or said to be unknown.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use samtale_protocol::time::Clock;
use samtale_protocol::{EventId, PersonId, ServerFrame, SpaceId, Timestamp};
use samtale_storage::journal::{Fact, JournalRecord};
use samtale_storage::schema::JOURNAL_LIFETIME;

use crate::log::{Log, Position, Slice};
use crate::metered;
use crate::rights::{AT_ONCE, JOURNAL_MARGIN, JournalPlace, Rights, RightsError, newest_of_each};

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
            ReplayFrom::Log { position, time } => self.log_page(space, person, position, time).await,
            ReplayFrom::Journal { place, then, time } => self.journal_page(space, person, place, then, time).await,
        }
    }

    async fn log_page(
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
            Slice::Gone { head, .. } => {
                if self.clock.now().since(time) + JOURNAL_MARGIN >= JOURNAL_LIFETIME {
                    metered::count_replay("resync");
                    return Ok(ReplayPage::Resync);
                }
                metered::count_replay("beyond_log");
                let place = JournalPlace::since(time.minus(JOURNAL_MARGIN));
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
            // The router may not have come so far. A directory that it has not heard of yet decides about what comes after.
            if matches!(entry.fact, Fact::Directory { .. }) {
                self.rights.observe(space, &entry);
            }
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

    async fn journal_page(
        &self,
        space: SpaceId,
        person: PersonId,
        place: JournalPlace,
        then: Position,
        time: Timestamp,
    ) -> Result<ReplayPage, RightsError> {
        let page = self.rights.journal(space, place).await?;
        let (mut on, mut rows) = (page.next, page.rows);
        if let Some(back) = rows.iter().position(|(_, record)| place.back_for(record).is_some()) {
            on = place.back_for(&rows[back].1);
            rows.truncate(back);
        }
        let rows = newest_of_each(rows);
        let (frames, told) = self.frames_of(space, person, &rows).await?;
        if told < rows.len() {
            // Without one it would go on behind the page, and what is on it would be missing.
            let last = told.checked_sub(1).and_then(|last| rows.get(last));
            let (id, record) = last.ok_or_else(|| RightsError {
                reason: "no row of the page was told".to_owned(),
            })?;
            on = Some(place.behind(*id, record.time));
        }
        let next = match on {
            Some(place) => ReplayFrom::Journal { place, then, time },
            None => ReplayFrom::Log { position: then, time },
        };
        Ok(ReplayPage::Events { frames, next })
    }

    /// What rows of the journal say to `person` now, and how many rows that is: those before the first that can not be told
    /// now. An error when that is the first of all.
    async fn frames_of(
        &self,
        space: SpaceId,
        person: PersonId,
        rows: &[(EventId, JournalRecord)],
    ) -> Result<(Vec<ServerFrame>, usize), RightsError> {
        let asked = rows
            .iter()
            .map(|(_, record)| self.rights.permits(space, person, &record.audience, record.time));
        let mut permitted = stream::iter(asked).buffered(AT_ONCE);
        let (mut told, mut theirs) = (0, Vec::new());
        while let Some(permits) = permitted.next().await {
            match permits {
                Ok(true) => theirs.push(told),
                Ok(false) => {}
                Err(error) if told == 0 => return Err(error),
                Err(_) => break,
            }
            told += 1;
        }
        let facts: Vec<&Fact> = theirs.iter().map(|row| &rows[*row].1.fact).collect();
        let events = match self.rights.events_of(space, &facts).await {
            Err(error) if theirs.first() == Some(&0) => return Err(error),
            events => events.unwrap_or_default(),
        };
        let told = theirs.get(events.len()).copied().unwrap_or(told);
        let frames = theirs.iter().zip(events).filter_map(|(row, event)| {
            let (id, event) = (rows[*row].0, event?);
            Some(ServerFrame::Event { space, id, event })
        });
        Ok((frames.collect(), told))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use samtale_protocol::{Audience, Event};

    use super::*;
    use crate::log::{Epoch, LogEntry};
    use crate::memory_log::MemoryLog;
    use crate::testing::{ANNA, BEGIN, FakeRights, SPACE, TestClock, entry};

    struct Rig {
        log: Arc<MemoryLog>,
        rights: Arc<FakeRights>,
        clock: Arc<TestClock>,
        replay: Replay,
    }

    async fn rig(entries: u64) -> Rig {
        let (log, _) = MemoryLog::new(Epoch(1));
        let (log, rights, clock) = (Arc::new(log), Arc::new(FakeRights::default()), TestClock::new());
        for number in 1..=entries {
            let entry = entry(number, None);
            rights.write(&entry);
            log.append(SPACE, &[entry]).await.unwrap();
        }
        clock.0.store(BEGIN + entries * 1_000, Ordering::SeqCst);
        let replay = Replay::new(Arc::clone(&log) as _, Arc::clone(&rights) as _, Arc::clone(&clock) as _);
        Rig {
            log,
            rights,
            clock,
            replay,
        }
    }

    impl Rig {
        /// Everything after entry `seen` of `epoch`: the numbers of its events, or `None` for a resync.
        async fn after(&self, epoch: u64, seen: u64) -> Option<Vec<u64>> {
            let mut from = ReplayFrom::Log {
                position: Position {
                    epoch: Epoch(epoch),
                    offset: seen,
                },
                time: entry(seen, None).time,
            };
            let mut numbers = Vec::new();
            loop {
                let Ok(page) = self.replay.page(SPACE, ANNA, from).await else {
                    continue;
                };
                let (frames, next) = match page {
                    ReplayPage::Events { frames, next } => (frames, Some(next)),
                    ReplayPage::Reached { frames, .. } => (frames, None),
                    ReplayPage::Resync => return None,
                };
                numbers.extend(frames.iter().filter_map(|frame| match frame {
                    ServerFrame::Event {
                        event: Event::Directory { version },
                        ..
                    } => Some(*version),
                    _ => None,
                }));
                match next {
                    Some(next) => from = next,
                    None => return Some(numbers),
                }
            }
        }
    }

    #[tokio::test]
    async fn what_was_missed_comes_from_the_log_page_by_page() {
        let rig = rig(300).await;
        assert_eq!(rig.after(1, 7).await, Some((8..=300).collect()));
        assert_eq!(
            rig.rights.directory.load(Ordering::SeqCst),
            300,
            "what is read is heard of"
        );
        assert_eq!(rig.after(1, 300).await, Some(Vec::new()));
        rig.rights.forbids.store(true, Ordering::SeqCst);
        assert_eq!(
            rig.after(1, 7).await,
            Some(Vec::new()),
            "every entry passes the audience"
        );
    }

    #[tokio::test]
    async fn beyond_a_trimmed_log_and_in_a_new_epoch_it_comes_from_the_journal() {
        let rig = rig(100).await;
        rig.log.keep(10);
        rig.log.append(SPACE, &[entry(101, None)]).await.unwrap();
        rig.rights.write(&entry(101, None));
        // From the margin before the cursor's time on: told twice is harmless.
        let numbers = rig.after(1, 50).await.unwrap();
        assert!((51..=101).all(|number| numbers.contains(&number)), "{numbers:?}");
        rig.log.lose(Epoch(2));
        let numbers = rig.after(1, 90).await.unwrap();
        assert!((91..=101).all(|number| numbers.contains(&number)), "{numbers:?}");
    }

    #[tokio::test]
    async fn what_got_into_a_log_late_is_found_after_that_log_is_gone() {
        let rig = rig(100).await;
        let note = LogEntry {
            id: EventId::at(entry(90, None).time, &[1; 10]),
            fact: Fact::Late {
                since: entry(3, None).time,
            },
            audience: Audience::default(),
            ..LogEntry::clone(&entry(90, None))
        };
        rig.rights.write(&note);
        rig.log.lose(Epoch(2));
        let numbers = rig.after(1, 95).await.unwrap();
        assert!((3..=100).all(|number| numbers.contains(&number)), "{numbers:?}");
        assert!(!numbers.contains(&2), "no further back than it has to: {numbers:?}");
    }

    #[tokio::test]
    async fn one_late_entry_leads_to_no_other() {
        let rig = rig(200).await;
        for (at, since) in [(190, 120), (125, 60), (65, 3)] {
            let note = LogEntry {
                id: EventId::at(entry(at, None).time, &[1; 10]),
                fact: Fact::Late {
                    since: entry(since, None).time,
                },
                audience: Audience::default(),
                ..LogEntry::clone(&entry(at, None))
            };
            rig.rights.write(&note);
        }
        rig.log.lose(Epoch(2));
        let numbers = rig.after(1, 195).await.unwrap();
        assert!((120..=200).all(|number| numbers.contains(&number)), "{numbers:?}");
        assert!(
            !numbers.contains(&119),
            "the others were late before anything was missed: {numbers:?}"
        );
    }

    #[tokio::test]
    async fn a_row_that_can_not_be_told_now_ends_the_page_and_not_the_replay() {
        let rig = rig(40).await;
        rig.log.lose(Epoch(2));
        rig.rights.fails_every.store(2, Ordering::SeqCst);
        let numbers = rig.after(1, 35).await.unwrap();
        assert!((36..=40).all(|number| numbers.contains(&number)), "{numbers:?}");
    }

    #[tokio::test]
    async fn beyond_the_journal_the_client_is_told_to_ask_anew() {
        let rig = rig(3).await;
        let lifetime = u64::try_from(JOURNAL_LIFETIME.as_millis()).unwrap();
        rig.clock.0.store(BEGIN + lifetime, Ordering::SeqCst);
        assert_eq!(rig.after(1, 1).await, Some(vec![2, 3]), "the log still reaches");
        rig.log.lose(Epoch(2));
        assert_eq!(rig.after(1, 1).await, None);
    }
}
