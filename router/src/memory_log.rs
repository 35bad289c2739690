//! The log in process: for one node, and shared by several nodes in simulation.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rustc_hash::{FxHashMap, FxHashSet};
use samtale_protocol::{Event, SpaceId};
use tokio::sync::mpsc;

use crate::log::{AddressedSignal, Epoch, Log, LogEntry, LogError, Position, Published, Slice};

/// How many entries of a space are kept: the busiest school day's morning, and some 3 MB.
const ENTRIES: usize = 8_192;

/// How many published entries may wait for a node. What does not fit is dropped, and found again by its offset.
const FEED: usize = 4_096;

/// The logs of all spaces, in memory.
pub struct MemoryLog {
    shared: Arc<Mutex<Shared>>,
    node: u64,
}

struct Shared {
    epoch: Epoch,
    spaces: FxHashMap<SpaceId, SpaceLog>,
    nodes: FxHashMap<u64, mpsc::Sender<Published>>,
    next_node: u64,
    entries_kept: usize,
}

#[derive(Default)]
struct SpaceLog {
    head: u64,
    entries: VecDeque<Arc<LogEntry>>,
    subscribers: FxHashSet<u64>,
}

impl MemoryLog {
    /// Empty logs of `epoch`, with their first node.
    pub fn new(epoch: Epoch) -> (Self, mpsc::Receiver<Published>) {
        let shared = Shared {
            epoch,
            spaces: FxHashMap::default(),
            nodes: FxHashMap::default(),
            next_node: 0,
            entries_kept: ENTRIES,
        };
        join(Arc::new(Mutex::new(shared)))
    }

    /// Another node of the same logs.
    pub fn another_node(&self) -> (Self, mpsc::Receiver<Published>) {
        join(Arc::clone(&self.shared))
    }

    /// Loses everything, as a server does that restarts without its data: a new epoch.
    pub fn lose(&self, epoch: Epoch) {
        let mut shared = self.lock();
        shared.epoch = epoch;
        for log in shared.spaces.values_mut() {
            log.head = 0;
            log.entries.clear();
        }
    }

    /// Keeps no more than `entries` of each space.
    pub fn keep(&self, entries: usize) {
        self.lock().entries_kept = entries;
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn join(shared: Arc<Mutex<Shared>>) -> (MemoryLog, mpsc::Receiver<Published>) {
    let (sender, receiver) = mpsc::channel(FEED);
    let node = {
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let node = shared.next_node;
        shared.next_node += 1;
        shared.nodes.insert(node, sender);
        node
    };
    (MemoryLog { shared, node }, receiver)
}

impl Drop for MemoryLog {
    fn drop(&mut self) {
        let node = self.node;
        let mut shared = self.lock();
        shared.nodes.remove(&node);
        for log in shared.spaces.values_mut() {
            log.subscribers.remove(&node);
        }
    }
}

fn is_recalled(event: &Event) -> bool {
    matches!(event, Event::Message(message) if message.recalled_at.is_some())
}

/// A recalled message is told as recalled at each of its earlier places too: its text is gone from the log. Recalled twice,
/// on two devices, the later entry may be the earlier version: an entry that recalls it stays as it is.
fn forget_text(log: &mut SpaceLog, recalled: &LogEntry) {
    let has_text =
        |earlier: &LogEntry| earlier.fact == recalled.fact && !earlier.event.as_ref().is_some_and(is_recalled);
    for earlier in log.entries.iter_mut().filter(|earlier| has_text(earlier)) {
        *earlier = Arc::new(LogEntry {
            event: recalled.event.clone(),
            ..LogEntry::clone(earlier)
        });
    }
}

impl Shared {
    fn publish(&self, space: SpaceId, published: &Published) {
        let Some(log) = self.spaces.get(&space) else { return };
        for node in &log.subscribers {
            if let Some(feed) = self.nodes.get(node) {
                // A full feed drops: the node sees the missing offset and reads it from the log.
                let _ = feed.try_send(published.clone());
            }
        }
    }
}

#[async_trait]
impl Log for MemoryLog {
    async fn append(&self, space: SpaceId, entries: &[Arc<LogEntry>]) -> Result<(), LogError> {
        let mut shared = self.lock();
        let (epoch, kept) = (shared.epoch, shared.entries_kept);
        for entry in entries {
            let log = shared.spaces.entry(space).or_default();
            if entry.event.as_ref().is_some_and(is_recalled) {
                forget_text(log, entry);
            }
            log.head += 1;
            log.entries.push_back(Arc::clone(entry));
            while log.entries.len() > kept {
                log.entries.pop_front();
            }
            let position = Position {
                epoch,
                offset: log.head,
            };
            shared.publish(
                space,
                &Published::Entry {
                    space,
                    position,
                    entry: Arc::clone(entry),
                },
            );
        }
        Ok(())
    }

    async fn read(&self, space: SpaceId, after: Position, limit: usize) -> Result<Slice, LogError> {
        let mut shared = self.lock();
        let epoch = shared.epoch;
        let log = shared.spaces.entry(space).or_default();
        let first = log.head + 1 - log.entries.len() as u64;
        if after.epoch != epoch || after.offset + 1 < first || after.offset > log.head {
            return Ok(Slice::Gone {
                head: Position {
                    epoch,
                    offset: log.head,
                },
                trimmed: first - 1,
            });
        }
        let skip = usize::try_from(after.offset + 1 - first).unwrap_or(usize::MAX);
        let entries = log.entries.iter().skip(skip).take(limit);
        Ok(Slice::Entries(
            entries
                .zip(after.offset + 1..)
                .map(|(entry, offset)| (offset, Arc::clone(entry)))
                .collect(),
        ))
    }

    async fn heads(&self, spaces: &[SpaceId]) -> Result<Vec<Position>, LogError> {
        let shared = self.lock();
        let head = |space| shared.spaces.get(space).map_or(0, |log| log.head);
        Ok(spaces
            .iter()
            .map(|space| Position {
                epoch: shared.epoch,
                offset: head(space),
            })
            .collect())
    }

    async fn subscribe(&self, space: SpaceId) -> Result<Position, LogError> {
        let mut shared = self.lock();
        let epoch = shared.epoch;
        let log = shared.spaces.entry(space).or_default();
        log.subscribers.insert(self.node);
        Ok(Position {
            epoch,
            offset: log.head,
        })
    }

    async fn unsubscribe(&self, space: SpaceId) {
        if let Some(log) = self.lock().spaces.get_mut(&space) {
            log.subscribers.remove(&self.node);
        }
    }

    async fn signal(&self, space: SpaceId, signal: Arc<AddressedSignal>) -> Result<(), LogError> {
        self.lock().publish(space, &Published::Signal { space, signal });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{SPACE, entry, numbers_in};

    const fn at(epoch: u64, offset: u64) -> Position {
        Position {
            epoch: Epoch(epoch),
            offset,
        }
    }

    #[tokio::test]
    async fn each_subscriber_is_told_with_the_offset_and_others_are_not() {
        let (log, mut feed) = MemoryLog::new(Epoch(1));
        let (other, mut other_feed) = log.another_node();
        log.append(SPACE, &[entry(1, None)]).await.unwrap();
        assert_eq!(log.subscribe(SPACE).await.unwrap(), at(1, 1));
        other.append(SPACE, &[entry(2, None), entry(3, None)]).await.unwrap();
        for offset in [2, 3] {
            let Some(Published::Entry { position, .. }) = feed.recv().await else {
                panic!("not told")
            };
            assert_eq!(position, at(1, offset));
        }
        assert!(other_feed.try_recv().is_err(), "it listens to nothing");
        log.unsubscribe(SPACE).await;
        other.append(SPACE, &[entry(4, None)]).await.unwrap();
        assert!(feed.try_recv().is_err());
        assert_eq!(numbers_in(&other).await, [1, 2, 3, 4]);
    }

    #[tokio::test]
    async fn it_says_when_it_does_not_reach_back() {
        let (log, _feed) = MemoryLog::new(Epoch(1));
        log.keep(3);
        for number in 1..=5 {
            log.append(SPACE, &[entry(number, None)]).await.unwrap();
        }
        let is_gone = |slice: Slice| matches!(slice, Slice::Gone { head, .. } if head == at(1, 5));
        assert!(is_gone(log.read(SPACE, at(1, 1), 10).await.unwrap()));
        assert!(is_gone(log.read(SPACE, at(1, 6), 10).await.unwrap()), "beyond the head");
        assert!(is_gone(log.read(SPACE, at(2, 5), 10).await.unwrap()), "another epoch");
        let Slice::Entries(entries) = log.read(SPACE, at(1, 2), 2).await.unwrap() else {
            panic!("gone")
        };
        assert_eq!(entries.iter().map(|(offset, _)| *offset).collect::<Vec<_>>(), [3, 4]);
        log.lose(Epoch(2));
        assert_eq!(log.heads(&[SPACE]).await.unwrap(), [at(2, 0)]);
    }

    #[tokio::test]
    async fn a_full_feed_drops_and_the_offset_shows_it() {
        let (log, mut feed) = MemoryLog::new(Epoch(1));
        log.subscribe(SPACE).await.unwrap();
        for number in 0..FEED as u64 + 10 {
            log.append(SPACE, &[entry(number, None)]).await.unwrap();
        }
        for _ in 0..FEED {
            feed.try_recv().unwrap();
        }
        assert!(feed.try_recv().is_err());
        assert_eq!(log.heads(&[SPACE]).await.unwrap()[0].offset, FEED as u64 + 10);
    }
}
