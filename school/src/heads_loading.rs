//! Heads are read while people write: what is heard of meanwhile may be newer than the rows that are read.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use samtale_protocol::{Event, SpaceId, ThreadId};
use samtale_storage::threads::{HEAD_SHARDS, ThreadHeadRecord, head_partition};
use samtale_storage::{Range, StorageError};

use crate::directory::id_at;
use crate::heads::SpaceHeads;
use crate::school::{Memory, School};

/// Heads read at once.
const PAGE: usize = 5_000;

/// What is remembered of a space while its heads are read. Where more happens, they are read again when they are asked for.
const MOST_HEARD: usize = 1_000;

/// What was heard of in a space whose heads are being read.
#[derive(Debug, Default)]
pub(crate) struct HeadsLoading {
    /// How often at a time.
    loads: usize,
    heard: Vec<Event>,
}

impl Memory {
    /// The heads of a space, to take note in them of a message or a thread. If they are being read, it is taken note of then.
    pub fn heads_for(&mut self, space: SpaceId, event: &Event) -> Option<Arc<SpaceHeads>> {
        let heads = self.heads.get(&space).cloned();
        if heads.is_none()
            && let Some(loading) = self.heads_loading.get_mut(&space)
            && loading.heard.len() <= MOST_HEARD
        {
            loading.heard.push(event.clone());
        }
        heads
    }
}

/// A read of a space's heads that is under way.
struct Loading<'a> {
    school: &'a School,
    space: SpaceId,
}

impl<'a> Loading<'a> {
    fn begin(school: &'a School, space: SpaceId) -> Self {
        school.memory().heads_loading.entry(space).or_default().loads += 1;
        Self { school, space }
    }
}

impl Drop for Loading<'_> {
    fn drop(&mut self) {
        let mut memory = self.school.memory();
        if let Some(loading) = memory.heads_loading.get_mut(&self.space) {
            loading.loads -= 1;
            if loading.loads == 0 {
                memory.heads_loading.remove(&self.space);
            }
        }
    }
}

impl School {
    /// The heads of a space; read from storage the first time, and every time while the node does not follow it.
    pub(crate) async fn heads(&self, space: SpaceId) -> Result<Arc<SpaceHeads>, StorageError> {
        if let Some(heads) = self.heads_in_memory(space) {
            return Ok(heads);
        }
        let since = self.memory().following(space);
        let _loading = Loading::begin(self, space);
        let read = SpaceHeads::of(self.read_heads(space).await?);
        let mut memory = self.memory();
        let loading = memory.heads_loading.get(&space);
        let is_complete = loading.is_none_or(|loading| has_heard(&read, &loading.heard));
        let read = Arc::new(read);
        if !is_complete || !memory.keeps(space, since) {
            return Ok(read);
        }
        // Two loads at once: the first one in has seen what was sent since.
        Ok(Arc::clone(memory.heads.entry(space).or_insert(read)))
    }

    pub(crate) fn heads_in_memory(&self, space: SpaceId) -> Option<Arc<SpaceHeads>> {
        self.memory().heads.get(&space).cloned()
    }

    async fn read_heads(&self, space: SpaceId) -> Result<FxHashMap<ThreadId, ThreadHeadRecord>, StorageError> {
        let mut read = FxHashMap::default();
        for shard in 0..HEAD_SHARDS {
            let partition = head_partition(space, shard);
            let rows = self
                .store
                .scan_all::<ThreadHeadRecord>(&partition, Range::all(PAGE))
                .await?;
            let heads = rows.into_iter();
            read.extend(heads.map(|row| (ThreadId::from_bytes(id_at(&row.clustering, 0)), row.record)));
        }
        Ok(read)
    }
}

/// Takes note of what was heard of. Whether that was possible: of a thread that was started elsewhere its beginning may not
/// have been heard, and its head was read too early.
fn has_heard(heads: &SpaceHeads, heard: &[Event]) -> bool {
    let mut threads = FxHashMap::default();
    for event in heard {
        match event {
            Event::Thread(thread) => {
                heads.note_thread(thread);
                threads.insert(thread.thread, thread);
            }
            Event::Message(message) if heads.note_message_of_known(message) => {}
            Event::Message(message) => match threads.get(&message.thread) {
                Some(thread) => heads.note_message(thread, message),
                None => return false,
            },
            _ => {}
        }
    }
    heard.len() <= MOST_HEARD
}
