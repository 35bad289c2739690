//! Messages: send, reply to the sender alone, edit, recall.

use std::time::Duration;

use samtale_protocol::messages::{EditMessage, Message, MessageReference, Part, ReplyToSender, SendMessage, Sent};
use samtale_protocol::people::Caller;
use samtale_protocol::{ErrorCode, MessageId, ProfileId, Refusal, ThreadId};
use samtale_storage::Stored;
use samtale_storage::threads::{MessageRecord, ThreadRecord, message_key};
use sha2::{Digest, Sha256};

use crate::errors::refuse_storage;
use crate::explain::refuse_rule;
use crate::history::may_read;
use crate::school::School;
use crate::sending::{Outgoing, view_of};
use crate::settling::CONFIRMED;
use crate::thread_state::Membership;

/// A recall is written this far ahead of the clock: an edit that was under way at the same time, on another device or as
/// a write that still hangs, does not bring the text back. Nothing is written there after it.
const RECALL_AHEAD_MICROS: u64 = 60_000_000;

/// By how much a question may be later than its answer for the answer's time to be fixed anew: clocks differ by seconds,
/// and a client may keep a time for as long as it is offline.
const QUESTION_AHEAD: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl School {
    pub(crate) async fn send_message(&self, caller: &Caller, request: SendMessage) -> Result<Sent, Refusal> {
        let SendMessage {
            thread,
            client_id,
            sent_at,
            parts,
            reply_to,
            membership_version,
        } = request;
        let membership = self
            .active_membership(caller, thread, membership_version.unwrap_or_default())
            .await?;
        let author = membership.profile;
        if let Some(question) = reply_to.filter(|question| {
            // Decided by what the send says alone, so that each retry of it gets the same answer and none is stored.
            MessageId::derive(thread, author, client_id, sent_at) <= *question
        }) {
            return Err(if question.sent_at().since(sent_at) < QUESTION_AHEAD {
                Refusal::new(ErrorCode::Restamp).detail("an answer is later than its question")
            } else {
                Refusal::new(ErrorCode::BadRequest).detail("`reply_to` is of a time to come")
            });
        }
        self.store_message(
            &membership.state,
            Outgoing {
                author,
                client_id,
                sent_at,
                parts,
                reply_to,
                request_hash: None,
            },
        )
        .await
    }

    /// Answers the author of a message alone. The thread of the two has an id that follows from the thread and the two,
    /// so that a second answer goes on with it.
    pub(crate) async fn reply_to_sender(&self, caller: &Caller, request: ReplyToSender) -> Result<Sent, Refusal> {
        let ReplyToSender {
            thread,
            message,
            client_id,
            sent_at,
            parts,
        } = request;
        let membership = self.membership(caller, thread, 0).await?;
        let answered = self.readable_message(&membership, message).await?;
        let (author, sender) = (membership.profile, answered.author);
        let outgoing = Outgoing {
            author,
            client_id,
            sent_at,
            parts,
            reply_to: None,
            request_hash: None,
        };
        let now = self.now();
        outgoing.check(now)?;
        if sender == author {
            return Err(Refusal::new(ErrorCode::BadRequest).detail("the message is your own"));
        }
        let (source, directory) = (&membership.state, &membership.directory);
        if !directory.may_name(author, sender, now) {
            return Err(Refusal::new(ErrorCode::NotPermitted).detail("the sender's name is protected"));
        }
        directory.may_answer(author, sender, now).map_err(refuse_rule)?;
        if !source.is_open_to(sender, directory, now) {
            return Err(Refusal::new(ErrorCode::NotPermitted).detail("the thread is closed to its sender"));
        }
        let pair = thread_of_two(source.thread, author, sender, source.record.started_at);
        let known = self.thread_as_stored(source.space, pair).await;
        if let Some(state) = known.map_err(|error| refuse_storage(&error))? {
            let state = self.rejoin(state, &[author, sender]).await;
            return self
                .store_message(&state.map_err(|error| refuse_storage(&error))?, outgoing)
                .await;
        }
        if outgoing.is_old(now) {
            return Err(self.refuse_old(source.space, pair, &outgoing).await);
        }
        let record = ThreadRecord {
            subject: source.record.subject.clone(),
            starter: author,
            started_at: sent_at,
            regarding: source.record.regarding.clone(),
            linked_to: Some(MessageReference { thread, message }),
            follows: Vec::new(),
            membership_version: 1,
            change: [0; 16],
            members_begun: sent_at.as_micros(),
            members_unfinished: Vec::new(),
        };
        let reached = [(sender, None)].into_iter().collect();
        // Both may answer each other at the same moment. What they make is the same, but for who began it.
        let from = source.record.started_at;
        let state = self.ensure_thread(source.space, pair, record, from, &reached).await?;
        self.store_message(&state, outgoing).await
    }

    pub(crate) async fn edit_message(&self, caller: &Caller, request: EditMessage) -> Result<Message, Refusal> {
        let EditMessage { thread, message, parts } = request;
        Part::check(&parts).map_err(|reason| Refusal::new(ErrorCode::BadRequest).detail(reason))?;
        self.change_message(caller, MessageReference { thread, message }, |now, record| {
            let MessageRecord::Sent {
                parts: old,
                edited_at,
                recalled_at,
                ..
            } = record
            else {
                return Ok(false);
            };
            if recalled_at.is_some() {
                return Err(ErrorCode::Recalled.into());
            }
            if *old == parts {
                return Ok(false);
            }
            *old = parts;
            *edited_at = Some(now);
            Ok(true)
        })
        .await
    }

    pub(crate) async fn recall_message(&self, caller: &Caller, request: MessageReference) -> Result<Message, Refusal> {
        self.change_message(caller, request, |now, record| {
            let MessageRecord::Sent { parts, recalled_at, .. } = record else {
                return Ok(false);
            };
            if recalled_at.is_some() {
                return Ok(false);
            }
            parts.clear();
            *recalled_at = Some(now);
            Ok(true)
        })
        .await
    }

    /// Changes one's own message. `change` says whether anything changed.
    async fn change_message(
        &self,
        caller: &Caller,
        which: MessageReference,
        change: impl FnOnce(samtale_protocol::Timestamp, &mut MessageRecord) -> Result<bool, Refusal>,
    ) -> Result<Message, Refusal> {
        let membership = self.active_membership(caller, which.thread, 0).await?;
        let state = &membership.state;
        let stored = self.stored_message(&membership, which.message).await?;
        let mut record = stored.record;
        match &record {
            MessageRecord::Sent { author, .. } if *author == membership.profile => {}
            MessageRecord::Sent { .. } => {
                return Err(Refusal::new(ErrorCode::NotPermitted).detail("only its author changes a message"));
            }
            MessageRecord::Void {} => return Err(ErrorCode::NotFound.into()),
        }
        let changed = change(self.now(), &mut record)?;
        // Above the confirmation of its first write, which may still be on its way.
        let confirmed = which.message.sent_at().as_micros() + CONFIRMED;
        let mut timestamp = self.write_timestamp().max(stored.timestamp + 1).max(confirmed + 1);
        if matches!(
            &record,
            MessageRecord::Sent {
                recalled_at: Some(_),
                ..
            }
        ) {
            timestamp += RECALL_AHEAD_MICROS;
        }
        if let MessageRecord::Sent { version, .. } = &mut record
            && changed
        {
            *version = timestamp;
        }
        let view = view_of(which.thread, which.message, record.clone()).ok_or(ErrorCode::Internal)?;
        if changed {
            let key = message_key(state.space, which.thread, which.message);
            self.store
                .put(key, &record, timestamp)
                .await
                .map_err(|error| refuse_storage(&error))?;
        }
        // Told again even when nothing changed: an earlier try may have died between the row and the journal.
        self.tell_message(state, &view).await?;
        Ok(view)
    }

    async fn readable_message(
        &self,
        membership: &Membership,
        message: samtale_protocol::MessageId,
    ) -> Result<Message, Refusal> {
        let stored = self.stored_message(membership, message).await?;
        view_of(membership.state.thread, message, stored.record).ok_or(ErrorCode::NotFound.into())
    }

    async fn stored_message(
        &self,
        membership: &Membership,
        message: samtale_protocol::MessageId,
    ) -> Result<Stored<MessageRecord>, Refusal> {
        if !may_read(&membership.member, message) {
            return Err(ErrorCode::NotFound.into());
        }
        let key = message_key(membership.state.space, membership.state.thread, message);
        let stored = self
            .store
            .get::<MessageRecord>(&key)
            .await
            .map_err(|error| refuse_storage(&error))?;
        stored.ok_or(ErrorCode::NotFound.into())
    }
}

/// The id of the thread in which two members of a thread answer each other alone.
fn thread_of_two(
    source: ThreadId,
    one: ProfileId,
    other: ProfileId,
    started_at: samtale_protocol::Timestamp,
) -> ThreadId {
    let (first, second) = if one < other { (one, other) } else { (other, one) };
    let digest = Sha256::new()
        .chain_update(b"samtale thread of two 1")
        .chain_update(source.as_bytes())
        .chain_update(first.as_bytes())
        .chain_update(second.as_bytes())
        .finalize();
    let mut random = [0; 10];
    random.copy_from_slice(&digest[..10]);
    ThreadId::at(started_at, &random)
}
