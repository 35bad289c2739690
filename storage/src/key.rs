//! Keys: ids, numbers and times, in an encoding that sorts as they do.

use samtale_protocol::{
    ClientId, DeviceId, EventId, GroupId, MessageId, PersonId, ProfileId, SessionId, SpaceId, ThreadId, Timestamp,
};

/// One column of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyValue {
    /// An id, or the first half of an HMAC.
    Id([u8; 16]),
    /// A number or a time.
    Number(u64),
}

impl KeyValue {
    /// Appends the bytes whose order is the order of the values.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Id(id) => bytes.extend_from_slice(id),
            Self::Number(number) => bytes.extend_from_slice(&number.to_be_bytes()),
        }
    }
}

/// The key of a row: which partition, and where in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The partition; its first column is the space that the row belongs to.
    pub partition: Vec<KeyValue>,
    /// The place in the partition.
    pub clustering: Vec<KeyValue>,
}

impl Key {
    /// A key of these columns.
    pub fn new(partition: impl Into<Vec<KeyValue>>, clustering: impl Into<Vec<KeyValue>>) -> Self {
        Self {
            partition: partition.into(),
            clustering: clustering.into(),
        }
    }
}

/// The bytes of several columns, in order. All columns have a fixed size, so no separator is needed.
pub fn encode(values: &[KeyValue]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(values.len() * 16);
    for value in values {
        value.encode(&mut bytes);
    }
    bytes
}

macro_rules! from_ids {
    ($($id:ident),+) => {$(
        impl From<$id> for KeyValue {
            fn from(id: $id) -> Self {
                Self::Id(*id.as_bytes())
            }
        }
    )+};
}

from_ids!(
    ClientId, DeviceId, EventId, GroupId, MessageId, PersonId, ProfileId, SessionId, SpaceId, ThreadId
);

impl From<u64> for KeyValue {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<[u8; 16]> for KeyValue {
    fn from(id: [u8; 16]) -> Self {
        Self::Id(id)
    }
}

impl From<Timestamp> for KeyValue {
    fn from(time: Timestamp) -> Self {
        Self::Number(time.as_millis())
    }
}
