//! Threads: start, open, rename.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use samtale_protocol::messages::Sent;
use samtale_protocol::people::{Caller, Role, Withheld, WithheldReason};
use samtale_protocol::threads::{Member, OpenThread, Recipient, RenameThread, StartThread, Thread, ThreadDetails};
use samtale_protocol::{Audience, ErrorCode, Event, ProfileId, Refusal, SpaceId, ThreadId, Timestamp, limits};
use samtale_router::LogEntry;
use samtale_storage::directory::ReadReceipts;
use samtale_storage::journal::Fact;
use samtale_storage::threads::{MemberRecord, ThreadRecord, thread_key};
use samtale_storage::{Compared, StorageError};
use sha2::{Digest, Sha256};

use crate::directory::Directory;
use crate::errors::refuse_storage;
use crate::explain::refuse_rule;
use crate::members::newcomer;
use crate::recipients::Reached;
use crate::school::School;
use crate::sending::Outgoing;
use crate::thread_state::{Membership, ThreadState};

/// How often a compare-and-set is tried again when others change the same thing.
pub(crate) const TRIES: usize = 20;

impl School {
    pub(crate) async fn start_thread(&self, caller: &Caller, request: StartThread) -> Result<Sent, Refusal> {
        let StartThread {
            space,
            client_id,
            sent_at,
            to,
            subject,
            regarding,
            parts,
            as_profile,
        } = request;
        let (directory, starter, role) = self.acting(caller, space, as_profile).await?;
        let now = self.now();
        let subject = checked_subject(&subject)?;
        let outgoing = Outgoing {
            author: starter,
            client_id,
            sent_at,
            parts,
            reply_to: None,
            request_hash: Some(hash_of_start(&subject, &to, &regarding)),
        };
        outgoing.check(now)?;
        let thread = started_by(space, starter, &outgoing);
        // A retry: whether they may was decided when the thread was made.
        let known = self.thread(space, thread, 0).await;
        if let Some(state) = known.map_err(|error| refuse_storage(&error))? {
            return self.store_message(&state, outgoing).await;
        }
        if outgoing.is_old(now) {
            return Err(self.refuse_old(space, thread, &outgoing).await);
        }
        check_regarding(&directory, starter, role, &regarding, now)?;
        let reached = check_recipients(&directory, starter, &to, now)?;
        let follows = to
            .into_iter()
            .filter(|to| !matches!(to, Recipient::Profile { .. }))
            .collect();
        let record = ThreadRecord {
            subject,
            starter,
            started_at: sent_at,
            regarding,
            linked_to: None,
            follows,
            membership_version: 1,
            change: [0; 16],
            members_begun: sent_at.as_micros(),
            members_unfinished: Vec::new(),
        };
        let state = self.ensure_thread(space, thread, record, sent_at, &reached).await?;
        self.store_message(&state, outgoing).await
    }

    /// Makes a thread, which was not there just now, with its members, who read it from `from` on. That time is the same
    /// whenever it is retried, and whoever else makes the same thread meanwhile, or one of them would not read what the other
    /// wrote.
    pub(crate) async fn ensure_thread(
        &self,
        space: SpaceId,
        thread: ThreadId,
        record: ThreadRecord,
        from: Timestamp,
        reached: &Reached,
    ) -> Result<Arc<ThreadState>, Refusal> {
        self.try_ensure_thread(space, thread, record, from, reached)
            .await
            .map_err(|error| refuse_storage(&error))
    }

    async fn try_ensure_thread(
        &self,
        space: SpaceId,
        thread: ThreadId,
        record: ThreadRecord,
        from: Timestamp,
        reached: &Reached,
    ) -> Result<Arc<ThreadState>, StorageError> {
        let member = |through| newcomer(from, from, through);
        let mut members: FxHashMap<ProfileId, MemberRecord> = reached
            .iter()
            .map(|(profile, through)| (*profile, member(*through)))
            .collect();
        members.insert(record.starter, member(None));
        // Members first: whoever finds the thread finds them. The timestamp is theirs, so that a retry, even through another
        // node, writes the same and never undoes a later change.
        let timestamp = from.as_micros();
        self.put_members(space, thread, &members, timestamp).await?;
        self.index_members(space, thread, &members, timestamp).await?;
        self.put_followed(space, thread, &record.follows, timestamp).await?;
        // Whoever else made it meanwhile made the same. It is read back, because an earlier try that died half-way may
        // have left a member whom this one did not reach.
        let key = thread_key(space, thread);
        let _: Compared = self.store.compare_and_set(&key, None, &record).await?;
        self.found_thread(space, thread).await
    }

    /// A thread that is there, as storage has it.
    pub(crate) async fn found_thread(
        &self,
        space: SpaceId,
        thread: ThreadId,
    ) -> Result<Arc<ThreadState>, StorageError> {
        let state = self.thread_as_stored(space, thread).await?;
        state.ok_or(StorageError::Timeout {
            operation: "find",
            table: "threads",
        })
    }

    /// Journals a thread as it is now; what comes back is to be published.
    pub(crate) async fn journal_thread(&self, state: &ThreadState) -> Result<LogEntry, StorageError> {
        let audience = Audience::thread(state.thread, state.record.membership_version);
        let fact = Fact::Thread { thread: state.thread };
        self.journal(state.space, fact, Some(Event::Thread(state.view())), audience)
            .await
    }

    pub(crate) async fn rename_thread(&self, caller: &Caller, request: RenameThread) -> Result<Thread, Refusal> {
        let subject = checked_subject(&request.subject)?;
        let membership = self.active_membership(caller, request.thread, 0).await?;
        self.check_steers(&membership)?;
        let changed = self.change_thread(membership.state, |record| record.subject.clone_from(&subject));
        let state = changed.await.map_err(|error| refuse_storage(&error))?;
        let heads = self.heads(state.space).await.map_err(|error| refuse_storage(&error))?;
        heads.note_thread(&state.view());
        self.store_head(state.space, &heads, state.thread)
            .await
            .map_err(|error| refuse_storage(&error))?;
        let entry = self.journal_thread(&state).await;
        self.publish(state.space, entry.map_err(|error| refuse_storage(&error))?);
        Ok(state.view())
    }

    /// Changes a thread's record, whoever else changes it too. Its members are read again.
    pub(crate) async fn change_thread(
        &self,
        mut state: Arc<ThreadState>,
        change: impl Fn(&mut ThreadRecord),
    ) -> Result<Arc<ThreadState>, StorageError> {
        let (space, thread) = (state.space, state.thread);
        for _ in 0..TRIES {
            let mut record = state.record.clone();
            change(&mut record);
            record.change = self.random_bytes();
            let outcome = self
                .store
                .compare_and_set(&thread_key(space, thread), Some(state.version), &record)
                .await?;
            let applied = matches!(outcome, Compared::Applied { .. });
            state = self.found_thread(space, thread).await?;
            if applied {
                return Ok(state);
            }
        }
        Err(StorageError::Timeout {
            operation: "change",
            table: "threads",
        })
    }

    /// Whoever started a thread, and staff in it, change its subject and its members.
    pub(crate) fn check_steers(&self, membership: &Membership) -> Result<(), Refusal> {
        let role = membership.directory.role_now(membership.profile, self.now());
        if membership.state.record.starter == membership.profile || role.is_some_and(Role::is_staff) {
            return Ok(());
        }
        Err(Refusal::new(ErrorCode::NotPermitted).detail("only its starter and staff in it change a thread"))
    }

    pub(crate) async fn open_thread(&self, caller: &Caller, request: &OpenThread) -> Result<ThreadDetails, Refusal> {
        let Membership {
            state,
            directory,
            profile,
            member,
        } = self.membership(caller, request.thread, 0).await?;
        let now = self.now();
        // Who has left knows of the members up to then, as of the messages.
        let knows = |other: &ProfileId| {
            let joined_at = state.members.get(other).map(|member| member.joined_at);
            member.left_at.is_none() || joined_at <= member.left_at
        };
        let mut ids: Vec<ProfileId> = state.members.keys().copied().filter(knows).collect();
        let later = state.members.len() - ids.len();
        ids.sort_unstable();
        let protected = ids
            .iter()
            .filter(|other| !directory.may_name(profile, **other, now))
            .count();
        ids.retain(|other| {
            request.after.is_none_or(|after| *other > after) && directory.may_name(profile, *other, now)
        });
        let more = ids.len() > limits::PAGE;
        ids.truncate(limits::PAGE);
        let mut markers = self.visible_markers(&state, &directory, profile).await?;
        markers.retain(|other, _| member.left_at.is_none() || *other == profile);
        let members = ids
            .into_iter()
            .filter_map(|id| member_view(&state, &directory, id, markers.get(&id).cloned()))
            .map(|mut other| {
                other.left_at = other
                    .left_at
                    .filter(|at| member.left_at.is_none_or(|left_at| *at <= left_at));
                other
            })
            .collect();
        let families = directory.families(state.active(&directory, now), now);
        let may_write = member.left_at.is_none() && state.is_active(profile, &directory, now);
        let mut withheld_members = withheld(protected, WithheldReason::NameProtected);
        withheld_members.extend(withheld(later, WithheldReason::OutsideMembership));
        Ok(ThreadDetails {
            thread: state.view(),
            members,
            more,
            families,
            may_write,
            withheld: withheld_members,
        })
    }

    /// What the members have read, as far as the space's policy shows it to `reader`.
    async fn visible_markers(
        &self,
        state: &ThreadState,
        directory: &Directory,
        reader: ProfileId,
    ) -> Result<FxHashMap<ProfileId, samtale_protocol::messages::ReadMarker>, Refusal> {
        let is_staff = directory.role_now(reader, self.now()).is_some_and(Role::is_staff);
        let shows = match directory.record.read_receipts {
            ReadReceipts::Everyone => true,
            ReadReceipts::Staff => is_staff,
            ReadReceipts::Nobody => false,
        };
        let mut markers = self
            .read_markers(state.space, state.thread)
            .await
            .map_err(|error| refuse_storage(&error))?;
        markers.retain(|profile, _| shows || *profile == reader);
        Ok(markers)
    }
}

fn member_view(
    state: &ThreadState,
    directory: &Directory,
    profile: ProfileId,
    read: Option<samtale_protocol::messages::ReadMarker>,
) -> Option<Member> {
    let (member, record) = (state.members.get(&profile)?, directory.profiles.get(&profile)?);
    let name = directory.name_of(profile);
    Some(Member {
        profile,
        role: record.role,
        name,
        joined_at: member.joined_at,
        left_at: member.left_at,
        read,
    })
}

/// A list of one count, or of none.
pub(crate) fn withheld(count: usize, reason: WithheldReason) -> Vec<Withheld> {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    if count == 0 {
        Vec::new()
    } else {
        vec![Withheld { count, reason }]
    }
}

pub(crate) fn checked_subject(subject: &str) -> Result<String, Refusal> {
    let subject = subject.trim();
    if subject.is_empty() {
        return Err(Refusal::new(ErrorCode::BadRequest).detail("a thread needs a subject"));
    }
    if subject.len() > limits::SUBJECT_BYTES {
        return Err(Refusal::new(ErrorCode::TooLarge).detail("the subject is longer than 400 bytes"));
    }
    if subject.chars().any(char::is_control) {
        return Err(Refusal::new(ErrorCode::BadRequest).detail("the subject holds a control character"));
    }
    Ok(subject.to_owned())
}

/// The profiles behind the recipients, if the starter may write to all of them.
pub(crate) fn check_recipients(
    directory: &Directory,
    sender: ProfileId,
    to: &[Recipient],
    now: samtale_protocol::Timestamp,
) -> Result<Reached, Refusal> {
    if to.is_empty() {
        return Err(Refusal::new(ErrorCode::BadRequest).detail("at least one recipient"));
    }
    if to.len() > limits::RECIPIENTS {
        return Err(Refusal::new(ErrorCode::TooLarge).detail("more than 200 recipients"));
    }
    let mut reached = Reached::new();
    for recipient in to {
        for (profile, through) in directory.may_write_to(sender, recipient, now).map_err(refuse_rule)? {
            // One who is named by themselves stays when a group changes.
            let known = reached.entry(profile).or_insert(through);
            if through.is_none() {
                *known = None;
            }
        }
    }
    if reached.len() + 1 > limits::MEMBERS {
        return Err(too_many_members());
    }
    Ok(reached)
}

/// A thread of so many.
pub(crate) fn too_many_members() -> Refusal {
    Refusal::new(ErrorCode::TooLarge).detail(format!("more than {} members", limits::MEMBERS))
}

/// Staff name any children of the space, families their own.
fn check_regarding(
    directory: &Directory,
    starter: ProfileId,
    role: Role,
    regarding: &[ProfileId],
    now: samtale_protocol::Timestamp,
) -> Result<(), Refusal> {
    if regarding.len() > limits::REGARDING {
        return Err(Refusal::new(ErrorCode::TooLarge).detail("more than 40 children"));
    }
    let may = |child: &ProfileId| {
        directory.role_now(*child, now) == Some(Role::Child)
            && (role.is_staff() || directory.is_family(starter, *child, now))
    };
    if regarding.iter().all(may) {
        return Ok(());
    }
    Err(Refusal::new(ErrorCode::NotPermitted).detail("a thread regards children of the space, a family's only its own"))
}

/// What a start says besides its first message.
fn hash_of_start(subject: &str, to: &[Recipient], regarding: &[ProfileId]) -> [u8; 32] {
    let mut hash = Sha256::new()
        .chain_update(b"samtale thread start 1")
        .chain_update((subject.len() as u64).to_be_bytes())
        .chain_update(subject.as_bytes());
    for recipient in to {
        match recipient {
            Recipient::Profile { profile } => hash.update([&[1], profile.as_bytes().as_slice()].concat()),
            Recipient::Group { group } => hash.update([&[2], group.as_bytes().as_slice()].concat()),
            Recipient::GroupRole { group, role } => {
                hash.update([&[3, *role as u8], group.as_bytes().as_slice()].concat());
            }
            Recipient::Guardians { group } => hash.update([&[4], group.as_bytes().as_slice()].concat()),
        }
    }
    for child in regarding {
        hash.update([&[5], child.as_bytes().as_slice()].concat());
    }
    hash.finalize().into()
}

/// The id of a thread follows from who starts it and the client's id, so that a retry starts the same one.
fn started_by(space: SpaceId, starter: ProfileId, outgoing: &Outgoing) -> ThreadId {
    let digest = Sha256::new()
        .chain_update(b"samtale thread id 1")
        .chain_update(space.as_bytes())
        .chain_update(starter.as_bytes())
        .chain_update(outgoing.client_id.as_bytes())
        .finalize();
    let mut random = [0; 10];
    random.copy_from_slice(&digest[..10]);
    ThreadId::at(outgoing.sent_at, &random)
}
