//! The connections of one kind in a reader.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use samtale_client::ServerAddress;
use samtale_client::light::LightSession;

use super::Kind;
use super::recent::Recent;
use super::round::{Round, Seen};
use crate::clock;
use crate::delivered::Delivered;
use crate::population::Population;
use crate::sockets;

/// A connection and what it was shown.
struct Reader {
    session: LightSession,
    delivered: Delivered,
}

/// All connections of a kind. One that has ended leaves its place empty, and what it was not shown counts as lost.
#[derive(Default)]
pub struct Connections {
    readers: Vec<Option<Reader>>,
    ended: Vec<Delivered>,
    round: Option<Round>,
    /// The number of the round's first message.
    first: u32,
    recent: Recent,
}

/// Where a connection is to be opened.
pub struct Target {
    /// To what.
    pub kind: Kind,
    /// Where that is.
    pub server: SocketAddr,
    /// Whose sessions they are.
    pub people: Option<Population>,
}

impl Target {
    /// Opens the connection with this number.
    pub fn open(&self, number: usize) -> Result<LightSession> {
        let stream = sockets::open(self.server, number)?;
        let session = match (self.kind, &self.people) {
            (Kind::Floor, _) => LightSession::ungreeted(stream),
            (Kind::Session, None) => anyhow::bail!("sessions need people"),
            (Kind::Session, Some(people)) => {
                let server: ServerAddress = format!("http://{}", self.server).parse()?;
                let opened = LightSession::open(stream, &server, people.reader(number).hello(number));
                opened.with_context(|| format!("session {number} does not begin"))?.0
            }
        };
        session.stream().set_nonblocking(true)?;
        Ok(session)
    }
}

impl Connections {
    /// Takes in a connection. Its place is where it is found again.
    pub fn add(&mut self, session: LightSession) -> &LightSession {
        let delivered = Delivered::default();
        let place = self.readers.len();
        self.readers.push(None);
        let reader = self.readers[place].insert(Reader { session, delivered });
        &reader.session
    }

    /// How many there are and were.
    pub fn len(&self) -> usize {
        self.readers.len()
    }

    /// Reads what a connection has. Returns the session if that was its end.
    pub fn on_ready(&mut self, place: usize) -> Option<LightSession> {
        let reader = self.readers.get_mut(place)?.as_mut()?;
        loop {
            match reader.session.next_frame() {
                Ok(None) => return None,
                Ok(Some(bytes)) => {
                    let Some(label) = self.recent.label(&bytes) else {
                        continue;
                    };
                    if let Some(round) = &mut self.round {
                        round.on_message(&mut reader.delivered, label, bytes.len(), clock::now());
                    }
                }
                Err(error) => {
                    // The first few say why; a thousand that go the same way would say no more.
                    if self.ended.len() < 3 {
                        eprintln!("a connection ended: {:#}", anyhow::Error::from(error));
                    }
                    let reader = self.readers[place].take()?;
                    self.ended.push(reader.delivered);
                    return Some(reader.session);
                }
            }
        }
    }

    /// Expects a round.
    pub fn begin(&mut self, first: u32) -> Result<()> {
        (self.round, self.first) = (Some(Round::new()?), first);
        let open = self.readers.iter_mut().flatten().map(|reader| &mut reader.delivered);
        open.chain(&mut self.ended).for_each(|delivered| delivered.begin(first));
        Ok(())
    }

    /// The number of the round's first message.
    pub fn first(&self) -> u32 {
        self.first
    }

    /// How many messages of the round have come.
    pub fn deliveries(&self) -> u64 {
        self.round.as_ref().map_or(0, Round::deliveries)
    }

    /// Ends the round.
    pub fn finish(&mut self, end: u32) -> Option<Seen> {
        let open = self.readers.iter().flatten().map(|reader| &reader.delivered);
        let closed = self.ended.len() as u64;
        let round = self.round.take()?;
        Some(round.end(open.chain(&self.ended), end, closed))
    }
}
