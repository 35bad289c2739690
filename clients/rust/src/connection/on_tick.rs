//! Time has passed.

use samtale_protocol::limits;

use super::requests::Purpose;
use super::{Connection, Moment, State};
use crate::errors::RequestError;
use crate::updates::DisconnectReason;

impl Connection {
    /// When the next tick is due, if nothing else happens.
    pub fn deadline(&self) -> Option<Moment> {
        let own = match &self.state {
            State::Disconnected { retry_at, .. } => Some(*retry_at),
            // The login and the opening of the socket have time limits of their own.
            State::Connecting(_) => None,
            State::Handshaking { since } => Some(*since + limits::HANDSHAKE),
            State::Live(live) => Some(live.heard_at + live.silence),
            State::Stopped { .. } => return None,
        };
        let sends = matches!(self.state, State::Live(_))
            .then(|| self.sends.deadline())
            .flatten();
        [own, sends, self.requests.deadline()].into_iter().flatten().min()
    }

    pub(super) fn on_tick(&mut self, now: Moment) {
        self.give_up_late_requests(now);
        self.sends.wake(now);
        match self.state {
            State::Disconnected { retry_at, .. } if now >= retry_at => self.connect(now),
            State::Handshaking { since } if now >= since + limits::HANDSHAKE => {
                self.disconnect(now, None, DisconnectReason::HandshakeTimeout);
            }
            State::Live(live) if now >= live.heard_at + live.silence => {
                self.disconnect(now, None, DisconnectReason::Silence);
            }
            _ => self.transmit_waiting(now),
        }
    }

    fn give_up_late_requests(&mut self, now: Moment) {
        for purpose in self.requests.late(now) {
            match purpose {
                Purpose::Caller(ticket) => self.answer(ticket, Err(RequestError::TimedOut)),
                Purpose::Send(client_id) => self.sends.again_later(now, client_id, None, &mut self.jitter),
            }
        }
    }
}
