//! Threads that go to a group follow it: who joins the group joins its threads from that day on, who leaves it leaves.

use std::collections::BTreeMap;
use std::time::Duration;

use samtale_protocol::{GroupId, ProfileId, SpaceId, ThreadId, Timestamp};
use samtale_storage::threads::{GroupThreadRecord, MemberRecord};
use samtale_storage::{Range, StorageError};

use crate::directory::id_at;
use crate::member_changes::{MemberChange, Members};
use crate::members::newcomer;
use crate::recipients::Reached;
use crate::school::School;
use crate::thread_state::ThreadState;

/// Threads of a group read at once.
const PAGE: usize = 500;

/// Up to when the dates of a space were followed: whether there is anything to do can be told without its directory, which
/// may be large, as long as that is the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FollowedDates {
    version: u64,
    since: Timestamp,
    /// The first date after `since`.
    next: Option<Timestamp>,
}

/// How far back it is told again who came and went.
const LATELY: Duration = Duration::from_hours(24);

impl School {
    /// Brings the members of the threads of these groups in line with the directory. Returns how many threads changed.
    ///
    /// With `again`, who came or went within the last day is told of once more. A try that failed may have changed the members
    /// and told nobody, and then there is nothing left that changes.
    pub async fn follow_groups(&self, space: SpaceId, groups: &[GroupId], again: bool) -> Result<u32, StorageError> {
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
            changed += u32::from(self.follow_thread(space, thread, again).await?);
        }
        Ok(changed)
    }

    /// Brings the threads of all groups of a space in line with what has begun or ended there by its date since `since`: a
    /// place in a group, a relation, a profile, a group. Returns how many threads changed. `again` as for
    /// [`School::follow_groups`].
    pub async fn follow_dates(&self, space: SpaceId, since: Timestamp, again: bool) -> Result<u32, StorageError> {
        let now = self.now();
        let known = self.memory().followed_dates.get(&space).copied();
        if let Some(known) =
            known.filter(|known| !again && known.since <= since && known.next.is_none_or(|next| next > now))
            && self.directory_version(space).await? == known.version
        {
            return Ok(0);
        }
        let Some(directory) = self.directory_as_stored(space).await? else {
            return Ok(0);
        };
        let (version, next) = (directory.version, directory.holds_until(since));
        if next.is_none_or(|next| next > now) {
            let dates = FollowedDates { version, since, next };
            self.memory().followed_dates.insert(space, dates);
            return Ok(0);
        }
        let groups: Vec<GroupId> = directory.groups.keys().copied().collect();
        self.follow_groups(space, &groups, again).await
    }

    async fn follow_thread(&self, space: SpaceId, thread: ThreadId, again: bool) -> Result<bool, StorageError> {
        let now = self.now();
        // The thread first: whoever is taken out of it while the directory is read has changed it since, and this begins anew.
        let Some(state) = self.thread_as_stored(space, thread).await? else {
            return Ok(false);
        };
        let Some(directory) = self.directory_as_stored(space).await? else {
            return Ok(false);
        };
        let follow = |state: &ThreadState| {
            let mut wanted = Reached::new();
            for follow in &state.record.follows {
                wanted.extend(directory.expand(follow, now));
            }
            let changes = changes_towards(&wanted, state, now, self.now());
            let lately = |member: &MemberRecord| member.through.is_some() && now.since(member.asked_at) <= LATELY;
            // Not as they were of those who change now.
            let is_told = |profile, member| again && lately(member) && !changes.contains_key(profile);
            let told = state
                .members
                .iter()
                .filter(|(profile, member)| is_told(profile, member));
            MemberChange {
                again: told.map(|(profile, member)| (*profile, member.clone())).collect(),
                changes,
                follows: Vec::new(),
            }
        };
        if follow(&state).is_empty() {
            return Ok(false);
        }
        self.change_members(state, now, follow).await.map(|_| true)
    }
}

/// What makes a thread's members those whom its groups reach. Who is in it by hand stays, and who left by hand stays out.
fn changes_towards(wanted: &Reached, state: &ThreadState, now: Timestamp, joined_at: Timestamp) -> Members {
    let may_come = |profile: &ProfileId| {
        state
            .members
            .get(profile)
            .is_none_or(|member| member.left_at.is_some() && member.through.is_some() && !member.stays_out)
    };
    let coming = wanted
        .iter()
        .filter(|(profile, _)| may_come(profile))
        .map(|(profile, through)| (*profile, newcomer(joined_at, joined_at, *through)));
    let going = state
        .members
        .iter()
        .filter(|(profile, member)| {
            member.left_at.is_none() && member.through.is_some() && !wanted.contains_key(profile)
        })
        .map(|(profile, member)| {
            let left_at = Some(now.max(member.joined_at));
            let gone = MemberRecord {
                left_at,
                ..member.clone()
            };
            (*profile, gone)
        });
    coming.chain(going).collect()
}
