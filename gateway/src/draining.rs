//! Going down in good order: what is in hand is finished and answered, and each client is told when to come back.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use samtale_protocol::{CloseCode, ErrorCode, Refusal};
use tokio_util::sync::CancellationToken;

use crate::connection::Connection;
use crate::shard::Shard;

/// Over how long clients are told to come back when a node goes down.
const SPREAD: Duration = Duration::from_secs(20);
/// Nobody comes back sooner: the other nodes see the load come, and a node that restarts is up again.
const SOONEST: Duration = Duration::from_millis(500);

/// Whether a shard goes down, and whom it has told.
#[derive(Default)]
pub struct Draining {
    begun: CancellationToken,
    told: Cell<u32>,
}

impl Draining {
    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        self.begun.is_cancelled()
    }

    /// Waits until it begins.
    pub async fn begun(&self) {
        self.begun.cancelled().await;
    }

    /// When the next client that is told comes back.
    pub fn next_wait(&self) -> Duration {
        let told = self.told.get();
        self.told.set(told.wrapping_add(1));
        spread(told)
    }
}

impl Shard {
    /// Tells every client when to come back, and ends the sessions: those with requests under way once these are
    /// answered.
    pub fn drain(&self) {
        self.draining.begun.cancel();
        for connection in self.sessions.borrow().all() {
            self.leave_if_idle(&connection);
        }
    }

    /// Ends the sessions that are left, whatever is under way.
    pub fn cut(&self) {
        for connection in self.sessions.borrow().all() {
            connection
                .link
                .close(CloseCode::Restarting, Some(self.draining.next_wait()));
        }
    }

    /// While the shard goes down: ends a session that has nothing under way.
    pub(crate) fn leave_if_idle(&self, connection: &Connection) {
        if self.draining.has_begun() && !connection.session.borrow().is_busy() {
            connection
                .link
                .close(CloseCode::Restarting, Some(self.draining.next_wait()));
        }
    }

    /// While the shard goes down: a request that came too late is not begun.
    pub(crate) fn turn_away(self: &Rc<Self>, connection: &Rc<Connection>, id: u32) {
        let refusal = Refusal::new(ErrorCode::Overloaded).after(SOONEST);
        let action = connection.session.borrow_mut().on_done(id, Err(refusal));
        self.act(connection, action);
        self.leave_if_idle(connection);
    }
}

/// When the client in a place of the row comes back: spread evenly, with neighbours far apart (the golden ratio's
/// fraction).
fn spread(place: u32) -> Duration {
    let fraction = (f64::from(place) * 0.618_033_988_75).fract();
    SOONEST + SPREAD.mul_f64(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_many_are_told_every_second_gets_its_share() {
        for told in [40, 1_000, 100_000_u32] {
            let mut shares = [0_u32; 20];
            for place in 0..told {
                let second = (spread(place) - SOONEST).as_secs();
                shares[usize::try_from(second).unwrap()] += 1;
            }
            let fair = told / 20;
            assert!(
                shares.iter().all(|share| share.abs_diff(fair) <= fair / 2 + 1),
                "{shares:?}"
            );
        }
    }
}
