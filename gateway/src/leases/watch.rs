//! What the rows of other nodes say, looked at again and again. Pure: a clock that is off makes nobody dead, since what
//! counts is for how long, by this node's own steady clock, a row was read without having changed.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use samtale_protocol::Timestamp;
use samtale_storage::nodes::{NodeId, NodeRecord};

use super::missing_since;

/// A row that has not changed for so long is of a node that died.
const DEAD: Duration = Duration::from_secs(4);

/// And it was read so often meanwhile: storage that was away itself proves nothing.
const READ: u32 = 4;

/// A node whose clock is off by more than this is not ready (the design's "identity and order of a message").
const CLOCK_OFF_MILLIS: i64 = 1_000;

/// From how many looks the distance of two clocks is taken. A row is up to a second old when it is read: the smallest of
/// several distances is the true one, and a little.
const LOOKS: usize = 12;

/// A node that died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Death {
    /// Which.
    pub node: NodeId,
    /// What it journalled from here on may not be in the log.
    pub since: Timestamp,
    renewed_at: Timestamp,
}

impl Death {
    /// The time to delete its row with: later than the row, and earlier than any by which the node shows that it lives.
    pub const fn forgotten_at(&self) -> u64 {
        self.renewed_at.as_micros() + 1
    }
}

/// How this node stands among the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The nodes that live, this one among them, in order.
    pub live: Vec<NodeId>,
    /// By how many milliseconds the clock of each other node is behind this one's; less than nothing is ahead.
    behind: Vec<i64>,
}

impl Standing {
    /// The only node.
    pub fn alone(own: NodeId) -> Self {
        Self {
            live: vec![own],
            behind: Vec::new(),
        }
    }

    /// What is wrong with this node's clock: most of the others have another time.
    pub fn clock_problem(&self) -> Option<String> {
        let off: Vec<i64> = self
            .behind
            .iter()
            .copied()
            .filter(|behind| behind.abs() > CLOCK_OFF_MILLIS)
            .collect();
        if off.len() * 2 <= self.behind.len() {
            return None;
        }
        let worst = off
            .iter()
            .copied()
            .max_by_key(|behind| behind.abs())
            .unwrap_or_default();
        let direction = if worst > 0 { "ahead of" } else { "behind" };
        Some(format!(
            "the clock is {} ms {direction} {} of {} other nodes: let all of them follow the same time server",
            worst.abs(),
            off.len(),
            self.behind.len()
        ))
    }
}

struct Seen {
    renewed_at: Timestamp,
    since: Instant,
    reads: u32,
    behind: VecDeque<i64>,
    looked_after: bool,
}

/// What was seen so far.
pub struct Watch {
    own: NodeId,
    seen: BTreeMap<NodeId, Seen>,
}

impl Watch {
    /// Nothing yet.
    pub const fn new(own: NodeId) -> Self {
        Self {
            own,
            seen: BTreeMap::new(),
        }
    }

    /// Looks at all rows. Returns who is dead and not looked after yet, and how this node stands.
    pub fn look(&mut self, at: Instant, now: Timestamp, rows: &[(NodeId, NodeRecord)]) -> (Vec<Death>, Standing) {
        self.seen.retain(|node, _| rows.iter().any(|(row, _)| row == node));
        let mut deaths = Vec::new();
        let mut standing = Standing::alone(self.own);
        for (node, record) in rows.iter().filter(|(node, _)| *node != self.own) {
            let seen = self.seen.entry(*node).or_insert_with(|| Seen {
                renewed_at: record.renewed_at,
                since: at,
                reads: 0,
                behind: VecDeque::new(),
                looked_after: false,
            });
            if seen.renewed_at != record.renewed_at {
                (seen.renewed_at, seen.since, seen.reads, seen.looked_after) = (record.renewed_at, at, 0, false);
                // Only a row that was renewed since the look before says what time it is there.
                seen.behind.push_back(difference(now, record.renewed_at));
                while seen.behind.len() > LOOKS {
                    seen.behind.pop_front();
                }
            }
            seen.reads += 1;
            let is_dead = at.duration_since(seen.since) >= DEAD && seen.reads > READ;
            if is_dead && !seen.looked_after {
                deaths.push(Death {
                    node: *node,
                    since: missing_since(record),
                    renewed_at: record.renewed_at,
                });
            }
            if !is_dead {
                standing.live.push(*node);
                standing.behind.extend(seen.behind.iter().min());
            }
        }
        standing.live.sort_unstable();
        (deaths, standing)
    }

    /// What a dead node left was taken over.
    pub fn looked_after(&mut self, death: &Death) {
        if let Some(seen) = self.seen.get_mut(&death.node) {
            seen.looked_after = seen.renewed_at == death.renewed_at;
        }
    }
}

fn difference(one: Timestamp, other: Timestamp) -> i64 {
    let millis = |time: Timestamp| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    millis(one) - millis(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: NodeId = NodeId::from_bytes([1; 16]);
    const OTHER: NodeId = NodeId::from_bytes([2; 16]);
    const BEGIN: u64 = 1_700_000_000_000;

    fn time(millis: u64) -> Timestamp {
        Timestamp::saturating(BEGIN + millis)
    }

    fn row(millis: u64, unpublished: Option<u64>) -> (NodeId, NodeRecord) {
        let record = NodeRecord {
            renewed_at: time(millis),
            unpublished_since: unpublished.map(time),
        };
        (OTHER, record)
    }

    /// Looks every second from `from` on; the other node's row is as `row_at` says.
    fn looks(
        watch: &mut Watch,
        begin: Instant,
        seconds: std::ops::Range<u64>,
        row_at: impl Fn(u64) -> (NodeId, NodeRecord),
    ) -> Vec<(u64, Vec<Death>, Standing)> {
        let look = |second: u64| {
            let at = begin + Duration::from_secs(second);
            let (deaths, standing) = watch.look(at, time(second * 1_000), &[row_at(second)]);
            (second, deaths, standing)
        };
        seconds.map(look).collect()
    }

    #[test]
    fn a_row_that_is_renewed_is_of_a_node_that_lives_whatever_its_clock_says() {
        let mut watch = Watch::new(OWN);
        let looks = looks(&mut watch, Instant::now(), 0..100, |second| {
            row(second * 1_000 + 3_600_000, None)
        });
        assert!(
            looks
                .iter()
                .all(|(_, deaths, standing)| deaths.is_empty() && standing.live == [OWN, OTHER])
        );
    }

    #[test]
    fn a_row_that_stands_still_is_of_a_node_that_died_and_it_is_looked_after_once() {
        let (mut watch, begin) = (Watch::new(OWN), Instant::now());
        let lives = looks(&mut watch, begin, 0..10, |second| row(second * 1_000, None));
        assert!(lives.iter().all(|(_, deaths, _)| deaths.is_empty()));
        let dies = looks(&mut watch, begin, 10..20, |_| row(9_000, Some(7_000)));
        let first = dies.iter().find(|(_, deaths, _)| !deaths.is_empty()).unwrap();
        assert_eq!(first.0, 13, "four seconds after it was seen renewed");
        assert_eq!((first.1[0].node, first.1[0].since), (OTHER, time(7_000)));
        assert_eq!(first.2.live, [OWN]);
        assert!(!dies.last().unwrap().1.is_empty(), "until it is looked after");
        watch.looked_after(&first.1[0]);
        let after = looks(&mut watch, begin, 20..30, |_| row(9_000, Some(7_000)));
        assert!(after.iter().all(|(_, deaths, _)| deaths.is_empty()));
        let again = looks(&mut watch, begin, 30..40, |_| row(29_000, None));
        assert_eq!(
            again.last().unwrap().1[0].since,
            time(29_000),
            "it came back, and died again"
        );
    }

    #[test]
    fn storage_that_was_away_makes_nobody_dead() {
        let (mut watch, begin) = (Watch::new(OWN), Instant::now());
        looks(&mut watch, begin, 0..3, |second| row(second * 1_000, None));
        let after = looks(&mut watch, begin, 300..302, |_| row(2_000, None));
        assert!(after.iter().all(|(_, deaths, _)| deaths.is_empty()));
        let renewed = looks(&mut watch, begin, 302..310, |second| row(second * 1_000, None));
        assert!(renewed.iter().all(|(_, deaths, _)| deaths.is_empty()));
    }

    #[test]
    fn a_clock_that_most_others_do_not_share_is_a_problem() {
        let with = |apart: i64| {
            let mut watch = Watch::new(OWN);
            let other = |second: u64| {
                row(
                    (second * 1_000 + 10_000)
                        .checked_add_signed(apart - 10_000 - 40)
                        .unwrap_or(0),
                    None,
                )
            };
            let looks = looks(&mut watch, Instant::now(), 20..40, other);
            looks.last().unwrap().2.clock_problem()
        };
        assert_eq!(with(0), None);
        assert_eq!(with(900), None);
        assert!(with(1_500).unwrap().contains("behind 1 of 1"), "{:?}", with(1_500));
        assert!(with(-1_500).unwrap().contains("ahead of"), "{:?}", with(-1_500));
        assert_eq!(Standing::alone(OWN).clock_problem(), None);
    }
}
