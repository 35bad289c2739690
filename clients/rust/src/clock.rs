//! The server's time as the client knows it.
//!
//! The device's own calendar time is never used: it may be wrong by years. What counts is the time in `welcome` and how
//! long ago that was by a clock that only runs forward.

use std::time::Duration;

use samtale_protocol::Timestamp;

/// An estimate of the server's time. "Local" times are durations since any fixed moment, by a monotonic clock.
#[derive(Clone, Debug, Default)]
pub struct ServerClock {
    estimate: Option<Estimate>,
}

#[derive(Clone, Copy, Debug)]
struct Estimate {
    local: Duration,
    server: Timestamp,
    error: Duration,
}

impl ServerClock {
    /// Learns that the server said `server_time` at some moment between `asked_at` and `answered_at`.
    ///
    /// The middle is taken, so the error is at most half the round trip. An earlier estimate with a smaller error stays
    /// unless the two contradict each other: then the device slept, or the server's clock was set, and the new one wins.
    pub fn learn(&mut self, asked_at: Duration, answered_at: Duration, server_time: Timestamp) {
        let error = answered_at.saturating_sub(asked_at) / 2;
        let new = Estimate {
            local: answered_at,
            server: server_time.plus(error),
            error,
        };
        let keep = self
            .estimate
            .is_some_and(|old| old.error <= error && old.agrees_with(&new));
        if !keep {
            self.estimate = Some(new);
        }
    }

    /// The next thing learned replaces the estimate, whatever its error: the server found ours wrong.
    pub fn distrust(&mut self) {
        if let Some(estimate) = &mut self.estimate {
            estimate.error = Duration::MAX;
        }
    }

    /// The server's time now; `None` before anything was learned.
    pub fn now(&self, local: Duration) -> Option<Timestamp> {
        self.estimate.map(|estimate| estimate.at(local))
    }
}

impl Estimate {
    fn at(&self, local: Duration) -> Timestamp {
        self.server.plus(local.saturating_sub(self.local))
    }

    fn agrees_with(&self, new: &Self) -> bool {
        let expected = self.at(new.local);
        let apart = expected.since(new.server).max(new.server.since(expected));
        apart <= self.error.saturating_add(new.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    const NOON: Timestamp = Timestamp::saturating(1_800_000_000_000);

    #[test]
    fn half_the_round_trip_is_added_and_time_goes_on() {
        let mut clock = ServerClock::default();
        assert_eq!(clock.now(millis(0)), None);
        clock.learn(millis(100), millis(140), NOON);
        assert_eq!(clock.now(millis(140)), Some(NOON.plus(millis(20))));
        assert_eq!(clock.now(millis(1140)), Some(NOON.plus(millis(1020))));
    }

    #[test]
    fn the_smallest_error_stays_while_nothing_contradicts_it() {
        let mut clock = ServerClock::default();
        clock.learn(millis(0), millis(2), NOON);
        clock.learn(millis(1000), millis(1600), NOON.plus(millis(1400)));
        assert_eq!(clock.now(millis(1600)), Some(NOON.plus(millis(1599))));
        // Ten minutes of sleep that the monotonic clock did not count.
        clock.learn(millis(2000), millis(2100), NOON.plus(millis(602_000)));
        assert_eq!(clock.now(millis(2100)), Some(NOON.plus(millis(602_050))));
    }

    #[test]
    fn what_is_distrusted_is_replaced() {
        let mut clock = ServerClock::default();
        clock.learn(millis(0), millis(2), NOON);
        clock.distrust();
        assert!(clock.now(millis(2)).is_some());
        clock.learn(millis(10), millis(110), NOON);
        assert_eq!(clock.now(millis(110)), Some(NOON.plus(millis(50))));
    }
}
