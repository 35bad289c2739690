//! What a client says.

use samtale_protocol::{ClientFrame, CloseCode, ErrorCode, Refusal, Reply, ServerFrame, Timestamp, limits};
use serde::Deserialize;

use super::{Action, REQUESTS_AT_ONCE, REQUESTS_PER_SECOND, Session};

/// As much of a frame as an answer needs when the rest can not be read.
#[derive(Deserialize)]
struct Envelope {
    t: String,
    #[serde(default)]
    id: Option<u32>,
}

impl Session {
    /// A frame from the client.
    pub fn on_client_frame(&mut self, bytes: &[u8], now: Timestamp) -> Action {
        self.heard = true;
        match self.encoding.decode::<ClientFrame>(bytes) {
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
            Err(error) => match self.encoding.decode::<Envelope>(bytes) {
                Ok(Envelope { t, id: Some(id) }) if t == "request" => {
                    self.refuse(Some(id), Refusal::new(ErrorCode::BadRequest).detail(error.to_string()))
                }
                _ => Action::Close(CloseCode::BadFrame),
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
            Ok(reply) => Action::Send(ServerFrame::Reply { id, reply }),
            Err(refusal) => self.refuse(Some(id), refusal),
        }
    }

    fn refuse(&self, id: Option<u32>, refusal: Refusal) -> Action {
        Action::Send(ServerFrame::Error {
            id,
            error: refusal.in_language(self.language),
        })
    }

    fn admit(&mut self, now: Timestamp) -> Result<(), Refusal> {
        let seconds = now.since(self.requests_counted_at).as_secs();
        if seconds > 0 {
            let back = u16::try_from(seconds.saturating_mul(REQUESTS_PER_SECOND)).unwrap_or(u16::MAX);
            self.requests_left = self.requests_left.saturating_add(back).min(REQUESTS_AT_ONCE);
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
