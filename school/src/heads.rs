//! The newest message of each thread of a space, in memory: what lists of threads and unread counts are made from.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use samtale_protocol::messages::{Message, Part};
use samtale_protocol::threads::Thread;
use samtale_protocol::{MessageId, ProfileId, SpaceId, ThreadId};
use samtale_storage::StorageError;
use samtale_storage::threads::{RECENT_MESSAGES, ThreadHeadRecord, head_key};

use crate::school::School;

/// The longest beginning of a message that a list shows, in characters.
const PREVIEW: usize = 120;

/// Threads whose start was heard of and whose first message was not yet. More of them than this are forgotten.
const MOST_STARTED: usize = 1_000;

/// The heads of a space's threads.
#[derive(Default)]
pub struct SpaceHeads {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    heads: FxHashMap<ThreadId, ThreadHeadRecord>,
    started: FxHashMap<ThreadId, Thread>,
}

impl SpaceHeads {
    /// Heads as they were read.
    pub(crate) fn of(heads: FxHashMap<ThreadId, ThreadHeadRecord>) -> Self {
        let started = FxHashMap::default();
        let known = Mutex::new(Known { heads, started });
        Self { known }
    }

    /// The head of a thread.
    pub fn head(&self, thread: ThreadId) -> Option<ThreadHeadRecord> {
        self.lock().heads.get(&thread).cloned()
    }

    /// Whether the thread has a message yet.
    pub fn knows(&self, thread: ThreadId) -> bool {
        self.lock().heads.contains_key(&thread)
    }

    /// Takes note of a message, of which a newer version may be known.
    pub fn note_message(&self, thread: &Thread, message: &Message) {
        let mut known = self.lock();
        known.started.remove(&thread.thread);
        let head = known
            .heads
            .entry(thread.thread)
            .or_insert_with(|| head_of(thread.clone(), message));
        if head.thread.version <= thread.version {
            head.thread = thread.clone();
        }
        note(head, message);
    }

    /// The same of a message that was heard of. Whether that is possible: the thread has a head, or its start was heard of.
    pub fn note_heard(&self, message: &Message) -> bool {
        let mut known = self.lock();
        if let Some(thread) = known.started.remove(&message.thread) {
            known.heads.insert(message.thread, head_of(thread, message));
        }
        let head = known.heads.get_mut(&message.thread);
        head.map(|head| note(head, message)).is_some()
    }

    /// Takes note of a thread as it is now.
    pub fn note_thread(&self, thread: &Thread) {
        let mut known = self.lock();
        let Known { heads, started } = &mut *known;
        match heads.get_mut(&thread.thread) {
            Some(head) if head.thread.version <= thread.version => head.thread = thread.clone(),
            Some(_) => {}
            None => {
                if started.len() >= MOST_STARTED {
                    started.clear();
                }
                started.insert(thread.thread, thread.clone());
            }
        }
    }

    /// A message that was noted was not stored after all.
    pub fn forget(&self, thread: ThreadId, message: MessageId) {
        let mut known = self.lock();
        let heads = &mut known.heads;
        let Some(head) = heads.get_mut(&thread) else { return };
        head.recent.retain(|(recent, _)| *recent != message);
        match head.recent.last() {
            Some((last, author)) if head.last_message == message => {
                head.last_message = *last;
                head.last_author = *author;
                head.preview = String::new();
                head.last_version = 0;
            }
            Some(_) => {}
            None => {
                heads.remove(&thread);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl School {
    /// Stores the head of a thread as it is in memory.
    pub(crate) async fn store_head(
        &self,
        space: SpaceId,
        heads: &SpaceHeads,
        thread: ThreadId,
    ) -> Result<(), StorageError> {
        // The timestamp before the look: of two that store at once, from the same memory, the later has seen both messages.
        let timestamp = self.write_timestamp();
        match heads.head(thread) {
            Some(head) => self.store.put(head_key(space, thread), &head, timestamp).await,
            None => {
                self.store
                    .delete::<ThreadHeadRecord>(head_key(space, thread), timestamp)
                    .await
            }
        }
    }
}

/// The head of a thread whose first message this is.
fn head_of(thread: Thread, message: &Message) -> ThreadHeadRecord {
    ThreadHeadRecord {
        thread,
        last_message: message.message,
        last_author: message.author,
        preview: String::new(),
        last_version: 0,
        recent: Vec::new(),
    }
}

fn note(head: &mut ThreadHeadRecord, message: &Message) {
    note_recent(&mut head.recent, message.message, message.author);
    if (message.message, message.version) >= (head.last_message, head.last_version) {
        head.last_message = message.message;
        head.last_author = message.author;
        head.last_version = message.version;
        head.preview = preview(message);
    }
}

fn note_recent(recent: &mut Vec<(MessageId, ProfileId)>, message: MessageId, author: ProfileId) {
    if let Err(place) = recent.binary_search_by_key(&message, |(id, _)| *id) {
        recent.insert(place, (message, author));
        if recent.len() > RECENT_MESSAGES {
            recent.remove(0);
        }
    }
}

fn preview(message: &Message) -> String {
    let text = Part::plain_text(&message.parts);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(PREVIEW).collect()
}
