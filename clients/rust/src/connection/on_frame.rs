//! A frame came from the server.

use std::time::Duration;

use samtale_protocol::frames::Welcome;
use samtale_protocol::{Refusal, Reply, ServerFrame};

use super::requests::Purpose;
use super::{Action, Connection, Live, Moment, State};
use crate::errors::RequestError;
use crate::updates::Update;

/// A server that pings more often than this is not believed: a hiccup of the network would end the connection.
const SHORTEST_SILENCE: Duration = Duration::from_secs(1);

impl Connection {
    pub(super) fn on_frame(&mut self, now: Moment, frame: ServerFrame) {
        self.on_heard(now);
        match frame {
            ServerFrame::Welcome(welcome) => self.on_welcome(now, welcome),
            ServerFrame::Reply { id, reply } => self.on_reply(now, id, reply),
            ServerFrame::Error { id, error } => self.on_error(now, id, error),
            ServerFrame::Event { space, id, event } => {
                self.seen.event(&event);
                self.act(Action::Deliver(Update::Event {
                    space,
                    id,
                    event: Box::new(event),
                }));
            }
            ServerFrame::Signal { signal } => self.act(Action::Deliver(Update::Signal(signal))),
            ServerFrame::Resumed { space, events } => {
                self.act(Action::Deliver(Update::Resumed { space, events }));
            }
            ServerFrame::Resync { space } => self.act(Action::Deliver(Update::Resync { space })),
            ServerFrame::Cursor { cursor } => {
                self.cursor = Some(cursor.clone());
                self.act(Action::KeepCursor(cursor));
            }
        }
    }

    fn on_welcome(&mut self, now: Moment, welcome: Welcome) {
        let State::Handshaking { since } = self.state else {
            return;
        };
        self.clock.learn(since, now, welcome.server_time);
        self.login.accepted();
        let silence = Duration::from_millis(welcome.ping_interval_ms.saturating_mul(2)).max(SHORTEST_SILENCE);
        self.state = State::Live(Live {
            since: now,
            heard_at: now,
            silence,
        });
        self.act(Action::Deliver(Update::Connected(Box::new(welcome))));
        self.transmit_waiting(now);
    }

    fn on_reply(&mut self, now: Moment, id: u32, reply: Reply) {
        self.seen.reply(&reply);
        let purpose = self.requests.finished(id);
        // An answer to a send counts also when its request was given up: it is the client id that it acknowledges.
        if let Reply::Sent(sent) = &reply {
            self.on_sent(*sent);
        }
        match purpose {
            Some(Purpose::Caller(ticket)) => self.answer(ticket, Ok(reply)),
            Some(Purpose::Send(client_id)) => self.sends.not_under_way(client_id),
            None => {}
        }
        self.transmit_waiting(now);
    }

    fn on_error(&mut self, now: Moment, id: Option<u32>, error: Refusal) {
        match id.and_then(|id| self.requests.finished(id)) {
            Some(Purpose::Caller(ticket)) => self.answer(ticket, Err(RequestError::Refused(error))),
            Some(Purpose::Send(client_id)) => self.on_send_refused(now, client_id, error),
            None => tracing::warn!(code = ?error.code, detail = error.detail, "an error for no request under way"),
        }
        self.transmit_waiting(now);
    }
}
