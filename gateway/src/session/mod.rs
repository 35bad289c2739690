//! A session: what the server knows of one logged-in connection, and what it decides.
//!
//! A session takes an input (a client's frame, a delivery, a tick, the end of a request) and returns actions. It never
//! waits, reads no clock and touches no socket, so it is tested with plain values. One file per source of inputs.

mod on_client_frame;
mod on_delivery;
mod on_tick;

use std::time::Duration;

use samtale_protocol::people::Caller;
use samtale_protocol::{CloseCode, Encoding, Language, Request, ServerFrame, SpaceId, Timestamp};
use smallvec::SmallVec;

/// How often the server pings, and how long it waits for a sign of life.
pub const PING_INTERVAL: Duration = Duration::from_secs(25);

/// A session that lasts longer is asked to come back, so that a token is looked at again; revocations do not wait for
/// this, they close sockets at once.
pub const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);

/// Requests that a session may make at once: what it gets back in ten seconds. A person who scrolls and types makes a
/// handful; a client that starts asks for some dozens.
const fn at_once(requests_per_second: u16) -> u16 {
    requests_per_second.saturating_mul(10)
}

/// How far a session is with one of its spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// What it missed is being sent; what happens meanwhile is read from the log.
    CatchingUp,
    /// It gets what happens.
    Live,
}

/// One of a session's spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionSpace {
    /// The space.
    pub space: SpaceId,
    /// How far it is.
    pub progress: Progress,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Send this.
    Send(Box<ServerFrame>),
    /// Do what was asked, and come back with the outcome.
    Perform {
        /// The request's id.
        id: u32,
        /// What was asked.
        request: Box<Request>,
    },
    /// Send a ping.
    Ping,
    /// Send the newest cursor.
    SendCursor,
    /// End the connection.
    Close(CloseCode),
    /// Send this, and end the connection.
    SayAndClose(Box<ServerFrame>, CloseCode),
}

/// One logged-in connection.
#[derive(Debug)]
pub struct Session {
    caller: Caller,
    encoding: Encoding,
    language: Language,
    /// In place for almost everybody: a child has a school and an after-school club.
    spaces: SmallVec<[SessionSpace; 2]>,
    started_at: Timestamp,
    requests_per_second: u16,
    requests_left: u16,
    requests_counted_at: Timestamp,
    under_way: u8,
    /// Whether anything was heard since the last ping.
    heard: bool,
    /// Whether anything was delivered since the last cursor.
    moved: bool,
}

impl Session {
    /// The session of `caller`, who is in `spaces` and catches up in all of them.
    pub fn new(
        caller: Caller,
        encoding: Encoding,
        language: Language,
        spaces: impl IntoIterator<Item = SpaceId>,
        requests_per_second: u16,
        now: Timestamp,
    ) -> Self {
        let spaces = spaces.into_iter().map(|space| SessionSpace {
            space,
            progress: Progress::CatchingUp,
        });
        Self {
            caller,
            encoding,
            language,
            spaces: spaces.collect(),
            started_at: now,
            requests_per_second,
            requests_left: at_once(requests_per_second),
            requests_counted_at: now,
            under_way: 0,
            heard: true,
            moved: false,
        }
    }

    /// Whose session it is.
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// When it began.
    pub const fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// How its frames are written.
    pub const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Whether requests are under way.
    pub const fn is_busy(&self) -> bool {
        self.under_way > 0
    }

    /// Its spaces.
    pub fn spaces(&self) -> &[SessionSpace] {
        &self.spaces
    }
}
