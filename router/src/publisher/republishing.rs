//! What is missing in a space's log, and is published again from the journal: a mark per space, worked off page by page.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use samtale_protocol::{SpaceId, Timestamp};
use samtale_storage::journal::Fact;

use super::in_log::InLog;
use super::{Backlog, Publisher, RETRY};
use crate::log::LogEntry;
use crate::metered;
use crate::rights::{JOURNAL_MARGIN, JournalPlace, Rights, know_members};

/// What of a space's journal is to be published again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Republish {
    /// Everything from here on.
    place: JournalPlace,
    /// And then from here, asked for since the page at `place` began to be read: it may lack what is asked for. Not before
    /// the end: if every fact asks for the half minute before it, nothing would ever be told that is newer.
    again: Option<JournalPlace>,
}

impl Republish {
    /// From when on something may be missing in the log.
    pub(super) fn since(&self) -> Timestamp {
        self.again
            .map_or(self.place.time, |again| again.time.min(self.place.time))
    }

    /// What is left once the page at `place` is published and the next would begin at `next`.
    fn after_page(self, next: Option<JournalPlace>) -> Option<Self> {
        match next {
            Some(place) => Some(Self { place, ..self }),
            None => self.again.map(|place| Self { place, again: None }),
        }
    }
}

impl Publisher {
    pub(super) async fn republish_all(&self, rights: &dyn Rights) {
        let mut in_logs: FxHashMap<SpaceId, InLog> = FxHashMap::default();
        loop {
            let marks = self.take_marks();
            if marks.is_empty() {
                self.shared.wake_republishing.notified().await;
                continue;
            }
            let mut failed = false;
            for (space, place) in marks {
                // One space whose journal can not be read does not hold back the others.
                let in_log = in_logs.entry(space).or_default();
                match self.republish_page(space, place, rights, in_log).await {
                    Ok(next) => {
                        if !self.republished(space, next) {
                            in_logs.remove(&space);
                        }
                    }
                    Err(()) => failed = true,
                }
            }
            if failed {
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    /// Publishes a page of the journal again, as far as it can be read now; says where it goes on.
    async fn republish_page(
        &self,
        space: SpaceId,
        place: JournalPlace,
        rights: &dyn Rights,
        in_log: &mut InLog,
    ) -> Result<Option<JournalPlace>, ()> {
        let page = rights.journal(space, place).await.map_err(drop)?;
        // What can not be read of the log is published again, which is harmless.
        if in_log.read(self.shared.log.as_ref(), space, place.begun).await.is_err() {
            *in_log = InLog::default();
        }
        let mut next = page.next;
        let mut rows = page.rows;
        rows.retain(|(id, record)| !matches!(record.fact, Fact::Late { .. }) && !in_log.contains(id));
        let asked = rows.len();
        know_members(rights, space, &mut rows).await;
        let facts: Vec<&Fact> = rows.iter().map(|(_, record)| &record.fact).collect();
        let events = rights.events_of(space, &facts).await.map_err(drop)?;
        if events.len() < asked {
            let last = events.len().checked_sub(1).and_then(|last| rows.get(last));
            let (id, record) = last.ok_or(())?;
            next = Some(place.behind(*id, record.time));
        }
        // A fact may be in the journal before what it tells of is stored. Published without that, it would be in the log, and
        // whoever stores it and then publishes it would take it for told.
        let told = rows.into_iter().zip(events);
        let told = told.filter(|((_, record), event)| event.is_some() || !record.fact.has_event());
        let entries: Vec<Arc<LogEntry>> = told
            .map(|((id, record), event)| {
                Arc::new(LogEntry {
                    id,
                    time: record.time,
                    audience: record.audience,
                    fact: record.fact,
                    event,
                })
            })
            .collect();
        self.append(space, &entries, 0, rights).await.map_err(drop)?;
        metered::count_republished(entries.len());
        Ok(next)
    }

    /// The places whose pages are read next. What is asked for from now on is asked for again.
    fn take_marks(&self) -> Vec<(SpaceId, JournalPlace)> {
        let mut backlog = self.lock();
        let marks = backlog.republish.iter_mut().map(|(space, mark)| {
            // A later one is read on the way from the place.
            mark.again = mark
                .again
                .filter(|again| again.time <= mark.place.time && *again != mark.place);
            (*space, mark.place)
        });
        marks.collect()
    }

    /// A page of the space is published again; it would go on at `next`. Returns whether anything is left.
    fn republished(&self, space: SpaceId, next: Option<JournalPlace>) -> bool {
        let mut backlog = self.lock();
        let left = backlog.republish.get(&space).and_then(|mark| mark.after_page(next));
        match left {
            Some(left) => backlog.republish.insert(space, left),
            None => backlog.republish.remove(&space),
        };
        left.is_some()
    }

    /// Something of a space is missing in its log, from a time on.
    pub(super) fn mark(&self, backlog: &mut Backlog, space: SpaceId, since: Timestamp) {
        let place = JournalPlace::since(since.minus(JOURNAL_MARGIN));
        let mark = backlog
            .republish
            .entry(space)
            .or_insert(Republish { place, again: None });
        let earliest = mark.again.filter(|again| again.time <= place.time);
        mark.again = Some(earliest.unwrap_or(place));
        self.shared.wake_republishing.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::entry;

    #[test]
    fn what_is_asked_for_while_a_page_is_read_is_read_again() {
        let at = |number: u64| JournalPlace::since(entry(number, None).time);
        let busy = |again: Option<u64>| Republish {
            place: at(5),
            again: again.map(at),
        };
        let left = |again, next: Option<u64>| busy(again).after_page(next.map(at)).map(|left| left.place);
        assert_eq!(left(None, None), None);
        assert_eq!(left(None, Some(9)), Some(at(9)));
        assert_eq!(left(Some(7), None), Some(at(7)), "the page may have been read before");
        assert_eq!(left(Some(2), None), Some(at(2)));
        assert_eq!(left(Some(7), Some(9)), Some(at(9)), "first to the end");
        let on_the_way = busy(Some(2)).after_page(Some(at(9)));
        assert_eq!(on_the_way.and_then(|left| left.again), Some(at(2)));
        assert_eq!(on_the_way.map(|left| left.since()), Some(at(2).time));
    }
}
