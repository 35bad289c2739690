//! The way of a send into storage: durable, once, whatever is retried. `design.md`, "Identity and order of a message".

use std::sync::Arc;
use std::time::Duration;

use samtale_protocol::messages::{Message, Part, Sent};
use samtale_protocol::{ClientId, ErrorCode, Event, MessageId, ProfileId, Refusal, Timestamp, limits};
use samtale_storage::journal::Fact;
use samtale_storage::threads::{MessageRecord, SettlementRecord, message_key};
use samtale_storage::{Compared, Key, StorageError};
use sha2::{Digest, Sha256};

use crate::errors::refuse_storage;
use crate::school::School;
use crate::thread_state::ThreadState;

/// A write that ends later than this after `sent_at` is settled before it is told: another node, whose clock may differ
/// by a second, may by now have looked for the message in vain.
const LATE: Duration = Duration::from_secs(9);

/// By how much a row that is settled as stored has a higher write timestamp than the first write of it, in microseconds.
pub(crate) const CONFIRMED: u64 = 2;

/// By how much a void has: above every other write of its row, however late that one arrives.
const VOID: u64 = 365 * 24 * 60 * 60 * 1_000_000;

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
}

impl Outgoing {
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
        for part in &self.parts {
            if let Part::Text { text } = part {
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(text.as_bytes());
            }
        }
        hash.finalize().into()
    }
}

/// What storage says of a send that was tried before.
enum Earlier {
    /// It is stored.
    Stored(Message),
    /// It is not, and never will be.
    Never,
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
        if *self.memory().sends.entry(message).or_insert(hash) != hash {
            return Err(ErrorCode::ClientIdReused.into());
        }
        let is_old = now.since(outgoing.sent_at) >= limits::SENT_AT_FRESH;
        // Fixed before someone left, it would stand where they can still read; fixed before its author came, where the
        // author can not. Clocks differ, so both happen.
        let came_at = state
            .members
            .get(&outgoing.author)
            .map_or(state.record.started_at, |member| member.visible_from);
        if is_old || outgoing.sent_at <= state.last_removal || outgoing.sent_at < came_at {
            return self.send_again(state, message, &hash).await.map(|()| sent);
        }
        self.write_first(state, message, hash, outgoing).await.map(|()| sent)
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
            return self.write_after_acknowledging(state, message, record, view);
        }
        let key = message_key(state.space, thread, message);
        let row = async {
            self.store.put(key, &record, version).await?;
            Ok(self.now())
        };
        let (row, told): (Result<Timestamp, StorageError>, _) = tokio::join!(row, self.note_message(state, &view));
        let stored_at = row.map_err(|error| refuse_storage(&error))?;
        if stored_at.since(sent_at) >= LATE {
            return self.send_again(state, message, &content_hash).await;
        }
        let entry = told.map_err(|error| refuse_storage(&error))?;
        self.publish(state.space, entry);
        Ok(())
    }

    /// A send whose earlier tries may have been stored, or may yet be: what became of it is settled, then told.
    async fn send_again(&self, state: &Arc<ThreadState>, message: MessageId, hash: &[u8; 32]) -> Result<(), Refusal> {
        match self.settle(state, message, hash).await? {
            Earlier::Stored(stored) => self.write_again(state, stored).await,
            Earlier::Never => Err(ErrorCode::Restamp.into()),
        }
    }

    /// A message that was stored by an earlier try is told of again: the node that stored it may have died before.
    async fn write_again(&self, state: &Arc<ThreadState>, stored: Message) -> Result<(), Refusal> {
        let entry = self
            .note_message(state, &stored)
            .await
            .map_err(|error| refuse_storage(&error))?;
        self.publish(state.space, entry);
        Ok(())
    }

    /// Writes what a message changes beside itself: the thread's head and the journal.
    async fn note_message(
        &self,
        state: &Arc<ThreadState>,
        message: &Message,
    ) -> Result<samtale_router::LogEntry, StorageError> {
        let space = state.space;
        let heads = self.heads(space).await?;
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
        head.and(entry)
    }

    /// Journals a changed message and tells of it.
    pub(crate) async fn tell_message(&self, state: &Arc<ThreadState>, message: &Message) -> Result<(), Refusal> {
        self.write_again(state, message.clone()).await
    }

    /// Finds out whether an earlier try was stored, and if not makes sure that it never will be.
    ///
    /// Several tries may ask at once, through several nodes, while the first write still hangs; so the answer is decided
    /// by compare-and-set, and the row follows it: confirmed, or a void that no write of it outlives. A row that an
    /// earlier answer or a change has confirmed is not asked for again.
    async fn settle(&self, state: &ThreadState, message: MessageId, hash: &[u8; 32]) -> Result<Earlier, Refusal> {
        let refuse = |error: StorageError| refuse_storage(&error);
        let key = message_key(state.space, state.thread, message);
        let confirmed = message.sent_at().as_micros() + CONFIRMED;
        let row = self.store.get::<MessageRecord>(&key).await.map_err(refuse)?;
        let is_stored = match &row {
            Some(row) => match &row.record {
                MessageRecord::Void {} => return Ok(Earlier::Never),
                MessageRecord::Sent { content_hash, .. } if content_hash != hash => {
                    return Err(ErrorCode::ClientIdReused.into());
                }
                MessageRecord::Sent { .. } => true,
            },
            None => false,
        };
        let age = self.now().since(message.sent_at());
        if !is_stored && age < limits::SENT_AT_FRESH {
            // Another node may be storing it at this moment, and would tell of it.
            let wait = limits::SENT_AT_FRESH.saturating_sub(age);
            return Err(Refusal::new(ErrorCode::StorageUnavailable).after(wait));
        }
        let is_confirmed = row.as_ref().is_some_and(|row| row.timestamp >= confirmed);
        if !is_confirmed && !self.decide(&key, is_stored).await.map_err(refuse)? {
            self.write_void(state, message).await?;
            return Ok(Earlier::Never);
        }
        let row = match row {
            Some(row) => row,
            None => self
                .store
                .get::<MessageRecord>(&key)
                .await
                .map_err(refuse)?
                .ok_or(ErrorCode::StorageUnavailable)?,
        };
        if row.timestamp < confirmed {
            self.store.put(key, &row.record, confirmed).await.map_err(refuse)?;
        }
        let view = view_of(state.thread, message, row.record).ok_or(ErrorCode::Internal)?;
        Ok(Earlier::Stored(view))
    }

    /// Decides whether a send is stored; the first decision holds.
    async fn decide(&self, key: &Key, is_stored: bool) -> Result<bool, StorageError> {
        let ours = SettlementRecord { is_stored };
        if matches!(
            self.store.compare_and_set(key, None, &ours).await?,
            Compared::Applied { .. }
        ) {
            return Ok(is_stored);
        }
        let decided = self.store.get_serial::<SettlementRecord>(key).await?;
        // A conflict without a row: our own write got lost on its way, and nobody else's was there.
        decided.map(|row| row.record.is_stored).ok_or(StorageError::Timeout {
            operation: "settle",
            table: "settlements",
        })
    }

    /// Writes a void where a message must never appear, above the timestamp of any write of it that still hangs.
    async fn write_void(&self, state: &ThreadState, message: MessageId) -> Result<(), Refusal> {
        let key = message_key(state.space, state.thread, message);
        let timestamp = message.sent_at().as_micros() + VOID;
        let void = MessageRecord::Void {};
        self.store
            .put(key, &void, timestamp)
            .await
            .map_err(|error| refuse_storage(&error))?;
        let heads = self.heads(state.space).await.map_err(|error| refuse_storage(&error))?;
        heads.forget(state.thread, message);
        self.store_head(state.space, &heads, state.thread)
            .await
            .map_err(|error| refuse_storage(&error))
    }

    /// The fault that the simulation must catch: the sender is told, and the write may fail.
    fn write_after_acknowledging(
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
        let (time, fact) = (
            self.now(),
            Fact::Message {
                thread: state.thread,
                message,
            },
        );
        let audience = state.audience_of(message);
        let id = self.event_id(time);
        let event = Some(Event::Message(view));
        self.publish(
            state.space,
            samtale_router::LogEntry {
                id,
                time,
                audience,
                fact,
                event,
            },
        );
        Ok(())
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
