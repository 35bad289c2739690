//! A client's end of a connection that costs next to nothing: some hundred bytes while nothing is under way, so that a
//! machine holds a million. It never blocks, has no thread and no buffer of its own, and speaks the real protocol: the
//! upgrade, masked frames, pongs, and TLS by rustls.
//!
//! Whoever owns one waits for its socket, calls [`Client::on_ready`], and decides what the frames mean.

mod stream;
mod tickets;
mod tls;
mod wire;

use std::net::{SocketAddr, TcpStream};

use samtale_protocol::limits;
use thiserror::Error;

use crate::{clock, sockets};
use stream::Stream;
use wire::{OpCode, Parsed};

pub use tls::{SERVER, TlsClient, TlsMode};

/// What one look reads at most; it is asked again for the rest. All clients of a thread share one such buffer, in which
/// the largest frame has room behind the part of another.
pub const SCRATCH_BYTES: usize = limits::SERVER_FRAME_BYTES + 64 * 1024;
/// The most that is kept of a frame which is not whole.
const PARTIAL_BYTES: usize = limits::SERVER_FRAME_BYTES + 16;

/// The close code of who has nothing more to say.
pub const GOOD_BYE: u16 = 1000;

/// Why a connection is over, or never was.
#[derive(Debug, Error)]
pub enum Ended {
    /// It could not be opened or broke.
    #[error("the connection broke")]
    Broken(#[from] std::io::Error),
    /// The server ended it without a word.
    #[error("the server closed the connection without a close frame")]
    Silent,
    /// The server said that it closes.
    #[error("the server closed the session with {code} {reason}")]
    Closed {
        /// The close code; 1005 if there was none.
        code: u16,
        /// The reason beside it.
        reason: String,
    },
    /// The server answered the upgrade with something else.
    #[error("the server does not open a WebSocket, but answers: {0}")]
    NotUpgraded(String),
    /// What came is no WebSocket.
    #[error("the server breaks the rules of WebSocket: {0}")]
    Wrong(&'static str),
    /// The socket does not take a small frame: the server reads nothing.
    #[error("the server does not read")]
    Full,
}

/// How a connection begins.
#[derive(Debug)]
pub enum Begin {
    /// With an upgrade, and these bytes as its first frame.
    Session(Box<[u8]>),
    /// With nothing: whatever is at the other end writes whole frames.
    Bare,
}

/// A connection.
#[derive(Debug)]
pub struct Client {
    stream: Stream,
    state: State,
    /// What was read and is no whole frame yet. Mostly empty, and then it has no memory.
    partial: Vec<u8>,
}

#[derive(Debug)]
enum State {
    /// Waits for the connection.
    Connecting(Begin),
    /// Waits for the end of TLS's handshake, behind which nothing is asked.
    Securing,
    /// Waits for the answer to the upgrade, to send the first frame.
    Upgrading(Box<[u8]>),
    /// Frames come and go.
    Open,
}

impl Client {
    /// Begins to connect, as the `number`th connection of the run, which decides its source address.
    pub fn connect(server: SocketAddr, number: usize, tls: Option<&TlsClient>, begin: Begin) -> Result<Self, Ended> {
        let (socket, is_connected) = sockets::begin(server, number)?;
        let mut client = Self {
            stream: Stream::new(socket, tls)?,
            state: State::Connecting(begin),
            partial: Vec::new(),
        };
        if is_connected {
            client.on_connected(server)?;
        }
        Ok(client)
    }

    /// The socket, to wait for it.
    pub fn socket(&self) -> &TcpStream {
        self.stream.socket()
    }

    /// Whether the socket is to be waited for until it can be written to; later only until it can be read.
    pub fn is_connecting(&self) -> bool {
        matches!(self.state, State::Connecting(_))
    }

    /// Whether frames come and go.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    /// Waits until it is ready, and says whether it is; not after `moment`. For who has only one.
    pub fn wait(&self, moment: u64) -> bool {
        if self.is_connecting() {
            clock::wait_to_write(self.socket(), moment)
        } else {
            clock::wait_for(self.socket(), moment)
        }
    }

    /// The socket is ready: goes on with what is under way, answers pings, and hands over the frames that came.
    ///
    /// `scratch` has [`SCRATCH_BYTES`].
    pub fn on_ready(&mut self, scratch: &mut [u8], mut on_frame: impl FnMut(&[u8])) -> Result<(), Ended> {
        if self.is_connecting() {
            if let Some(error) = self.socket().take_error()? {
                return Err(error.into());
            }
            let server = self.socket().peer_addr()?;
            return self.on_connected(server);
        }
        loop {
            let before = self.partial.len();
            scratch[..before].copy_from_slice(&self.partial);
            let room = scratch.len();
            let read = self.stream.read(&mut scratch[before..])?;
            if matches!(self.state, State::Securing) && self.stream.is_secured() {
                self.state = State::Open;
            }
            let Some(read) = read else { return Ok(()) };
            if read == 0 {
                return Err(Ended::Silent);
            }
            let filled = before + read;
            let taken = self.take(&scratch[..filled], &mut on_frame)?;
            self.keep(&scratch[taken..filled])?;
            // A plain socket tells of the rest by itself; what TLS has opened already nobody would tell of.
            if filled < room && !self.stream.holds_more() {
                return Ok(());
            }
        }
    }

    /// Sends a frame of the protocol.
    pub fn send(&mut self, payload: &[u8]) -> Result<(), Ended> {
        self.write(&wire::framed(OpCode::Binary, payload))
    }

    /// Says good-bye. The server answers with the same and ends it, which [`Client::on_ready`] tells.
    pub fn close(&mut self) -> Result<(), Ended> {
        self.write(&wire::framed(OpCode::Close, &GOOD_BYE.to_be_bytes()))
    }

    /// Ends it at once, as a phone that is gone does: without a word.
    pub fn cut(self) {
        // Where it is refused the socket ends in good order, which a server sees just as well.
        let _ = rustix::net::sockopt::set_socket_linger(self.socket(), Some(std::time::Duration::ZERO));
    }

    fn on_connected(&mut self, server: SocketAddr) -> Result<(), Ended> {
        let begin = std::mem::replace(&mut self.state, State::Open);
        match begin {
            State::Connecting(Begin::Session(first)) => {
                self.state = State::Upgrading(first);
                self.write(wire::upgrade(server).as_bytes())
            }
            State::Connecting(Begin::Bare) if self.stream.is_secured() => Ok(()),
            State::Connecting(Begin::Bare) => {
                self.state = State::Securing;
                self.write(&[])
            }
            other => {
                self.state = other;
                Ok(())
            }
        }
    }

    /// Takes whole frames, and returns how many bytes they were.
    fn take(&mut self, bytes: &[u8], on_frame: &mut impl FnMut(&[u8])) -> Result<usize, Ended> {
        let mut taken = 0;
        if let State::Upgrading(_) = &self.state {
            let Some(length) = wire::answer(bytes)? else {
                return Ok(0);
            };
            taken = length;
            if let State::Upgrading(first) = std::mem::replace(&mut self.state, State::Open) {
                self.send(&first)?;
            }
        }
        loop {
            match wire::parse(&bytes[taken..])? {
                Parsed::Incomplete => return Ok(taken),
                Parsed::Frame {
                    opcode,
                    payload,
                    length,
                } => {
                    match opcode {
                        OpCode::Binary => on_frame(payload),
                        OpCode::Ping => self.write(&wire::framed(OpCode::Pong, payload))?,
                        OpCode::Close => return Err(wire::closed(payload)),
                        OpCode::Pong => {}
                    }
                    taken += length;
                }
            }
        }
    }

    fn keep(&mut self, rest: &[u8]) -> Result<(), Ended> {
        if rest.len() > PARTIAL_BYTES {
            return Err(Ended::Wrong("a frame is too large"));
        }
        if rest.is_empty() {
            self.partial = Vec::new();
        } else {
            self.partial.clear();
            self.partial.extend_from_slice(rest);
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        if self.stream.write(bytes)? {
            Ok(())
        } else {
            Err(Ended::Full)
        }
    }
}

#[cfg(test)]
mod tests;
