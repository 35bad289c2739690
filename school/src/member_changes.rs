//! How the members of a thread change, so that every node finds the same ones in each version, whatever fails half-way.
//!
//! A change is begun in the thread's record; then its rows are written, each with the membership from before; then it is
//! finished in the record, which raises the version of the membership; then it is told. The rows of a change that was not
//! finished do not hold: without that, who loads the thread now would see a member as gone whom others still tell.

use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;
use samtale_protocol::threads::{MembershipChanged, Recipient};
use samtale_protocol::{Audience, Event, ProfileId, Timestamp};
use samtale_storage::journal::Fact;
use samtale_storage::threads::{MemberRecord, ThreadRecord, thread_key};
use samtale_storage::{Compared, StorageError};

use crate::school::School;
use crate::thread_state::ThreadState;
use crate::threads::TRIES;

/// How old a request may be that begins to change members. Who asked for it has asked again, or for something else, since.
const ASKED_WITHIN: Duration = Duration::from_secs(10);

/// How long a change is left alone that was begun and is not finished. Ten thousand rows take some seconds.
const LEFT_ALONE: Duration = Duration::from_secs(5);

/// How often a change that is under way is looked at, and how long it is waited for at first: with what is added from look
/// to look, as long as it is left alone, if the clock stands.
const LOOKS: u32 = 20;
const LOOK: Duration = Duration::from_millis(25);

/// Members as they are, or are to be.
pub(crate) type Members = FxHashMap<ProfileId, MemberRecord>;

/// What is to become of a thread's members.
#[derive(Default)]
pub(crate) struct MemberChange {
    /// Members as they are to be.
    pub changes: Members,
    /// Members who are already as was asked, perhaps by a try that was not told of: they are told of once more.
    pub again: Members,
    /// Groups that the thread follows from now on.
    pub follows: Vec<Recipient>,
}

impl MemberChange {
    /// These members, and nothing else.
    pub fn of(changes: Members) -> Self {
        Self {
            changes,
            ..Self::default()
        }
    }

    /// Whether nothing changes, and nothing is told.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.again.is_empty() && self.follows.is_empty()
    }
}

/// A thread's record with its version.
struct Begun {
    record: ThreadRecord,
    version: u64,
}

impl School {
    /// Changes the members as `plan` says of the thread as it is; it is asked again when others changed them meanwhile.
    ///
    /// A request may hang for long, and its sender ask again and others after them. What was asked for at `asked_at`, a time
    /// from before `state` was read, is refused as a timeout where it would undo what was asked for later.
    pub(crate) async fn change_members(
        &self,
        state: Arc<ThreadState>,
        asked_at: Timestamp,
        plan: impl Fn(&ThreadState) -> MemberChange,
    ) -> Result<MembershipChanged, StorageError> {
        let as_asked = Arc::clone(&state);
        let mut state = state;
        for _ in 0..TRIES {
            state = self.wait_for_open_change(state).await?;
            let mut change = plan(&state);
            let is_overtaken = |profile: &ProfileId| {
                let member = state.members.get(profile);
                member != as_asked.members.get(profile) || member.is_some_and(|member| member.asked_at > asked_at)
            };
            if self.now().since(asked_at) > ASKED_WITHIN || change.changes.keys().any(is_overtaken) {
                return Err(not_changed());
            }
            change.follows.retain(|follow| !state.record.follows.contains(follow));
            // What was begun and may have failed could still be finished, and be what this was to prevent.
            if change.is_empty() && !state.record.is_member_change_open() {
                return Ok(changed(&state, state.record.membership_version));
            }
            let made = self.try_change(&state, &change, asked_at).await?;
            state = self.found_thread(state.space, state.thread).await?;
            if let Some(version) = made {
                self.tell_members(&state, version, change).await?;
                return Ok(changed(&state, version));
            }
        }
        Err(not_changed())
    }

    /// Gives a change that is under way the time to be finished. Two that begin after each other without looking would keep
    /// each other from it.
    async fn wait_for_open_change(&self, mut state: Arc<ThreadState>) -> Result<Arc<ThreadState>, StorageError> {
        for look in 1..=LOOKS {
            let begun_at = Timestamp::saturating(state.record.members_begun / 1_000);
            if !state.record.is_member_change_open() || self.now().since(begun_at) > LEFT_ALONE {
                break;
            }
            let [chance, ..] = self.random_bytes();
            tokio::time::sleep(LOOK * look + LOOK * u32::from(chance) / 256).await;
            state = self.found_thread(state.space, state.thread).await?;
        }
        Ok(state)
    }

    /// The version of the membership that the change made; `None` if others changed the thread meanwhile.
    async fn try_change(
        &self,
        state: &ThreadState,
        change: &MemberChange,
        asked_at: Timestamp,
    ) -> Result<Option<u64>, StorageError> {
        let newest = state.record.members_begun.max(state.written);
        let timestamp = self.write_timestamp().max(newest + 1);
        let Some(begun) = self.begin_change(state, timestamp).await? else {
            return Ok(None);
        };
        self.write_change(state, change, asked_at, timestamp).await?;
        self.finish_change(state, begun, &change.follows).await
    }

    /// `None` if the thread is not as `state` says any more.
    async fn begin_change(&self, state: &ThreadState, timestamp: u64) -> Result<Option<Begun>, StorageError> {
        let mut record = state.record.clone();
        record.begin_member_change(timestamp);
        let version = self.replace_thread(state, state.version, &mut record).await?;
        Ok(version.map(|version| Begun { record, version }))
    }

    /// The version of the membership that it made. `None` if another change was begun since: that one knows nothing of this
    /// one, and what it says of a member from before may be wrong by now.
    async fn finish_change(
        &self,
        state: &ThreadState,
        mut begun: Begun,
        follows: &[Recipient],
    ) -> Result<Option<u64>, StorageError> {
        let timestamp = begun.record.members_begun;
        for _ in 0..TRIES {
            let mut record = begun.record;
            record.finish_member_change(timestamp);
            record.follows.extend(follows.iter().cloned());
            if self.replace_thread(state, begun.version, &mut record).await?.is_some() {
                return Ok(Some(record.membership_version));
            }
            let key = thread_key(state.space, state.thread);
            match self.store.get_serial::<ThreadRecord>(&key).await? {
                Some(read) if read.record.members_begun == timestamp && read.record.is_member_change_open() => {
                    begun = Begun {
                        record: read.record,
                        version: read.timestamp,
                    };
                }
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Puts a record in the place of the one of this version; the new version, or `None` if it is not there any more.
    async fn replace_thread(
        &self,
        state: &ThreadState,
        version: u64,
        record: &mut ThreadRecord,
    ) -> Result<Option<u64>, StorageError> {
        record.change = self.random_bytes();
        let key = thread_key(state.space, state.thread);
        match self.store.compare_and_set(&key, Some(version), record).await? {
            Compared::Applied { version } => Ok(Some(version)),
            Compared::Conflict => Ok(None),
        }
    }

    /// Tells the members, and those who just left, who came and went.
    async fn tell_members(&self, state: &ThreadState, version: u64, change: MemberChange) -> Result<(), StorageError> {
        let directory = self.load_directory(state.space).await?;
        let mut changes: Vec<_> = change.changes.into_iter().chain(change.again).collect();
        changes.sort_by_key(|(profile, _)| *profile);
        for (profile, member) in changes {
            let event = Event::Membership {
                thread: state.thread,
                membership_version: version,
                profile,
                joined_at: member.joined_at,
                left_at: member.left_at,
            };
            let person = directory.as_ref().and_then(|directory| directory.person_of(profile));
            let audience = Audience::thread(state.thread, version).and_people(person);
            let fact = Fact::Membership {
                thread: state.thread,
                profile,
            };
            self.tell(state.space, fact, Some(event), audience).await?;
        }
        Ok(())
    }
}

fn changed(state: &ThreadState, membership_version: u64) -> MembershipChanged {
    MembershipChanged {
        thread: state.thread,
        membership_version,
    }
}

fn not_changed() -> StorageError {
    StorageError::Timeout {
        operation: "change the members of",
        table: "threads",
    }
}
