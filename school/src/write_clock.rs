//! The timestamps that rows are written with: microseconds, rising with every write of this node, so that of two
//! changes of one row the later one holds even within a millisecond.

use std::sync::atomic::{AtomicU64, Ordering};

use samtale_protocol::Timestamp;

/// Gives out write timestamps.
#[derive(Default)]
pub struct WriteClock {
    last: AtomicU64,
}

impl WriteClock {
    /// A timestamp above every one given out before, and not below `now`.
    pub fn next(&self, now: Timestamp) -> u64 {
        let floor = now.as_micros();
        let update = |last: u64| Some(floor.max(last + 1));
        match self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, update) {
            Ok(last) | Err(last) => floor.max(last + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_writes_in_a_millisecond_are_in_order() {
        let clock = WriteClock::default();
        let now = Timestamp::saturating(5);
        assert_eq!(clock.next(now), 5000);
        assert_eq!(clock.next(now), 5001);
        assert_eq!(clock.next(Timestamp::saturating(4)), 5002);
        assert_eq!(clock.next(Timestamp::saturating(6)), 6000);
    }
}
