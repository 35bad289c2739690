//! The one who sends to a server that passes messages on: each message when it is due, whatever the answers.

use anyhow::{Context, Result};
use bytes::Bytes;
use samtale_client::light::LightSession;

use super::Speaks;
use super::greeting::{CENTRIFUGO_PING, CHANNEL, Greeter, messages_of};
use crate::clock;
use crate::messages::{self, Label};
use crate::schedule::Schedule;

/// What Centrifugo writes around a message, so that a frame of its is as long as ours.
const CENTRIFUGO_AROUND: usize = "{\"push\":{\"channel\":\"load\",\"pub\":{\"data\":\"\"}}}".len();
/// The header of an unmasked frame of our size, which is not part of the payload.
const FRAME_HEADER: usize = 4;

/// Someone who sends. They connect for each round: in between nobody would answer the server's pings.
pub struct Publisher {
    greeter: Greeter,
    speaks: Speaks,
    number: usize,
    next_number: u32,
}

impl Publisher {
    /// One who connects as the connection with this number.
    pub fn new(server: std::net::SocketAddr, speaks: &Speaks, number: usize) -> Result<Self> {
        Ok(Self {
            greeter: Greeter::new(server, speaks.clone())?,
            speaks: speaks.clone(),
            number,
            next_number: 0,
        })
    }

    /// The number that the next message gets.
    pub fn next_number(&self) -> u32 {
        self.next_number
    }

    /// Sends a round. Returns the number after its last message.
    pub fn send_round(&mut self, schedule: Schedule) -> Result<u32> {
        let first = self.next_number;
        let mut session = self.greeter.publisher(self.number)?;
        let start = clock::now() + clock::in_nanoseconds(schedule.interval);
        for place in 0..schedule.messages {
            let due = schedule.due(start, place);
            while clock::now() < due {
                if clock::wait_for(session.stream(), due) {
                    take(&mut session)?;
                }
            }
            let number = first + place;
            self.send(&mut session, Label { number, due })?;
        }
        take(&mut session)?;
        self.next_number = first + schedule.messages;
        Ok(self.next_number)
    }

    fn send(&self, session: &mut LightSession, label: Label) -> Result<()> {
        match self.speaks {
            Speaks::Centrifugo => {
                let text = label.text();
                let width = messages::EVENT_BYTES - CENTRIFUGO_AROUND;
                let data = format!("{:.<width$.width$}", text);
                let id = label.number + 2;
                session.send_text(&format!(
                    "{{\"id\":{id},\"publish\":{{\"channel\":\"{CHANNEL}\",\"data\":\"{data}\"}}}}"
                ))?;
            }
            _ => {
                let frame = messages::framed(label)?;
                let payload: Bytes = frame.slice(FRAME_HEADER..);
                session.send_bytes(payload)?;
            }
        }
        Ok(())
    }
}

/// Takes answers, and says that it is there where it is asked.
fn take(session: &mut LightSession) -> Result<()> {
    while let Some(bytes) = session.next_frame().context("the server closed the one who sends")? {
        if messages_of(&bytes).any(|message| message == CENTRIFUGO_PING) {
            session.send_text("{}")?;
        }
        anyhow::ensure!(
            !bytes.windows(7).any(|window| window == b"\"error\""),
            "the server refuses a message: {}",
            String::from_utf8_lossy(&bytes)
        );
    }
    Ok(())
}
