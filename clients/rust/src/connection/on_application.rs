//! The application asks or sends something.

use samtale_protocol::messages::{Part, Sent};
use samtale_protocol::{ClientFrame, ClientId, ErrorCode, Refusal, Request};

use super::sends::Reaction;
use super::{Action, Connection, Input, Moment, State, Ticket};
use crate::errors::{RequestError, SendError};
use crate::outbox::{Entry, OUTBOX_ENTRIES, Outgoing, Record};
use crate::updates::{DisconnectReason, Update};

impl Connection {
    pub(super) fn on_request(&mut self, now: Moment, ticket: Ticket, request: Request) {
        self.requests.wait(now, ticket, request);
        self.transmit_waiting(now);
    }

    pub(super) fn on_send(&mut self, now: Moment, ticket: Ticket, outgoing: Outgoing) {
        let result = self.take_into_outbox(outgoing);
        if result.is_ok() {
            self.transmit_waiting(now);
        }
        // Last, so that one sync covers the entry and, when it goes out at once, its time.
        self.act(Action::Taken { ticket, result });
    }

    pub(super) fn refuse_stopped(&mut self, input: Input) {
        match input {
            Input::Request { ticket, .. } => self.answer(ticket, Err(RequestError::Stopped)),
            Input::Send { ticket, .. } => self.act(Action::Taken {
                ticket,
                result: Err(SendError::Stopped),
            }),
            _ => {}
        }
    }

    fn take_into_outbox(&mut self, outgoing: Outgoing) -> Result<(), SendError> {
        Part::check(outgoing.parts()).map_err(SendError::Invalid)?;
        let client_id = outgoing.client_id();
        if let Some(sent) = self.sends.acknowledged(client_id) {
            self.act(Action::Deliver(Update::Sent(sent)));
            return Ok(());
        }
        match self.sends.find(client_id) {
            Some(known) if known.outgoing == outgoing => return Ok(()),
            Some(_) => return Err(SendError::ClientIdReused),
            None => {}
        }
        if self.sends.entries().len() >= OUTBOX_ENTRIES {
            return Err(SendError::OutboxFull);
        }
        let entry = Entry {
            client_id,
            sent_at: None,
            outgoing,
        };
        self.act(Action::Persist(Record::Queued { entry: entry.clone() }));
        self.sends.add(entry);
        Ok(())
    }

    /// Sends what may go out now: first from the outbox, then what the application asks.
    pub(super) fn transmit_waiting(&mut self, now: Moment) {
        let State::Live(_) = self.state else { return };
        let Some(server_now) = self.clock.now(now) else { return };
        while self.requests.has_slot_for_send() {
            let Some((entry, stamped)) = self.sends.next(now, server_now, &self.seen) else {
                break;
            };
            let (client_id, sent_at) = (entry.client_id, entry.sent_at.unwrap_or(server_now));
            let mut request = entry.outgoing.request(sent_at);
            if let Request::SendMessage(send) = &mut request
                && send.membership_version.is_none()
            {
                send.membership_version = self.seen.membership_version(send.thread);
            }
            if stamped {
                self.act(Action::Persist(Record::Stamped { client_id, sent_at }));
            }
            let id = self.requests.begin_send(now, client_id);
            self.act(Action::Transmit(Box::new(ClientFrame::Request { id, request })));
        }
        while let Some((id, request)) = self.requests.begin_next() {
            self.act(Action::Transmit(Box::new(ClientFrame::Request { id, request })));
        }
    }

    pub(super) fn on_sent(&mut self, sent: Sent) {
        if self.sends.acknowledge(sent) {
            self.act(Action::Persist(Record::Done {
                client_id: sent.client_id,
            }));
            self.act(Action::Deliver(Update::Sent(sent)));
        }
    }

    pub(super) fn on_send_refused(&mut self, now: Moment, client_id: ClientId, refusal: Refusal) {
        match self.sends.refused(now, client_id, &refusal, &mut self.jitter) {
            Reaction::Again => {}
            Reaction::LearnTime => {
                self.clock.distrust();
                self.disconnect(now, None, DisconnectReason::ClockAhead);
            }
            // What the token may not do today it may after a new login; the message is not to blame.
            Reaction::GiveUp if refusal.code == ErrorCode::InvalidToken => {
                self.sends.again_later(now, client_id, None, &mut self.jitter);
            }
            Reaction::GiveUp => {
                self.sends.remove(client_id);
                self.act(Action::Persist(Record::Done { client_id }));
                self.act(Action::Deliver(Update::SendFailed { client_id, refusal }));
            }
        }
    }
}
