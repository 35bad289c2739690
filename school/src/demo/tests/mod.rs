//! The demo school: large enough, of every kind, the same each time, and tidy.

mod conversations;
mod people;

use jiff::civil::{Date, date};

use super::*;

/// Seeds and days that are all tried, the turn of the school year and a leap day among them.
fn demos() -> Vec<Demo> {
    let days = [
        date(2026, 11, 23),
        date(2026, 8, 1),
        date(2026, 7, 31),
        date(2028, 2, 29),
        date(2027, 1, 1),
    ];
    (0..).zip(days).map(|(seed, day)| generate(seed * 7919, day)).collect()
}

fn today() -> Date {
    date(2026, 11, 23)
}
