//! What a client says.

use samtale_protocol::frames::Unreadable;
use samtale_protocol::{ClientFrame, CloseCode, ErrorCode, Refusal, Reply, ServerFrame, Timestamp, limits};

use super::{Action, Session, at_once};

impl Session {
    /// A frame from the client.
    pub fn on_client_frame(&mut self, bytes: &[u8], now: Timestamp) -> Action {
        self.heard = true;
        match ClientFrame::decode(self.encoding, bytes) {
            Ok(ClientFrame::Request { id, request }) => match self.admit(now) {
                Ok(()) => {
                    self.under_way += 1;
                    Action::Perform {
                        id,
                        request: Box::new(request),
                    }
                }
                Err(refusal) => self.refuse(Some(id), refusal),
            },
            Ok(ClientFrame::Hello(_)) => Action::Close(CloseCode::OutOfTurn),
            Err(error) => match Unreadable::judge(self.encoding, bytes, &error) {
                Unreadable::Refuse { id, error } => self.refuse(Some(id), error),
                Unreadable::Close { error, code } => {
                    let error = error.in_language(self.language);
                    Action::SayAndClose(Box::new(ServerFrame::Error { id: None, error }), code)
                }
            },
        }
    }

    /// A message of the other kind than the encoding has, or a control frame: a sign of life.
    pub const fn on_sign_of_life(&mut self) {
        self.heard = true;
    }

    /// A request is done.
    pub fn on_done(&mut self, id: u32, outcome: Result<Reply, Refusal>) -> Action {
        self.under_way = self.under_way.saturating_sub(1);
        match outcome {
            Ok(reply) => Action::Send(Box::new(ServerFrame::Reply { id, reply })),
            Err(refusal) => self.refuse(Some(id), refusal),
        }
    }

    fn refuse(&self, id: Option<u32>, refusal: Refusal) -> Action {
        Action::Send(Box::new(ServerFrame::Error {
            id,
            error: refusal.in_language(self.language),
        }))
    }

    fn admit(&mut self, now: Timestamp) -> Result<(), Refusal> {
        let seconds = now.since(self.requests_counted_at).as_secs();
        if seconds > 0 {
            let back = u16::try_from(seconds.saturating_mul(u64::from(self.requests_per_second))).unwrap_or(u16::MAX);
            self.requests_left = self
                .requests_left
                .saturating_add(back)
                .min(at_once(self.requests_per_second));
            self.requests_counted_at = now;
        }
        if usize::from(self.under_way) >= limits::REQUESTS_UNDER_WAY {
            return Err(Refusal::new(ErrorCode::TooMany).detail("more than 8 requests under way"));
        }
        match self.requests_left.checked_sub(1) {
            Some(left) => {
                self.requests_left = left;
                Ok(())
            }
            None => Err(Refusal::new(ErrorCode::TooMany).after(std::time::Duration::from_secs(1))),
        }
    }
}
