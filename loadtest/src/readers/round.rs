//! What the connections of a reader saw of a round.

use std::collections::BTreeMap;

use anyhow::Result;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::delivered::{Delivered, Was};
use crate::messages::Label;

/// The longest latency that is told apart from longer ones, in microseconds.
const LONGEST_US: u64 = 120_000_000;
/// Figures that a latency is exact to.
const FIGURES: u8 = 3;

/// What was seen of a round. Several readers' are added up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Messages shown, each session's counted.
    pub deliveries: u64,
    /// Messages that a session was never shown.
    pub lost: u64,
    /// Messages that a session was shown more than once.
    pub duplicated: u64,
    /// Messages that a session was shown after a later one.
    pub reordered: u64,
    /// Messages that a session which came back was told again, because they were behind its cursor.
    pub repeated: u64,
    /// Connections that have ended.
    pub closed: u64,
    /// The size of the messages' events, if any came.
    pub event_bytes: usize,
    /// How often each latency was seen: in microseconds from when the message was due to when it was shown.
    pub latencies_us: Vec<(u64, u64)>,
    /// How many messages were shown in each second of the clock.
    #[serde(default)]
    pub by_second: BTreeMap<u64, u64>,
}

impl Seen {
    /// Adds what another reader saw.
    pub fn add(&mut self, other: Self) {
        self.deliveries += other.deliveries;
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.reordered += other.reordered;
        self.repeated += other.repeated;
        self.closed += other.closed;
        self.event_bytes = self.event_bytes.max(other.event_bytes);
        self.latencies_us.extend(other.latencies_us);
        for (second, count) in other.by_second {
            *self.by_second.entry(second).or_default() += count;
        }
    }
}

/// A histogram of latencies.
pub fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, LONGEST_US, FIGURES)?)
}

/// A histogram of what was counted, by any number of readers.
pub fn merged(counts: &[(u64, u64)]) -> Result<Histogram<u64>> {
    let mut all = histogram()?;
    for (value, count) in counts {
        all.saturating_record_n(*value, *count);
    }
    Ok(all)
}

/// What a histogram holds, to be sent and added up.
pub fn counts(histogram: &Histogram<u64>) -> Vec<(u64, u64)> {
    let recorded = histogram.iter_recorded();
    recorded
        .map(|value| (value.value_iterated_to(), value.count_at_value()))
        .collect()
}

/// A round under way.
pub struct Round {
    seen: Seen,
    latencies: Histogram<u64>,
}

impl Round {
    /// A round of which nothing has come.
    pub fn new() -> Result<Self> {
        Ok(Self {
            seen: Seen::default(),
            latencies: histogram()?,
        })
    }

    /// How many messages have come that had not come before.
    pub fn deliveries(&self) -> u64 {
        self.seen.deliveries
    }

    /// A message came to a connection at `now`.
    pub fn on_message(&mut self, delivered: &mut Delivered, label: Label, event_bytes: usize, now: u64) {
        self.seen.event_bytes = event_bytes;
        match delivered.on_message(label.number) {
            Was::New => {}
            Was::Late => self.seen.reordered += 1,
            Was::Repeated => {
                self.seen.repeated += 1;
                return;
            }
            Was::Again => {
                self.seen.duplicated += 1;
                return;
            }
        }
        self.seen.deliveries += 1;
        *self.seen.by_second.entry(now / 1_000_000_000).or_default() += 1;
        self.latencies.saturating_record(now.saturating_sub(label.due) / 1000);
    }

    /// What was seen, of connections that were followed by these.
    pub fn end<'a>(self, delivered: impl Iterator<Item = &'a Delivered>, end: u32, closed: u64) -> Seen {
        Seen {
            lost: delivered.map(|delivered| delivered.lost(end)).sum(),
            closed,
            latencies_us: counts(&self.latencies),
            ..self.seen
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_counts_and_times_what_came() {
        let mut round = Round::new().unwrap();
        let mut sessions = [Delivered::default(), Delivered::default()];
        sessions.iter_mut().for_each(|delivered| delivered.begin(5));
        let label = |number| Label { number, due: 1_000_000 };
        for number in [5, 6, 8, 7, 7] {
            round.on_message(&mut sessions[0], label(number), 256, 3_000_000);
        }
        round.on_message(&mut sessions[1], label(5), 256, 1_500_000);
        assert_eq!(round.deliveries(), 5);
        let seen = round.end(sessions.iter(), 9, 0);
        assert_eq!(
            (seen.deliveries, seen.lost, seen.duplicated, seen.reordered),
            (5, 3, 1, 1)
        );
        assert_eq!(seen.latencies_us.iter().map(|(_, count)| count).sum::<u64>(), 5);
        assert_eq!(seen.latencies_us[0].0, 500);
        let mut both = seen.clone();
        both.add(seen);
        assert_eq!((both.deliveries, both.lost), (10, 6));
    }
}
