//! A client's WebSocket frames (RFC 6455), read into a buffer that the thread lends: between two whole frames a session
//! keeps nothing of its own.
//!
//! tungstenite knows how a header and a close code look. What makes a message of frames, and which frames are allowed
//! where (sections 5.4 to 5.6), is here.

use std::cell::RefCell;
use std::io::{self, Cursor};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use samtale_protocol::{CloseCode, limits};
use tokio::io::ReadBuf;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{self, Control, Data, OpCode};

use crate::link::{Link, State};

/// The most that is read at once.
const READ_BYTES: usize = 16 * 1024;
/// The longest payload of a control frame.
const CONTROL_BYTES: u64 = 125;

thread_local! {
    /// What all sessions of a thread read into, one after the other.
    static LENT: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A whole message.
    Message {
        /// Whether it is text, and then UTF-8.
        is_text: bool,
        /// What it says.
        payload: Bytes,
    },
    /// A ping, to be answered with the same payload.
    Ping(Bytes),
    /// A pong with a payload of so many bytes.
    Pong(usize),
    /// A close frame, with its code if it has one.
    Close(Option<u16>),
    /// Nothing more comes.
    End,
}

/// The frames of one client.
#[derive(Debug, Default)]
pub struct ClientFrames {
    /// What is no whole frame yet.
    begun: BytesMut,
    /// The fragments of what is no whole message yet.
    fragments: Option<Box<Fragments>>,
}

#[derive(Debug)]
struct Fragments {
    is_text: bool,
    bytes: Vec<u8>,
    /// How many of them are known to be UTF-8.
    checked: usize,
}

impl ClientFrames {
    /// The frames of a client of whom this was read already.
    pub fn after(read: &[u8]) -> Self {
        Self {
            begun: read.into(),
            fragments: None,
        }
    }

    /// How many bytes were read and are no part of what was told yet.
    pub fn unread(&self) -> usize {
        self.begun.len()
    }

    /// What comes next; the code to close with if it is nothing that a client may send.
    pub fn poll_next(&mut self, link: &Link, context: &mut Context<'_>) -> Poll<Result<Incoming, CloseCode>> {
        loop {
            if let Some(incoming) = self.next_whole()? {
                return Poll::Ready(Ok(incoming));
            }
            let Ok(read @ 1..) = ready!(self.poll_read(link, context)) else {
                return Poll::Ready(Ok(Incoming::End));
            };
            link.check(link.inbound().on_read(read));
            // Nothing that comes after is looked at.
            if link.state() != State::Open {
                return Poll::Ready(Ok(Incoming::End));
            }
        }
    }

    fn poll_read(&mut self, link: &Link, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        LENT.with_borrow_mut(|lent| {
            let mut buffer = ReadBuf::new(lent);
            ready!(link.wire().poll_read(context, &mut buffer))?;
            self.begun.extend_from_slice(buffer.filled());
            Poll::Ready(Ok(buffer.filled().len()))
        })
    }

    /// The next of what is whole.
    fn next_whole(&mut self) -> Result<Option<Incoming>, CloseCode> {
        while let Some((opcode, is_final, payload)) = self.next_frame()? {
            let incoming = match opcode {
                OpCode::Data(kind) => self.on_data(kind, is_final, payload)?,
                OpCode::Control(Control::Ping) => Some(Incoming::Ping(payload.freeze())),
                OpCode::Control(Control::Pong) => Some(Incoming::Pong(payload.len())),
                OpCode::Control(_) => Some(Incoming::Close(close_code(&payload)?)),
            };
            if incoming.is_some() {
                return Ok(incoming);
            }
        }
        Ok(None)
    }

    /// The next frame, if all of it is there, without its mask.
    fn next_frame(&mut self) -> Result<Option<(OpCode, bool, BytesMut)>, CloseCode> {
        let mut cursor = Cursor::new(&self.begun);
        let header = FrameHeader::parse(&mut cursor).map_err(|_| CloseCode::BadFrame)?;
        let Some((header, length)) = header else {
            return Ok(None);
        };
        let start = usize::try_from(cursor.position()).unwrap_or(usize::MAX);
        let mask = self.judge(&header, length)?;
        // Within the bound, and so within the address space.
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if self.begun.len() < start + length {
            return Ok(None);
        }
        self.begun.advance(start);
        let mut payload = self.begun.split_to(length);
        if self.begun.is_empty() {
            self.begun = BytesMut::new();
        }
        unmask(&mut payload, mask);
        Ok(Some((header.opcode, header.is_final, payload)))
    }

    /// The mask of a frame that is allowed here.
    fn judge(&self, header: &FrameHeader, length: u64) -> Result<[u8; 4], CloseCode> {
        let is_allowed = match header.opcode {
            OpCode::Data(Data::Continue) => self.fragments.is_some(),
            OpCode::Data(Data::Text | Data::Binary) => self.fragments.is_none(),
            OpCode::Control(Control::Close | Control::Ping | Control::Pong) => {
                header.is_final && length <= CONTROL_BYTES
            }
            OpCode::Data(Data::Reserved(_)) | OpCode::Control(Control::Reserved(_)) => false,
        };
        if !is_allowed || header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(CloseCode::BadFrame);
        }
        let before = self.fragments.as_ref().map_or(0, |fragments| fragments.bytes.len());
        if length.saturating_add(before as u64) > limits::CLIENT_FRAME_BYTES as u64 {
            return Err(CloseCode::FrameTooLarge);
        }
        header.mask.ok_or(CloseCode::BadFrame)
    }

    fn on_data(&mut self, kind: Data, is_final: bool, payload: BytesMut) -> Result<Option<Incoming>, CloseCode> {
        if is_final && self.fragments.is_none() {
            let is_text = kind == Data::Text;
            if is_text && std::str::from_utf8(&payload).is_err() {
                return Err(CloseCode::BadFrame);
            }
            let payload = payload.freeze();
            return Ok(Some(Incoming::Message { is_text, payload }));
        }
        let fragments = self.fragments.get_or_insert_with(|| {
            Box::new(Fragments {
                is_text: kind == Data::Text,
                bytes: Vec::new(),
                checked: 0,
            })
        });
        fragments.bytes.extend_from_slice(&payload);
        fragments.check(is_final)?;
        if !is_final {
            return Ok(None);
        }
        let whole = self.fragments.take();
        Ok(whole.map(|fragments| Incoming::Message {
            is_text: fragments.is_text,
            payload: fragments.bytes.into(),
        }))
    }
}

impl Fragments {
    /// Text is UTF-8 as a whole; a character may be spread over fragments (section 5.6).
    fn check(&mut self, is_final: bool) -> Result<(), CloseCode> {
        if !self.is_text {
            return Ok(());
        }
        match std::str::from_utf8(&self.bytes[self.checked..]) {
            Ok(_) => self.checked = self.bytes.len(),
            Err(error) if is_final || error.error_len().is_some() => return Err(CloseCode::BadFrame),
            Err(error) => self.checked += error.valid_up_to(),
        }
        Ok(())
    }
}

/// The code of a close frame, which a client may leave out (section 5.5.1).
fn close_code(payload: &[u8]) -> Result<Option<u16>, CloseCode> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return if payload.is_empty() {
            Ok(None)
        } else {
            Err(CloseCode::BadFrame)
        };
    };
    let code = u16::from_be_bytes(*code);
    if !coding::CloseCode::from(code).is_allowed() || std::str::from_utf8(reason).is_err() {
        return Err(CloseCode::BadFrame);
    }
    Ok(Some(code))
}

/// Takes the mask off (section 5.3).
fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let mut words = payload.chunks_exact_mut(4);
    for word in &mut words {
        for (byte, mask) in word.iter_mut().zip(mask) {
            *byte ^= mask;
        }
    }
    for (byte, mask) in words.into_remainder().iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests;
