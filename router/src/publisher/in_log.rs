//! Which entries a space's log has, as far as they may come again: what is there is not published a second time.

use rustc_hash::FxHashSet;
use samtale_protocol::{EventId, SpaceId, Timestamp};

use crate::log::{Log, LogError, Position, Slice};

/// Entries that are read at once, from the newest backwards.
const CHUNK: u64 = 256;

/// How many are looked through at most. A busy space has some fifty a second, and the journal is read half a minute back.
const MOST: u64 = 8_192;

/// How many are known at most, before the log is looked through anew.
const KNOWN: usize = 65_536;

/// The ids of a log's newest entries, read once and then kept up.
#[derive(Debug, Default)]
pub(super) struct InLog {
    ids: FxHashSet<EventId>,
    /// Up to where the log was read.
    read: Position,
    /// How far back it was.
    since: Option<Timestamp>,
}

impl InLog {
    /// Whether the log has this entry, as far as it was read.
    pub(super) fn contains(&self, id: &EventId) -> bool {
        self.ids.contains(id)
    }

    /// Reads what the log has of `since` and later, and has not been read.
    pub(super) async fn read(&mut self, log: &dyn Log, space: SpaceId, since: Timestamp) -> Result<(), LogError> {
        let Some(head) = log.heads(&[space]).await?.pop() else {
            return Ok(());
        };
        // While a space is published again for hours it would know every entry since.
        if head.epoch != self.read.epoch || self.ids.len() > KNOWN {
            *self = Self::default();
        }
        let is_deep_enough = self.since.is_some_and(|reached| reached <= since);
        let floor = if is_deep_enough { self.read.offset } else { 0 };
        self.read_back(log, space, head, floor.max(head.offset.saturating_sub(MOST)), since)
            .await?;
        self.read = head;
        self.since = Some(self.since.map_or(since, |reached| reached.min(since)));
        Ok(())
    }

    /// Reads from the head back to `floor`, or to where everything is older.
    async fn read_back(
        &mut self,
        log: &dyn Log,
        space: SpaceId,
        head: Position,
        floor: u64,
        since: Timestamp,
    ) -> Result<(), LogError> {
        let mut end = head.offset;
        while end > floor {
            let mut offset = end.saturating_sub(CHUNK).max(floor);
            let entries = loop {
                let count = usize::try_from(end - offset).unwrap_or(usize::MAX);
                match log.read(space, Position { offset, ..head }, count).await? {
                    Slice::Entries(entries) => break entries,
                    // It is trimmed in the middle of what was asked for.
                    Slice::Gone { head: now, trimmed }
                        if now.epoch == head.epoch && (offset..end).contains(&trimmed) =>
                    {
                        if trimmed == offset {
                            return Ok(());
                        }
                        offset = trimmed;
                    }
                    // It has nothing older, or began anew meanwhile.
                    Slice::Gone { .. } => return Ok(()),
                }
            };
            let is_older = entries.iter().all(|(_, entry)| entry.time < since);
            self.ids.extend(entries.iter().map(|(_, entry)| entry.id));
            if is_older && !entries.is_empty() {
                return Ok(());
            }
            end = offset;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::log::Epoch;
    use crate::memory_log::MemoryLog;
    use crate::testing::{AwayLog, SPACE, entry};

    async fn append(log: &MemoryLog, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            log.append(SPACE, &[entry(number, None)]).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_log_is_read_back_to_a_time_and_then_kept_up() {
        let (log, _) = MemoryLog::new(Epoch(1));
        log.keep(10_000);
        append(&log, 1..=2_000).await;
        let mut in_log = InLog::default();
        in_log.read(&log, SPACE, entry(1_200, None).time).await.unwrap();
        let has = |in_log: &InLog, number| in_log.contains(&entry(number, None).id);
        assert!((1_200..=2_000).all(|number| has(&in_log, number)));
        assert!(!has(&in_log, 500), "no further back than it has to");
        append(&log, 2_001..=2_003).await;
        in_log.read(&log, SPACE, entry(1_500, None).time).await.unwrap();
        assert!(has(&in_log, 2_003) && !has(&in_log, 500));
        in_log.read(&log, SPACE, entry(400, None).time).await.unwrap();
        assert!(
            (400..=2_003).all(|number| has(&in_log, number)),
            "asked for more, it reads more"
        );
    }

    #[tokio::test]
    async fn a_log_that_is_away_can_not_be_read() {
        let log = AwayLog::new(MemoryLog::new(Epoch(1)).0);
        append(&log.log, 1..=3).await;
        log.away.store(true, Ordering::SeqCst);
        let mut in_log = InLog::default();
        assert!(in_log.read(log.as_ref(), SPACE, entry(1, None).time).await.is_err());
        log.away.store(false, Ordering::SeqCst);
        in_log.read(log.as_ref(), SPACE, entry(1, None).time).await.unwrap();
        assert!(in_log.contains(&entry(1, None).id));
    }

    #[tokio::test]
    async fn a_log_that_is_trimmed_or_began_anew_has_what_it_has() {
        let (log, _) = MemoryLog::new(Epoch(1));
        append(&log, 1..=600).await;
        log.keep(300);
        append(&log, [601]).await;
        let mut in_log = InLog::default();
        in_log.read(&log, SPACE, entry(1, None).time).await.unwrap();
        let has = |number| in_log.contains(&entry(number, None).id);
        assert!((302..=601).all(has), "and all of what it has");
        assert!(!has(1));
        log.lose(Epoch(2));
        append(&log, [602]).await;
        in_log.read(&log, SPACE, entry(1, None).time).await.unwrap();
        assert!(in_log.contains(&entry(602, None).id) && !in_log.contains(&entry(601, None).id));
    }
}
