//! What became of a send that is tried again so late that it has to be settled for good. ADR 0003.

use std::time::Duration;

use samtale_protocol::messages::Message;
use samtale_protocol::{ErrorCode, MessageId, Refusal, SpaceId, ThreadId, limits};
use samtale_storage::threads::{MessageRecord, SettlementRecord, message_key};
use samtale_storage::{Compared, Key, StorageError, Stored};

use crate::errors::refuse_storage;
use crate::school::School;
use crate::sending::view_of;

/// By how much a row that is settled as stored has a higher write timestamp than the first write of it, in microseconds.
pub(crate) const CONFIRMED: u64 = 2;

/// By how much a void has: above every other write of its row, however late that one arrives.
const VOID: u64 = 365 * 24 * 60 * 60 * 1_000_000;

/// A write that ends later than this after `sent_at` is settled before it is told: another node, whose clock may differ
/// by a second, may by now have looked for the message in vain.
pub(crate) const LATE: Duration = Duration::from_secs(9);

/// How often a decision is tried while others decide the same: nothing, closing, decided are all there is to lose to.
const DECIDES: usize = 3;

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
        match row.as_ref().map(|row| &row.record) {
            Some(MessageRecord::Void {}) => return Ok(Earlier::Never),
            Some(MessageRecord::Sent { content_hash, .. }) if content_hash != hash => {
                return Err(ErrorCode::ClientIdReused.into());
            }
            Some(MessageRecord::Sent { .. }) => {}
            None => self.wait_for_others(message)?,
        }
        let is_stored = match &row {
            Some(row) if row.timestamp >= confirmed => true,
            Some(_) => self.decide(&key, SettlementRecord::Stored).await.map_err(refuse)?,
            None => self.close(&key).await.map_err(refuse)?,
        };
        if !is_stored {
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

    /// Refuses to settle a send that another node may be storing at this moment, and would tell of.
    fn wait_for_others(&self, message: MessageId) -> Result<(), Refusal> {
        let age = self.now().since(message.sent_at());
        if age >= limits::SENT_AT_FRESH {
            return Ok(());
        }
        let wait = limits::SENT_AT_FRESH.saturating_sub(age);
        Err(Refusal::new(ErrorCode::StorageUnavailable).after(wait))
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

    /// A message as the journal tells of it, once it is beyond doubt that it stays.
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
        if self.may_be_unsettled(message, row.timestamp) {
            let settlement = self.store.get::<SettlementRecord>(&key).await?;
            if !self.stays(&key, settlement.map(|row| row.record)).await? {
                return Ok(None);
            }
        }
        Ok(view_of(thread, message, row.record))
    }

    /// Whether a row that is there may still become a void: a write that hung may land after a late retry looked for it.
    /// A fresh row may not, since whoever looks later finds it, nor may one that was confirmed.
    pub(crate) fn may_be_unsettled(&self, message: MessageId, timestamp: u64) -> bool {
        let sent_at = message.sent_at();
        self.now().since(sent_at) >= LATE && timestamp < sent_at.as_micros() + CONFIRMED
    }

    /// Whether a row that was read stays, by what its settlement said *after* that read.
    ///
    /// Without a settlement it stays: whoever closes later looks again after that, and finds the row.
    pub(crate) async fn stays(&self, key: &Key, settlement: Option<SettlementRecord>) -> Result<bool, StorageError> {
        match settlement {
            None | Some(SettlementRecord::Stored) => Ok(true),
            Some(SettlementRecord::Never) => Ok(false),
            Some(SettlementRecord::Closing) => self.decide(key, SettlementRecord::Stored).await,
        }
    }

    /// Decides what became of a send whose row is not there: said first, then looked for once more. So a row that anyone
    /// read before is found, and one that lands later is found to be closing by whoever reads it.
    async fn close(&self, key: &Key) -> Result<bool, StorageError> {
        match self.settlement(key).await?.map(|row| row.record) {
            Some(SettlementRecord::Stored) => return Ok(true),
            Some(SettlementRecord::Never) => return Ok(false),
            Some(SettlementRecord::Closing) => {}
            None => {
                let closing = self
                    .store
                    .compare_and_set(key, None, &SettlementRecord::Closing)
                    .await?;
                if closing == Compared::Conflict {
                    return Err(undecided());
                }
            }
        }
        let is_there = self.store.get::<MessageRecord>(key).await?.is_some();
        let outcome = if is_there {
            SettlementRecord::Stored
        } else {
            SettlementRecord::Never
        };
        self.decide(key, outcome).await
    }

    /// Decides that a send is stored, or never will be; the first decision holds. Returns whether it is stored.
    async fn decide(&self, key: &Key, outcome: SettlementRecord) -> Result<bool, StorageError> {
        for _ in 0..DECIDES {
            let now = self.settlement(key).await?;
            match now.as_ref().map(|row| row.record) {
                Some(SettlementRecord::Stored) => return Ok(true),
                Some(SettlementRecord::Never) => return Ok(false),
                Some(SettlementRecord::Closing) | None => {}
            }
            let expected = now.map(|row| row.timestamp);
            let compared = self.store.compare_and_set(key, expected, &outcome).await?;
            if let Compared::Applied { .. } = compared {
                return Ok(outcome == SettlementRecord::Stored);
            }
        }
        Err(undecided())
    }

    async fn settlement(&self, key: &Key) -> Result<Option<Stored<SettlementRecord>>, StorageError> {
        self.store.get_serial::<SettlementRecord>(key).await
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

/// Others were quicker, or our own write got lost on its way: whether it is stored is asked again later.
const fn undecided() -> StorageError {
    StorageError::Timeout {
        operation: "settle",
        table: "settlements",
    }
}
