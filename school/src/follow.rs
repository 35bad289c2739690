//! Threads that go to a group follow it: who joins the group joins its threads from that day on, who leaves it leaves.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use samtale_protocol::{GroupId, ProfileId, SpaceId, ThreadId, Timestamp};
use samtale_storage::threads::{GroupThreadRecord, MemberRecord};
use samtale_storage::{Range, StorageError};

use crate::directory::id_at;
use crate::recipients::Reached;
use crate::school::School;

/// Threads of a group read at once.
const PAGE: usize = 500;

impl School {
    /// Brings the members of the threads of these groups in line with the directory. Returns how many threads changed.
    pub async fn follow_groups(&self, space: SpaceId, groups: &[GroupId]) -> Result<u32, StorageError> {
        let mut threads = BTreeMap::new();
        for group in groups {
            let partition = [space.into(), (*group).into()];
            for row in self
                .store
                .scan_all::<GroupThreadRecord>(&partition, Range::all(PAGE))
                .await?
            {
                threads.insert(ThreadId::from_bytes(id_at(&row.clustering, 0)), ());
            }
        }
        let mut changed = 0;
        for thread in threads.into_keys() {
            changed += u32::from(self.follow_thread(space, thread).await?);
        }
        Ok(changed)
    }

    /// Brings the threads of all groups of a space in line with what has begun or ended there by its date since `since`: a
    /// place in a group, a relation, a profile, a group. Returns how many threads changed.
    pub async fn follow_dates(&self, space: SpaceId, since: Timestamp) -> Result<u32, StorageError> {
        let now = self.now();
        let Some(directory) = self.load_directory(space).await? else {
            return Ok(0);
        };
        if directory.holds_until(since).is_none_or(|date| date > now) {
            return Ok(0);
        }
        let groups: Vec<GroupId> = directory.groups.keys().copied().collect();
        self.follow_groups(space, &groups).await
    }

    async fn follow_thread(&self, space: SpaceId, thread: ThreadId) -> Result<bool, StorageError> {
        let Some(directory) = self.load_directory(space).await? else {
            return Ok(false);
        };
        let now = self.now();
        let Some(state) = self.thread_as_stored(space, thread).await? else {
            return Ok(false);
        };
        let mut wanted = Reached::new();
        for follow in &state.record.follows {
            wanted.extend(directory.expand(follow, now));
        }
        let mut changes: FxHashMap<ProfileId, MemberRecord> = FxHashMap::default();
        for (profile, through) in &wanted {
            if state
                .members
                .get(profile)
                .is_none_or(|member| member.left_at.is_some() && member.through.is_some() && !member.stays_out)
            {
                let member = MemberRecord {
                    joined_at: now,
                    left_at: None,
                    visible_from: now,
                    through: *through,
                    closed: false,
                    stays_out: false,
                };
                changes.insert(*profile, member);
            }
        }
        for (profile, member) in &state.members {
            if member.left_at.is_none() && member.through.is_some() && !wanted.contains_key(profile) {
                changes.insert(
                    *profile,
                    MemberRecord {
                        left_at: Some(now.max(member.joined_at)),
                        ..member.clone()
                    },
                );
            }
        }
        if changes.is_empty() {
            return Ok(false);
        }
        self.change_members(state, changes, FxHashMap::default(), Vec::new())
            .await
            .map(|_| true)
    }
}
