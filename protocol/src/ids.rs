//! Ids: sixteen bytes each, `bin` in MessagePack and hyphenated text in JSON (RFC 9562).
//!
//! A message's id is a version 7 UUID of the time its sender fixed, with a hash of thread, sender and client id where
//! the standard asks for random bits. So each retry of one send, through whatever node, names the same row, and ids
//! sort by time.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::time::Timestamp;

macro_rules! id_types {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The id with these sixteen bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The id's sixteen bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// A new id (UUID version 7) made at `time`, with ten bytes of the caller's randomness.
            pub fn at(time: Timestamp, random: &[u8; 10]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(time.as_millis(), random).into_uuid())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(formatter)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serialize_uuid(&self.0, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                // "Any", because the buffer behind internally tagged enums does not tell which encoding it came from.
                deserializer.deserialize_any(UuidVisitor).map(Self)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "format": "uuid"})
            }
        }
    )+};
}

id_types! {
    /// An institution or a municipality: the unit of tenancy, of data keys and of fan-out.
    SpaceId;
    /// Someone who logs in.
    PersonId;
    /// A person in one space, with a role there.
    ProfileId;
    /// A class, a team, or any set of profiles of a space.
    GroupId;
    /// A conversation.
    ThreadId;
    /// A message of a thread; sorts by the time its sender fixed.
    MessageId;
    /// A row of a space's journal.
    EventId;
    /// What a client chooses to name one send, edit-proof and kept over retries.
    ClientId;
    /// An installation of a client, chosen by it once and kept.
    DeviceId;
    /// A login on one device: what a refresh token belongs to and a revocation ends.
    SessionId;
}

impl SpaceId {
    /// The space of people, logins, devices and tokens, which every node follows. It has no members of its own.
    pub const SYSTEM: Self = Self::from_bytes(*b"\0\0\0\0\0\0samtale\0\0\0");
}

impl MessageId {
    /// The id of the message that `sender` names `client` in `thread` and fixed at `sent_at`.
    pub fn derive(thread: ThreadId, sender: ProfileId, client: ClientId, sent_at: Timestamp) -> Self {
        let digest = Sha256::new()
            .chain_update(b"samtale message id 1")
            .chain_update(thread.as_bytes())
            .chain_update(sender.as_bytes())
            .chain_update(client.as_bytes())
            .finalize();
        let mut random = [0_u8; 10];
        random.copy_from_slice(&digest[..10]);
        Self::at(sent_at, &random)
    }

    /// The time that the sender fixed.
    pub fn sent_at(&self) -> Timestamp {
        let mut millis = [0_u8; 8];
        millis[2..].copy_from_slice(&self.as_bytes()[..6]);
        Timestamp::saturating(u64::from_be_bytes(millis))
    }

    /// The first id of the millisecond `time`: not below any id of an earlier one.
    pub fn first_at(time: Timestamp) -> Self {
        let mut bytes = [0_u8; 16];
        bytes[..6].copy_from_slice(&time.as_millis().to_be_bytes()[2..]);
        Self::from_bytes(bytes)
    }
}

fn serialize_uuid<S: Serializer>(uuid: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.collect_str(&uuid.hyphenated())
    } else {
        serializer.serialize_bytes(uuid.as_bytes())
    }
}

struct UuidVisitor;

impl Visitor<'_> for UuidVisitor {
    type Value = Uuid;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an id: 16 bytes, or in JSON its hyphenated text")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Uuid, E> {
        Uuid::from_slice(bytes).map_err(|_| E::invalid_length(bytes.len(), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Uuid, E> {
        if text.len() != 36 {
            return Err(E::invalid_length(text.len(), &self));
        }
        Uuid::try_parse(text).map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_is_the_same_for_each_retry_and_sorts_by_time() {
        let thread = ThreadId::from_bytes([1; 16]);
        let sender = ProfileId::from_bytes([2; 16]);
        let client = ClientId::from_bytes([3; 16]);
        let early = Timestamp::saturating(1_700_000_000_000);
        let late = Timestamp::saturating(1_700_000_000_001);
        let id = MessageId::derive(thread, sender, client, early);
        assert_eq!(id, MessageId::derive(thread, sender, client, early));
        assert_eq!(id.sent_at(), early);
        assert_eq!(id.0.get_version_num(), 7);
        assert!(id < MessageId::derive(thread, sender, client, late));
        assert_ne!(
            id,
            MessageId::derive(thread, ProfileId::from_bytes([4; 16]), client, early)
        );
        assert!(MessageId::first_at(early) <= id && id < MessageId::first_at(late));
    }
}
