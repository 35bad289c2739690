//! A real person: away, or there with a connection; a cursor, and an outbox of what is not known to be stored.

use std::collections::HashMap;
use std::net::SocketAddr;

use anyhow::Result;
use samtale_protocol::bytes::ByteString;
use samtale_protocol::frames::Hello;
use samtale_protocol::messages::SendMessage;
use samtale_protocol::{ClientFrame, DeviceId, Encoding, Language, MessageId, Request};

use super::ledger::Because;
use crate::client::{Begin, Client, Ended};

/// Where someone is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Not there: the app is closed, or the phone sleeps.
    #[default]
    Away,
    /// On the way to the server's welcome.
    Opening,
    /// Being told what was missed.
    CatchingUp,
    /// There.
    Live,
    /// They have said good-bye, and wait for the server to close.
    Closing,
}

/// A page of a conversation that is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The conversation.
    pub thread: usize,
    /// Before which message.
    pub before: Option<MessageId>,
    /// Why.
    pub because: Because,
}

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To start a conversation.
    Start(usize),
    /// To store a message.
    Send(usize, u32),
    /// For a page of a conversation.
    Page(Page),
    /// For something else that is read.
    Other,
}

/// A message that is not known to be stored.
pub struct Outgoing {
    /// Its conversation.
    pub thread: usize,
    /// Its number there.
    pub number: u32,
    /// What is sent, and sent again as it is.
    pub message: SendMessage,
}

/// A person.
#[derive(Default)]
pub struct Person {
    /// The connection, if there is one.
    pub client: Option<Client>,
    /// The connection of a phone that fell asleep: open, and nobody reads it or answers its pings.
    pub half_open: Option<Client>,
    /// Where they are.
    pub stage: Stage,
    /// How many reasons they have to be there.
    pub wanted: u32,
    /// How many more times they are to come.
    pub to_come: u32,
    /// The how-manyth connection it is.
    pub connection: u32,
    /// When they began to come.
    pub came_at: u64,
    /// Since when they are there.
    pub live_since: u64,
    /// When they were there first: what was written before is not told.
    pub first_live: Option<u64>,
    /// Where they are in what is told.
    pub cursor: Option<ByteString>,
    /// What is not answered.
    pub under_way: HashMap<u32, Asked>,
    /// What is not known to be stored.
    pub outbox: Vec<Outgoing>,
    /// Pages that are to be read.
    pub to_read: Vec<Page>,
    last_request: u32,
}

impl Person {
    /// Begins a connection.
    pub fn come(&mut self, server: SocketAddr, number: usize, token: &str, now: u64) -> Result<(), Ended> {
        let mut device = [0; 16];
        device[8..].copy_from_slice(&(number as u64).to_be_bytes());
        let hello = ClientFrame::Hello(Hello {
            version: samtale_protocol::VERSION,
            access_token: token.to_owned(),
            device: DeviceId::from_bytes(device),
            client: "samtale-loadtest".to_owned(),
            language: Language::default(),
            cursor: self.cursor.clone(),
        });
        let first = Encoding::MessagePack.encode(&hello).map_err(std::io::Error::other)?;
        self.connection += 1;
        self.came_at = now;
        self.client = Some(Client::connect(server, number, None, Begin::Session(first.into()))?);
        self.stage = Stage::Opening;
        Ok(())
    }

    /// Asks something.
    pub fn ask(&mut self, request: Request, asked: Asked) -> Result<(), Ended> {
        let Some(client) = &mut self.client else { return Ok(()) };
        self.last_request += 1;
        let frame = ClientFrame::Request {
            id: self.last_request,
            request,
        };
        self.under_way.insert(self.last_request, asked);
        let bytes = Encoding::MessagePack.encode(&frame).map_err(std::io::Error::other)?;
        client.send(&bytes)
    }

    /// Forgets what was asked over a connection that is gone. A space that has to be loaded anew still has to be.
    pub fn forget_under_way(&mut self) {
        let pages = self.under_way.drain().filter_map(|(_, asked)| match asked {
            Asked::Page(page) if page.because == Because::LoadedAnew => Some(page),
            _ => None,
        });
        self.to_read.extend(pages);
    }

    /// Whether nothing is open between them and the server.
    pub fn is_done(&self) -> bool {
        self.outbox.is_empty() && self.under_way.is_empty() && self.to_read.is_empty()
    }
}
