//! Facts: into the journal first, then to the router. And the journal's pages, for whoever missed them.

use std::ops::Bound;

use samtale_protocol::{Audience, Event, EventId, SpaceId, Timestamp};
use samtale_router::{JournalPage, JournalPlace, LogEntry, Rights};
use samtale_storage::journal::{
    Fact, JournalMinuteRecord, JournalRecord, MINUTES_PER_DAY, day_partition, journal_key, minute, minute_key,
    minute_partition,
};
use samtale_storage::{KeyValue, Range, StorageError};

use crate::directory::id_at;
use crate::school::School;

/// Rows of the journal that make a page.
const PAGE: usize = 200;

impl School {
    /// Writes a fact into the space's journal. What comes back is for [`School::publish`], once all that belongs to the
    /// fact is stored.
    pub(crate) async fn journal(
        &self,
        space: SpaceId,
        fact: Fact,
        event: Option<Event>,
        audience: Audience,
    ) -> Result<LogEntry, StorageError> {
        let time = self.now();
        let id = self.event_id(time);
        let record = JournalRecord {
            time,
            audience: audience.clone(),
            fact: fact.clone(),
        };
        let row = self.store.put(journal_key(space, time, id), &record, time.as_micros());
        let minute = minute(time);
        if self.memory().journal_minutes.get(&space) == Some(&minute) {
            row.await?;
        } else {
            let index = self
                .store
                .put(minute_key(space, minute), &JournalMinuteRecord {}, time.as_micros());
            let (row, index) = tokio::join!(row, index);
            row.and(index)?;
            self.memory().journal_minutes.insert(space, minute);
        }
        Ok(LogEntry {
            id,
            time,
            audience,
            fact,
            event,
        })
    }

    /// Hands a journalled fact to the router.
    pub(crate) fn publish(&self, space: SpaceId, entry: LogEntry) {
        self.publisher.publish(space, entry);
    }

    /// Journals a fact and hands it to the router.
    pub async fn tell(
        &self,
        space: SpaceId,
        fact: Fact,
        event: Option<Event>,
        audience: Audience,
    ) -> Result<(), StorageError> {
        let entry = self.journal(space, fact, event, audience).await?;
        if matches!(entry.fact, Fact::Directory { .. } | Fact::Profiles { .. }) {
            // Rights that change hold here at once, also while nobody listens to the space.
            self.observe(space, &entry);
        }
        self.publish(space, entry);
        Ok(())
    }

    /// A page of a space's journal.
    pub(crate) async fn journal_page(&self, space: SpaceId, from: JournalPlace) -> Result<JournalPage, StorageError> {
        // A little ahead: the journal may hold rows of a node whose clock is ahead of ours.
        let last = minute(self.now()) + 1;
        let mut at = minute(from.time);
        let mut after = from.after;
        while at <= last {
            let Some(next) = self.next_minute(space, at, last).await? else {
                break;
            };
            if next > at {
                after = None;
            }
            at = next;
            let mut range = Range::all(PAGE);
            if let Some(after) = after {
                range = range.after(vec![after.into()]);
            } else if at == minute(from.time) {
                range.from = Bound::Included(vec![EventId::at(from.time, &[0; 10]).into()]);
            }
            let page = self
                .store
                .scan::<JournalRecord>(&minute_partition(space, at), &range)
                .await?;
            let rows: Vec<(EventId, JournalRecord)> = page
                .records
                .into_iter()
                .map(|stored| (EventId::from_bytes(id_at(&stored.clustering, 0)), stored.record))
                .collect();
            if !rows.is_empty() {
                let next = match rows.last() {
                    Some((id, record)) if page.more => from.behind(*id, record.time),
                    _ => JournalPlace {
                        time: minute_start(at + 1),
                        after: None,
                        ..from
                    },
                };
                let next = (page.more || at < last).then_some(next);
                return Ok(JournalPage { rows, next });
            }
            at += 1;
            after = None;
        }
        Ok(JournalPage::default())
    }

    /// The first minute from `from` on that has rows, up to `last`.
    async fn next_minute(&self, space: SpaceId, from: u64, last: u64) -> Result<Option<u64>, StorageError> {
        for day in from / MINUTES_PER_DAY..=last / MINUTES_PER_DAY {
            let mut range = Range::all(1);
            range.from = Bound::Included(vec![from.into()]);
            let page = self
                .store
                .scan::<JournalMinuteRecord>(&day_partition(space, day), &range)
                .await?;
            if let Some(KeyValue::Number(minute)) = page.records.first().and_then(|row| row.clustering.first()) {
                return Ok(Some(*minute).filter(|minute| *minute <= last));
            }
        }
        Ok(None)
    }
}

const fn minute_start(minute: u64) -> Timestamp {
    Timestamp::saturating(minute * 60_000)
}
