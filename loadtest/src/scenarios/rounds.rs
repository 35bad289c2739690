//! Rounds as whoever waits sees them: a line while one is under way, and a line when it is over.

use std::fmt::{Display, Formatter};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use anyhow::{Result, bail};

use super::progress;
use crate::clock;
use crate::outcome::Latency;
use crate::readers::{Progress, Seen, merged};

/// From one line of a round under way to the next.
const TELL: Duration = Duration::from_secs(2);

/// What a round came to, in a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Sessions, or sockets of the floor.
    pub sessions: usize,
    /// Messages shown per second.
    pub deliveries_per_second: f64,
    /// Half of the latencies were shorter.
    pub p50_ms: f64,
    /// 99 of 100 were shorter.
    pub p99_ms: f64,
    /// Messages lost, shown twice or out of order.
    pub wrong: u64,
    /// Connections that have ended.
    pub closed: u64,
}

impl Summary {
    /// Of what readers saw.
    pub fn of(sessions: usize, deliveries_per_second: f64, seen: &Seen) -> Result<Self> {
        let Latency { p50, p99, .. } = Latency::of(&merged(&seen.latencies_us)?);
        Ok(Self {
            sessions,
            deliveries_per_second,
            p50_ms: p50,
            p99_ms: p99,
            wrong: seen.lost + seen.duplicated + seen.reordered,
            closed: seen.closed,
        })
    }
}

impl Display for Summary {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        let Self {
            sessions,
            deliveries_per_second: rate,
            p50_ms,
            p99_ms,
            wrong,
            closed,
        } = self;
        write!(
            formatter,
            "{sessions} sessions, {rate:.0} deliveries/s, p50 {p50_ms} ms, p99 {p99_ms} ms, {wrong} wrong, {closed} closed"
        )
    }
}

/// Says when the next line of a round under way is due.
pub struct Telling {
    next: u64,
}

impl Telling {
    /// The round begins now; a short one says nothing before its end.
    pub fn begin() -> Self {
        Self {
            next: clock::now() + clock::in_nanoseconds(TELL),
        }
    }

    /// Whether a line is due. The next one is due some time later.
    pub fn is_due(&mut self) -> bool {
        let is_due = clock::now() >= self.next;
        if is_due {
            *self = Self::begin();
        }
        is_due
    }
}

/// Tells how far a round is.
pub fn tell(now: Progress) {
    let ended = match now.closed {
        0 => String::new(),
        closed => format!(", {closed} connections have ended"),
    };
    progress(&format!("{} deliveries so far{ended}", now.deliveries));
}

/// Sends a round in a thread of its own, and tells meanwhile how far it is.
///
/// Who looks is the load generator: what the server uses is not touched, and a reader answers a look between two reads.
pub fn while_telling<T: Send>(
    send: impl FnOnce() -> Result<T> + Send,
    mut look: impl FnMut() -> Result<Progress>,
) -> Result<T> {
    let (say, said) = sync_channel(1);
    std::thread::scope(|scope| {
        let sending = scope.spawn(move || {
            // Nobody listens any more only if a look failed, and then that is what the run ends with.
            let _ = say.send(send());
        });
        loop {
            match said.recv_timeout(TELL) {
                Ok(sent) => return sent,
                Err(RecvTimeoutError::Timeout) => tell(look()?),
                Err(RecvTimeoutError::Disconnected) => {
                    // Joined, so that its panic is told once and is no panic of this thread too.
                    let _ = sending.join();
                    bail!("the sending thread ended");
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_round_is_not_looked_at_and_its_outcome_comes_back() {
        let look = || bail!("nobody was to look");
        assert_eq!(while_telling(|| Ok(7), look).unwrap(), 7);
        let failed = while_telling(|| -> Result<u32> { bail!("refused") }, look);
        assert_eq!(failed.unwrap_err().to_string(), "refused");
    }

    #[test]
    fn a_round_is_told_in_a_line() {
        let seen = Seen {
            lost: 1,
            reordered: 2,
            closed: 3,
            latencies_us: vec![(1_000, 99), (7_000, 1)],
            ..Seen::default()
        };
        let line = Summary::of(20, 1234.5, &seen).unwrap().to_string();
        let expected = "20 sessions, 1234 deliveries/s, p50 1 ms, p99 1 ms, 3 wrong, 3 closed";
        assert_eq!(line, expected);
    }
}
