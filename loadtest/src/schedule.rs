//! When messages are due: an open loop, so that a slow answer delays no later message, and its wait counts.

use std::time::Duration;

use crate::clock::in_nanoseconds;

/// Deliveries per second that a run offers: what two cores that also run the readers carry with room to spare.
const DELIVERIES_PER_SECOND: usize = 24_000;
/// The most messages per second of one sender: its session may ask for no more (the server's limit of requests).
const MOST_PER_SECOND: usize = 18;

/// The messages of one round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// How many.
    pub messages: u32,
    /// From one to the next.
    pub interval: Duration,
}

impl Schedule {
    /// A round of about `time` for this many sessions, at least two messages long.
    pub fn new(sessions: usize, time: Duration) -> Self {
        Self::offering(DELIVERIES_PER_SECOND, sessions, time)
    }

    /// The same with so little to deliver that what else happens is not crowded out.
    pub fn gentle(sessions: usize, time: Duration) -> Self {
        Self::offering(DELIVERIES_PER_SECOND / 8, sessions, time)
    }

    fn offering(deliveries_per_second: usize, sessions: usize, time: Duration) -> Self {
        let offered = deliveries_per_second / sessions.max(1);
        // Below one per second a message still has to be whole: the largest runs take a little longer.
        let per_second = u32::try_from(offered.clamp(1, MOST_PER_SECOND)).unwrap_or(1);
        let interval = Duration::from_secs(1) / per_second;
        let messages = u32::try_from(time.as_nanos() / interval.as_nanos()).unwrap_or(u32::MAX);
        Self {
            messages: messages.max(2),
            interval,
        }
    }

    /// When the message with this place in the round is due, if the first is due at `start`.
    pub fn due(&self, start: u64, place: u32) -> u64 {
        start + in_nanoseconds(self.interval) * u64::from(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_follows_the_sessions_within_what_a_sender_may_ask() {
        let two_seconds = Duration::from_secs(2);
        assert_eq!(Schedule::new(20, two_seconds).messages, 36);
        assert_eq!(Schedule::new(2_000, two_seconds).messages, 24);
        assert_eq!(Schedule::new(12_000, two_seconds).messages, 4);
        assert_eq!(Schedule::gentle(1_000, two_seconds).messages, 6);
        let large = Schedule::new(100_000, Duration::from_millis(100));
        assert_eq!((large.messages, large.due(5, 1)), (2, 1_000_000_005));
    }
}
