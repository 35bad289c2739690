//! Time has passed.

use std::time::Duration;

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
            State::Live(live) => {
                // Between requests, so that nobody's answer is lost; a server that cannot wait closes by itself.
                let renewal = self.requests.is_idle().then(|| self.login.ends_at()).flatten();
                [Some(live.heard_at + live.silence), renewal]
                    .into_iter()
                    .flatten()
                    .min()
            }
            State::Stopped { .. } => return None,
        };
        let sends = matches!(self.state, State::Live(_))
            .then(|| self.sends.deadline())
            .flatten();
        [own, sends, self.requests.deadline()].into_iter().flatten().min()
    }

    pub(super) fn on_tick(&mut self, now: Moment) {
        let unanswered = self.give_up_late_requests(now);
        self.sends.wake(now);
        match self.state {
            State::Disconnected { retry_at, .. } if now >= retry_at => self.connect(now),
            State::Handshaking { since } if now >= since + limits::HANDSHAKE => {
                self.disconnect(now, None, DisconnectReason::HandshakeTimeout);
            }
            State::Live(live) if now >= live.heard_at + live.silence => {
                self.disconnect(now, None, DisconnectReason::Silence);
            }
            State::Live(_) if unanswered => self.disconnect(now, None, DisconnectReason::NoAnswer),
            State::Live(_) if self.requests.is_idle() && self.login.ends_at().is_some_and(|end| now >= end) => {
                // At once: the tokens of many clients end at many times, so this is spread already.
                self.disconnect(now, Some(Duration::ZERO), DisconnectReason::TokenEnds);
            }
            _ => self.transmit_waiting(now),
        }
    }

    /// Whether a send was among them: its answer may take its time, but not this long.
    fn give_up_late_requests(&mut self, now: Moment) -> bool {
        let mut unanswered = false;
        for purpose in self.requests.late(now) {
            match purpose {
                Purpose::Caller(ticket) => self.answer(ticket, Err(RequestError::TimedOut)),
                Purpose::Send(_) => unanswered = true,
            }
        }
        unanswered
    }
}
