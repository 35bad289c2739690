//! The two encodings of the same frames: MessagePack for applications, JSON for people and debugging.

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::{limits, shape};

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
        Self::ALL
            .into_iter()
            .find(|encoding| offers.split(',').any(|offer| offer.trim() == encoding.subprotocol()))
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

    /// Reads a value that is exactly `bytes`, after its shape was checked: see [`crate::shape`]. Frames are read with
    /// [`crate::ClientFrame::decode`] and [`crate::ServerFrame::decode`], which also know their limits.
    pub fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, DecodeError> {
        match self {
            Self::MessagePack => {
                shape::check_message_pack(bytes).map_err(|reason| self.error(&reason))?;
                let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
                // rmp-serde refuses when its count reaches zero, so one more than the levels it lets through.
                deserializer.set_max_depth(limits::NESTING_DEPTH + 1);
                T::deserialize(&mut deserializer).map_err(|error| self.error(&error))
            }
            Self::Json => {
                shape::check_json(bytes).map_err(|reason| self.error(&reason))?;
                serde_json::from_slice(bytes).map_err(|error| self.error(&error))
            }
        }
    }

    /// Reads a frame of at most `limit` bytes. Frames are maps; serde would also take a list of a map's values.
    pub(crate) fn decode_frame<T: DeserializeOwned>(self, bytes: &[u8], limit: usize) -> Result<T, DecodeError> {
        if bytes.len() > limit {
            return Err(self.error(&format_args!("{} bytes, the limit is {limit}", bytes.len())));
        }
        let is_map = match self {
            Self::MessagePack => matches!(bytes.first(), Some(0x80..=0x8f | 0xde | 0xdf)),
            Self::Json => bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{'),
        };
        if is_map {
            self.decode(bytes)
        } else {
            Err(self.error(&"a frame is a map"))
        }
    }

    fn error(self, reason: &dyn std::fmt::Display) -> DecodeError {
        let encoding = match self {
            Self::MessagePack => "MessagePack",
            Self::Json => "JSON",
        };
        DecodeError {
            encoding,
            reason: without_contents(&reason.to_string()),
        }
    }
}

/// A reason without the texts that the frame held: an error may reach a log, and a frame holds tokens and messages.
fn without_contents(reason: &str) -> String {
    // serde writes a text that it did not expect as `string "…"`, and what it expected instead after it.
    let plain = match (reason.find("string \""), reason.rfind("\", expected")) {
        (Some(start), Some(end)) if start < end => format!("{}a text{}", &reason[..start], &reason[end + 1..]),
        _ => reason.to_owned(),
    };
    // A name that we do not know can be as long as the frame.
    if plain.len() <= REASON_BYTES {
        return plain;
    }
    let end = plain.floor_char_boundary(REASON_BYTES);
    format!("{}…", &plain[..end])
}

/// The longest reason: the names of all requests fit.
const REASON_BYTES: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_holds_nothing_of_the_frame() {
        let error = Encoding::Json
            .decode::<u32>(br#""a \" secret\", expected ""#)
            .unwrap_err();
        assert!(
            error.to_string().contains("invalid type: a text, expected u32"),
            "{error}"
        );
        let name = format!("\"{}\"", "x".repeat(5000));
        let error = Encoding::Json
            .decode::<crate::errors::ErrorCode>(name.as_bytes())
            .unwrap_err();
        assert!(error.to_string().len() < REASON_BYTES + 100);
    }

    #[test]
    fn the_server_prefers_message_pack() {
        assert_eq!(
            Encoding::choose("samtale.v1.json, samtale.v1.msgpack"),
            Some(Encoding::MessagePack)
        );
        assert_eq!(Encoding::choose("samtale.v1.json"), Some(Encoding::Json));
        assert_eq!(Encoding::choose("samtale.v2.json"), None);
    }
}
