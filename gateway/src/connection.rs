//! A connection: a session and the link to its client. One thread owns it; its loop is `reader.rs`.

use std::cell::{Cell, RefCell};

use samtale_protocol::{ProfileId, ServerFrame};

use crate::framing;
use crate::link::{Link, State};
use crate::session::Session;

/// A connection of a shard.
pub struct Connection {
    /// Its place among the shard's sessions.
    pub slot: u32,
    /// The session.
    pub session: RefCell<Session>,
    /// The link to the client. In place, as all that a delivery looks at: each look elsewhere costs more than the work.
    pub link: Link,
    /// Whom the screen shows, for presence. Boxed by the vector: most screens show nobody.
    pub watched: RefCell<Vec<ProfileId>>,
    /// How many watches were asked for, and which of them holds.
    watches: Cell<(u32, u32)>,
}

impl Connection {
    /// A connection in a place of its shard.
    pub fn new(slot: u32, session: Session, link: Link) -> Self {
        Self {
            slot,
            session: RefCell::new(session),
            link,
            watched: RefCell::default(),
            watches: Cell::default(),
        }
    }

    /// Someone else is to be watched. Returns the turn for [`Self::settle_watch`], once it is known who they are.
    pub fn begin_watch(&self) -> u32 {
        self.watches.update(|(turn, holds)| (turn + 1, holds));
        self.watches.get().0
    }

    /// Whether this watch holds from now on: not if one that was asked for later does, and not when the connection has
    /// ended. Its slot may be another one's then, who would be told of people whom they may not see.
    pub fn settle_watch(&self, turn: u32) -> bool {
        let (newest, holds) = self.watches.get();
        let is_newer = turn > holds && self.link.state() == State::Open;
        if is_newer {
            self.watches.set((newest, turn));
        }
        is_newer
    }

    /// Sends a frame to this session alone.
    pub fn send(&self, frame: &ServerFrame) {
        let encoding = self.session.borrow().encoding();
        self.link.send_bytes(&framing::message(frame, encoding));
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::task::{Context, Poll};

    use samtale_protocol::people::Caller;
    use samtale_protocol::{CloseCode, Encoding, Language, PersonId, SessionId, Timestamp};
    use tokio::io::ReadBuf;

    use super::*;
    use crate::wire::{OwnedWire, Wire};

    /// A client that reads nothing and says nothing.
    struct Silence;

    impl Wire for Silence {
        fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn poll_writable(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }

        fn poll_read(&self, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    #[test]
    fn only_what_was_asked_for_last_is_watched_and_nothing_after_the_end() {
        let caller = Caller {
            person: PersonId::from_bytes([1; 16]),
            session: SessionId::from_bytes([2; 16]),
        };
        let session = Session::new(caller, Encoding::Json, Language::Danish, [], 10, Timestamp::default());
        let connection = Connection::new(0, session, Link::new(OwnedWire::Other(Box::new(Silence))));
        let turns = [(); 4].map(|()| connection.begin_watch());
        assert!(connection.settle_watch(turns[1]) && !connection.settle_watch(turns[0]));
        assert!(
            connection.settle_watch(turns[2]),
            "that a later one was refused changes nothing"
        );
        connection.link.close(CloseCode::Restarting, None);
        assert!(!connection.settle_watch(turns[3]));
    }
}
