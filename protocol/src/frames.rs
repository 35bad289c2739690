//! Frames: one WebSocket message each.

use serde::{Deserialize, Serialize};

use crate::bytes::ByteString;
use crate::encoding::{DecodeError, Encoding};
use crate::errors::{Language, Refusal};
use crate::events::{Event, Signal};
use crate::ids::{DeviceId, EventId, PersonId, SessionId, SpaceId};
use crate::limits;
use crate::people::OwnProfile;
use crate::requests::{Reply, Request};
use crate::time::Timestamp;
pub use crate::unreadable::{Unreadable, request_id};

/// A frame from a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ClientFrame {
    /// The first frame of a connection, once.
    Hello(Hello),
    /// A request.
    Request {
        /// Chosen by the client, unique among its requests under way; the reply repeats it.
        id: u32,
        /// What is asked.
        request: Request,
    },
}

impl ClientFrame {
    /// Reads a frame that is exactly `bytes` and within the limits. [`Unreadable::judge`] says what to do otherwise.
    pub fn decode(encoding: Encoding, bytes: &[u8]) -> Result<Self, DecodeError> {
        encoding.decode_frame(bytes, limits::CLIENT_FRAME_BYTES)
    }
}

/// The first frame from a client.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Hello {
    /// The protocol version, 1.
    pub version: u32,
    /// The access token from login or refresh.
    pub access_token: String,
    /// The installation of the client.
    pub device: DeviceId,
    /// What the client calls itself, such as `samtale-chat/0.1`.
    pub client: String,
    /// The language of sentences for people.
    #[serde(default)]
    pub language: Language,
    /// Where the client is, from an earlier connection; without it the client loads what it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<ByteString>,
}

// A token must not reach a log by way of a derived `Debug`.
impl std::fmt::Debug for Hello {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Hello")
            .field("version", &self.version)
            .field("device", &self.device)
            .field("client", &self.client)
            .field("language", &self.language)
            .field("cursor", &self.cursor)
            .finish_non_exhaustive()
    }
}

/// A frame from the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The answer to `hello`.
    Welcome(Welcome),
    /// A request was done.
    Reply {
        /// The request's id.
        id: u32,
        /// The answer.
        reply: Reply,
    },
    /// A request was refused.
    Error {
        /// The request's id; absent when the frame could not be read so far.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<u32>,
        /// Why.
        error: Refusal,
    },
    /// Something happened.
    Event {
        /// Where.
        space: SpaceId,
        /// Which event it is.
        id: EventId,
        /// What.
        event: Event,
    },
    /// Something passes.
    Signal {
        /// What.
        signal: Signal,
    },
    /// Everything that happened in a space since the cursor has been sent: complete.
    Resumed {
        /// The space.
        space: SpaceId,
        /// How many events were sent for it.
        events: u64,
    },
    /// What happened in a space since the cursor is not known any more: ask again for what the screen shows.
    Resync {
        /// The space.
        space: SpaceId,
    },
    /// Where the client is now; it keeps the newest.
    Cursor {
        /// Opaque to the client.
        cursor: ByteString,
    },
}

impl ServerFrame {
    /// Reads a frame that is exactly `bytes` and within the limits.
    pub fn decode(encoding: Encoding, bytes: &[u8]) -> Result<Self, DecodeError> {
        encoding.decode_frame(bytes, limits::SERVER_FRAME_BYTES)
    }
}

/// The answer to `hello`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Welcome {
    /// The server's time, from which the client fixes its `sent_at`.
    pub server_time: Timestamp,
    /// Who this is.
    pub person: PersonId,
    /// Which login this is.
    pub session: SessionId,
    /// One's profiles, one per space.
    pub profiles: Vec<OwnProfile>,
    /// When the access token runs out: refresh before, and say hello again on a new connection.
    pub expires_at: Timestamp,
    /// How often the server pings, in milliseconds. Silence for twice as long means the connection is dead.
    pub ping_interval_ms: u64,
    /// Whether one's presence is hidden from others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub presence_hidden: bool,
}
