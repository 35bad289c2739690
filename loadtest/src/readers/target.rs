//! Targets as a reader holds them: their people read, their TLS ready.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::{Context, Result};
use samtale_protocol::frames::Hello;
use samtale_protocol::{ByteString, ClientFrame, Encoding};

use super::Target;
use crate::client::{Begin, Client, TlsClient, TlsMode};
use crate::population::Population;
use crate::sockets::PER_COUNT;

/// The targets of a reader. Servers that are copies of one another share the file of their people, and so its memory.
#[derive(Default)]
pub struct Targets {
    all: Vec<Ready>,
    people: BTreeMap<PathBuf, Rc<Population>>,
}

struct Ready {
    target: Target,
    people: Option<Rc<Population>>,
    whole: Option<TlsClient>,
    with_tickets: Option<TlsClient>,
}

impl Targets {
    /// The place of a target, which is read if it is new.
    pub fn place(&mut self, target: Target) -> Result<u16> {
        let place = match self.all.iter().position(|ready| ready.target == target) {
            Some(place) => place,
            None => {
                let people = target.people.as_ref().map(|path| self.population(path)).transpose()?;
                let tls = |mode| {
                    let certificate = target.certificate.as_deref();
                    certificate
                        .map(|certificate| TlsClient::trusting(certificate, mode))
                        .transpose()
                };
                let (whole, with_tickets) = (tls(TlsMode::Whole)?, tls(TlsMode::Tickets)?);
                self.all.push(Ready {
                    target,
                    people,
                    whole,
                    with_tickets,
                });
                self.all.len() - 1
            }
        };
        u16::try_from(place).context("too many servers")
    }

    /// Begins a connection to a target, from where the session was.
    pub fn connect(&self, place: u16, number: usize, mode: TlsMode, cursor: Option<&[u8]>) -> Result<Client> {
        let ready = &self.all[usize::from(place)];
        let begin = match &ready.people {
            None => Begin::Bare,
            Some(people) => Begin::Session(first_frame(people.reader(number).hello(number), cursor)?),
        };
        let tls = match mode {
            TlsMode::Whole => &ready.whole,
            TlsMode::Tickets => &ready.with_tickets,
        };
        let server = ready.target.server(number);
        // Each kind counts its connections from nought.
        let number = number + ready.target.kind as usize * PER_COUNT;
        Ok(Client::connect(server, number, tls.as_ref(), begin)?)
    }

    /// Whether connections to a target are sessions, which are open when they were greeted and have caught up.
    pub fn greets(&self, place: u16) -> bool {
        self.all[usize::from(place)].people.is_some()
    }

    /// The place among its people of whose session has this number.
    pub fn person(&self, place: u16, number: usize) -> Option<usize> {
        let people = self.all[usize::from(place)].people.as_ref()?;
        Some(people.place_of(number))
    }

    fn population(&mut self, path: &PathBuf) -> Result<Rc<Population>> {
        if let Some(people) = self.people.get(path) {
            return Ok(Rc::clone(people));
        }
        let people = Rc::new(Population::read(path)?);
        self.people.insert(path.clone(), Rc::clone(&people));
        Ok(people)
    }
}

fn first_frame(mut hello: Hello, cursor: Option<&[u8]>) -> Result<Box<[u8]>> {
    hello.cursor = cursor.map(|cursor| ByteString(cursor.to_vec()));
    let frame = Encoding::MessagePack.encode(&ClientFrame::Hello(hello));
    Ok(frame.context("a hello can not be written")?.into())
}
