//! One connection of a reader, and what its frames mean.

use samtale_client::light;
use samtale_protocol::ServerFrame;

use super::opening::Opened;
use super::recent::Recent;
use super::round::Round;
use crate::client::Client;
use crate::clock;
use crate::delivered::Delivered;
use crate::messages::Label;

/// Where a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It waits for its turn to be opened.
    Waiting,
    /// It is being opened, and the server has not said welcome.
    Opening,
    /// The server said welcome, and tells what was missed.
    CatchingUp,
    /// It is open, and has everything.
    Live,
    /// It is open, and nobody reads it.
    Stalled,
    /// It ended, and was not meant to.
    Ended,
}

/// A connection. What it was shown outlives it.
pub struct Reader {
    /// The connection, if there is one now.
    pub client: Option<Client>,
    /// Where it is.
    pub stage: Stage,
    /// The place of what it is to.
    pub target: u16,
    /// Its number among all connections of its kind.
    pub number: u32,
    /// What it was shown.
    pub delivered: Delivered,
    /// Where it comes back to.
    pub cursor: Option<Box<[u8]>>,
}

/// What all connections of a kind share when they read.
#[derive(Default)]
pub struct Sight {
    /// Events that came just now.
    pub recent: Recent,
    /// The round under way.
    pub round: Option<Round>,
}

impl Reader {
    /// A connection that is not there yet.
    pub fn new(target: u16, number: u32) -> Self {
        Self {
            client: None,
            stage: Stage::Waiting,
            target,
            number,
            delivered: Delivered::default(),
            cursor: None,
        }
    }

    /// Reads what its socket has. An error is its end.
    pub fn on_ready(&mut self, scratch: &mut [u8], sight: &mut Sight, opened: &mut Opened) -> anyhow::Result<()> {
        let Some(client) = &mut self.client else {
            return Ok(());
        };
        let mut refused = None;
        let mut place = Place {
            stage: &mut self.stage,
            delivered: &mut self.delivered,
            cursor: &mut self.cursor,
        };
        client.on_ready(scratch, |bytes| {
            if let Err(error) = place.on_frame(bytes, sight, opened) {
                refused = Some(error);
            }
        })?;
        refused.map_or(Ok(()), Err)
    }
}

/// The parts of a reader that frames change.
struct Place<'a> {
    stage: &'a mut Stage,
    delivered: &'a mut Delivered,
    cursor: &'a mut Option<Box<[u8]>>,
}

impl Place<'_> {
    fn on_frame(&mut self, bytes: &[u8], sight: &mut Sight, opened: &mut Opened) -> anyhow::Result<()> {
        if let Some(label) = sight.recent.known(bytes) {
            self.on_message(label, bytes.len(), sight);
            return Ok(());
        }
        match light::decode(bytes)? {
            ServerFrame::Welcome(_) if *self.stage == Stage::Opening => *self.stage = Stage::CatchingUp,
            ServerFrame::Cursor { cursor } => {
                *self.cursor = Some(cursor.0.into());
                if *self.stage == Stage::CatchingUp {
                    *self.stage = Stage::Live;
                }
            }
            ServerFrame::Resync { .. } => opened.resyncs += 1,
            ServerFrame::Error { error, .. } => anyhow::bail!("the server refuses: {}", error.message),
            frame => {
                if let Some(label) = Label::of(&frame) {
                    sight.recent.remember(bytes, label);
                    self.on_message(label, bytes.len(), sight);
                }
            }
        }
        Ok(())
    }

    fn on_message(&mut self, label: Label, event_bytes: usize, sight: &mut Sight) {
        if let Some(round) = &mut sight.round {
            round.on_message(self.delivered, label, event_bytes, clock::now());
        }
    }
}
