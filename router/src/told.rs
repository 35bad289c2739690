//! Which entries of a log the sessions of this node have: when the log begins anew, the journal tells the others only.

use std::collections::VecDeque;
use std::time::Duration;

use rustc_hash::FxHashSet;
use samtale_protocol::{EventId, Timestamp};

/// How many entries of a space are remembered: some 100 KB.
const TOLD: usize = 4_096;

/// For how long they are. A journal is read back for half a minute, or for as long as something was late.
const KEPT: Duration = Duration::from_mins(10);

/// The newest entries of one space that were handed over from its log.
///
/// Only what stood in the log counts. A session that catches up is not given what is handed over meanwhile: it reads the
/// log up to there before it counts as live, or the journal, if the log is gone. What was told without having a place in
/// the log (by the node that wrote it, or from the journal) it may come to know in no other way than by being told again.
#[derive(Debug, Default)]
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
        let is_old = |(_, at): &(EventId, Timestamp)| now.since(*at) > KEPT;
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
        let kept = u64::try_from(KEPT.as_millis()).unwrap();
        told.add(entry(last + 1, None).id, Timestamp::saturating(BEGIN + kept));
        told.forget(Timestamp::saturating(BEGIN + kept + 1));
        assert_eq!(told.ids(), FxHashSet::from_iter([entry(last + 1, None).id]));
    }
}
