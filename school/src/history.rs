//! A thread's messages, in pages both ways, as far as the reader was in it.

use std::collections::BTreeMap;
use std::ops::Bound;

use samtale_protocol::messages::{History, HistoryPage, Message, Part};
use samtale_protocol::people::{Caller, Withheld, WithheldReason};
use samtale_protocol::{ErrorCode, MessageId, Refusal, Timestamp, limits};
use samtale_storage::threads::{
    MemberRecord, MessageRecord, SettlementRecord, message_key, message_partition, quarter,
};
use samtale_storage::{KeyValue, Range, StorageError, Stored};

use crate::directory::id_at;
use crate::errors::refuse_storage;
use crate::school::School;
use crate::sending::view_of;
use crate::thread_state::Membership;
use crate::threads::withheld;

/// How many messages before the reader's time are counted; more are told as this many.
const COUNTED: usize = 1_000;

/// Whether a member may read a message: not from before their time, nor from after they left.
pub(crate) fn may_read(member: &MemberRecord, message: MessageId) -> bool {
    let sent_at = message.sent_at();
    sent_at >= member.visible_from && member.left_at.is_none_or(|left_at| sent_at <= left_at)
}

/// What was read of a thread, in the asked direction.
#[derive(Default)]
struct Read {
    messages: Vec<Message>,
    /// How many rows there can not be read.
    unreadable: usize,
}

impl School {
    pub(crate) async fn history(&self, caller: &Caller, request: &History) -> Result<HistoryPage, Refusal> {
        if request.before.is_some() && request.after.is_some() {
            return Err(Refusal::new(ErrorCode::BadRequest).detail("either `before` or `after`, not both"));
        }
        let membership = self.membership(caller, request.thread, 0).await?;
        let limit = (request.limit as usize).clamp(1, limits::PAGE);
        let ascending = request.after.is_some();
        let read = self
            .page(&membership, request, limit)
            .await
            .map_err(|error| refuse_storage(&error))?;
        let mut withheld = withheld(read.unreadable, WithheldReason::Unreadable);
        let (mut messages, more) = fit(read.messages, limit);
        if !ascending {
            messages.reverse();
        }
        if !more && !ascending {
            withheld.extend(
                self.hidden_before(&membership)
                    .await
                    .map_err(|error| refuse_storage(&error))?,
            );
        }
        Ok(HistoryPage {
            messages,
            more,
            withheld,
        })
    }

    /// Up to `limit` messages and one more, in the asked direction.
    async fn page(&self, membership: &Membership, request: &History, limit: usize) -> Result<Read, StorageError> {
        let (state, member) = (&membership.state, &membership.member);
        let oldest = member.visible_from.max(state.record.started_at);
        let newest = member
            .left_at
            .unwrap_or_else(|| self.now().plus(limits::SENT_AT_AHEAD * 2));
        let mut read = Read::default();
        let ascending = request.after.is_some();
        let first = quarter(request.after.map_or(oldest, |after| after.sent_at().max(oldest)));
        let last = quarter(request.before.map_or(newest, |before| before.sent_at().min(newest)));
        let quarters: Vec<u64> = if ascending {
            (first..=last).collect()
        } else {
            (first..=last).rev().collect()
        };
        for quarter in quarters {
            let mut range = Range::all(limit + 1);
            range.from = Bound::Included(vec![MessageId::first_at(oldest).into()]);
            range.descending = !ascending;
            if let Some(after) = request.after.filter(|after| after.sent_at() >= oldest) {
                range.from = Bound::Excluded(vec![after.into()]);
            }
            if let Some(before) = request.before {
                range.to = Bound::Excluded(vec![before.into()]);
            }
            self.read_quarter(membership, quarter, range, limit, &mut read).await?;
            if read.messages.len() > limit {
                break;
            }
        }
        Ok(read)
    }

    /// Reads a range of a quarter until there are more than `limit` messages in all, or no more rows.
    async fn read_quarter(
        &self,
        membership: &Membership,
        quarter: u64,
        mut range: Range,
        limit: usize,
        read: &mut Read,
    ) -> Result<(), StorageError> {
        let (state, member) = (&membership.state, &membership.member);
        let partition = message_partition(state.space, state.thread, quarter);
        loop {
            let rows = self.store.scan_readable::<MessageRecord>(&partition, &range).await?;
            let end = rows.records.last().map(|row| row.clustering.clone());
            let goes_on = rows.more;
            let known = self.settlements_of(&partition, &rows.records).await?;
            for row in rows.records {
                let id = MessageId::from_bytes(id_at(&row.clustering, 0));
                if !may_read(member, id) {
                    continue;
                }
                let Some(record) = row.record else {
                    read.unreadable += 1;
                    continue;
                };
                let key = message_key(state.space, state.thread, id);
                if !self.may_be_unsettled(id, row.timestamp) || self.stays(&key, known.get(&id).copied()).await? {
                    read.messages.extend(view_of(state.thread, id, record));
                }
            }
            match end {
                Some(end) if goes_on && read.messages.len() <= limit => {
                    let bound = Bound::Excluded(end);
                    if range.descending {
                        range.to = bound
                    } else {
                        range.from = bound
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    /// What is decided of those of these rows that may still become a void. Read after the rows, in one range: hardly any
    /// send is ever settled, so it is all but always empty.
    pub(crate) async fn settlements_of(
        &self,
        partition: &[KeyValue],
        rows: &[Stored<Option<MessageRecord>>],
    ) -> Result<BTreeMap<MessageId, SettlementRecord>, StorageError> {
        let unsettled = rows
            .iter()
            .map(|row| (MessageId::from_bytes(id_at(&row.clustering, 0)), row.timestamp))
            .filter(|(id, timestamp)| self.may_be_unsettled(*id, *timestamp));
        let Some((first, last)) = unsettled
            .map(|(id, _)| (id, id))
            .reduce(|(first, last), (id, _)| (first.min(id), last.max(id)))
        else {
            return Ok(BTreeMap::new());
        };
        let mut range = Range::all(limits::PAGE);
        range.from = Bound::Included(vec![first.into()]);
        range.to = Bound::Included(vec![last.into()]);
        let settlements = self.store.scan_all::<SettlementRecord>(partition, range).await?;
        let by_id = |row: Stored<SettlementRecord>| (MessageId::from_bytes(id_at(&row.clustering, 0)), row.record);
        Ok(settlements.into_iter().map(by_id).collect())
    }

    /// How many messages are from before the reader's time.
    async fn hidden_before(&self, membership: &Membership) -> Result<Option<Withheld>, StorageError> {
        let (state, from) = (&membership.state, membership.member.visible_from);
        let started_at = state.record.started_at;
        if from <= started_at {
            return Ok(None);
        }
        let mut count = 0;
        for quarter in (quarter(started_at)..=quarter(from)).rev() {
            let range = Range::all(COUNTED).before(vec![MessageId::first_at(from).into()]);
            let partition = message_partition(state.space, state.thread, quarter);
            let rows = self.store.scan_readable::<MessageRecord>(&partition, &range).await?;
            let is_void = |row: &Stored<Option<MessageRecord>>| matches!(row.record, Some(MessageRecord::Void {}));
            count += rows.records.iter().filter(|row| !is_void(row)).count();
            if count >= COUNTED {
                break;
            }
        }
        let count = u32::try_from(count.min(COUNTED)).unwrap_or(u32::MAX);
        Ok((count > 0).then_some(Withheld {
            count,
            reason: WithheldReason::OutsideMembership,
        }))
    }
}

/// Cuts a page to `limit` messages and to the size of a page; says whether there is more.
fn fit(mut messages: Vec<Message>, limit: usize) -> (Vec<Message>, bool) {
    let mut more = messages.len() > limit;
    messages.truncate(limit);
    let mut bytes = 0;
    for (place, message) in messages.iter().enumerate() {
        bytes += 200 + Part::plain_text(&message.parts).len();
        if bytes > limits::PAGE_BYTES && place > 0 {
            messages.truncate(place);
            more = true;
            break;
        }
    }
    (messages, more)
}

/// The time from which a member added now can read, when they are not let in from the beginning.
pub(crate) const fn from_now_on(now: Timestamp) -> Timestamp {
    now
}
