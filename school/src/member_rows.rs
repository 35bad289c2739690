//! The rows of a thread's members: by the thread, by the profile, and the thread by the groups that it follows.

use futures_util::FutureExt;
use samtale_protocol::threads::Recipient;
use samtale_protocol::{ProfileId, SpaceId, ThreadId, Timestamp};
use samtale_storage::StorageError;
use samtale_storage::threads::{
    Before, GroupThreadRecord, MemberRecord, ProfileThreadRecord, group_thread_key, profile_thread_key,
    thread_partition,
};

use crate::member_changes::{MemberChange, Members};
use crate::school::School;
use crate::thread_state::ThreadState;
use crate::together::{UNDER_WAY, together};

/// Member rows written as one: the largest batch that a CQL server takes without complaint.
const BATCH: usize = 50;
/// Batches under way at once. Their rows are encoded and sealed in one go, while all sessions of the shard wait.
const BATCHES_AT_ONCE: usize = 8;

impl School {
    /// Writes the rows of a change: each membership with the one from before, and where it is found by its profile. Who is as
    /// was asked is written too, so that an older request does not undo it.
    pub(crate) async fn write_change(
        &self,
        state: &ThreadState,
        change: &MemberChange,
        asked_at: Timestamp,
        timestamp: u64,
    ) -> Result<(), StorageError> {
        let (space, thread) = (state.space, state.thread);
        let with_before = |(profile, member): (&ProfileId, &MemberRecord)| {
            let before = state.members.get(profile).cloned();
            let before = Some(before.map_or(Before::Absent, |before| Before::Member(Box::new(before))));
            let row = MemberRecord {
                asked_at: asked_at.max(member.asked_at),
                before,
                ..member.clone()
            };
            (*profile, row)
        };
        let rows: Members = change.changes.iter().chain(&change.again).map(with_before).collect();
        self.put_members(space, thread, &rows, timestamp).await?;
        self.put_followed(space, thread, &change.follows, timestamp).await?;
        self.index_members(space, thread, &change.changes, timestamp).await
    }

    /// Writes where a thread is found by the groups that it follows.
    pub(crate) async fn put_followed(
        &self,
        space: SpaceId,
        thread: ThreadId,
        follows: &[Recipient],
        timestamp: u64,
    ) -> Result<(), StorageError> {
        for follow in follows {
            if let Recipient::Group { group } | Recipient::GroupRole { group, .. } | Recipient::Guardians { group } =
                follow
            {
                let key = group_thread_key(space, *group, thread);
                self.store.put(key, &GroupThreadRecord {}, timestamp).await?;
            }
        }
        Ok(())
    }

    /// Writes the memberships where they are found by the thread.
    pub(crate) async fn put_members(
        &self,
        space: SpaceId,
        thread: ThreadId,
        members: &Members,
        timestamp: u64,
    ) -> Result<(), StorageError> {
        let mut rows: Vec<_> = members
            .iter()
            .map(|(profile, member)| (vec![(*profile).into()], member.clone()))
            .collect();
        rows.sort_by(|one, other| one.0.cmp(&other.0));
        let batches = rows.chunks(BATCH).map(|batch| {
            let partition = thread_partition(space, thread).to_vec();
            async move { self.store.put_all(partition, batch.to_vec(), timestamp).await }.boxed()
        });
        together(BATCHES_AT_ONCE, batches.collect()).await?;
        Ok(())
    }

    /// Writes the memberships where they are found by the profile.
    pub(crate) async fn index_members(
        &self,
        space: SpaceId,
        thread: ThreadId,
        members: &Members,
        timestamp: u64,
    ) -> Result<(), StorageError> {
        let mut profiles: Vec<_> = members.iter().collect();
        profiles.sort_by_key(|(profile, _)| **profile);
        let rows = profiles.into_iter().map(|(profile, member)| {
            async move {
                let key = profile_thread_key(space, *profile, thread);
                let record = ProfileThreadRecord { member: member.clone() };
                self.store.put(key, &record, timestamp).await
            }
            .boxed()
        });
        together(UNDER_WAY, rows.collect()).await?;
        Ok(())
    }
}
