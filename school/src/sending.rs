//! The way of a send into storage: durable, once, whatever is retried. `design.md`, "Identity and order of a message".

use std::sync::Arc;

use samtale_protocol::messages::{Message, Part, Sent};
use samtale_protocol::{
    ClientId, ErrorCode, Event, MessageId, ProfileId, Refusal, SpaceId, ThreadId, Timestamp, limits,
};
use samtale_router::LogEntry;
use samtale_storage::StorageError;
use samtale_storage::journal::Fact;
use samtale_storage::threads::{MessageRecord, message_key};
use sha2::{Digest, Sha256};

use crate::errors::refuse_storage;
use crate::school::School;
use crate::settling::{Earlier, LATE};
use crate::thread_state::ThreadState;

/// A message on its way into storage.
pub(crate) struct Outgoing {
    /// Its author.
    pub author: ProfileId,
    /// The client's own id.
    pub client_id: ClientId,
    /// The time its sender fixed.
    pub sent_at: Timestamp,
    /// What it says.
    pub parts: Vec<Part>,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// A hash of what else the request said, as of a thread's subject and recipients: a retry says the same.
    pub request_hash: Option<[u8; 32]>,
}

impl Outgoing {
    /// Whether storage is asked before it is written: an earlier try may have been stored.
    pub fn is_old(&self, now: Timestamp) -> bool {
        now.since(self.sent_at) >= limits::SENT_AT_FRESH
    }

    /// Refuses a body or a time that can not be stored.
    pub fn check(&self, now: Timestamp) -> Result<(), Refusal> {
        Part::check(&self.parts).map_err(|reason| Refusal::new(ErrorCode::BadRequest).detail(reason))?;
        if self.sent_at > now.plus(limits::SENT_AT_AHEAD) {
            let ahead = self.sent_at.since(now).as_millis();
            return Err(
                Refusal::new(ErrorCode::ClockAhead).detail(format!("sent_at is {ahead} ms ahead of the server"))
            );
        }
        Ok(())
    }

    fn content_hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new().chain_update(b"samtale message content 1");
        if let Some(reply_to) = &self.reply_to {
            hash.update(reply_to.as_bytes());
        }
        if let Some(request_hash) = &self.request_hash {
            hash.update(request_hash);
        }
        for part in &self.parts {
            if let Part::Text { text } = part {
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(text.as_bytes());
            }
        }
        hash.finalize().into()
    }
}

/// What is to be published of a message: its thread first, when this is the first message of it.
struct Noted {
    thread: Option<LogEntry>,
    message: LogEntry,
}

impl School {
    /// Stores a message of a member and tells of it; the same whenever it is retried.
    pub(crate) async fn store_message(&self, state: &Arc<ThreadState>, outgoing: Outgoing) -> Result<Sent, Refusal> {
        let now = self.now();
        outgoing.check(now)?;
        let message = MessageId::derive(state.thread, outgoing.author, outgoing.client_id, outgoing.sent_at);
        let hash = outgoing.content_hash();
        let sent = Sent {
            thread: state.thread,
            message,
            client_id: outgoing.client_id,
        };
        let tried_before = match self.memory().sends.insert(message, hash) {
            Some(other) if other != hash => return Err(ErrorCode::ClientIdReused.into()),
            earlier => earlier.is_some(),
        };
        // Fixed before someone left, it would stand where they can still read; fixed before its author came, where the
        // author can not; fixed before the thread began, where nobody looks. Clocks differ, so all of it happens.
        let came_at = state.members.get(&outgoing.author).map(|member| member.visible_from);
        let came_at = came_at.unwrap_or_default().max(state.record.started_at);
        if outgoing.is_old(now) || outgoing.sent_at <= state.last_removal || outgoing.sent_at < came_at {
            return self.send_again(state, message, &hash).await.map(|()| sent);
        }
        if tried_before {
            // It may have been edited or recalled since: then its first text must not be told again.
            match self.earlier(state.space, state.thread, message, &hash).await? {
                Some(Earlier::Stored(stored)) => return self.write_again(state, stored).await.map(|()| sent),
                Some(Earlier::Never) => return Err(ErrorCode::Restamp.into()),
                None => {}
            }
        }
        self.write_first(state, message, hash, outgoing).await.map(|()| sent)
    }

    /// Answers a try, too old to be stored now, of a message whose thread was never made: the thread is not made either.
    pub(crate) async fn refuse_old(&self, space: SpaceId, thread: ThreadId, outgoing: &Outgoing) -> Refusal {
        let message = MessageId::derive(thread, outgoing.author, outgoing.client_id, outgoing.sent_at);
        match self.settle(space, thread, message, &outgoing.content_hash()).await {
            Ok(Earlier::Never) => ErrorCode::Restamp.into(),
            Ok(Earlier::Stored(_)) => ErrorCode::Internal.into(),
            Err(refusal) => refusal,
        }
    }

    async fn write_first(
        &self,
        state: &Arc<ThreadState>,
        message: MessageId,
        content_hash: [u8; 32],
        outgoing: Outgoing,
    ) -> Result<(), Refusal> {
        let Outgoing {
            author,
            client_id,
            sent_at,
            parts,
            reply_to,
            request_hash: _,
        } = outgoing;
        let version = sent_at.as_micros();
        let record = MessageRecord::Sent {
            author,
            client_id,
            content_hash,
            version,
            parts: parts.clone(),
            reply_to,
            edited_at: None,
            recalled_at: None,
        };
        let thread = state.thread;
        let view = Message {
            thread,
            message,
            author,
            sent_at,
            version,
            parts,
            reply_to,
            edited_at: None,
            recalled_at: None,
        };
        if self.sabotage.acknowledge_before_write {
            return self.write_after_acknowledging(state, message, record, view).await;
        }
        let key = message_key(state.space, thread, message);
        let row = async {
            self.store.put(key, &record, version).await?;
            Ok(self.now())
        };
        let (row, told): (Result<Timestamp, StorageError>, _) = tokio::join!(row, self.note_message(state, &view));
        let stored_at = match row {
            Ok(stored_at) => stored_at,
            Err(error) => {
                // Lists of threads must not show what was not stored. If it was after all, the retry notes it again.
                let _ = self.forget_message(state.space, thread, message).await;
                return Err(refuse_storage(&error));
            }
        };
        if stored_at.since(sent_at) >= LATE {
            return self.send_again(state, message, &content_hash).await;
        }
        self.publish_noted(state.space, told.map_err(|error| refuse_storage(&error))?);
        Ok(())
    }

    /// A send whose earlier tries may have been stored, or may yet be: what became of it is settled, then told.
    async fn send_again(&self, state: &Arc<ThreadState>, message: MessageId, hash: &[u8; 32]) -> Result<(), Refusal> {
        match self.settle(state.space, state.thread, message, hash).await? {
            Earlier::Stored(stored) => self.write_again(state, stored).await,
            Earlier::Never => Err(ErrorCode::Restamp.into()),
        }
    }

    fn publish_noted(&self, space: SpaceId, noted: Noted) {
        for entry in noted.thread.into_iter().chain([noted.message]) {
            self.publish(space, entry);
        }
    }

    /// A message that was stored by an earlier try is told of again: the node that stored it may have died before.
    async fn write_again(&self, state: &Arc<ThreadState>, stored: Message) -> Result<(), Refusal> {
        let noted = self.note_message(state, &stored).await;
        self.publish_noted(state.space, noted.map_err(|error| refuse_storage(&error))?);
        Ok(())
    }

    /// Writes what a message changes beside itself: the thread's head and the journal. A thread is told of with its
    /// first message, so that one whose start is given up is never seen.
    async fn note_message(&self, state: &Arc<ThreadState>, message: &Message) -> Result<Noted, StorageError> {
        let space = state.space;
        let heads = self.heads(space).await?;
        let thread = if heads.knows(state.thread) {
            None
        } else {
            Some(self.journal_thread(state).await?)
        };
        heads.note_message(&state.view(), message);
        let fact = Fact::Message {
            thread: state.thread,
            message: message.message,
        };
        let audience = state.audience_of(message.message);
        let (head, entry) = tokio::join!(
            self.store_head(space, &heads, state.thread),
            self.journal(space, fact, Some(Event::Message(message.clone())), audience),
        );
        head.and(entry).map(|message| Noted { thread, message })
    }

    /// Journals a changed message and tells of it.
    pub(crate) async fn tell_message(&self, state: &Arc<ThreadState>, message: &Message) -> Result<(), Refusal> {
        self.write_again(state, message.clone()).await
    }

    /// The fault that the simulation must catch: the sender is told, and the write may fail.
    async fn write_after_acknowledging(
        &self,
        state: &Arc<ThreadState>,
        message: MessageId,
        record: MessageRecord,
        view: Message,
    ) -> Result<(), Refusal> {
        let store = self.store.clone();
        let (key, version) = (message_key(state.space, state.thread, message), view.version);
        tokio::spawn(async move {
            let _ = store.put(key, &record, version).await;
        });
        self.write_again(state, view).await
    }
}

/// A stored message as clients see it; `None` for a void.
pub(crate) fn view_of(
    thread: samtale_protocol::ThreadId,
    message: MessageId,
    record: MessageRecord,
) -> Option<Message> {
    let MessageRecord::Sent {
        author,
        version,
        parts,
        reply_to,
        edited_at,
        recalled_at,
        ..
    } = record
    else {
        return None;
    };
    let sent_at = message.sent_at();
    Some(Message {
        thread,
        message,
        author,
        sent_at,
        version,
        parts,
        reply_to,
        edited_at,
        recalled_at,
    })
}
