//! The socket opens and closes.

use samtale_protocol::frames::Hello;
use samtale_protocol::{ByteString, ClientFrame, CloseCode, DeviceId, Language};

use super::{Action, Connection, Moment, State, Step};
use crate::secret::Secret;
use crate::updates::{DisconnectReason, StopReason};

/// What a client says of itself in each `hello`.
#[derive(Debug)]
pub(super) struct HelloParts {
    pub(super) device: DeviceId,
    pub(super) client: String,
    pub(super) language: Language,
}

/// The `hello` of a connection.
fn hello(parts: &HelloParts, access_token: &Secret, cursor: Option<ByteString>) -> ClientFrame {
    ClientFrame::Hello(Hello {
        version: samtale_protocol::VERSION,
        access_token: access_token.reveal().to_owned(),
        device: parts.device,
        client: parts.client.clone(),
        language: parts.language,
        cursor,
    })
}

/// What a close code asks of the client.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Come back with the same token.
    ComeBack,
    /// Come back with a new token.
    Refresh,
    /// The token is not valid: one try with a new one.
    RefreshOnce,
    /// Do not come back.
    Stop,
}

fn verdict(code: Option<u16>) -> Verdict {
    match code.map(|code| (code, CloseCode::from_number(code))) {
        Some((_, Some(CloseCode::TokenExpired))) => Verdict::Refresh,
        Some((_, Some(CloseCode::InvalidToken))) => Verdict::RefreshOnce,
        // The range decides, so that codes which a newer server adds mean what they should.
        Some((4500..=4999, _)) => Verdict::Stop,
        _ => Verdict::ComeBack,
    }
}

impl Connection {
    pub(super) fn on_opened(&mut self, now: Moment) {
        let State::Connecting(Step::Socket) = self.state else {
            return;
        };
        let Some(token) = self.login.access_token() else {
            return self.connect(now);
        };
        let frame = hello(&self.hello, token, self.cursor.clone());
        self.state = State::Handshaking { since: now };
        self.act(Action::Transmit(Box::new(frame)));
    }

    pub(super) fn on_heard(&mut self, now: Moment) {
        if let State::Live(live) = &mut self.state {
            live.heard_at = now;
        }
    }

    pub(super) fn on_closed(&mut self, now: Moment, code: Option<u16>, reason: String) {
        let told_wait = CloseCode::told_wait(&reason);
        match verdict(code) {
            Verdict::Refresh => self.login.forget_access(),
            Verdict::RefreshOnce if self.login.rejected() => {}
            Verdict::RefreshOnce | Verdict::Stop => {
                return self.stop(StopReason::Closed {
                    code: code.unwrap_or_default(),
                    reason,
                });
            }
            Verdict::ComeBack => {}
        }
        self.disconnect(now, told_wait, DisconnectReason::Closed { code, reason });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_of_a_close_code_decides_also_for_unknown_ones() {
        for code in CloseCode::ALL {
            let verdict = verdict(Some(code.number()));
            match code {
                CloseCode::TokenExpired => assert_eq!(verdict, Verdict::Refresh),
                CloseCode::InvalidToken => assert_eq!(verdict, Verdict::RefreshOnce),
                code => assert_eq!(verdict == Verdict::ComeBack, code.come_back(), "{code}"),
            }
        }
        assert_eq!(verdict(None), Verdict::ComeBack);
        assert_eq!(verdict(Some(1006)), Verdict::ComeBack);
        assert_eq!(verdict(Some(4499)), Verdict::ComeBack);
        assert_eq!(verdict(Some(4999)), Verdict::Stop);
    }
}
