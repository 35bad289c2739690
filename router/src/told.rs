//! Which entries of a log the sessions of this node have: when the log begins anew, the journal tells the others only.

use std::collections::VecDeque;
use std::time::Duration;

use rustc_hash::FxHashSet;
use samtale_protocol::{EventId, Timestamp};

/// How many entries of a space are remembered: some 100 KB.
const TOLD: usize = 4_096;

/// For how long they are, beside the newest of them. A journal is read back for half a minute, and a little for clocks.
const RECENT: Duration = Duration::from_mins(2);

/// For how long they are at all: a log that is away for longer than this is bridged as if nothing had been told.
const KEPT: Duration = Duration::from_mins(10);

/// How far the clocks of nodes and logs may be apart.
const CLOCKS_APART: Duration = Duration::from_secs(2);

/// The newest entries of one space that were handed over from its log.
///
/// Only what stood in the log counts. A session that catches up is not given what is handed over meanwhile: it reads the
/// log up to there before it counts as live, or the journal, if the log is gone. What was told without having a place in
/// the log (by the node that wrote it, or from the journal) it may come to know in no other way than by being told again.
#[derive(Clone, Debug, Default)]
pub struct Told {
    entries: VecDeque<(EventId, Timestamp)>,
}

impl Told {
    /// An entry of the log was handed over.
    pub fn add(&mut self, id: EventId, now: Timestamp) {
        if self.entries.len() == TOLD {
            self.entries.pop_front();
        }
        self.entries.push_back((id, now));
    }

    /// Forgets what was handed over long ago.
    pub fn forget(&mut self, now: Timestamp) {
        let newest = self.entries.back().map_or(now, |(_, at)| *at);
        let is_old = |(_, at): &(EventId, Timestamp)| newest.since(*at) > RECENT || now.since(*at) > KEPT;
        while self.entries.front().is_some_and(is_old) {
            self.entries.pop_front();
        }
        if self.entries.is_empty() {
            self.entries.shrink_to_fit();
        }
    }

    /// Those that are remembered.
    pub fn ids(&self) -> FxHashSet<EventId> {
        self.entries.iter().map(|(id, _)| *id).collect()
    }

    /// Those that were handed over before another log began. A log that was left while others used the next one already
    /// (a deposed master) may have told of what nobody finds in either.
    pub fn ids_before(&self, begun: Timestamp) -> FxHashSet<EventId> {
        let before = self.entries.iter().filter(|(_, at)| at.plus(CLOCKS_APART) < begun);
        before.map(|(id, _)| *id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{BEGIN, entry};

    #[test]
    fn as_many_as_fit_are_remembered_and_for_as_long_as_they_are_of_use() {
        let mut told = Told::default();
        let last = TOLD as u64 + 10;
        for number in 1..=last {
            told.add(entry(number, None).id, Timestamp::saturating(BEGIN));
        }
        let ids = told.ids();
        assert_eq!(ids.len(), TOLD);
        assert!(!ids.contains(&entry(10, None).id) && ids.contains(&entry(11, None).id));
        let recent = u64::try_from(RECENT.as_millis()).unwrap();
        told.add(entry(last + 1, None).id, Timestamp::saturating(BEGIN + recent + 1));
        told.forget(Timestamp::saturating(BEGIN + recent + 1));
        assert_eq!(told.ids(), FxHashSet::from_iter([entry(last + 1, None).id]));
        let kept = u64::try_from(KEPT.as_millis()).unwrap();
        told.forget(Timestamp::saturating(BEGIN + recent + kept + 2));
        assert!(told.ids().is_empty());
    }

    #[test]
    fn what_was_told_after_another_log_began_does_not_count_for_it() {
        let mut told = Told::default();
        for second in [0, 5, 9, 11] {
            told.add(entry(second, None).id, Timestamp::saturating(BEGIN + second * 1_000));
        }
        let before = told.ids_before(Timestamp::saturating(BEGIN + 10_000));
        assert_eq!(before, FxHashSet::from_iter([entry(0, None).id, entry(5, None).id]));
    }
}
