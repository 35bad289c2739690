//! When people come, and when they write: by the clock of a school.

use samtale_protocol::people::Role;
use serde::{Deserialize, Serialize};

use crate::nation::Draw;

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
/// When parents say good-bye, and when they fetch: the two peaks.
const MORNING: f64 = 7.75 * HOUR;
const AFTERNOON: f64 = 15.5 * HOUR;
/// Assumption: how wide the peaks are, as the sigma of a bell.
const MORNING_WIDTH: f64 = 20.0 * MINUTE;
const AFTERNOON_WIDTH: f64 = 30.0 * MINUTE;
/// Assumption: the afternoon's peak and the hours of lessons, as a share of the morning's peak.
const AFTERNOON_HEIGHT: f64 = 0.8;
const LESSONS_HEIGHT: f64 = 0.2;
/// When the first come and the last leave.
const OPENS: f64 = 6.0 * HOUR;
const CLOSES: f64 = 17.5 * HOUR;

/// A part of a day, and how fast it goes by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hours {
    /// From this second of the day.
    pub from: f64,
    /// To this one.
    pub to: f64,
    /// Seconds of the day in a second of the clock.
    pub speed: f64,
}

/// How much is written at this second of the day, as a share of the peak.
pub fn share_of_peak(second: f64) -> f64 {
    let bell = |at: f64, width: f64| (-((second - at) / width).powi(2) / 2.0).exp();
    let lessons = if (MORNING..AFTERNOON).contains(&second) {
        LESSONS_HEIGHT
    } else {
        0.02
    };
    let peaks = bell(MORNING, MORNING_WIDTH) + AFTERNOON_HEIGHT * bell(AFTERNOON, AFTERNOON_WIDTH);
    peaks.max(lessons)
}

/// The times that someone of a role uses it on a day, each from when to when, in their order. Assumptions, but for how
/// many come at all: 900,000 of two million do on a day (kombit.dk).
pub fn visits(draw: &mut Draw, role: Role) -> Vec<(f64, f64)> {
    // How many come at all, how often, and for how many minutes at least and at most.
    let (comes, times, least, most) = match role {
        Role::Child => (0.35, 3, 1.0, 8.0),
        Role::Guardian => (0.55, 3, 1.0, 6.0),
        _ => (0.95, 6, 5.0, 40.0),
    };
    if draw.share() > comes {
        return Vec::new();
    }
    let mut all: Vec<(f64, f64)> = Vec::with_capacity(times);
    while all.len() < times {
        let from = OPENS + draw.share() * (CLOSES - OPENS);
        if draw.share() <= share_of_peak(from) {
            let minutes = least + draw.share() * (most - least);
            all.push((from, from + minutes * MINUTE));
        }
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Who is there already goes on.
    let mut apart: Vec<(f64, f64)> = Vec::with_capacity(times);
    for (from, to) in all {
        match apart.last_mut() {
            Some(last) if last.1 + MINUTE >= from => last.1 = last.1.max(to),
            _ => apart.push((from, to)),
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_has_two_peaks_and_nobody_is_there_twice_at_once() {
        assert!(share_of_peak(MORNING) > share_of_peak(AFTERNOON));
        assert!(share_of_peak(AFTERNOON) > share_of_peak(11.0 * HOUR));
        assert!(share_of_peak(11.0 * HOUR) > share_of_peak(4.0 * HOUR));
        let mut draw = Draw::new(1, 0);
        let days: Vec<_> = (0..500).map(|_| visits(&mut draw, Role::Employee)).collect();
        assert!(days.iter().filter(|day| !day.is_empty()).count() > 450);
        for day in days {
            assert!(day.iter().all(|(from, to)| from < to && *from >= OPENS));
            assert!(day.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }
}
