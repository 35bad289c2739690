//! What facts of the journal say now: a page of them with few questions to storage.
//!
//! Whoever was away for a while missed messages of a few threads, which lie side by side in storage. Asked for one by one, the
//! messages of five minutes without Redis were two questions each, on every node.

use std::collections::{BTreeMap, HashMap};
use std::future::ready;
use std::ops::Bound;

use futures_util::{StreamExt, stream};
use samtale_protocol::threads::{Draft, ThreadSettings};
use samtale_protocol::{Event, MessageId, ProfileId, SpaceId, ThreadId, limits};
use samtale_storage::directory::{DirectoryVersionRecord, directory_version_key};
use samtale_storage::journal::Fact;
use samtale_storage::threads::{
    DraftRecord, MessageRecord, OwnReadMarkerRecord, SettlementRecord, ThreadSettingsRecord, message_partition,
    profile_thread_key, quarter,
};
use samtale_storage::{Range, StorageError};

use crate::directory::id_at;
use crate::school::School;
use crate::sending::view_of;

/// How many questions are asked of storage at once.
const AT_ONCE: usize = 16;

/// From how many messages of a thread on they are read as one range.
const RANGE_FROM: usize = 3;

/// How many rows are read in a range for each message that is asked for: others may lie between them.
const ROWS_PER_MESSAGE: usize = 2;

/// Messages that were read in ranges; `None` for one that is void.
type InRanges = HashMap<(ThreadId, MessageId), Option<Event>>;

impl School {
    /// What facts say now, in their order: those before the first that storage can not tell now. An error when that is the
    /// first of all.
    pub(crate) async fn tell_now(&self, space: SpaceId, facts: &[&Fact]) -> Result<Vec<Option<Event>>, StorageError> {
        let in_ranges = self.messages_in_ranges(space, facts).await;
        let asked: Vec<_> = facts
            .iter()
            .map(|fact| self.tell_one(space, fact, &in_ranges))
            .collect();
        let mut told = stream::iter(asked).buffered(AT_ONCE);
        let mut events = Vec::with_capacity(facts.len());
        while let Some(event) = told.next().await {
            match event {
                Ok(event) => events.push(event),
                Err(error) if events.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(events)
    }

    async fn tell_one(&self, space: SpaceId, fact: &Fact, in_ranges: &InRanges) -> Result<Option<Event>, StorageError> {
        if let Fact::Message { thread, message } = fact
            && let Some(event) = in_ranges.get(&(*thread, *message))
        {
            return Ok(event.clone());
        }
        match self.tell_fact(space, fact).await {
            // One damaged row must not end every replay that comes to it. Lists count it as withheld when they are read.
            Err(error @ StorageError::Unreadable { .. }) => {
                tracing::error!(%error, "a fact of the journal can not be told");
                Ok(None)
            }
            told => told,
        }
    }

    /// Reads the messages of threads that have several of them among the facts. One that is missing in the answer is asked for
    /// alone: it is damaged, or not decided, or too far from the others, or storage did not answer.
    async fn messages_in_ranges(&self, space: SpaceId, facts: &[&Fact]) -> InRanges {
        let mut threads: BTreeMap<(ThreadId, u64), Vec<MessageId>> = BTreeMap::new();
        for fact in facts {
            if let Fact::Message { thread, message } = fact {
                let quarter = quarter(message.sent_at());
                threads.entry((*thread, quarter)).or_default().push(*message);
            }
        }
        let mut ranges = Vec::new();
        for ((thread, quarter), mut messages) in threads {
            messages.sort_unstable();
            for messages in messages.chunks(limits::PAGE) {
                if messages.len() >= RANGE_FROM {
                    ranges.push(self.messages_in_range(space, thread, quarter, messages.to_vec()));
                }
            }
        }
        let found = stream::iter(ranges).buffer_unordered(AT_ONCE);
        let found = found.filter_map(|found| ready(found.ok()));
        found.flat_map(stream::iter).collect().await
    }

    /// The settled ones of these messages of one quarter, as far as a range has them.
    async fn messages_in_range(
        &self,
        space: SpaceId,
        thread: ThreadId,
        quarter: u64,
        messages: Vec<MessageId>,
    ) -> Result<Vec<((ThreadId, MessageId), Option<Event>)>, StorageError> {
        let (Some(first), Some(last)) = (messages.first(), messages.last()) else {
            return Ok(Vec::new());
        };
        let mut range = Range::all(messages.len() * ROWS_PER_MESSAGE);
        range.from = Bound::Included(vec![(*first).into()]);
        range.to = Bound::Included(vec![(*last).into()]);
        let partition = message_partition(space, thread, quarter);
        let rows = self
            .store
            .scan_readable::<MessageRecord>(&partition, &range)
            .await?
            .records;
        let decided = self.settlements_of(&partition, &rows).await?;
        let mut found = Vec::with_capacity(messages.len());
        for row in rows {
            let id = MessageId::from_bytes(id_at(&row.clustering, 0));
            let stays = match decided.get(&id) {
                None | Some(SettlementRecord::Stored) => true,
                Some(SettlementRecord::Closing | SettlementRecord::Never) => !self.may_be_unsettled(id, row.timestamp),
            };
            if let Some(record) = row.record.filter(|_| stays && messages.binary_search(&id).is_ok()) {
                found.push(((thread, id), view_of(thread, id, record).map(Event::Message)));
            }
        }
        Ok(found)
    }

    /// What a fact says now.
    async fn tell_fact(&self, space: SpaceId, fact: &Fact) -> Result<Option<Event>, StorageError> {
        Ok(match fact {
            Fact::Message { thread, message } => self
                .settled_message(space, *thread, *message)
                .await?
                .map(Event::Message),
            // Without a message its start was given up, or is under way and told of when it is done.
            Fact::Thread { thread } if !self.has_head(space, *thread).await? => None,
            Fact::Thread { thread } => self
                .thread(space, *thread, 0)
                .await?
                .map(|state| Event::Thread(state.view())),
            Fact::Membership { thread, profile } => {
                let state = self.thread(space, *thread, 0).await?;
                state.and_then(|state| {
                    let member = state.members.get(profile)?;
                    Some(Event::Membership {
                        thread: *thread,
                        membership_version: state.record.membership_version,
                        profile: *profile,
                        joined_at: member.joined_at,
                        left_at: member.left_at,
                    })
                })
            }
            Fact::Read { thread, profile } => {
                let key = profile_thread_key(space, *profile, *thread);
                let stored = self.store.get::<OwnReadMarkerRecord>(&key).await?;
                stored.map(|stored| Event::Read {
                    thread: *thread,
                    profile: *profile,
                    version: stored.timestamp,
                    read: stored.record.read,
                })
            }
            Fact::ThreadSettings { thread, profile } => self.settings_now(space, *thread, *profile).await?,
            Fact::Draft { thread, profile } => self.draft_now(space, *thread, *profile).await?,
            Fact::Directory { .. } => {
                let stored = self
                    .store
                    .get::<DirectoryVersionRecord>(&directory_version_key(space))
                    .await?;
                stored.map(|stored| Event::Directory {
                    version: stored.timestamp,
                })
            }
            Fact::Late { .. } | Fact::Profiles { .. } | Fact::LoginEnded { .. } | Fact::PresenceVisibility { .. } => {
                None
            }
        })
    }

    async fn settings_now(
        &self,
        space: SpaceId,
        thread: ThreadId,
        profile: ProfileId,
    ) -> Result<Option<Event>, StorageError> {
        let key = profile_thread_key(space, profile, thread);
        let stored = self.store.get::<ThreadSettingsRecord>(&key).await?;
        Ok(stored.map(|stored| {
            Event::ThreadSettings(ThreadSettings {
                thread,
                version: stored.timestamp,
                muted: stored.record.muted,
                marked: stored.record.marked,
            })
        }))
    }

    async fn draft_now(
        &self,
        space: SpaceId,
        thread: ThreadId,
        profile: ProfileId,
    ) -> Result<Option<Event>, StorageError> {
        let key = profile_thread_key(space, profile, thread);
        let stored = self.store.get::<DraftRecord>(&key).await?;
        Ok(stored.map(|stored| {
            let (version, text) = (stored.timestamp, stored.record.text);
            Event::Draft(Draft { thread, version, text })
        }))
    }
}
