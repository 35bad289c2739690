//! Requests under way and those that wait for a slot, each with its time.

use std::collections::VecDeque;
use std::time::Duration;

use samtale_protocol::{ClientId, Request, limits};

use super::{Moment, Ticket};

/// The most requests that may wait for a slot. Beyond, callers wait at the door.
pub const REQUESTS_WAITING: usize = 64;
/// The most slots that the outbox may use, so that a long outbox does not keep the screen from its history.
const SENDS_UNDER_WAY: usize = limits::REQUESTS_UNDER_WAY - 2;

/// How long the server may take for a send. Who waits longer waits for a dead connection.
const SEND_ANSWER: Duration = Duration::from_secs(30);

/// Whom an answer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A caller of the application.
    Caller(Ticket),
    /// An entry of the outbox.
    Send(ClientId),
}

#[derive(Debug)]
struct UnderWay {
    id: u32,
    purpose: Purpose,
    late_at: Moment,
}

#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    request: Request,
    late_at: Moment,
}

/// The requests of one client.
#[derive(Debug)]
pub(super) struct Requests {
    timeout: Duration,
    last_id: u32,
    under_way: Vec<UnderWay>,
    waiting: VecDeque<Waiting>,
}

impl Requests {
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            last_id: 0,
            under_way: Vec::new(),
            waiting: VecDeque::new(),
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < REQUESTS_WAITING
    }

    /// Whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.under_way.is_empty()
    }

    pub(super) fn wait(&mut self, now: Moment, ticket: Ticket, request: Request) {
        self.waiting.push_back(Waiting {
            ticket,
            request,
            late_at: now + self.timeout,
        });
    }

    pub(super) fn has_slot_for_send(&self) -> bool {
        let sends = self
            .under_way
            .iter()
            .filter(|request| matches!(request.purpose, Purpose::Send(_)))
            .count();
        self.has_slot() && sends < SENDS_UNDER_WAY
    }

    /// Begins the request for an outbox entry.
    pub(super) fn begin_send(&mut self, now: Moment, client_id: ClientId) -> u32 {
        self.begin(Purpose::Send(client_id), now + SEND_ANSWER)
    }

    /// Begins the next waiting request, if a slot is free.
    pub(super) fn begin_next(&mut self) -> Option<(u32, Request)> {
        if !self.has_slot() {
            return None;
        }
        let Waiting {
            ticket,
            request,
            late_at,
        } = self.waiting.pop_front()?;
        Some((self.begin(Purpose::Caller(ticket), late_at), request))
    }

    /// The request is answered; whose it was. None when it was given up before.
    pub(super) fn finished(&mut self, id: u32) -> Option<Purpose> {
        let index = self.under_way.iter().position(|request| request.id == id)?;
        Some(self.under_way.swap_remove(index).purpose)
    }

    /// Takes out what has waited too long.
    pub(super) fn late(&mut self, now: Moment) -> Vec<Purpose> {
        let under_way = self
            .under_way
            .extract_if(.., |request| now >= request.late_at)
            .map(|request| request.purpose);
        let mut late: Vec<Purpose> = under_way.collect();
        // All wait equally long, so the first is the first to be late.
        while self.waiting.front().is_some_and(|waiting| now >= waiting.late_at) {
            late.extend(self.waiting.pop_front().map(|waiting| Purpose::Caller(waiting.ticket)));
        }
        late
    }

    pub(super) fn deadline(&self) -> Option<Moment> {
        let under_way = self.under_way.iter().map(|request| request.late_at).min();
        let waiting = self.waiting.front().map(|waiting| waiting.late_at);
        [under_way, waiting].into_iter().flatten().min()
    }

    /// What is under way has no answer any more; what waits goes out on the next connection.
    pub(super) fn connection_lost(&mut self) -> Vec<Ticket> {
        let callers = self.under_way.drain(..).filter_map(|request| match request.purpose {
            Purpose::Caller(ticket) => Some(ticket),
            Purpose::Send(_) => None,
        });
        callers.collect()
    }

    /// Nothing goes out any more.
    pub(super) fn stopped(&mut self) -> Vec<Ticket> {
        let mut tickets = self.connection_lost();
        tickets.extend(self.waiting.drain(..).map(|waiting| waiting.ticket));
        tickets
    }

    fn has_slot(&self) -> bool {
        self.under_way.len() < limits::REQUESTS_UNDER_WAY
    }

    fn begin(&mut self, purpose: Purpose, late_at: Moment) -> u32 {
        self.last_id = self.last_id.wrapping_add(1);
        self.under_way.push(UnderWay {
            id: self.last_id,
            purpose,
            late_at,
        });
        self.last_id
    }
}
