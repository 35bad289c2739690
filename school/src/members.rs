//! Members of a thread: add, take out, leave. One row per member; a version of the whole that rises with each change.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use samtale_protocol::people::Caller;
use samtale_protocol::threads::{AddMembers, MembershipChanged, Recipient, RemoveMembers, ThreadReference};
use samtale_protocol::{Audience, ErrorCode, Event, ProfileId, Refusal, SpaceId, ThreadId, Timestamp, limits};
use samtale_storage::StorageError;
use samtale_storage::journal::Fact;
use samtale_storage::threads::{
    GroupThreadRecord, MemberRecord, ProfileThreadRecord, group_thread_key, profile_thread_key, thread_partition,
};

use crate::errors::refuse_storage;
use crate::history::from_now_on;
use crate::school::School;
use crate::thread_state::{Membership, ThreadState};
use crate::threads::{check_recipients, too_many_members};

/// Member rows written at once: the largest batch that a CQL server takes without complaint.
const BATCH: usize = 50;

/// Members as they are, or are to be.
type Members = FxHashMap<ProfileId, MemberRecord>;

impl School {
    pub(crate) async fn add_members(&self, caller: &Caller, request: AddMembers) -> Result<MembershipChanged, Refusal> {
        let AddMembers {
            thread,
            to,
            from_the_beginning,
        } = request;
        let now = self.now();
        let membership = self.stored_membership(caller, thread).await?;
        self.check_steers(&membership)?;
        let Membership {
            state,
            directory,
            profile,
            ..
        } = membership;
        let reached = check_recipients(&directory, profile, &to, now)?;
        let newcomers = reached.keys().filter(|other| !state.members.contains_key(other));
        if state.members.len() + newcomers.count() > limits::MEMBERS {
            return Err(too_many_members());
        }
        let visible_from = if from_the_beginning {
            state.record.started_at
        } else {
            from_now_on(now)
        };
        let (mut changes, mut again) = (Members::default(), Members::default());
        for (other, through) in &reached {
            match state.members.get(other) {
                Some(member) if state.is_active(*other, &directory, now) => again.insert(*other, member.clone()),
                _ => changes.insert(
                    *other,
                    MemberRecord {
                        joined_at: now,
                        left_at: None,
                        visible_from,
                        through: *through,
                        closed: false,
                        stays_out: false,
                    },
                ),
            };
        }
        let follows: Vec<Recipient> = to
            .into_iter()
            .filter(|to| !matches!(to, Recipient::Profile { .. }))
            .collect();
        let changed = self.change_members(state, changes, again, follows).await;
        changed.map_err(|error| refuse_storage(&error))
    }

    pub(crate) async fn remove_members(
        &self,
        caller: &Caller,
        request: RemoveMembers,
    ) -> Result<MembershipChanged, Refusal> {
        if request.profiles.len() > limits::RECIPIENTS {
            return Err(Refusal::new(ErrorCode::TooLarge).detail("more than 200 profiles"));
        }
        let now = self.now();
        let membership = self.stored_membership(caller, request.thread).await?;
        self.check_steers(&membership)?;
        self.end_memberships(membership.state, &request.profiles, now)
            .await
            .map_err(|error| refuse_storage(&error))
    }

    pub(crate) async fn leave_thread(
        &self,
        caller: &Caller,
        request: ThreadReference,
    ) -> Result<MembershipChanged, Refusal> {
        let now = self.now();
        let membership = self.stored_membership(caller, request.thread).await?;
        let profile = membership.profile;
        self.end_memberships(membership.state, &[profile], now)
            .await
            .map_err(|error| refuse_storage(&error))
    }

    /// Ends memberships at `now`, a time from before `state` was loaded.
    async fn end_memberships(
        &self,
        state: Arc<ThreadState>,
        profiles: &[ProfileId],
        now: Timestamp,
    ) -> Result<MembershipChanged, StorageError> {
        let (mut changes, mut again) = (Members::default(), Members::default());
        for profile in profiles {
            match state.members.get(profile) {
                Some(member) if member.left_at.is_some() => again.insert(*profile, member.clone()),
                Some(member) => changes.insert(
                    *profile,
                    MemberRecord {
                        // A thread's start may be a little ahead of the clock.
                        left_at: Some(now.max(member.joined_at)),
                        stays_out: true,
                        ..member.clone()
                    },
                ),
                None => None,
            };
        }
        self.change_members(state, changes, again, Vec::new()).await
    }

    /// Brings back those of a thread of two who have left it: whoever answers goes on with it, and both read all of it.
    pub(crate) async fn rejoin(
        &self,
        state: Arc<ThreadState>,
        profiles: &[ProfileId],
    ) -> Result<Arc<ThreadState>, StorageError> {
        let gone = profiles.iter().filter_map(|profile| {
            let member = state.members.get(profile).filter(|member| member.left_at.is_some())?;
            let back = MemberRecord {
                left_at: None,
                stays_out: false,
                ..member.clone()
            };
            Some((*profile, back))
        });
        let changes: Members = gone.collect();
        if changes.is_empty() {
            return Ok(state);
        }
        let (space, thread) = (state.space, state.thread);
        let version = self
            .change_members(state, changes, Members::default(), Vec::new())
            .await?
            .membership_version;
        let state = self.thread(space, thread, version).await?;
        state.ok_or(StorageError::Timeout {
            operation: "find",
            table: "threads",
        })
    }

    /// Writes member rows, then raises the version of the membership, then tells of it. Whoever hears of the version
    /// finds the rows. What is asked for `again` is written already, perhaps by a try that failed before it raised the
    /// version: the version is raised and told once more.
    pub(crate) async fn change_members(
        &self,
        state: Arc<ThreadState>,
        changes: Members,
        again: Members,
        follows: Vec<Recipient>,
    ) -> Result<MembershipChanged, StorageError> {
        let (space, thread) = (state.space, state.thread);
        let follows: Vec<Recipient> = follows
            .into_iter()
            .filter(|follow| !state.record.follows.contains(follow))
            .collect();
        if changes.is_empty() && again.is_empty() && follows.is_empty() {
            return Ok(MembershipChanged {
                thread,
                membership_version: state.record.membership_version,
            });
        }
        let timestamp = self.write_timestamp().max(state.written + 1);
        self.put_members(space, thread, &changes, timestamp).await?;
        for follow in &follows {
            if let Recipient::Group { group } | Recipient::GroupRole { group, .. } | Recipient::Guardians { group } =
                follow
            {
                self.store
                    .put(
                        group_thread_key(space, *group, thread),
                        &GroupThreadRecord {},
                        timestamp,
                    )
                    .await?;
            }
        }
        self.index_members(space, thread, &changes, timestamp).await?;
        let changed = self.change_thread(state, |record| {
            record.membership_version += 1;
            record.follows.extend(follows.iter().cloned());
        });
        let state = changed.await?;
        self.tell_members(&state, changes.into_iter().chain(again)).await?;
        Ok(MembershipChanged {
            thread,
            membership_version: state.record.membership_version,
        })
    }

    /// Writes the memberships where they are found by the thread.
    pub(crate) async fn put_members(
        &self,
        space: SpaceId,
        thread: ThreadId,
        members: &FxHashMap<ProfileId, MemberRecord>,
        timestamp: u64,
    ) -> Result<(), StorageError> {
        let mut rows: Vec<_> = members
            .iter()
            .map(|(profile, member)| (vec![(*profile).into()], member.clone()))
            .collect();
        rows.sort_by(|one, other| one.0.cmp(&other.0));
        for batch in rows.chunks(BATCH) {
            let partition = thread_partition(space, thread).to_vec();
            self.store.put_all(partition, batch.to_vec(), timestamp).await?;
        }
        Ok(())
    }

    /// Writes the memberships where they are found by the profile.
    pub(crate) async fn index_members(
        &self,
        space: SpaceId,
        thread: ThreadId,
        members: &FxHashMap<ProfileId, MemberRecord>,
        timestamp: u64,
    ) -> Result<(), StorageError> {
        let mut profiles: Vec<_> = members.iter().collect();
        profiles.sort_by_key(|(profile, _)| **profile);
        for batch in profiles.chunks(BATCH) {
            let mut writes = tokio::task::JoinSet::new();
            for (profile, member) in batch {
                let store = self.store.clone();
                let (key, record) = (
                    profile_thread_key(space, **profile, thread),
                    ProfileThreadRecord {
                        member: (*member).clone(),
                    },
                );
                writes.spawn(async move { store.put(key, &record, timestamp).await });
            }
            while let Some(written) = writes.join_next().await {
                written.map_err(|error| StorageError::Unavailable {
                    reason: error.to_string(),
                })??;
            }
        }
        Ok(())
    }

    /// Tells the members, and those who just left, who came and went.
    async fn tell_members(
        &self,
        state: &ThreadState,
        changes: impl Iterator<Item = (ProfileId, MemberRecord)>,
    ) -> Result<(), StorageError> {
        let directory = self.load_directory(state.space).await?;
        let mut changes: Vec<_> = changes.collect();
        changes.sort_by_key(|(profile, _)| *profile);
        for (profile, member) in changes {
            let event = Event::Membership {
                thread: state.thread,
                membership_version: state.record.membership_version,
                profile,
                joined_at: member.joined_at,
                left_at: member.left_at,
            };
            let person = directory.as_ref().and_then(|directory| directory.person_of(profile));
            let audience = Audience::thread(state.thread, state.record.membership_version).and_people(person);
            let fact = Fact::Membership {
                thread: state.thread,
                profile,
            };
            self.tell(state.space, fact, Some(event), audience).await?;
        }
        Ok(())
    }
}
