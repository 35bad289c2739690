//! The readers: processes that hold the clients' ends of many sockets, and tell what each was shown.
//!
//! One line of JSON asks ([`Order`]), one line answers ([`Answer`]). A reader ends when nobody can ask it any more.

mod connections;
mod fleet;
mod process;
mod recent;
mod round;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use fleet::Fleet;
pub use process::run;
pub use round::{Seen, histogram};

/// What the sockets of a reader are connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A session of the server.
    Session,
    /// The floor: a socket that somebody writes the same bytes to.
    Floor,
}

/// What a reader is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Open connections; answered when all are open.
    Open {
        /// To what.
        kind: Kind,
        /// Where that is.
        server: SocketAddr,
        /// The people whose sessions they are. The floor knows no people.
        people: Option<PathBuf>,
        /// The number of the first of them among all connections of the kind.
        first: usize,
        /// How many.
        count: usize,
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
    /// What was seen of a round.
    Seen(Box<Seen>),
    /// It could not be done.
    Failed(String),
}
