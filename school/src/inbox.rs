//! A person's list of threads, computed when it is read: their memberships, and the threads' latest activity.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;
use samtale_protocol::messages::ReadMarker;
use samtale_protocol::people::Caller;
use samtale_protocol::threads::{Inbox, InboxEntry, InboxPage};
use samtale_protocol::{MessageId, ProfileId, Refusal, SpaceId, ThreadId, Timestamp, limits};
use samtale_storage::threads::{
    MemberRecord, OwnReadMarkerRecord, ProfileThreadRecord, RECENT_MESSAGES, ThreadHeadRecord, ThreadSettingsRecord,
    profile_partition,
};
use samtale_storage::{Range, Record, StorageError};

use crate::directory::{Directory, id_at};
use crate::errors::refuse_storage;
use crate::history::may_read;
use crate::people::search_text;
use crate::school::School;

/// Rows read at once.
const PAGE: usize = 2_000;

/// A thread in the list, before its page is cut.
struct Candidate {
    head: ThreadHeadRecord,
    profile: ProfileId,
    member: MemberRecord,
    last: MessageId,
}

impl Candidate {
    /// Whether its subject or the name of someone in it contains `search`, as far as its reader sees them.
    fn matches(&self, search: &str, directory: &Directory, now: Timestamp) -> bool {
        let thread = &self.head.thread;
        let wrote = self
            .head
            .recent
            .iter()
            .filter(|(message, _)| may_read(&self.member, *message));
        let mut people = [thread.starter]
            .into_iter()
            .chain(thread.regarding.iter().copied())
            .chain(wrote.map(|(_, author)| *author));
        thread.subject.to_lowercase().contains(search)
            || people.any(|other| {
                directory.may_name(self.profile, other, now) && directory.name_of(other).to_lowercase().contains(search)
            })
    }
}

impl School {
    pub(crate) async fn inbox(&self, caller: &Caller, request: &Inbox) -> Result<InboxPage, Refusal> {
        let search = search_text(request.search.as_deref())?;
        let own = self
            .profiles_of(caller.person)
            .await
            .map_err(|error| refuse_storage(&error))?;
        let mut candidates = Vec::new();
        for (space, profile, _) in &own.profiles {
            if request.space.is_some_and(|wanted| wanted != *space) {
                continue;
            }
            let directory = self.directory(*space).await?;
            let threads = self.threads_of(&directory, *space, *profile).await;
            let mut threads = threads.map_err(|error| refuse_storage(&error))?;
            if !search.is_empty() {
                threads.retain(|candidate| candidate.matches(&search, &directory, self.now()));
            }
            candidates.extend(threads);
        }
        candidates.sort_by_key(|candidate| std::cmp::Reverse((candidate.last, candidate.head.thread.thread)));
        candidates.retain(|candidate| request.before.is_none_or(|before| candidate.last < before));
        let limit = (request.limit as usize).clamp(1, limits::PAGE);
        let mut more = candidates.len() > limit;
        candidates.truncate(limit);
        let (mut entries, mut bytes) = (Vec::with_capacity(candidates.len()), 0);
        let mut kept: FxHashMap<ProfileId, Kept> = FxHashMap::default();
        for candidate in candidates {
            let (space, profile) = (candidate.head.thread.space, candidate.profile);
            let kept = match kept.entry(profile) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(
                    self.kept(space, profile)
                        .await
                        .map_err(|error| refuse_storage(&error))?,
                ),
            };
            let entry = entry(candidate, kept);
            bytes += 400 + entry.preview.len() + entry.thread.subject.len() + entry.read.also.len() * 20;
            if bytes > limits::PAGE_BYTES && !entries.is_empty() {
                more = true;
                break;
            }
            entries.push(entry);
        }
        Ok(InboxPage {
            entries,
            more,
            withheld: Vec::new(),
        })
    }

    async fn threads_of(
        &self,
        directory: &Directory,
        space: SpaceId,
        profile: ProfileId,
    ) -> Result<Vec<Candidate>, StorageError> {
        let now = self.now();
        if directory.role_now(profile, now).is_none() {
            return Ok(Vec::new());
        }
        let heads = self.heads(space).await?;
        let memberships = self.of_profile::<ProfileThreadRecord>(space, profile).await?;
        let mut candidates = Vec::with_capacity(memberships.len());
        for (thread, ProfileThreadRecord { member }) in memberships {
            // A thread without a head has no message yet: its start is under way, or was never finished.
            let Some(head) = heads.head(thread) else { continue };
            if !directory.may_know(profile, &member, &head.thread.regarding, now) {
                continue;
            }
            let visible = head
                .recent
                .iter()
                .rev()
                .map(|(id, _)| *id)
                .find(|id| may_read(&member, *id));
            let last = match visible {
                Some(last) => last,
                None if head.last_message.sent_at() < member.visible_from => place_of(thread, member.joined_at),
                None => place_of(thread, member.left_at.unwrap_or(member.joined_at)),
            };
            candidates.push(Candidate {
                head,
                profile,
                member,
                last,
            });
        }
        Ok(candidates)
    }

    async fn kept(&self, space: SpaceId, profile: ProfileId) -> Result<Kept, StorageError> {
        let (markers, settings) = tokio::join!(
            self.of_profile::<OwnReadMarkerRecord>(space, profile),
            self.of_profile::<ThreadSettingsRecord>(space, profile),
        );
        Ok(Kept {
            markers: markers?
                .into_iter()
                .map(|(thread, record)| (thread, record.read))
                .collect(),
            settings: settings?.into_iter().collect(),
        })
    }

    /// What a profile keeps of each thread, in one table.
    async fn of_profile<R: Record>(
        &self,
        space: SpaceId,
        profile: ProfileId,
    ) -> Result<Vec<(ThreadId, R)>, StorageError> {
        let rows = self
            .store
            .scan_all::<R>(&profile_partition(space, profile), Range::all(PAGE))
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| (ThreadId::from_bytes(id_at(&row.clustering, 0)), row.record))
            .collect())
    }
}

/// Where a thread without a readable message stands in the list: by a time, and at no other thread's place, so that a
/// page that begins after one of them skips none.
fn place_of(thread: ThreadId, time: Timestamp) -> MessageId {
    let mut tail = [0; 10];
    tail.copy_from_slice(&thread.as_bytes()[6..]);
    MessageId::at(time, &tail)
}

/// What a profile keeps of its threads.
struct Kept {
    markers: FxHashMap<ThreadId, ReadMarker>,
    settings: FxHashMap<ThreadId, ThreadSettingsRecord>,
}

fn entry(candidate: Candidate, kept: &Kept) -> InboxEntry {
    let Candidate {
        head,
        profile,
        member,
        last,
    } = candidate;
    let thread = head.thread.thread;
    let read = kept.markers.get(&thread).cloned().unwrap_or_default();
    let settings = kept.settings.get(&thread).cloned().unwrap_or_default();
    let unread = head
        .recent
        .iter()
        .filter(|(message, author)| *author != profile && may_read(&member, *message) && !read.covers(*message))
        .take(RECENT_MESSAGES)
        .count();
    let shows_last = last == head.last_message;
    let last_author = head
        .recent
        .iter()
        .find(|(id, _)| *id == last)
        .map_or(head.thread.starter, |(_, author)| *author);
    InboxEntry {
        thread: head.thread,
        profile,
        last_message: last,
        last_author,
        preview: if shows_last { head.preview } else { String::new() },
        unread: u32::try_from(unread).unwrap_or(u32::MAX),
        read,
        muted: settings.muted,
        marked: settings.marked,
        left_at: member.left_at,
    }
}
