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

/// The heads of a space's threads.
#[derive(Default)]
pub struct SpaceHeads {
    heads: Mutex<FxHashMap<ThreadId, ThreadHeadRecord>>,
}

impl SpaceHeads {
    /// The head of a thread.
    pub fn head(&self, thread: ThreadId) -> Option<ThreadHeadRecord> {
        self.lock().get(&thread).cloned()
    }

    /// Whether the thread has a message yet.
    pub fn knows(&self, thread: ThreadId) -> bool {
        self.lock().contains_key(&thread)
    }

    /// Takes note of a message, of which a newer version may be known.
    pub fn note_message(&self, thread: &Thread, message: &Message) {
        let mut heads = self.lock();
        let head = heads.entry(thread.thread).or_insert_with(|| ThreadHeadRecord {
            thread: thread.clone(),
            last_message: message.message,
            last_author: message.author,
            preview: String::new(),
            last_version: 0,
            recent: Vec::new(),
        });
        if head.thread.version <= thread.version {
            head.thread = thread.clone();
        }
        note(head, message);
    }

    /// The same for a thread that has a head; says whether it has.
    pub fn note_message_of_known(&self, message: &Message) -> bool {
        let mut heads = self.lock();
        let head = heads.get_mut(&message.thread);
        head.map(|head| note(head, message)).is_some()
    }

    /// Takes note of a thread as it is now.
    pub fn note_thread(&self, thread: &Thread) {
        if let Some(head) = self.lock().get_mut(&thread.thread)
            && head.thread.version <= thread.version
        {
            head.thread = thread.clone();
        }
    }

    /// A message that was noted was not stored after all.
    pub fn forget(&self, thread: ThreadId, message: MessageId) {
        let mut heads = self.lock();
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

    /// Heads as they were read.
    pub(crate) fn of(heads: FxHashMap<ThreadId, ThreadHeadRecord>) -> Self {
        let heads = Mutex::new(heads);
        Self { heads }
    }

    fn lock(&self) -> MutexGuard<'_, FxHashMap<ThreadId, ThreadHeadRecord>> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
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
        // The timestamp before the look: of two that store at once the later timestamp has seen both messages.
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
