//! What became of a send that is tried again so late that it has to be settled for good. ADR 0003.

use samtale_protocol::messages::Message;
use samtale_protocol::{ErrorCode, MessageId, Refusal, SpaceId, ThreadId, limits};
use samtale_storage::threads::{MessageRecord, SettlementRecord, message_key};
use samtale_storage::{Compared, Key, StorageError};

use crate::errors::refuse_storage;
use crate::school::School;
use crate::sending::view_of;

/// By how much a row that is settled as stored has a higher write timestamp than the first write of it, in microseconds.
pub(crate) const CONFIRMED: u64 = 2;

/// By how much a void has: above every other write of its row, however late that one arrives.
const VOID: u64 = 365 * 24 * 60 * 60 * 1_000_000;

/// What storage says of a send that was tried before.
pub(crate) enum Earlier {
    /// It is stored.
    Stored(Message),
    /// It is not, and never will be.
    Never,
}

impl School {
    /// Finds out whether an earlier try was stored, and if not makes sure that it never will be.
    ///
    /// Several tries may ask at once, through several nodes, while the first write still hangs; so the answer is decided
    /// by compare-and-set, and the row follows it: confirmed, or a void that no write of it outlives. A row that an
    /// earlier answer or a change has confirmed is not asked for again.
    pub(crate) async fn settle(
        &self,
        space: SpaceId,
        thread: ThreadId,
        message: MessageId,
        hash: &[u8; 32],
    ) -> Result<Earlier, Refusal> {
        let refuse = |error: StorageError| refuse_storage(&error);
        let key = message_key(space, thread, message);
        let confirmed = message.sent_at().as_micros() + CONFIRMED;
        let row = self.store.get::<MessageRecord>(&key).await.map_err(refuse)?;
        let is_stored = match row.as_ref().map(|row| &row.record) {
            Some(MessageRecord::Void {}) => return Ok(Earlier::Never),
            Some(MessageRecord::Sent { content_hash, .. }) if content_hash != hash => {
                return Err(ErrorCode::ClientIdReused.into());
            }
            Some(MessageRecord::Sent { .. }) => true,
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
            self.write_void(space, thread, message).await?;
            return Ok(Earlier::Never);
        }
        let row = match row {
            Some(row) => row,
            None => {
                let again = self.store.get::<MessageRecord>(&key).await.map_err(refuse)?;
                again.ok_or(ErrorCode::StorageUnavailable)?
            }
        };
        if row.timestamp < confirmed {
            self.store.put(key, &row.record, confirmed).await.map_err(refuse)?;
        }
        let view = view_of(thread, message, row.record).ok_or(ErrorCode::Internal)?;
        Ok(Earlier::Stored(view))
    }

    /// What storage says of an earlier try; `None` if nothing stands there.
    pub(crate) async fn earlier(
        &self,
        space: SpaceId,
        thread: ThreadId,
        message: MessageId,
        hash: &[u8; 32],
    ) -> Result<Option<Earlier>, Refusal> {
        let key = message_key(space, thread, message);
        let stored = self
            .store
            .get::<MessageRecord>(&key)
            .await
            .map_err(|error| refuse_storage(&error))?;
        match stored.map(|stored| stored.record) {
            Some(MessageRecord::Sent { content_hash, .. }) if content_hash != *hash => {
                Err(ErrorCode::ClientIdReused.into())
            }
            Some(record @ MessageRecord::Sent { .. }) => {
                let view = view_of(thread, message, record).ok_or(ErrorCode::Internal)?;
                Ok(Some(Earlier::Stored(view)))
            }
            Some(MessageRecord::Void {}) => Ok(Some(Earlier::Never)),
            None => Ok(None),
        }
    }

    /// A message as the journal tells of it: one that nothing has confirmed is settled first. A write that hung may land
    /// between the look of a late retry and its void, and what was told must not be taken back. A fresh row needs nothing:
    /// whoever looks later finds it.
    pub(crate) async fn settled_message(
        &self,
        space: SpaceId,
        thread: ThreadId,
        message: MessageId,
    ) -> Result<Option<Message>, StorageError> {
        let key = message_key(space, thread, message);
        let Some(row) = self.store.get::<MessageRecord>(&key).await? else {
            return Ok(None);
        };
        let confirmed = message.sent_at().as_micros() + CONFIRMED;
        let is_old = self.now().since(message.sent_at()) >= limits::SENT_AT_FRESH;
        if is_old && row.timestamp < confirmed {
            if !self.decide(&key, true).await? {
                return Ok(None);
            }
            self.store.put(key, &row.record, confirmed).await?;
        }
        Ok(view_of(thread, message, row.record))
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

    /// Writes a void where a message must never appear.
    async fn write_void(&self, space: SpaceId, thread: ThreadId, message: MessageId) -> Result<(), Refusal> {
        let key = message_key(space, thread, message);
        let timestamp = message.sent_at().as_micros() + VOID;
        let written = self.store.put(key, &MessageRecord::Void {}, timestamp).await;
        written.map_err(|error| refuse_storage(&error))?;
        let forgotten = self.forget_message(space, thread, message).await;
        forgotten.map_err(|error| refuse_storage(&error))
    }

    /// Takes a message that is not stored out of its thread's head.
    pub(crate) async fn forget_message(
        &self,
        space: SpaceId,
        thread: ThreadId,
        message: MessageId,
    ) -> Result<(), StorageError> {
        let heads = self.heads(space).await?;
        heads.forget(thread, message);
        self.store_head(space, &heads, thread).await
    }
}
