//! What a client has to say to each kind of server before it is told anything.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use samtale_client::ServerAddress;
use samtale_client::light::LightSession;
use serde::{Deserialize, Serialize};

use crate::population::Population;
use crate::sockets;

/// The channel of a run on Centrifugo.
pub const CHANNEL: &str = "load";
/// What Centrifugo asks whether someone is there with, and what is answered.
pub const CENTRIFUGO_PING: &[u8] = b"{}";

/// What a server speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaks {
    /// Samtale, to the people of this file.
    Samtale(PathBuf),
    /// Nothing but WebSocket: what one sends goes to all others.
    Broadcast,
    /// Centrifugo's protocol in JSON.
    Centrifugo,
}

/// Whoever opens connections to one server.
pub struct Greeter {
    server: SocketAddr,
    speaks: Speaks,
    people: Option<Population>,
}

impl Greeter {
    /// Reads the people, where the server wants to know who it is.
    pub fn new(server: SocketAddr, speaks: Speaks) -> Result<Self> {
        let people = match &speaks {
            Speaks::Samtale(people) => Some(Population::read(people)?),
            _ => None,
        };
        Ok(Self { server, speaks, people })
    }

    /// Opens the connection with this number, which is told everything from now on. It does not block.
    pub fn listener(&self, number: usize) -> Result<LightSession> {
        let stream = sockets::open(self.server, number)?;
        let mut session = match &self.people {
            Some(people) => {
                let address: ServerAddress = format!("http://{}", self.server).parse()?;
                LightSession::open(stream, &address, people.reader(number).hello(number))?.0
            }
            None => LightSession::upgraded(stream, &self.url(), None)?,
        };
        if self.speaks == Speaks::Centrifugo {
            exchange(&mut session, "{\"id\":1,\"connect\":{}}")?;
            exchange(
                &mut session,
                &format!("{{\"id\":2,\"subscribe\":{{\"channel\":\"{CHANNEL}\"}}}}"),
            )?;
        }
        session.stream().set_nonblocking(true)?;
        Ok(session)
    }

    /// Opens the connection of someone who sends, and is told nothing.
    pub fn publisher(&self, number: usize) -> Result<LightSession> {
        let mut session = LightSession::upgraded(sockets::open(self.server, number)?, &self.url(), None)?;
        if self.speaks == Speaks::Centrifugo {
            exchange(&mut session, "{\"id\":1,\"connect\":{}}")?;
        }
        session.stream().set_nonblocking(true)?;
        Ok(session)
    }

    fn url(&self) -> String {
        let path = match self.speaks {
            Speaks::Centrifugo => "/connection/websocket",
            _ => "/",
        };
        format!("ws://{}{path}", self.server)
    }
}

/// Asks something, and waits for the answer.
fn exchange(session: &mut LightSession, question: &str) -> Result<()> {
    session.send_text(question)?;
    let answer = session.next_frame()?.context("the server does not answer in time")?;
    let answer = String::from_utf8_lossy(&answer);
    anyhow::ensure!(!answer.contains("\"error\""), "the server refuses {question}: {answer}");
    Ok(())
}

/// The messages of a frame: Centrifugo writes those that queue into one, a line each.
pub fn messages_of(frame: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_json = frame.first() == Some(&b'{');
    frame.split(move |byte| is_json && *byte == b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_of_centrifugo_may_hold_several_messages_and_one_of_ours_holds_one() {
        let all: Vec<&[u8]> = messages_of(b"{\"push\":1}\n{}\n{\"push\":2}").collect();
        assert_eq!(all, [b"{\"push\":1}".as_slice(), CENTRIFUGO_PING, b"{\"push\":2}"]);
        assert_eq!(messages_of(b"\x82\n\n").count(), 1);
    }
}
