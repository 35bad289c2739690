//! A connection: a session and the link to its client. One thread owns it; its loop is `reader.rs`.

use std::cell::RefCell;
use std::rc::Rc;

use samtale_protocol::{ProfileId, ServerFrame};

use crate::framing;
use crate::link::Link;
use crate::session::Session;

/// A connection of a shard.
pub struct Connection {
    /// Its place among the shard's sessions.
    pub slot: u32,
    /// The session.
    pub session: RefCell<Session>,
    /// The link to the client.
    pub link: Rc<Link>,
    /// Whom the screen shows, for presence. Boxed by the vector: most screens show nobody.
    pub watched: RefCell<Vec<ProfileId>>,
}

impl Connection {
    /// A connection in a place of its shard.
    pub fn new(slot: u32, session: Session, link: Rc<Link>) -> Self {
        Self {
            slot,
            session: RefCell::new(session),
            link,
            watched: RefCell::default(),
        }
    }

    /// Sends a frame to this session alone.
    pub fn send(&self, frame: &ServerFrame) {
        let encoding = self.session.borrow().encoding();
        self.link.send_bytes(&framing::message(frame, encoding));
    }
}
