//! The two encodings of the same frames: MessagePack for applications, JSON for people and debugging.

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::limits;

/// How the frames of one connection are written; chosen by the WebSocket subprotocol and never changed after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// `samtale.v1.msgpack`: MessagePack maps with text keys, in binary WebSocket messages.
    MessagePack,
    /// `samtale.v1.json`: JSON, in text WebSocket messages.
    Json,
}

/// A frame that could not be read, in words for the developer of the client.
#[derive(Debug, Error)]
#[error("the frame is not a valid {encoding} frame: {reason}")]
pub struct DecodeError {
    encoding: &'static str,
    reason: String,
}

impl Encoding {
    /// Both encodings, the server's favourite first.
    pub const ALL: [Self; 2] = [Self::MessagePack, Self::Json];

    /// The token of the `Sec-WebSocket-Protocol` header.
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::MessagePack => "samtale.v1.msgpack",
            Self::Json => "samtale.v1.json",
        }
    }

    /// The encoding that the server takes from the client's offers, a comma-separated header value.
    pub fn choose(offers: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| offers.split(',').any(|offer| offer.trim() == encoding.subprotocol()))
    }

    /// Whether frames travel as binary WebSocket messages.
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::MessagePack)
    }

    /// Writes a frame. Our own types always encode; `Err` would be a fault in their definition.
    pub fn encode<T: Serialize>(self, frame: &T) -> Result<Vec<u8>, DecodeError> {
        match self {
            Self::MessagePack => rmp_serde::to_vec_named(frame).map_err(|error| self.error(&error)),
            Self::Json => serde_json::to_vec(frame).map_err(|error| self.error(&error)),
        }
    }

    /// Reads a frame that is exactly `bytes`: nested no deeper than [`limits::NESTING_DEPTH`], with nothing after it.
    pub fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, DecodeError> {
        match self {
            Self::MessagePack => self.decode_message_pack(bytes),
            Self::Json => {
                if nesting_of_json(bytes) > limits::NESTING_DEPTH {
                    return Err(self.error(&"nested too deeply"));
                }
                serde_json::from_slice(bytes).map_err(|error| self.error(&error))
            }
        }
    }

    fn decode_message_pack<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, DecodeError> {
        let mut rest = bytes;
        let mut deserializer = rmp_serde::Deserializer::new(&mut rest);
        deserializer.set_max_depth(limits::NESTING_DEPTH);
        let frame = T::deserialize(&mut deserializer).map_err(|error| self.error(&error))?;
        drop(deserializer);
        if rest.is_empty() { Ok(frame) } else { Err(self.error(&"bytes after the end of the frame")) }
    }

    fn error(self, reason: &impl ToString) -> DecodeError {
        let encoding = match self {
            Self::MessagePack => "MessagePack",
            Self::Json => "JSON",
        };
        DecodeError { encoding, reason: reason.to_string() }
    }
}

/// The deepest nesting of objects and arrays, strings skipped. serde_json's own limit is fixed at 128.
fn nesting_of_json(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
