//! What a node knows of one space's log: how far it has come, what it waits for. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use samtale_protocol::{ThreadId, Timestamp};

use crate::delivery::Safe;
use crate::log::{LogEntry, Position};
use crate::told::Told;

/// How many entries of a space wait for their threads' members: some 4 MB. Beyond it they are read from the journal again
/// once storage answers, and until then the other threads of the space wait with them.
pub const HELD: usize = 4_096;

/// What to do with a published entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is the next one: hand it on.
    HandOn,
    /// It was handed on before.
    Ignore,
    /// Some are missing before it: read them from the log.
    Fill,
    /// The log began anew: bridge from the journal.
    Bridge,
}

/// One followed space.
#[derive(Debug)]
pub struct Followed {
    /// The last entry that was taken from the log.
    pub seen: Position,
    /// The time of the newest one.
    pub time: Timestamp,
    /// Whether entries are being read from the log or the journal; what is published meanwhile is read too.
    pub filling: bool,
    /// Whether something was published while entries were being read: it may be after what was read.
    pub missed: bool,
    /// When something last happened.
    pub busy_at: Timestamp,
    /// Sessions and others that want the space.
    pub listeners: usize,
    /// What was handed over from the log.
    pub told: Told,
    /// Entries that wait for their thread's list of members, by thread; later ones of the thread wait behind.
    waiting: FxHashMap<ThreadId, VecDeque<(u64, Arc<LogEntry>)>>,
    /// Their offsets, with the newest time that was delivered before each.
    held: BTreeMap<u64, Timestamp>,
}

impl Followed {
    /// A space whose log is at `head`.
    pub fn new(head: Position, now: Timestamp) -> Self {
        Self {
            seen: head,
            time: now,
            filling: false,
            missed: false,
            busy_at: now,
            listeners: 0,
            told: Told::default(),
            waiting: FxHashMap::default(),
            held: BTreeMap::new(),
        }
    }

    /// Decides what a published entry at `position`, or a head there, means.
    pub fn step(&self, position: Position) -> Step {
        if position.epoch != self.seen.epoch {
            Step::Bridge
        } else if position.offset <= self.seen.offset {
            Step::Ignore
        } else if position.offset == self.seen.offset + 1 {
            Step::HandOn
        } else {
            Step::Fill
        }
    }

    /// Takes the entry at `offset`.
    pub fn advance(&mut self, offset: u64, entry: &LogEntry, now: Timestamp) {
        self.seen.offset = offset;
        self.time = self.time.max(entry.time);
        self.busy_at = now;
    }

    /// Goes on at `head` of a log that began anew. What waited stood in the journal too, and was told from there.
    ///
    /// Its time is when the log stood there, not that of the newest row: what came to the journal's last minute after its
    /// page was read is after this place of the log.
    pub fn begin_anew(&mut self, head: Safe) {
        self.seen = head.position;
        self.time = self.time.max(head.time);
        self.filling = false;
        self.waiting.clear();
        self.held.clear();
    }

    /// Up to where everything was delivered.
    pub fn safe(&self) -> Safe {
        match self.held.first_key_value() {
            Some((offset, time)) => Safe {
                position: Position {
                    epoch: self.seen.epoch,
                    offset: offset - 1,
                },
                time: *time,
            },
            None => Safe {
                position: self.seen,
                time: self.time,
            },
        }
    }

    /// Whether something was published since the last read began.
    pub fn take_missed(&mut self) -> bool {
        std::mem::take(&mut self.missed)
    }

    /// Whether entries of this thread wait; a new one has to wait behind them.
    pub fn is_waiting(&self, thread: ThreadId) -> bool {
        self.waiting.contains_key(&thread)
    }

    /// Holds an entry back until its thread's members are known. `before` is the newest time delivered before it.
    pub fn hold(&mut self, thread: ThreadId, offset: u64, entry: Arc<LogEntry>, before: Timestamp) {
        self.waiting.entry(thread).or_default().push_back((offset, entry));
        self.held.insert(offset, before);
    }

    /// Whether as much is held back as a node keeps in memory.
    pub fn is_overfull(&self) -> bool {
        self.held.len() >= HELD
    }

    /// The first entry that waits in a thread.
    pub fn first_waiting(&self, thread: ThreadId) -> Option<&(u64, Arc<LogEntry>)> {
        self.waiting.get(&thread)?.front()
    }

    /// Lets the first entry of a thread go.
    pub fn release(&mut self, thread: ThreadId) {
        if let Some(queue) = self.waiting.get_mut(&thread) {
            if let Some((offset, _)) = queue.pop_front() {
                self.held.remove(&offset);
            }
            if queue.is_empty() {
                self.waiting.remove(&thread);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Epoch;
    use crate::testing::{BEGIN, FAST, SLOW, entry};

    const fn at(epoch: u64, offset: u64) -> Position {
        Position {
            epoch: Epoch(epoch),
            offset,
        }
    }

    fn followed() -> Followed {
        Followed::new(at(1, 4), Timestamp::saturating(BEGIN))
    }

    #[test]
    fn a_position_says_what_to_do() {
        let space = followed();
        assert_eq!(space.step(at(1, 4)), Step::Ignore);
        assert_eq!(space.step(at(1, 1)), Step::Ignore);
        assert_eq!(space.step(at(1, 5)), Step::HandOn);
        assert_eq!(space.step(at(1, 6)), Step::Fill);
        assert_eq!(space.step(at(2, 5)), Step::Bridge);
        assert_eq!(space.step(at(0, 1)), Step::Bridge);
    }

    fn take(space: &mut Followed, offset: u64, held_in: Option<ThreadId>) {
        let (entry, before) = (entry(offset, held_in), space.time);
        space.advance(offset, &entry, entry.time);
        if let Some(thread) = held_in {
            space.hold(thread, offset, entry, before);
        }
    }

    #[test]
    fn a_cursor_stops_before_the_first_entry_that_is_held() {
        let mut space = followed();
        take(&mut space, 5, None);
        let before = space.safe();
        assert_eq!(before.position, at(1, 5));
        take(&mut space, 6, Some(SLOW));
        take(&mut space, 7, Some(FAST));
        take(&mut space, 8, Some(SLOW));
        take(&mut space, 9, None);
        assert_eq!(space.safe(), before);
        space.release(FAST);
        assert_eq!(space.safe(), before, "an older one is still held");
        assert!(space.is_waiting(SLOW) && !space.is_waiting(FAST));
        assert_eq!(space.first_waiting(SLOW).map(|(offset, _)| *offset), Some(6));
        space.release(SLOW);
        assert_eq!(space.safe().position, at(1, 7));
        assert_eq!(space.safe().time, entry(7, None).time);
        space.release(SLOW);
        assert_eq!(space.safe().position, at(1, 9));
        assert_eq!(space.safe().time, entry(9, None).time);
    }

    #[test]
    fn a_new_epoch_waits_for_nothing_of_the_old_one() {
        let mut space = followed();
        take(&mut space, 5, Some(SLOW));
        space.begin_anew(Safe {
            position: at(2, 1),
            time: Timestamp::default(),
        });
        assert_eq!(space.safe().position, at(2, 1));
        assert!(!space.is_waiting(SLOW));
    }
}
