//! A school day of a nation. Everyone in it is simulated; the people of some whole institutions have real sockets, and
//! through these goes every message of the nation.
//!
//! A player ([`play`]) is a process that holds the real people of its share of the institutions; the coordinator
//! (`scenarios/day.rs`) starts one per some thousands of them.

mod cast;
mod hours;
mod ledger;
mod person;
mod player;
mod process;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::nation::Nation;

pub use hours::{Hours, share_of_peak, visits};
pub use player::play;
pub use process::Players;

/// Aula's messages in its busiest minute (dragoer-nyt.dk, 2024), of two million people.
pub const AULA_PER_MINUTE: f64 = 10_000.0;

/// What a player is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Part {
    /// The nation.
    pub nation: Nation,
    /// How many of it have a login.
    pub logins: usize,
    /// The file of their tokens.
    pub tokens: PathBuf,
    /// Where the servers are.
    pub servers: Vec<SocketAddr>,
    /// Which part of the day, and how fast.
    pub hours: Hours,
    /// Messages of all players together in a second of the machine's clock, at the peak.
    pub messages_per_second: f64,
    /// Which player this is.
    pub player: usize,
    /// How many there are.
    pub players: usize,
}

/// What a player saw.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// People with a real socket of their own at some time.
    pub people: u64,
    /// Their conversations.
    pub threads: u64,
    /// Messages that were due.
    pub due: u64,
    /// Messages that nobody was there to write.
    pub unwritten: u64,
    /// Messages that the server said are stored.
    pub stored: u64,
    /// Messages that the server refused.
    pub refused: u64,
    /// Messages shown, each person's counted once.
    pub deliveries: u64,
    /// Of these, those that someone who was there was told, and who had not written them.
    pub told_to_others: u64,
    /// Members that the stored messages were for: all of their conversations but the authors.
    pub recipients: u64,
    /// Messages that are stored and were not shown to someone who came back and caught up.
    pub lost: u64,
    /// Messages that such a person was not told, and that only a page of history showed them which they looked at.
    pub learned_from_pages: u64,
    /// Messages that a connection was told twice after it had caught up, or that there are under two ids.
    pub duplicated: u64,
    /// Messages that some who had caught up were told in one order and others in another.
    pub reordered: u64,
    /// Answers whose id sorts before that of what they answer.
    pub before_question: u64,
    /// Messages told again to someone who came back: behind the cursor, or from the journal and from the log.
    pub repeated: u64,
    /// Times that someone came: opened the app, or the phone woke.
    pub arrivals: u64,
    /// Times that it took another attempt.
    pub failed: u64,
    /// Connections that the server ended.
    pub closed: u64,
    /// Spaces that had to be loaded anew.
    pub resyncs: u64,
    /// Pages and inboxes that were read, and read marks that were set.
    pub reads: u64,
    /// Whether the day is over, and everyone catches up.
    pub is_evening: bool,
    /// People who came in the evening, and have not caught up.
    pub not_caught_up: u64,
    /// Times that someone said good-bye and the server did too.
    pub left_with_close_frame: u64,
    /// Times that a phone fell asleep and left its connection half open.
    pub left_half_open: u64,
    /// Times that a connection was reset.
    pub left_by_reset: u64,
    /// Sockets that are open now.
    pub open: u64,
    /// The most sockets that were open at once.
    pub most_open: u64,
    /// From when a message was due to when it was shown to someone who was there: microseconds, and how often.
    pub latencies_us: Vec<(u64, u64)>,
    /// From when someone came to when they had caught up.
    pub arrivals_us: Vec<(u64, u64)>,
    /// By second of the clock: messages stored, messages shown, sockets open.
    pub by_second: BTreeMap<u64, [u64; 3]>,
}

impl Told {
    /// Adds what another player saw.
    pub fn add(&mut self, other: Self) {
        let pairs: [(&mut u64, u64); 26] = [
            (&mut self.people, other.people),
            (&mut self.threads, other.threads),
            (&mut self.due, other.due),
            (&mut self.unwritten, other.unwritten),
            (&mut self.stored, other.stored),
            (&mut self.refused, other.refused),
            (&mut self.deliveries, other.deliveries),
            (&mut self.told_to_others, other.told_to_others),
            (&mut self.recipients, other.recipients),
            (&mut self.lost, other.lost),
            (&mut self.learned_from_pages, other.learned_from_pages),
            (&mut self.duplicated, other.duplicated),
            (&mut self.reordered, other.reordered),
            (&mut self.before_question, other.before_question),
            (&mut self.repeated, other.repeated),
            (&mut self.arrivals, other.arrivals),
            (&mut self.failed, other.failed),
            (&mut self.closed, other.closed),
            (&mut self.resyncs, other.resyncs),
            (&mut self.reads, other.reads),
            (&mut self.not_caught_up, other.not_caught_up),
            (&mut self.left_with_close_frame, other.left_with_close_frame),
            (&mut self.left_half_open, other.left_half_open),
            (&mut self.left_by_reset, other.left_by_reset),
            (&mut self.open, other.open),
            (&mut self.most_open, other.most_open),
        ];
        for (own, more) in pairs {
            *own += more;
        }
        self.is_evening |= other.is_evening;
        self.latencies_us.extend(other.latencies_us);
        self.arrivals_us.extend(other.arrivals_us);
        for (second, counts) in other.by_second {
            let own = self.by_second.entry(second).or_default();
            own.iter_mut().zip(counts).for_each(|(own, more)| *own += more);
        }
    }
}
