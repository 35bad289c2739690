//! Heads are read while people write: what is heard of meanwhile may be newer than the rows that are read.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use samtale_protocol::{Event, SpaceId, ThreadId};
use samtale_storage::threads::{HEAD_SHARDS, ThreadHeadRecord, head_key, head_partition};
use samtale_storage::{Range, StorageError};

use crate::directory::id_at;
use crate::heads::SpaceHeads;
use crate::school::{Memory, School};

/// Heads read at once.
const PAGE: usize = 5_000;

/// What is remembered of a space while its heads are read. Where more happens they are not kept, and read again.
const MOST_HEARD: usize = 10_000;

impl Memory {
    /// The heads of a space, to take note in them of a message or a thread. If they are being read, it is taken note of then.
    pub fn heads_for(&mut self, space: SpaceId, event: &Event) -> Option<Arc<SpaceHeads>> {
        let heads = self.heads.get(&space).cloned();
        if heads.is_none()
            && let Some(heard) = self.heads_loading.get_mut(&space)
            && heard.len() <= MOST_HEARD
        {
            heard.push(event.clone());
        }
        heads
    }
}

/// A read of a space's heads that is under way: the only one, since it has the space's turn for heads.
struct Loading<'a> {
    school: &'a School,
    space: SpaceId,
}

impl<'a> Loading<'a> {
    fn begin(school: &'a School, space: SpaceId) -> Self {
        school.memory().heads_loading.insert(space, Vec::new());
        Self { school, space }
    }
}

impl Drop for Loading<'_> {
    fn drop(&mut self) {
        self.school.memory().heads_loading.remove(&self.space);
    }
}

impl School {
    /// The heads of a space; read from storage the first time, and every time while the node does not follow it. One reads
    /// them and the others wait for that.
    pub(crate) async fn heads(&self, space: SpaceId) -> Result<Arc<SpaceHeads>, StorageError> {
        if let Some(heads) = self.heads_in_memory(space) {
            return Ok(heads);
        }
        let _turn = self.heads_turns.of(space).await;
        if let Some(heads) = self.heads_in_memory(space) {
            return Ok(heads);
        }
        let since = self.memory().following(space);
        let _loading = Loading::begin(self, space);
        let heads = Arc::new(SpaceHeads::of(self.read_heads(space).await?));
        let mut memory = self.memory();
        let is_complete = memory
            .heads_loading
            .get(&space)
            .is_some_and(|heard| has_heard(&heads, heard));
        if is_complete && memory.keeps(space, since) {
            memory.heads.insert(space, Arc::clone(&heads));
        }
        Ok(heads)
    }

    pub(crate) fn heads_in_memory(&self, space: SpaceId) -> Option<Arc<SpaceHeads>> {
        self.memory().heads.get(&space).cloned()
    }

    /// Whether a thread has a message: asked of its own head where those of the space are not in memory.
    pub(crate) async fn has_head(&self, space: SpaceId, thread: ThreadId) -> Result<bool, StorageError> {
        if let Some(heads) = self.heads_in_memory(space) {
            return Ok(heads.knows(thread));
        }
        let head = self.store.get::<ThreadHeadRecord>(&head_key(space, thread)).await?;
        Ok(head.is_some())
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
    let are_noted = heard.iter().all(|event| match event {
        Event::Thread(thread) => {
            heads.note_thread(thread);
            true
        }
        Event::Message(message) => heads.note_heard(message),
        _ => true,
    });
    are_noted && heard.len() <= MOST_HEARD
}
