//! How entries and signals look in Redis and on its channels: MessagePack, encrypted with the keys of their space.

use std::sync::Arc;

use samtale_protocol::{Audience, Event, EventId, SpaceId, Timestamp};
use samtale_storage::journal::Fact;
use samtale_storage::{InTransit, StorageError};
use serde::{Deserialize, Serialize};
use tracing::{error, warn};

use crate::log::{AddressedSignal, Epoch, LogEntry, LogError, Position, Published};

/// Published entries begin with this; then the epoch in hexadecimal, the offset of the first in decimal, and of each entry
/// its length (4 bytes) and its body.
const ENTRIES: u8 = b'E';
/// Published signals begin with this.
const SIGNAL: u8 = b'S';
const EPOCH_BYTES: usize = 16;
const OFFSET_BYTES: usize = 20;

#[derive(Serialize, Deserialize)]
struct EntryRecord {
    id: EventId,
    time: Timestamp,
    audience: Audience,
    fact: Fact,
    event: Option<Event>,
}

#[derive(Serialize, Deserialize)]
struct SignalRecord {
    audience: Audience,
    about: samtale_protocol::PersonId,
    signal: samtale_protocol::Signal,
}

/// Encodes what nodes tell each other.
#[derive(Clone)]
pub struct Encoding(pub InTransit);

impl Encoding {
    /// The body of an entry.
    pub async fn entry(&self, space: SpaceId, entry: &LogEntry) -> Result<Vec<u8>, LogError> {
        let LogEntry {
            id,
            time,
            audience,
            fact,
            event,
        } = entry.clone();
        let record = EntryRecord {
            id,
            time,
            audience,
            fact,
            event,
        };
        self.encrypted(space, &record).await
    }

    /// An entry from its body; `None` if it is damaged, or of a kind that this program does not know.
    pub async fn read_entry(&self, space: SpaceId, body: &[u8]) -> Result<Option<Arc<LogEntry>>, LogError> {
        let record: Option<EntryRecord> = self.decrypted(space, body).await?;
        Ok(record.map(|record| {
            Arc::new(LogEntry {
                id: record.id,
                time: record.time,
                audience: record.audience,
                fact: record.fact,
                event: record.event,
            })
        }))
    }

    /// What is published of a signal.
    pub async fn signal(&self, space: SpaceId, signal: &AddressedSignal) -> Result<Vec<u8>, LogError> {
        let record = SignalRecord {
            audience: signal.audience.clone(),
            about: signal.about,
            signal: signal.signal.clone(),
        };
        let mut bytes = vec![SIGNAL];
        bytes.extend(self.encrypted(space, &record).await?);
        Ok(bytes)
    }

    /// What was published on the channel of a space.
    pub async fn published(&self, space: SpaceId, payload: &[u8]) -> Result<Vec<Published>, LogError> {
        match payload.split_first() {
            Some((&ENTRIES, rest)) => self.published_entries(space, rest).await,
            Some((&SIGNAL, body)) => {
                let record: Option<SignalRecord> = self.decrypted(space, body).await?;
                let signal = record.map(|record| AddressedSignal {
                    audience: record.audience,
                    about: record.about,
                    signal: record.signal,
                });
                let signals = signal.map(Arc::new).into_iter();
                Ok(signals.map(|signal| Published::Signal { space, signal }).collect())
            }
            _ => Err(not_ours("it is of no known kind")),
        }
    }

    async fn published_entries(&self, space: SpaceId, rest: &[u8]) -> Result<Vec<Published>, LogError> {
        let cut = || not_ours("it is cut off");
        let (epoch, rest) = rest.split_at_checked(EPOCH_BYTES).ok_or_else(cut)?;
        let (offset, mut rest) = rest.split_at_checked(OFFSET_BYTES).ok_or_else(cut)?;
        let epoch = read_epoch(epoch).ok_or_else(cut)?;
        let text = std::str::from_utf8(offset).map_err(|_| cut())?;
        let mut offset: u64 = text.parse().map_err(|_| cut())?;
        let mut published = Vec::new();
        while !rest.is_empty() {
            let (length, behind) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
            let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| cut())?;
            let (body, behind) = behind.split_at_checked(length).ok_or_else(cut)?;
            // One that can not be read leaves a hole, which is found by its offset.
            if let Some(entry) = self.read_entry(space, body).await? {
                let position = Position { epoch, offset };
                published.push(Published::Entry { space, position, entry });
            }
            (rest, offset) = (behind, offset + 1);
        }
        Ok(published)
    }

    async fn encrypted(&self, space: SpaceId, record: &impl Serialize) -> Result<Vec<u8>, LogError> {
        let text = rmp_serde::to_vec_named(record).map_err(|error| failed(&error))?;
        self.0.encrypt(space, &text).await.map_err(|error| failed(&error))
    }

    async fn decrypted<T: for<'de> Deserialize<'de>>(
        &self,
        space: SpaceId,
        body: &[u8],
    ) -> Result<Option<T>, LogError> {
        let text = match self.0.decrypt(space, body).await {
            Ok(text) => text,
            Err(error @ StorageError::KeysUnavailable { .. }) => return Err(failed(&error)),
            Err(error) => {
                error!(%space, error = %failed(&error).reason, "something of the log can not be decrypted");
                return Ok(None);
            }
        };
        let record = rmp_serde::from_slice(&text);
        Ok(record
            .inspect_err(|error| warn!(%space, %error, "something of the log is not known here"))
            .ok())
    }
}

/// An epoch as scripts know it.
pub fn write_epoch(epoch: Epoch) -> String {
    format!("{:016x}", epoch.0)
}

/// An epoch from a script's answer.
pub fn read_epoch(text: &[u8]) -> Option<Epoch> {
    let text = std::str::from_utf8(text).ok()?;
    u64::from_str_radix(text, 16).ok().map(Epoch)
}

pub(super) fn failed(error: &dyn std::error::Error) -> LogError {
    LogError {
        reason: samtale_storage::engine::chain(error),
    }
}

fn not_ours(why: &str) -> LogError {
    LogError {
        reason: format!("something published can not be read: {why}"),
    }
}
