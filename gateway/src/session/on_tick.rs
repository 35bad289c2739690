//! What time brings.

use samtale_protocol::{CloseCode, Timestamp};

use super::{Action, LONGEST, Progress, Session};

impl Session {
    /// A ping interval has passed.
    pub fn on_tick(&mut self, now: Timestamp) -> Vec<Action> {
        if !self.heard {
            return vec![Action::Close(CloseCode::NoPong)];
        }
        if now.since(self.started_at) >= LONGEST {
            return vec![Action::Close(CloseCode::TokenExpired)];
        }
        self.heard = false;
        let mut actions = vec![Action::Ping];
        if self.moved && self.spaces.iter().all(|own| own.progress == Progress::Live) {
            self.moved = false;
            actions.push(Action::SendCursor);
        }
        actions
    }
}
