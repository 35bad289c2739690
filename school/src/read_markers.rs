//! Who has read what.

use rustc_hash::FxHashMap;
use samtale_protocol::messages::{MarkRead, ReadMarker};
use samtale_protocol::people::{Caller, Role};
use samtale_protocol::{Audience, ErrorCode, Event, MessageId, ProfileId, Refusal, SpaceId, ThreadId, limits};
use samtale_storage::directory::ReadReceipts;
use samtale_storage::journal::Fact;
use samtale_storage::threads::{
    OwnReadMarkerRecord, ReadMarkerRecord, member_key, profile_thread_key, thread_partition,
};
use samtale_storage::{Range, StorageError};

use crate::directory::id_at;
use crate::errors::refuse_storage;
use crate::history::may_read;
use crate::school::School;
use crate::thread_state::Membership;

/// Markers read at once.
const PAGE: usize = 1_000;

impl School {
    pub(crate) async fn mark_read(&self, caller: &Caller, request: MarkRead) -> Result<ReadMarker, Refusal> {
        let MarkRead { thread, mut messages } = request;
        if messages.is_empty() || messages.len() > limits::IDS {
            return Err(Refusal::new(ErrorCode::BadRequest).detail("between 1 and 200 messages"));
        }
        let membership = self.membership(caller, thread, 0).await?;
        // What can not be on the screen is not read: neither from outside the membership, nor from times to come.
        let newest = MessageId::first_at(self.now().plus(limits::SENT_AT_AHEAD * 2));
        messages.retain(|message| may_read(&membership.member, *message) && *message < newest);
        self.read_before(&membership, &mut messages)
            .await
            .map_err(|error| refuse_storage(&error))?;
        messages.sort_unstable();
        self.store_marker(&membership, &messages)
            .await
            .map_err(|error| refuse_storage(&error))
    }

    /// What stands before the first message on the screen is read too, as far as it is there by now: a message that
    /// arrives late and comes to stand there is not.
    async fn read_before(&self, membership: &Membership, messages: &mut Vec<MessageId>) -> Result<(), StorageError> {
        let Some(first) = messages.iter().min().copied() else {
            return Ok(());
        };
        let heads = self.heads(membership.state.space).await?;
        let recent = heads
            .head(membership.state.thread)
            .map(|head| head.recent)
            .unwrap_or_default();
        let before = recent.into_iter().map(|(message, _)| message);
        messages.extend(before.filter(|message| *message < first && may_read(&membership.member, *message)));
        Ok(())
    }

    async fn store_marker(&self, membership: &Membership, messages: &[MessageId]) -> Result<ReadMarker, StorageError> {
        let Membership { state, profile, .. } = membership;
        let (space, thread, profile) = (state.space, state.thread, *profile);
        let own_key = profile_thread_key(space, profile, thread);
        let stored = self.store.get::<OwnReadMarkerRecord>(&own_key).await?;
        let old = stored
            .as_ref()
            .map(|stored| stored.record.read.clone())
            .unwrap_or_default();
        let settled = MessageId::first_at(self.now().minus(limits::SENT_AT_FRESH));
        let read = advance(&old, messages, settled);
        if messages.is_empty() {
            return Ok(old);
        }
        let timestamp = self
            .write_timestamp()
            .max(stored.map_or(0, |stored| stored.timestamp + 1));
        let (own, shared) = (
            OwnReadMarkerRecord { read: read.clone() },
            ReadMarkerRecord { read: read.clone() },
        );
        let (own, shared) = tokio::join!(
            self.store.put(own_key, &own, timestamp),
            self.store.put(member_key(space, thread, profile), &shared, timestamp),
        );
        own.and(shared)?;
        let audience = self.marker_audience(membership);
        let event = Event::Read {
            thread,
            profile,
            version: timestamp,
            read: read.clone(),
        };
        self.tell(space, Fact::Read { thread, profile }, Some(event), audience)
            .await?;
        Ok(read)
    }

    /// The reader's own devices, and those to whom the space's policy shows it.
    fn marker_audience(&self, membership: &Membership) -> Audience {
        let Membership {
            state,
            directory,
            profile,
            ..
        } = membership;
        let me = directory.person_of(*profile);
        match directory.record.read_receipts {
            ReadReceipts::Everyone => Audience::thread(state.thread, state.record.membership_version).and_people(me),
            ReadReceipts::Nobody => Audience::people(me),
            ReadReceipts::Staff => {
                let now = self.now();
                let staff = state
                    .active(directory, now)
                    .filter(|other| other != profile && directory.role_now(*other, now).is_some_and(Role::is_staff))
                    .filter_map(|other| directory.person_of(other));
                Audience::people(me.into_iter().chain(staff))
            }
        }
    }

    /// What each member of a thread has read.
    pub(crate) async fn read_markers(
        &self,
        space: SpaceId,
        thread: ThreadId,
    ) -> Result<FxHashMap<ProfileId, ReadMarker>, StorageError> {
        let rows = self
            .store
            .scan_all::<ReadMarkerRecord>(&thread_partition(space, thread), Range::all(PAGE))
            .await?;
        let marker = |row: samtale_storage::Stored<ReadMarkerRecord>| {
            (ProfileId::from_bytes(id_at(&row.clustering, 0)), row.record.read)
        };
        Ok(rows.into_iter().map(marker).collect())
    }
}

/// The marker after `messages`, in order, were on the screen. Everything up to the newest of them that is older than
/// `settled` is read; later ones stand on their own, because a message that arrives late may still come between them.
fn advance(old: &ReadMarker, messages: &[MessageId], settled: MessageId) -> ReadMarker {
    let newest_settled = messages
        .iter()
        .chain(&old.also)
        .filter(|message| **message < settled)
        .max()
        .copied();
    let up_to = old.up_to.max(newest_settled);
    let later = messages
        .iter()
        .chain(&old.also)
        .filter(|message| up_to.is_none_or(|up_to| **message > up_to));
    let mut also: Vec<MessageId> = later.copied().collect();
    also.sort_unstable();
    also.dedup();
    if also.len() > limits::IDS {
        also.drain(..also.len() - limits::IDS);
    }
    ReadMarker { up_to, also }
}

#[cfg(test)]
mod tests {
    use samtale_protocol::Timestamp;

    use super::*;

    fn at(millis: u64) -> MessageId {
        MessageId::at(Timestamp::saturating(millis), &[7; 10])
    }

    #[test]
    fn a_message_that_arrives_late_is_not_counted_as_read() {
        let settled = MessageId::first_at(Timestamp::saturating(90_000));
        let marker = advance(&ReadMarker::default(), &[at(80_000), at(95_000)], settled);
        assert_eq!(
            marker,
            ReadMarker {
                up_to: Some(at(80_000)),
                also: vec![at(95_000)]
            }
        );
        assert!(
            !marker.covers(at(94_000)),
            "it was sent at 94 s and arrived after 95 s had been read"
        );
        assert!(marker.covers(at(95_000)) && marker.covers(at(50_000)));
    }

    #[test]
    fn a_marker_never_goes_back() {
        let settled = MessageId::first_at(Timestamp::saturating(200_000));
        let old = ReadMarker {
            up_to: Some(at(100_000)),
            also: vec![at(105_000)],
        };
        assert_eq!(advance(&old, &[at(20_000)], settled).up_to, Some(at(105_000)));
    }
}
