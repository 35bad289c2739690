//! What a WebSocket client reads and writes (RFC 6455), as far as a Samtale server speaks it: whole frames, no
//! extensions. A library of WebSockets keeps buffers per connection, which a machine has no room for a million times.

use std::net::SocketAddr;

use samtale_protocol::Encoding;

use super::Ended;

/// The key of every upgrade and its answer: those of RFC 6455, section 1.3. The answer shows that the server speaks
/// WebSocket, for which one pair is as good as another.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// What frames are masked with. A server takes any; what a mask keeps proxies from is no concern on one machine.
const MASK: [u8; 4] = [0x5a, 0xa5, 0x3c, 0xc3];
/// A frame that is whole (section 5.2).
const FINAL: u8 = 0x80;
/// In the second byte: what follows is masked.
const MASKED: u8 = 0x80;
/// A close frame without a code.
const NO_CODE: u16 = 1005;

/// The kinds of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpCode {
    /// A frame of the protocol.
    Binary = 2,
    /// The end.
    Close = 8,
    /// To be answered.
    Ping = 9,
    /// An answer.
    Pong = 10,
}

/// What bytes begin with.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// A frame that is not whole yet.
    Incomplete,
    /// A whole frame.
    Frame {
        /// Of which kind.
        opcode: OpCode,
        /// What it holds.
        payload: &'a [u8],
        /// How many bytes it is, with its head.
        length: usize,
    },
}

/// The request for a WebSocket.
pub fn upgrade(server: SocketAddr) -> String {
    let subprotocol = Encoding::MessagePack.subprotocol();
    format!(
        "GET /v1/ws HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Protocol: {subprotocol}\r\n\r\n"
    )
}

/// How long the answer to an upgrade is; `None` if it is not whole yet.
pub fn answer(bytes: &[u8]) -> Result<Option<usize>, Ended> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = text.split("\r\n");
    let status = lines.next().unwrap_or_default();
    let accepts = lines.any(|line| {
        line.split_once(':')
            .is_some_and(|(name, value)| name.eq_ignore_ascii_case("sec-websocket-accept") && value.trim() == ACCEPT)
    });
    if !status.starts_with("HTTP/1.1 101") || !accepts {
        return Err(Ended::NotUpgraded(status.to_owned()));
    }
    Ok(Some(end + 4))
}

/// Reads one frame of a server.
pub fn parse(bytes: &[u8]) -> Result<Parsed<'_>, Ended> {
    let [first, second, rest @ ..] = bytes else {
        return Ok(Parsed::Incomplete);
    };
    let opcode = match first {
        0x82 => OpCode::Binary,
        0x88 => OpCode::Close,
        0x89 => OpCode::Ping,
        0x8a => OpCode::Pong,
        _ => {
            return Err(Ended::Wrong(
                "a frame is in pieces, or of a kind that was not agreed on",
            ));
        }
    };
    let (extended, payload_length) = match second {
        0..=125 => (0, Some(usize::from(*second))),
        126 => (
            2,
            rest.first_chunk().map(|bytes| usize::from(u16::from_be_bytes(*bytes))),
        ),
        127 => (
            8,
            rest.first_chunk()
                .map(|bytes| usize::try_from(u64::from_be_bytes(*bytes)).unwrap_or(usize::MAX)),
        ),
        _ => return Err(Ended::Wrong("a server's frame is masked")),
    };
    let whole = payload_length.and_then(|length| rest.get(extended..)?.get(..length));
    Ok(whole.map_or(Parsed::Incomplete, |payload| Parsed::Frame {
        opcode,
        payload,
        length: 2 + extended + payload.len(),
    }))
}

/// A frame of a client.
pub fn framed(opcode: OpCode, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 14);
    frame.push(FINAL | opcode as u8);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ 0..=125), _) => frame.push(MASKED | length),
        (_, Ok(length)) => {
            frame.push(MASKED | 126);
            frame.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            frame.push(MASKED | 127);
            frame.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// What a close frame says.
pub fn closed(payload: &[u8]) -> Ended {
    let (code, reason) = match payload.split_first_chunk() {
        Some((code, reason)) => (u16::from_be_bytes(*code), String::from_utf8_lossy(reason).into_owned()),
        None => (NO_CODE, String::new()),
    };
    Ended::Closed { code, reason }
}
