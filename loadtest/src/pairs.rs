//! Curves in a file of JSON: histograms and series in time, each as one short line of text.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::figure::{float, rounded};

/// Figures that a value of a written histogram is exact to: a hundredth of it, and a file of some kilobytes.
const FIGURES: u8 = 2;

/// Pairs of numbers, written as `a:b a:b`: thousands of lines of digits would hide the figures of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pairs(pub Vec<(f64, f64)>);

impl Pairs {
    /// An HDR histogram: each value that was recorded, and how often.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let coarser = Histogram::<u64>::new_with_bounds(1, histogram.high().max(2), FIGURES);
        let Ok(mut coarser) = coarser else {
            return Self::default();
        };
        for value in histogram.iter_recorded() {
            coarser.saturating_record_n(value.value_iterated_to(), value.count_at_value());
        }
        let recorded = coarser.iter_recorded();
        Self(
            recorded
                .map(|value| (float(value.value_iterated_to()), float(value.count_at_value())))
                .collect(),
        )
    }

    /// A histogram as a line of percentiles: the share that was at most so much, and how much.
    pub fn percentiles(&self) -> Vec<(f64, f64)> {
        let total: f64 = self.0.iter().map(|(_, count)| count).sum();
        let mut passed = 0.0;
        let shares = self.0.iter().map(|(value, count)| {
            passed += count;
            (passed / total, *value)
        });
        shares.collect()
    }

    /// Counts per second of a clock, as rates from the first second that has one.
    pub fn per_second(counts: &BTreeMap<u64, u64>) -> Self {
        Self::per_second_from(counts.keys().next().copied().unwrap_or_default(), counts)
    }

    /// Counts per second of a clock, as rates from this second on: those of several servers lie on one line of time.
    pub fn per_second_from(first: u64, counts: &BTreeMap<u64, u64>) -> Self {
        let rates = counts
            .range(first..)
            .map(|(second, count)| (float(second - first), float(*count)));
        Self(rates.collect())
    }
}

impl Serialize for Pairs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let words: Vec<String> = self
            .0
            .iter()
            .map(|(a, b)| format!("{}:{}", rounded(*a), rounded(*b)))
            .collect();
        serializer.serialize_str(&words.join(" "))
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let pair = |word: &str| {
            let (a, b) = word.split_once(':')?;
            Some((a.parse().ok()?, b.parse().ok()?))
        };
        let pairs: Option<Vec<(f64, f64)>> = text.split_whitespace().map(pair).collect();
        pairs
            .map(Self)
            .ok_or_else(|| D::Error::custom("a curve is written as `a:b a:b`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_is_read_back_with_its_percentiles() {
        let mut histogram = Histogram::<u64>::new_with_bounds(1, 120_000_000, 3).unwrap();
        histogram.record_n(100, 98).unwrap();
        histogram.record(5_000).unwrap();
        histogram.record(90_000).unwrap();
        let written = serde_json::to_string(&Pairs::of(&histogram)).unwrap();
        let read: Pairs = serde_json::from_str(&written).unwrap();
        let percentiles = read.percentiles();
        assert_eq!(percentiles[0], (0.98, 100.0), "{written}");
        assert_eq!(percentiles[1].0, 0.99);
        assert!((percentiles[2].1 - 90_000.0).abs() < 900.0, "{written}");
        assert!(serde_json::from_str::<Pairs>("\"1:2 three\"").is_err());
    }

    #[test]
    fn rates_begin_with_the_first_second_or_with_that_of_all() {
        let counts = BTreeMap::from([(70, 5), (72, 6)]);
        assert_eq!(Pairs::per_second(&counts).0, [(0.0, 5.0), (2.0, 6.0)]);
        assert_eq!(Pairs::per_second_from(69, &counts).0, [(1.0, 5.0), (3.0, 6.0)]);
        assert_eq!(Pairs::per_second(&BTreeMap::new()), Pairs::default());
    }
}
