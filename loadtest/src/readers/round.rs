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
    /// Each message's first and last recipient, by its number. Numbers rise through a run, so those of two rounds never
    /// meet.
    #[serde(default)]
    pub recipients: BTreeMap<u32, Recipients>,
}

/// When a message was shown to the first and to the last session, in microseconds from when it was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipients {
    /// To the first.
    pub first_us: u64,
    /// To the last that it was shown to; those that it was not shown to are counted as lost.
    pub last_us: u64,
}

impl Recipients {
    /// One session was shown it.
    fn one(us: u64) -> Self {
        Self {
            first_us: us,
            last_us: us,
        }
    }

    fn add(&mut self, other: Self) {
        self.first_us = self.first_us.min(other.first_us);
        self.last_us = self.last_us.max(other.last_us);
    }
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
        for (number, recipients) in other.recipients {
            self.add_recipients(number, recipients);
        }
    }

    /// Forgets when messages came, and keeps what came.
    pub fn forget_times(&mut self) {
        self.latencies_us.clear();
        self.by_second.clear();
        self.recipients.clear();
    }

    fn add_recipients(&mut self, number: u32, more: Recipients) {
        self.recipients
            .entry(number)
            .and_modify(|known| known.add(more))
            .or_insert(more);
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
        let latency_us = now.saturating_sub(label.due) / 1000;
        self.latencies.saturating_record(latency_us);
        self.seen.add_recipients(label.number, Recipients::one(latency_us));
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

    #[test]
    fn the_first_and_the_last_recipient_of_a_message_are_those_of_all_readers() {
        let reader = |messages: &[(u32, u64)]| {
            let mut round = Round::new().unwrap();
            for (number, now) in messages {
                // Another session each time.
                let mut session = Delivered::default();
                session.begin(*number);
                let label = Label {
                    number: *number,
                    due: 1_000_000,
                };
                round.on_message(&mut session, label, 256, *now);
            }
            round.end([].into_iter(), 0, 0)
        };
        let mut seen = reader(&[(7, 1_400_000), (7, 1_200_000), (8, 2_000_000)]);
        seen.add(reader(&[(7, 1_100_000), (7, 1_300_000), (9, 3_000_000)]));
        let of = |first_us, last_us| Recipients { first_us, last_us };
        let expected = BTreeMap::from([(7, of(100, 400)), (8, of(1_000, 1_000)), (9, of(2_000, 2_000))]);
        assert_eq!(seen.recipients, expected);
        let read: Seen = serde_json::from_str(&serde_json::to_string(&seen).unwrap()).unwrap();
        assert_eq!(read, seen);
        seen.forget_times();
        assert_eq!((seen.recipients.len(), seen.deliveries), (0, 6));
    }
}
