//! Opening connections: some at once, each again when it fails, until all are open.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Result, ensure};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::round::{counts, histogram};
use crate::client::TlsMode;
use crate::clock;

/// How long one connection may take to be opened.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a connection that failed waits at least. The rest is spread, so that those that failed together do not come
/// back together.
const AGAIN: Duration = Duration::from_millis(200);
/// Over how much longer.
const SPREAD_NS: u64 = 800_000_000;
/// Attempts that may fail, for each connection; with more, something is wrong that trying does not mend.
const ATTEMPTS: u64 = 4;
/// The first few failures say why; a thousand that go the same way would say no more.
const TOLD: u64 = 3;

/// What opening connections came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// How many.
    pub count: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Spaces that a session has to load anew, because the server did not know what was missed.
    pub resyncs: u64,
    /// How often each time was seen: in microseconds from the order to when a connection had everything.
    pub waits_us: Vec<(u64, u64)>,
}

impl Opened {
    /// Adds what another reader opened.
    pub fn add(&mut self, other: Self) {
        self.count += other.count;
        self.failed += other.failed;
        self.resyncs += other.resyncs;
        self.waits_us.extend(other.waits_us);
    }
}

/// The connections that an order opens.
pub struct Opening {
    /// How their TLS begins.
    pub tls: TlsMode,
    /// What it came to so far.
    pub opened: Opened,
    at_once: usize,
    since: u64,
    /// Those that are under way, and since when.
    under_way: Vec<(usize, u64)>,
    /// Those that wait, and not before when.
    waiting: VecDeque<(usize, u64)>,
    waits: Histogram<u64>,
    failures_allowed: u64,
}

impl Opening {
    /// Opens these.
    pub fn new(places: impl Iterator<Item = usize>, tls: TlsMode, at_once: usize, now: u64) -> Result<Self> {
        let waiting: VecDeque<_> = places.map(|place| (place, 0)).collect();
        Ok(Self {
            tls,
            opened: Opened::default(),
            at_once: at_once.max(1),
            since: now,
            under_way: Vec::new(),
            failures_allowed: waiting.len() as u64 * ATTEMPTS,
            waiting,
            waits: histogram()?,
        })
    }

    /// How many are not open yet.
    pub fn left(&self) -> usize {
        self.under_way.len() + self.waiting.len()
    }

    /// The next one to be opened now.
    pub fn next(&mut self, now: u64) -> Option<usize> {
        if self.under_way.len() >= self.at_once {
            return None;
        }
        // Those that failed stand at the end, in the order of their failures, which is nearly that of their turns.
        let (place, not_before) = *self.waiting.front()?;
        if not_before > now {
            return None;
        }
        self.waiting.pop_front();
        self.under_way.push((place, now));
        Some(place)
    }

    /// One that has taken too long.
    pub fn overdue(&self, now: u64) -> Option<usize> {
        let since = now.saturating_sub(clock::in_nanoseconds(PATIENCE));
        self.under_way
            .iter()
            .find(|(_, began)| *began < since)
            .map(|(place, _)| *place)
    }

    /// One is open, and has everything.
    pub fn on_open(&mut self, place: usize, now: u64) {
        self.under_way.retain(|(other, _)| *other != place);
        self.opened.count += 1;
        self.waits.saturating_record(now.saturating_sub(self.since) / 1000);
    }

    /// One failed, and is tried again.
    pub fn on_failed(&mut self, place: usize, error: &anyhow::Error, now: u64) -> Result<()> {
        self.opened.failed += 1;
        if self.opened.failed <= TOLD {
            eprintln!("samtale-loadtest: a connection could not be opened and is tried again: {error:#}");
        }
        ensure!(
            self.opened.failed <= self.failures_allowed,
            "connections can not be opened: {error:#}"
        );
        self.under_way.retain(|(other, _)| *other != place);
        // The clock's last digits are as good as chance here.
        self.waiting
            .push_back((place, now + clock::in_nanoseconds(AGAIN) + now * 31 % SPREAD_NS));
        Ok(())
    }

    /// What it came to.
    pub fn finish(self) -> Opened {
        Opened {
            waits_us: counts(&self.waits),
            ..self.opened
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_under_way_at_once_and_one_that_failed_comes_again() {
        let mut opening = Opening::new(0..3, TlsMode::Whole, 2, 1).unwrap();
        assert_eq!(
            (opening.next(1), opening.next(1), opening.next(1)),
            (Some(0), Some(1), None)
        );
        opening.on_failed(0, &anyhow::anyhow!("refused"), 2).unwrap();
        opening.on_open(1, 3);
        assert_eq!((opening.next(4), opening.next(4)), (Some(2), None));
        opening.on_open(2, 5);
        assert_eq!((opening.left(), opening.next(6)), (1, None));
        let later = clock::in_nanoseconds(AGAIN) + SPREAD_NS + 2;
        assert_eq!(opening.next(later), Some(0));
        assert_eq!(opening.overdue(later), None);
        assert_eq!(opening.overdue(later + clock::in_nanoseconds(PATIENCE) + 1), Some(0));
        opening.on_open(0, later);
        let opened = opening.finish();
        assert_eq!((opened.count, opened.failed), (3, 1));
        assert_eq!(opened.waits_us.iter().map(|(_, count)| count).sum::<u64>(), 3);
    }
}
