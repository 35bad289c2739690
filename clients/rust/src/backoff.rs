//! How long to wait before coming back: full jitter, so that a thousand clients of a fallen node do not return as one.

use std::time::Duration;

/// The most that the first wait can be; doubled with each failure.
pub const FIRST_CEILING: Duration = Duration::from_millis(500);
/// The most that any wait can be.
pub const CEILING: Duration = Duration::from_secs(30);

/// The longest that the wait after `failures` failures can be.
pub fn ceiling(failures: u32) -> Duration {
    FIRST_CEILING
        .saturating_mul(2_u32.saturating_pow(failures))
        .min(CEILING)
}

/// A small generator of waits. Waits need to differ between clients; nobody gains by guessing them.
#[derive(Clone, Debug)]
pub struct Jitter(u64);

impl Jitter {
    /// A generator that gives the same waits for the same seed.
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// A wait between nothing and [`ceiling`], each as likely.
    pub fn wait(&mut self, failures: u32) -> Duration {
        self.below(ceiling(failures))
    }

    /// A wait between nothing and `most`, each as likely.
    pub fn below(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.next() % most.saturating_add(1).max(1))
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_wait_is_within_its_bounds(seed: u64, failures in 0_u32..200) {
            let bound = (0.5 * 2_f64.powi(i32::try_from(failures).unwrap_or(200))).min(30.0);
            let wait = Jitter::seeded(seed).wait(failures);
            prop_assert!(wait <= CEILING && wait.as_secs_f64() <= bound + 1e-9);
        }
    }

    #[test]
    fn waits_are_spread_over_the_whole_range() {
        let mut jitter = Jitter::seeded(7);
        let waits: Vec<Duration> = (0..1000).map(|_| jitter.wait(20)).collect();
        let below_half = waits.iter().filter(|wait| **wait < CEILING / 2).count();
        assert!(
            (400..600).contains(&below_half),
            "{below_half} of 1000 waits are in the lower half"
        );
        assert!(waits.iter().any(|wait| *wait < CEILING / 50) && waits.iter().any(|wait| *wait > CEILING * 49 / 50));
    }
}
