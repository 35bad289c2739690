//! A measured figure: its repeats, their median and their range.

use serde::{Deserialize, Serialize};

/// What several repeats of one measurement came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The middle one, or between the two in the middle.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The most.
    pub most: f64,
    /// All, in the order in which they were measured.
    pub repeats: Vec<f64>,
}

impl Figure {
    /// What these come to; `None` if nothing was measured.
    pub fn of(repeats: Vec<f64>) -> Option<Self> {
        let mut sorted = repeats.clone();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Some(Self {
            median: rounded(median),
            least: rounded(least),
            most: rounded(most),
            repeats: repeats.into_iter().map(rounded).collect(),
        })
    }
}

/// To a thousandth: what is measured here is never finer.
pub fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// A quotient; nothing over nothing is nothing.
pub fn per(total: f64, count: f64) -> f64 {
    if count > 0.0 { total / count } else { 0.0 }
}

/// A count as a number to reckon with. Counts of a load run are far below what a float holds exactly.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts and nanoseconds of a run stay below 2^53"
)]
pub fn float(count: u64) -> f64 {
    count as f64
}

/// What is whole of it; nothing below nothing.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "seconds of a run are few"
)]
pub fn whole(value: f64) -> u64 {
    value.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_whatever_the_order() {
        let figure = Figure::of(vec![9.0, 1.0, 5.0]).unwrap();
        assert_eq!((figure.median, figure.least, figure.most), (5.0, 1.0, 9.0));
        assert_eq!(figure.repeats, [9.0, 1.0, 5.0]);
        assert_eq!(Figure::of(vec![4.0, 1.0, 2.0, 100.0]).unwrap().median, 3.0);
        assert_eq!(Figure::of(vec![]), None);
    }

    #[test]
    fn nothing_is_divided_by_nothing() {
        assert_eq!(per(3.0, 0.0), 0.0);
        assert_eq!(rounded(1.234_56), 1.235);
    }
}
