//! The words on the wire: frames, requests, replies, events, ids, close codes, error codes and limits.
//!
//! Nothing here does I/O, reads a clock or draws randomness: whoever needs those passes them in. So every type can be
//! fuzzed, replayed and compared with the golden frames in `protocol/golden/`. The document for client developers is
//! `docs/protocol.md`; `docs/asyncapi.json` is generated from these types.

pub mod audience;
pub mod bytes;
pub mod close;
pub mod encoding;
pub mod errors;
pub mod events;
pub mod frames;
pub mod ids;
pub mod limits;
pub mod login;
pub mod messages;
pub mod people;
pub mod presence;
pub mod requests;
#[cfg(feature = "schema")]
pub mod schema;
mod shape;
mod texts;
pub mod threads;
pub mod time;
mod unreadable;

pub use audience::Audience;
pub use bytes::ByteString;
pub use close::CloseCode;
pub use encoding::Encoding;
pub use errors::{ErrorCode, Language, Refusal};
pub use events::{Event, Signal};
pub use frames::{ClientFrame, ServerFrame};
pub use ids::{ClientId, DeviceId, EventId, GroupId, MessageId, PersonId, ProfileId, SessionId, SpaceId, ThreadId};
pub use requests::{Reply, Request};
pub use time::Timestamp;

/// The version of the protocol that this crate speaks; part of the subprotocol names.
pub const VERSION: u32 = 1;
