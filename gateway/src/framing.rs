//! Whole WebSocket frames, as they go to a socket. Frames of a server are not masked (RFC 6455, section 5.1), so the
//! bytes of one are the same for every session.

use std::time::Duration;

use bytes::Bytes;
use samtale_protocol::{CloseCode, Encoding, ServerFrame};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tracing::error;

/// A server frame in `encoding`, framed.
pub fn message(frame: &ServerFrame, encoding: Encoding) -> Bytes {
    match encoding.encode(frame) {
        Ok(payload) => {
            let kind = if encoding.is_binary() { Data::Binary } else { Data::Text };
            format(Frame::message(payload, OpCode::Data(kind), true))
        }
        Err(error) => {
            error!(%error, "a frame of our own could not be encoded");
            close(CloseCode::ServerError, None)
        }
    }
}

/// A ping without payload.
pub fn ping() -> Bytes {
    format(Frame::ping(Bytes::new()))
}

/// A close frame with its reason.
pub fn close(code: CloseCode, wait: Option<Duration>) -> Bytes {
    format(Frame::close(Some(CloseFrame {
        code: code.number().into(),
        reason: code.reason(wait).into(),
    })))
}

/// The answer to a ping.
pub fn pong(payload: Bytes) -> Bytes {
    format(Frame::pong(payload))
}

/// The answer to a close frame: its code, if it has one.
pub fn close_answer(code: Option<u16>) -> Bytes {
    format(Frame::close(code.map(|code| CloseFrame {
        code: code.into(),
        reason: "".into(),
    })))
}

fn format(frame: Frame) -> Bytes {
    let mut bytes = Vec::with_capacity(frame.len());
    // Writing into a vector does not fail.
    let _ = frame.format(&mut bytes);
    bytes.into()
}
