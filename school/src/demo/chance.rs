//! Chance with a seed: the same seed always makes the same school.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A source of chance. The ways to draw from it are written out here, so that they give the same in every version of the crate.
pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    /// One of several independent sources of a seed: a change to one part of the school leaves the others as they were.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self(generator)
    }

    /// A number from 0 to below the bound.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let wide = u128::from(self.0.next_u64()) * bound as u128;
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number between two, both included.
    pub(super) fn between(&mut self, least: i16, most: i16) -> i16 {
        let count = usize::try_from(most - least + 1).unwrap_or(1);
        least + i16::try_from(self.below(count)).unwrap_or(0)
    }

    /// True so many times in a hundred.
    pub(super) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of a list that is never empty.
    pub(super) fn pick<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        &list[self.below(list.len())]
    }

    /// One of a list of weighted values that is never empty.
    pub(super) fn pick_weighted<'l, T>(&mut self, list: &'l [(usize, T)]) -> &'l T {
        let mut left = self.below(list.iter().map(|(weight, _)| weight).sum());
        for (weight, value) in list {
            if left < *weight {
                return value;
            }
            left -= weight;
        }
        &list[0].1
    }

    /// Puts a list in any order.
    pub(super) fn shuffle<T>(&mut self, list: &mut [T]) {
        for end in (1..list.len()).rev() {
            list.swap(end, self.below(end + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_each_time_and_streams_differ() {
        let draw = |seed, stream| {
            let mut chance = Chance::new(seed, stream);
            (0..20).map(|_| chance.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, 0), draw(1, 0));
        assert_ne!(draw(1, 0), draw(1, 1));
        assert_ne!(draw(1, 0), draw(2, 0));
    }

    #[test]
    fn draws_stay_within_their_bounds() {
        let mut chance = Chance::new(7, 0);
        for _ in 0..1000 {
            assert!(chance.below(3) < 3);
            assert!((-2..=5).contains(&chance.between(-2, 5)));
            assert_ne!(*chance.pick_weighted(&[(1, 'a'), (0, 'b'), (3, 'c')]), 'b');
        }
    }
}
