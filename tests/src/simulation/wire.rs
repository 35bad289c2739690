//! A simulated socket: bounded towards the client, so that a reader can be slow, and two ends of which either may die.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use samtale_gateway::wire::Wire;
use tokio::io::ReadBuf;

/// The most that a client's frame is masked with: the mask's value does not matter, that it is one does.
const MASK: [u8; 4] = [0x5a, 0xa7, 0x3c, 0xc3];

struct Pipe {
    to_client: VecDeque<u8>,
    room: usize,
    to_server: VecDeque<u8>,
    has_ended: bool,
    server_reads: Option<Waker>,
    server_writes: Option<Waker>,
    client_reads: Option<Waker>,
}

impl Pipe {
    fn end(&mut self) {
        self.has_ended = true;
        for waker in [
            self.server_reads.take(),
            self.server_writes.take(),
            self.client_reads.take(),
        ] {
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

/// The server's end.
pub struct ServerEnd(Rc<RefCell<Pipe>>);

/// The client's end.
pub struct ClientEnd {
    pipe: Rc<RefCell<Pipe>>,
    read: VecDeque<u8>,
}

/// What a client reads.
#[derive(Debug)]
pub enum Received {
    /// A message.
    Message(Vec<u8>),
    /// A ping.
    Ping,
    /// The server's last word.
    Close(u16),
}

/// A socket that holds `room` bytes towards the client.
pub fn socket(room: usize) -> (ServerEnd, ClientEnd) {
    let pipe = Rc::new(RefCell::new(Pipe {
        to_client: VecDeque::new(),
        room,
        to_server: VecDeque::new(),
        has_ended: false,
        server_reads: None,
        server_writes: None,
        client_reads: None,
    }));
    (
        ServerEnd(Rc::clone(&pipe)),
        ClientEnd {
            pipe,
            read: VecDeque::new(),
        },
    )
}

impl Wire for ServerEnd {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut pipe = self.0.borrow_mut();
        if pipe.has_ended {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let taken = bytes.len().min(pipe.room - pipe.to_client.len());
        if taken == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        pipe.to_client.extend(&bytes[..taken]);
        pipe.client_reads.take().into_iter().for_each(Waker::wake);
        Ok(taken)
    }

    fn poll_writable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut pipe = self.0.borrow_mut();
        if pipe.has_ended || pipe.to_client.len() < pipe.room {
            return Poll::Ready(Ok(()));
        }
        pipe.server_writes = Some(context.waker().clone());
        Poll::Pending
    }

    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut pipe = self.0.borrow_mut();
        if pipe.to_server.is_empty() && !pipe.has_ended {
            pipe.server_reads = Some(context.waker().clone());
            return Poll::Pending;
        }
        let (bytes, _) = pipe.to_server.as_slices();
        let count = buffer.remaining().min(bytes.len());
        buffer.put_slice(&bytes[..count]);
        pipe.to_server.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl Drop for ServerEnd {
    fn drop(&mut self) {
        self.0.borrow_mut().end();
    }
}

impl ClientEnd {
    /// Sends a message.
    pub fn send(&self, payload: &[u8], is_binary: bool) {
        self.send_frame(if is_binary { 0x2 } else { 0x1 }, payload);
    }

    /// Answers a ping.
    pub fn pong(&self) {
        self.send_frame(0xa, &[]);
    }

    fn send_frame(&self, opcode: u8, payload: &[u8]) {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            length @ 0..126 => frame.push(0x80 | u8::try_from(length).unwrap_or_default()),
            length => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
            }
        }
        frame.extend(MASK);
        frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        let mut pipe = self.pipe.borrow_mut();
        pipe.to_server.extend(frame);
        pipe.server_reads.take().into_iter().for_each(Waker::wake);
    }

    /// The next frame; `None` when the server is gone.
    pub async fn receive(&mut self) -> Option<Received> {
        loop {
            if let Some(frame) = self.parse() {
                return Some(frame);
            }
            let is_open = std::future::poll_fn(|context| self.poll_fill(context)).await;
            if !is_open {
                return None;
            }
        }
    }

    /// Ends the connection; what the server has not read yet may be lost on the way.
    pub fn end(&self, loses_unread: bool) {
        let mut pipe = self.pipe.borrow_mut();
        if loses_unread {
            pipe.to_server.clear();
        }
        pipe.end();
    }

    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        let mut pipe = self.pipe.borrow_mut();
        if !pipe.to_client.is_empty() {
            self.read.append(&mut pipe.to_client);
            pipe.server_writes.take().into_iter().for_each(Waker::wake);
            return Poll::Ready(true);
        }
        if pipe.has_ended {
            return Poll::Ready(false);
        }
        pipe.client_reads = Some(context.waker().clone());
        Poll::Pending
    }

    /// A whole frame of what was read. A server masks nothing and here splits nothing.
    fn parse(&mut self) -> Option<Received> {
        let (first, short) = (*self.read.front()?, usize::from(*self.read.get(1)?));
        let number = |bytes: usize| {
            let mut digits = (2..2 + bytes).map(|at| self.read.get(at).map(|byte| usize::from(*byte)));
            digits.try_fold(0, |number, digit| Some(number << 8 | digit?))
        };
        let (head, length) = match short {
            126 => (4, number(2)?),
            127 => (10, number(8)?),
            length => (2, length),
        };
        if self.read.len() < head + length {
            return None;
        }
        self.read.drain(..head);
        let payload = self.read.make_contiguous()[..length].to_vec();
        self.read.drain(..length);
        Some(match first & 0x0f {
            0x8 => Received::Close(
                payload
                    .get(..2)
                    .map_or(1005, |code| u16::from_be_bytes([code[0], code[1]])),
            ),
            0x9 => Received::Ping,
            _ => Received::Message(payload),
        })
    }
}

impl Drop for ClientEnd {
    fn drop(&mut self) {
        self.pipe.borrow_mut().end();
    }
}
