//! A thread with its members as the node knows them, and what a person may do in it.

use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;
use samtale_protocol::people::Caller;
use samtale_protocol::threads::Thread;
use samtale_protocol::{Audience, ErrorCode, MessageId, PersonId, ProfileId, Refusal, SpaceId, ThreadId, Timestamp};
use samtale_storage::threads::{MemberRecord, ThreadRecord, thread_key, thread_partition};
use samtale_storage::{Range, StorageError, Store, Stored};

use crate::directory::{Directory, id_at};
use crate::errors::refuse_storage;
use crate::followed::Following;
use crate::school::School;

/// Members read at once.
const PAGE: usize = 1_000;

/// How often a thread is read whose members change while it is read.
const READS: u32 = 8;

/// A thread as it was when it was read. Never changed: a newer one takes its place.
#[derive(Debug)]
pub struct ThreadState {
    /// Its home space.
    pub space: SpaceId,
    /// The thread.
    pub thread: ThreadId,
    /// The version of the record.
    pub version: u64,
    /// The record.
    pub record: ThreadRecord,
    /// Everyone who is or was a member.
    pub members: FxHashMap<ProfileId, MemberRecord>,
    /// The newest write timestamp among the members' rows: a change of them goes above it, whatever the clocks.
    pub written: u64,
    /// When a member was last taken out or left: a send that was fixed before is looked up before it is stored.
    pub last_removal: Timestamp,
    /// From when on every member may read: messages from before are told to some only.
    pub all_see_from: Timestamp,
    people: Mutex<Option<PeopleNow>>,
}

/// The persons behind the active members, for as long as that holds.
#[derive(Clone, Debug)]
struct PeopleNow {
    directory_version: u64,
    since: Timestamp,
    /// When the next relation, place in a group or profile begins or ends.
    until: Option<Timestamp>,
    people: Arc<[PersonId]>,
}

/// What the caller is in a thread.
pub(crate) struct Membership {
    /// The thread.
    pub state: Arc<ThreadState>,
    /// The directory of its space.
    pub directory: Arc<Directory>,
    /// The caller's profile in it.
    pub profile: ProfileId,
    /// The caller's membership.
    pub member: MemberRecord,
}

impl Membership {
    /// Refuses who has left.
    fn check_active(&self) -> Result<(), Refusal> {
        if self.member.left_at.is_none() {
            return Ok(());
        }
        Err(Refusal::new(ErrorCode::NotPermitted).detail("you are no longer a member of this thread"))
    }
}

impl ThreadState {
    /// Reads a thread; `None` if there is no such thread in the space.
    pub async fn load(store: &Store, space: SpaceId, thread: ThreadId) -> Result<Option<Self>, StorageError> {
        let mut read_before = None;
        for _ in 0..READS {
            // The thread first: what is finished in it is in the rows that are read after it.
            let Some(stored) = store.get_serial::<ThreadRecord>(&thread_key(space, thread)).await? else {
                return Ok(None);
            };
            let rows = store
                .scan_all::<MemberRecord>(&thread_partition(space, thread), Range::all(PAGE))
                .await?;
            let (version, record) = (stored.timestamp, stored.record);
            // A change was begun since; it may be finished by now, and a second one may have replaced its rows. The record is
            // the same only after a backup was restored whose tables are not of one moment, or nodes of before wrote it.
            let is_behind = rows.iter().any(|row| record.is_behind(&row.record, row.timestamp));
            if is_behind && read_before.replace(version) != Some(version) {
                continue;
            }
            let written = rows.iter().map(|row| row.timestamp).max().unwrap_or_default();
            let holds = |row: Stored<MemberRecord>| {
                let member = record.member_that_holds(row.record, row.timestamp)?;
                Some((ProfileId::from_bytes(id_at(&row.clustering, 0)), member))
            };
            let members = rows.into_iter().filter_map(holds).collect();
            return Ok(Some(Self::new(space, thread, version, record, members, written)));
        }
        Err(StorageError::Timeout {
            operation: "read the members of",
            table: "threads",
        })
    }

    /// A thread of these records.
    pub fn new(
        space: SpaceId,
        thread: ThreadId,
        version: u64,
        record: ThreadRecord,
        members: FxHashMap<ProfileId, MemberRecord>,
        written: u64,
    ) -> Self {
        let last_removal = members
            .values()
            .filter_map(|member| member.left_at)
            .max()
            .unwrap_or_default();
        let all_see_from = members
            .values()
            .map(|member| member.visible_from)
            .max()
            .unwrap_or_default();
        Self {
            space,
            thread,
            version,
            record,
            members,
            written,
            last_removal,
            all_see_from,
            people: Mutex::default(),
        }
    }

    /// The thread as clients see it.
    pub fn view(&self) -> Thread {
        Thread {
            space: self.space,
            thread: self.thread,
            version: self.version,
            membership_version: self.record.membership_version,
            subject: self.record.subject.clone(),
            starter: self.record.starter,
            started_at: self.record.started_at,
            regarding: self.record.regarding.clone(),
            linked_to: self.record.linked_to,
        }
    }

    /// Whether someone is or was a member, and may still know of the thread.
    pub fn is_open_to(&self, profile: ProfileId, directory: &Directory, now: Timestamp) -> bool {
        let member = self.members.get(&profile);
        member.is_some_and(|member| directory.may_know(profile, member, &self.record.regarding, now))
    }

    /// Whether a member is in it now and may write.
    pub fn is_active(&self, profile: ProfileId, directory: &Directory, now: Timestamp) -> bool {
        self.members
            .get(&profile)
            .is_some_and(|member| member.left_at.is_none())
            && self.is_open_to(profile, directory, now)
    }

    /// The members that are in it now.
    pub fn active<'a>(&'a self, directory: &'a Directory, now: Timestamp) -> impl Iterator<Item = ProfileId> + 'a {
        self.members
            .keys()
            .copied()
            .filter(move |profile| self.is_active(*profile, directory, now))
    }

    /// The persons behind the members that are in it now and may read a message of `sent_at`.
    pub fn people_who_may_read(&self, sent_at: Timestamp, directory: &Directory, now: Timestamp) -> Vec<PersonId> {
        let may_read = |profile: &ProfileId| {
            self.members
                .get(profile)
                .is_some_and(|member| member.visible_from <= sent_at)
        };
        self.active(directory, now)
            .filter(may_read)
            .filter_map(|profile| directory.person_of(profile))
            .collect()
    }

    /// Those who may be told of a message. Its time goes along always: who comes between the send and its delivery is a
    /// member by then, and may not read so far back.
    pub fn audience_of(&self, message: MessageId) -> Audience {
        Audience::thread(self.thread, self.record.membership_version).who_may_read(message.sent_at())
    }

    /// The persons behind the members that are in it now, none twice.
    pub fn people(&self, directory: &Directory, now: Timestamp) -> Arc<[PersonId]> {
        let mut known = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.as_ref()
            && known.directory_version == directory.version
            && known.since <= now
            && known.until.is_none_or(|until| now < until)
        {
            return Arc::clone(&known.people);
        }
        let mut people: Vec<PersonId> = self
            .active(directory, now)
            .filter_map(|profile| directory.person_of(profile))
            .collect();
        people.sort_unstable();
        people.dedup();
        let people: Arc<[PersonId]> = people.into();
        *known = Some(PeopleNow {
            directory_version: directory.version,
            since: now,
            until: directory.holds_until(now),
            people: Arc::clone(&people),
        });
        people
    }
}

/// What was heard of a thread while it is being loaded.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ThreadLoading {
    /// How often at a time.
    loads: usize,
    pub membership_version: u64,
    /// Of the thread itself.
    pub version: u64,
}

/// A thread that is being loaded. What was heard of its members meanwhile may be newer than what is read: kept, the old
/// state would be taken for the newest until the next change.
struct Loading<'a> {
    school: &'a School,
    space: SpaceId,
    thread: ThreadId,
    since: Option<Following>,
}

impl<'a> Loading<'a> {
    fn begin(school: &'a School, space: SpaceId, thread: ThreadId) -> Self {
        let mut memory = school.memory();
        memory.threads_loading.entry(thread).or_default().loads += 1;
        let since = memory.following(space);
        drop(memory);
        Self {
            school,
            space,
            thread,
            since,
        }
    }

    /// Keeps what was read in memory, if all that happened since was heard of and nothing newer, and no newer state is there.
    fn keep(&self, state: &Arc<ThreadState>) {
        let mut memory = self.school.memory();
        let heard = memory.threads_loading.get(&self.thread).copied().unwrap_or_default();
        let is_newest = state.record.membership_version >= heard.membership_version && state.version >= heard.version;
        if !is_newest || !memory.keeps(self.space, self.since) {
            return;
        }
        let newest = memory.threads.entry(state.thread).or_insert_with(|| Arc::clone(state));
        if (newest.record.membership_version, newest.version) < (state.record.membership_version, state.version) {
            *newest = Arc::clone(state);
        }
    }
}

impl Drop for Loading<'_> {
    fn drop(&mut self) {
        let mut memory = self.school.memory();
        if let Some(loading) = memory.threads_loading.get_mut(&self.thread) {
            loading.loads -= 1;
            if loading.loads == 0 {
                memory.threads_loading.remove(&self.thread);
            }
        }
    }
}

impl School {
    /// A thread with a membership at least as new as `version`.
    pub(crate) async fn thread(
        &self,
        space: SpaceId,
        thread: ThreadId,
        version: u64,
    ) -> Result<Option<Arc<ThreadState>>, StorageError> {
        if let Some(state) = self.thread_in_memory(thread, version) {
            return Ok(Some(state));
        }
        self.thread_as_stored(space, thread).await
    }

    /// A thread as storage has it at this moment, whatever the node has heard. Who changes its members begins with this: to
    /// take out once more who was taken out elsewhere, a little later, would open what was said in between.
    pub(crate) async fn thread_as_stored(
        &self,
        space: SpaceId,
        thread: ThreadId,
    ) -> Result<Option<Arc<ThreadState>>, StorageError> {
        let loading = Loading::begin(self, space, thread);
        let loaded = ThreadState::load(&self.store, space, thread).await?;
        let state = loaded.map(Arc::new);
        if let Some(state) = &state {
            loading.keep(state);
        }
        Ok(state)
    }

    pub(crate) fn thread_in_memory(&self, thread: ThreadId, version: u64) -> Option<Arc<ThreadState>> {
        let memory = self.memory();
        let state = memory.threads.get(&thread)?;
        (state.record.membership_version >= version).then(|| Arc::clone(state))
    }

    /// The caller's membership of a thread, past or present. Whoever has none is told that there is no such thread.
    pub(crate) async fn membership(
        &self,
        caller: &Caller,
        thread: ThreadId,
        version: u64,
    ) -> Result<Membership, Refusal> {
        let own = self
            .profiles_of(caller.person)
            .await
            .map_err(|error| refuse_storage(&error))?;
        let known_space = self.thread_in_memory(thread, 0).map(|state| state.space);
        let mut spaces: Vec<SpaceId> = own.profiles.iter().map(|(space, _, _)| *space).collect();
        spaces.dedup();
        let now = self.now();
        for space in spaces
            .into_iter()
            .filter(|space| known_space.is_none_or(|known| known == *space))
        {
            let loaded = self
                .thread(space, thread, version)
                .await
                .map_err(|error| refuse_storage(&error))?;
            let Some(state) = loaded.filter(|state| state.space == space) else {
                continue;
            };
            let directory = self.directory(space).await?;
            let mine = own
                .profiles
                .iter()
                .filter(|(home, _, _)| *home == space)
                .map(|(_, profile, _)| *profile);
            let open = mine.filter(|profile| state.is_open_to(*profile, &directory, now));
            // Of two profiles in one thread the one that may write comes first.
            let found = open.max_by_key(|profile| state.is_active(*profile, &directory, now));
            let Some(profile) = found else {
                return Err(ErrorCode::NotFound.into());
            };
            let member = state.members.get(&profile).cloned().ok_or(ErrorCode::NotFound)?;
            return Ok(Membership {
                state,
                directory,
                profile,
                member,
            });
        }
        Err(ErrorCode::NotFound.into())
    }

    /// The caller's membership of a thread that they are in now.
    pub(crate) async fn active_membership(
        &self,
        caller: &Caller,
        thread: ThreadId,
        version: u64,
    ) -> Result<Membership, Refusal> {
        let membership = self.membership(caller, thread, version).await?;
        membership.check_active()?;
        Ok(membership)
    }

    /// The caller's membership of a thread whose members they are about to change, as storage has it.
    pub(crate) async fn stored_membership(&self, caller: &Caller, thread: ThreadId) -> Result<Membership, Refusal> {
        let mut membership = self.active_membership(caller, thread, 0).await?;
        let stored = self.thread_as_stored(membership.state.space, thread).await;
        membership.state = stored
            .map_err(|error| refuse_storage(&error))?
            .ok_or(ErrorCode::NotFound)?;
        let member = membership.state.members.get(&membership.profile);
        membership.member = member.cloned().ok_or(ErrorCode::NotFound)?;
        membership.check_active()?;
        Ok(membership)
    }
}
