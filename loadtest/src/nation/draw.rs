//! Chance from a seed, the same on every machine.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::figure::float;

/// What draws.
pub struct Draw(ChaCha8Rng);

impl Draw {
    /// The draws of one part of a nation: others do not change them.
    pub fn new(seed: u64, part: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(part);
        Self(generator)
    }

    /// A number from nothing up to one.
    pub fn share(&mut self) -> f64 {
        // 53 bits are what a float holds exactly.
        float(self.0.next_u64() >> 11) / float(1 << 53)
    }

    /// A place in a list of so many, which is not empty.
    pub fn below(&mut self, count: usize) -> usize {
        self.0.random_range(0..count.max(1))
    }

    /// A number of a normal distribution around nothing (Irwin and Hall's sum of twelve).
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.share()).sum::<f64>() - 6.0
    }

    /// A place by shares that need not come to one.
    pub fn place(&mut self, shares: &[f64]) -> usize {
        let mut left = self.share() * shares.iter().sum::<f64>();
        for (place, share) in shares.iter().enumerate() {
            left -= share;
            if left < 0.0 {
                return place;
            }
        }
        shares.len().saturating_sub(1)
    }

    /// One of a list that is not empty.
    pub fn one_of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list.get(self.below(list.len())).copied().unwrap_or_default()
    }
}
