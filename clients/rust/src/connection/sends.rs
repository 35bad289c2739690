//! The outbox in motion: what waits, what is under way, and what comes again when.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use samtale_protocol::messages::Sent;
use samtale_protocol::{ClientId, ErrorCode, Refusal, Timestamp};

use super::Moment;
use super::seen::Seen;
use crate::backoff::Jitter;
use crate::outbox::{Entry, Lane, Outgoing};

/// The wait after `clock_ahead`: nodes are at most a second apart, and two ahead are allowed.
const CLOCK_AHEAD_WAIT: Duration = Duration::from_secs(1);

/// The acknowledgements remembered.
const ACKNOWLEDGED: usize = 16;

/// What a refusal leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// It goes out again, now or later.
    Again,
    /// The same, and the server's time has to be learned first.
    LearnTime,
    /// It never will.
    GiveUp,
}

#[derive(Debug)]
struct Sending {
    entry: Entry,
    progress: Progress,
    /// Refusals in a row that may pass.
    tries: u32,
    /// `clock_ahead` and `restamp` in a row.
    stamps_refused: u32,
    /// The next stamp is not below this: what `restamp` made void stays void.
    above: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Waits for its lane, a slot and a connection.
    Ready,
    /// Waits for the server's answer.
    UnderWay,
    /// Waits for a moment.
    Later(Moment),
}

/// The entries of the outbox, in order.
#[derive(Debug)]
pub(super) struct Sends {
    sendings: VecDeque<Sending>,
    /// The latest acknowledged, for a caller who queues one again in the moment in which its answer comes.
    acknowledged: VecDeque<Sent>,
}

impl Sends {
    pub(super) fn new(entries: Vec<Entry>) -> Self {
        let mut sends = Self {
            sendings: VecDeque::new(),
            acknowledged: VecDeque::new(),
        };
        entries.into_iter().for_each(|entry| sends.add(entry));
        sends
    }

    pub(super) fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.sendings.iter().map(|sending| &sending.entry)
    }

    pub(super) fn find(&self, client_id: ClientId) -> Option<&Entry> {
        self.entries().find(|entry| entry.client_id == client_id)
    }

    pub(super) fn add(&mut self, entry: Entry) {
        let above = Timestamp::default();
        self.sendings.push_back(Sending {
            entry,
            progress: Progress::Ready,
            tries: 0,
            stamps_refused: 0,
            above,
        });
    }

    /// Takes an entry out; false when there was none.
    pub(super) fn remove(&mut self, client_id: ClientId) -> bool {
        let index = self
            .sendings
            .iter()
            .position(|sending| sending.entry.client_id == client_id);
        index.and_then(|index| self.sendings.remove(index)).is_some()
    }

    /// Takes an entry out because it is stored; false when there was none.
    pub(super) fn acknowledge(&mut self, sent: Sent) -> bool {
        if !self.remove(sent.client_id) {
            return false;
        }
        self.acknowledged.truncate(ACKNOWLEDGED - 1);
        self.acknowledged.push_front(sent);
        true
    }

    /// The acknowledgement of an entry that is out of the outbox only just now.
    pub(super) fn acknowledged(&self, client_id: ClientId) -> Option<Sent> {
        self.acknowledged
            .iter()
            .find(|sent| sent.client_id == client_id)
            .copied()
    }

    /// The next entry to transmit, and whether its `sent_at` was fixed just now. Only the first of a lane goes, so that
    /// the order of a thread is the order in which it was written.
    pub(super) fn next(&mut self, now: Moment, server_now: Timestamp, seen: &Seen) -> Option<(&Entry, bool)> {
        let mut lanes: HashSet<Lane> = HashSet::new();
        let sending = self.sendings.iter_mut().find(|sending| {
            let first = lanes.insert(sending.entry.outgoing.lane());
            first && sending.progress.is_due(now)
        })?;
        sending.progress = Progress::UnderWay;
        let stamped = sending.entry.sent_at.is_none();
        let lowest = sending.above.max(floor(&sending.entry.outgoing, seen));
        let sent_at = sending.entry.sent_at.unwrap_or_else(|| server_now.max(lowest));
        sending.entry.sent_at = Some(sent_at);
        Some((&sending.entry, stamped))
    }

    /// The answer was not the one that ends it.
    pub(super) fn not_under_way(&mut self, client_id: ClientId) {
        if let Some(sending) = self.sending(client_id) {
            sending.progress = Progress::Ready;
        }
    }

    /// All that was under way goes out again on the next connection, with the same time.
    pub(super) fn connection_lost(&mut self) {
        for sending in self
            .sendings
            .iter_mut()
            .filter(|sending| sending.progress == Progress::UnderWay)
        {
            sending.progress = Progress::Ready;
        }
    }

    /// The server refused it.
    pub(super) fn refused(
        &mut self,
        now: Moment,
        client_id: ClientId,
        refusal: &Refusal,
        jitter: &mut Jitter,
    ) -> Reaction {
        match refusal.code {
            ErrorCode::Restamp | ErrorCode::ClockAhead => self.stamp_refused(now, client_id, refusal),
            code if code.is_retryable() => {
                self.again_later(now, client_id, refusal.retry_after_ms, jitter);
                Reaction::Again
            }
            _ => Reaction::GiveUp,
        }
    }

    /// It goes out again, with the same time, after the told wait or with jitter.
    pub(super) fn again_later(
        &mut self,
        now: Moment,
        client_id: ClientId,
        retry_after_ms: Option<u64>,
        jitter: &mut Jitter,
    ) {
        let Some(sending) = self.sending(client_id) else { return };
        let wait = retry_after_ms.map_or_else(|| jitter.wait(sending.tries), Duration::from_millis);
        sending.tries = sending.tries.saturating_add(1);
        sending.stamps_refused = 0;
        sending.progress = Progress::Later(now + wait);
    }

    /// Whose moment has come waits only for its lane and a slot from now on: it needs no further tick.
    pub(super) fn wake(&mut self, now: Moment) {
        for sending in &mut self.sendings {
            if sending.progress.is_due(now) {
                sending.progress = Progress::Ready;
            }
        }
    }

    pub(super) fn deadline(&self) -> Option<Moment> {
        let waits = self.sendings.iter().filter_map(|sending| match sending.progress {
            Progress::Later(at) => Some(at),
            Progress::Ready | Progress::UnderWay => None,
        });
        waits.min()
    }

    /// Nothing is stored under the time that it had, and never will be: it gets another.
    fn stamp_refused(&mut self, now: Moment, client_id: ClientId, refusal: &Refusal) -> Reaction {
        let Some(sending) = self.sending(client_id) else {
            return Reaction::Again;
        };
        let refused = sending.entry.sent_at.take().unwrap_or_default();
        sending.stamps_refused += 1;
        let wait = match refusal.code {
            ErrorCode::ClockAhead => refusal.retry_after_ms.map_or(CLOCK_AHEAD_WAIT, Duration::from_millis),
            _ => Duration::ZERO,
        };
        if refusal.code == ErrorCode::Restamp {
            sending.above = refused.plus(Duration::from_millis(1));
        }
        sending.progress = Progress::Later(now + wait);
        if sending.stamps_refused >= 2 {
            sending.stamps_refused = 0;
            return Reaction::LearnTime;
        }
        Reaction::Again
    }

    fn sending(&mut self, client_id: ClientId) -> Option<&mut Sending> {
        self.sendings
            .iter_mut()
            .find(|sending| sending.entry.client_id == client_id)
    }
}

impl Progress {
    fn is_due(self, now: Moment) -> bool {
        match self {
            Self::Ready => true,
            Self::UnderWay => false,
            Self::Later(at) => now >= at,
        }
    }
}

/// The lowest time that a send may have: above all that it can be an answer to.
fn floor(outgoing: &Outgoing, seen: &Seen) -> Timestamp {
    let after = |message: samtale_protocol::MessageId| message.sent_at().plus(Duration::from_millis(1));
    match outgoing {
        Outgoing::SendMessage(send) => seen
            .above(send.thread)
            .max(send.reply_to.map(after).unwrap_or_default()),
        Outgoing::StartThread(_) => Timestamp::default(),
        Outgoing::ReplyToSender(reply) => seen.above(reply.thread).max(after(reply.message)),
    }
}
