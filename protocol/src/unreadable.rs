//! What a server does about a client's frame that it could not read.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::close::CloseCode;
use crate::encoding::{DecodeError, Encoding};
use crate::errors::{ErrorCode, Refusal};
use crate::limits;

/// The answer to a frame that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is a request: an unknown `op`, a field that is missing or of another type. Refuse it and go on.
    Refuse {
        /// The request's id.
        id: u32,
        /// What to answer.
        error: Refusal,
    },
    /// It cannot be answered. Say why in an `error` without id, then close.
    Close {
        /// What to say before.
        error: Refusal,
        /// Which code to close with.
        code: CloseCode,
    },
}

impl Unreadable {
    /// What to do about `bytes`, which could not be read as a [`crate::ClientFrame`] because of `error`.
    pub fn judge(encoding: Encoding, bytes: &[u8], error: &DecodeError) -> Self {
        if bytes.len() > limits::CLIENT_FRAME_BYTES {
            let error = Refusal::new(ErrorCode::TooLarge).detail(error.to_string());
            return Self::Close {
                error,
                code: CloseCode::FrameTooLarge,
            };
        }
        let refusal = Refusal::new(ErrorCode::BadRequest).detail(error.to_string());
        match request_id(encoding, bytes) {
            Some(id) => Self::Refuse { id, error: refusal },
            None => Self::Close {
                error: refusal,
                code: CloseCode::BadFrame,
            },
        }
    }
}

/// The id of a request, `{"t":"request","id":N,…}`, whatever the rest of the frame is like: of an unknown `op`, not
/// valid, or cut short after the id. Costs one pass over the frame and no memory.
pub fn request_id(encoding: Encoding, bytes: &[u8]) -> Option<u32> {
    if bytes.len() > limits::CLIENT_FRAME_BYTES {
        return None;
    }
    let mut envelope = Envelope::default();
    // An error only ends the reading: what was seen before it counts.
    let _ = match encoding {
        Encoding::MessagePack => {
            let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
            deserializer.set_max_depth(limits::NESTING_DEPTH + 1);
            deserializer.deserialize_map(&mut envelope).map_err(drop)
        }
        Encoding::Json => serde_json::Deserializer::from_slice(bytes)
            .deserialize_map(&mut envelope)
            .map_err(drop),
    };
    if envelope.is_request { envelope.id } else { None }
}

/// What of a frame's outermost map has been seen so far.
#[derive(Default)]
struct Envelope {
    is_request: bool,
    id: Option<u32>,
}

impl<'de> Visitor<'de> for &mut Envelope {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map with `t` and `id`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // A number at the end of what there is may be cut short, so it counts once something was read after it.
        let mut id = None;
        loop {
            let key = map.next_key::<Cow<'de, str>>()?;
            self.id = self.id.or(id);
            match key.as_deref() {
                Some("t") => self.is_request = map.next_value::<Cow<'de, str>>()? == "request",
                Some("id") => id = Some(map.next_value()?),
                Some(_) => drop(map.next_value::<IgnoredAny>()?),
                None => return Ok(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClientFrame;

    fn json_id(text: &str) -> Option<u32> {
        request_id(Encoding::Json, text.as_bytes())
    }

    #[test]
    fn an_id_is_read_from_a_request_that_is_not_valid() {
        assert_eq!(json_id(r#"{"t":"request","id":7,"request":{"op":"dance"}}"#), Some(7));
        assert_eq!(
            json_id(r#"{"request":[[{"a":1}]],"id":8,"t":"request","more":null}"#),
            Some(8)
        );
        assert_eq!(json_id(r#"{"t":"request","id":9,"request":{"op":"#), Some(9));
        let packed = b"\x83\xa1t\xa7request\xa2id\xcd\x01\x00\xa7request\xc1";
        assert_eq!(request_id(Encoding::MessagePack, packed), Some(256));
    }

    #[test]
    fn no_id_is_made_up() {
        for text in [
            "",
            "7",
            r#"{"t":"hello","id":7}"#,
            r#"{"id":7}"#,
            r#"{"t":"request","id":-1}"#,
            r#"["request",7]"#,
        ] {
            assert_eq!(json_id(text), None, "{text}");
        }
        assert_eq!(json_id(r#"{"t":"request","id":4294967296}"#), None);
        assert_eq!(request_id(Encoding::MessagePack, &[0xdf, 0xff, 0xff, 0xff, 0xff]), None);
    }

    #[test]
    fn an_unknown_op_is_refused_by_name_and_the_connection_goes_on() {
        let bytes = br#"{"t":"request","id":7,"request":{"op":"dance"}}"#;
        let error = ClientFrame::decode(Encoding::Json, bytes).unwrap_err();
        let Unreadable::Refuse { id: 7, error } = Unreadable::judge(Encoding::Json, bytes, &error) else {
            panic!("not refused")
        };
        assert_eq!(error.code, ErrorCode::BadRequest);
        let detail = error.detail.unwrap();
        assert!(
            detail.contains("unknown variant `dance`") && detail.contains("`send_message`"),
            "{detail}"
        );
    }

    #[test]
    fn what_is_no_request_closes() {
        let error = ClientFrame::decode(Encoding::Json, b"[]").unwrap_err();
        let close = Unreadable::judge(Encoding::Json, b"[]", &error);
        assert!(matches!(
            close,
            Unreadable::Close {
                code: CloseCode::BadFrame,
                ..
            }
        ));
        let large = vec![b' '; limits::CLIENT_FRAME_BYTES + 1];
        let error = ClientFrame::decode(Encoding::Json, &large).unwrap_err();
        let close = Unreadable::judge(Encoding::Json, &large, &error);
        assert!(matches!(
            close,
            Unreadable::Close {
                code: CloseCode::FrameTooLarge,
                ..
            }
        ));
    }
}
