//! The readers: processes that hold the clients' ends of many connections, and tell what each was shown.
//!
//! One line of JSON asks ([`Order`]), one line answers ([`Answer`]); in between a reader tells how far it is. A reader ends
//! when nobody can ask it any more.

mod connections;
mod fleet;
mod opening;
mod process;
mod reader;
mod recent;
mod round;
mod target;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::client::TlsMode;

pub use fleet::Fleet;
pub use opening::Opened;
pub use process::run;
pub use round::{Recipients, Seen, counts, histogram, merged};

/// What connections of a reader are to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A session of the server.
    Session,
    /// The floor: a connection over which somebody writes the same bytes.
    Floor,
}

/// Where connections are opened to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// To what.
    pub kind: Kind,
    /// Where that is. The gateways of a cluster take connections in turns.
    pub servers: Vec<SocketAddr>,
    /// The people whose sessions they are. The floor knows no people.
    pub people: Option<PathBuf>,
    /// The certificate to trust, if it speaks TLS.
    pub certificate: Option<PathBuf>,
}

impl Target {
    /// Where the connection with this number goes.
    pub fn server(&self, number: usize) -> SocketAddr {
        self.servers[number % self.servers.len()]
    }
}

/// Which sessions an order is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// Everyone's.
    Everyone,
    /// Those that stopped reading.
    Stalled,
}

/// What a reader is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Open connections; answered when all are open.
    Open {
        /// To what.
        target: Target,
        /// The number of the first of them among all connections of the kind.
        first: usize,
        /// How many.
        count: usize,
        /// How many may be under way at once.
        at_once: usize,
    },
    /// Cut sessions, all at once and without a word, and come back; answered when all have caught up.
    Storm {
        /// Whose.
        whose: Whose,
        /// How their TLS begins anew, if they have any.
        tls: TlsMode,
        /// How many may be under way at once.
        at_once: usize,
    },
    /// Read nothing more of the sessions of the first so many people, and leave them open.
    Stall {
        /// How many people.
        people: usize,
    },
    /// Tell how far it is.
    Look {
        /// With which connections.
        kind: Kind,
    },
    /// Expect a round of messages.
    Begin {
        /// On which connections.
        kind: Kind,
        /// The number of its first message.
        first: u32,
    },
    /// Answer what was seen once all of the round has come, or the time is over.
    Finish {
        /// On which connections.
        kind: Kind,
        /// The number after the last message.
        end: u32,
        /// How long to wait for what has not come.
        within_ms: u64,
    },
}

/// What a reader answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is done.
    Done,
    /// How far it is, also while it is not done.
    Progress(Progress),
    /// The connections are open.
    Opened(Box<Opened>),
    /// What was seen of a round.
    Seen(Box<Seen>),
    /// It could not be done.
    Failed(String),
}

/// How far a reader is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Connections that are open.
    pub open: u64,
    /// Connections that are being opened, or wait for their turn.
    pub opening: u64,
    /// Attempts to open one that failed.
    pub failed: u64,
    /// Sessions that ended and were not meant to.
    pub closed: u64,
    /// Sessions that read nothing.
    pub stalled: u64,
    /// Messages of the round that came.
    pub deliveries: u64,
}

impl Progress {
    /// Adds another reader's.
    pub fn add(&mut self, other: Self) {
        self.open += other.open;
        self.opening += other.opening;
        self.failed += other.failed;
        self.closed += other.closed;
        self.stalled += other.stalled;
        self.deliveries += other.deliveries;
    }
}
