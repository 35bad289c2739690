//! Members of a thread: add, take out, leave, come back.

use std::sync::Arc;

use samtale_protocol::people::Caller;
use samtale_protocol::threads::{AddMembers, MembershipChanged, Recipient, RemoveMembers, ThreadReference};
use samtale_protocol::{ErrorCode, GroupId, ProfileId, Refusal, Timestamp, limits};
use samtale_storage::StorageError;
use samtale_storage::threads::MemberRecord;

use crate::errors::refuse_storage;
use crate::history::from_now_on;
use crate::member_changes::{MemberChange, Members};
use crate::school::School;
use crate::thread_state::{Membership, ThreadState};
use crate::threads::{check_recipients, too_many_members};

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
        let follows: Vec<Recipient> = to
            .into_iter()
            .filter(|to| !matches!(to, Recipient::Profile { .. }))
            .collect();
        let changed = self.change_members(state, now, |state| {
            let (mut changes, mut again) = (Members::default(), Members::default());
            let joined_at = self.now();
            let visible_from = if from_the_beginning {
                state.record.started_at
            } else {
                from_now_on(joined_at)
            };
            for (other, through) in &reached {
                match state.members.get(other) {
                    Some(member) if state.is_active(*other, &directory, now) => again.insert(*other, member.clone()),
                    _ => changes.insert(*other, newcomer(joined_at, visible_from, *through)),
                };
            }
            MemberChange {
                changes,
                again,
                follows: follows.clone(),
            }
        });
        changed.await.map_err(|error| refuse_storage(&error))
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
        let ended = |state: &ThreadState| {
            let mut change = MemberChange::default();
            for profile in profiles {
                match state.members.get(profile) {
                    Some(member) if member.left_at.is_some() => change.again.insert(*profile, member.clone()),
                    Some(member) => change.changes.insert(
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
            change
        };
        self.change_members(state, now, ended).await
    }

    /// Brings back those of a thread of two who have left it: whoever answers goes on with it, and both read all of it.
    pub(crate) async fn rejoin(
        &self,
        state: Arc<ThreadState>,
        profiles: &[ProfileId],
    ) -> Result<Arc<ThreadState>, StorageError> {
        let back = |state: &ThreadState| {
            let gone = profiles.iter().filter_map(|profile| {
                let member = state.members.get(profile).filter(|member| member.left_at.is_some())?;
                let back = MemberRecord {
                    joined_at: self.now(),
                    left_at: None,
                    stays_out: false,
                    ..member.clone()
                };
                Some((*profile, back))
            });
            MemberChange::of(gone.collect())
        };
        if back(&state).is_empty() {
            return Ok(state);
        }
        let (space, thread, now) = (state.space, state.thread, self.now());
        let state = self.found_thread(space, thread).await?;
        let version = self.change_members(state, now, back).await?.membership_version;
        match self.thread_in_memory(thread, version) {
            Some(state) => Ok(state),
            None => self.found_thread(space, thread).await,
        }
    }
}

/// Someone who comes into a thread, and reads it from `visible_from` on.
pub(crate) fn newcomer(joined_at: Timestamp, visible_from: Timestamp, through: Option<GroupId>) -> MemberRecord {
    MemberRecord {
        joined_at,
        left_at: None,
        visible_from,
        through,
        closed: false,
        stays_out: false,
        asked_at: Timestamp::default(),
        before: None,
    }
}
