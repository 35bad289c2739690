//! What a line of the outbox file says.

use samtale_protocol::{ClientId, Timestamp};
use serde::{Deserialize, Serialize};

use super::Entry;

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// A message was taken.
    Queued {
        /// The message.
        entry: Entry,
    },
    /// Its `sent_at` was fixed; what follows is its transmission.
    Stamped {
        /// Which.
        client_id: ClientId,
        /// The time.
        sent_at: Timestamp,
    },
    /// It was acknowledged, or refused for good.
    Done {
        /// Which.
        client_id: ClientId,
    },
}

impl Record {
    /// What the file says after this line, too.
    pub(crate) fn apply_to(self, entries: &mut Vec<Entry>) {
        match self {
            // A queued record twice can only come from an interrupted compaction.
            Self::Queued { entry } if entries.iter().all(|known| known.client_id != entry.client_id) => {
                entries.push(entry);
            }
            Self::Queued { .. } => {}
            Self::Stamped { client_id, sent_at } => {
                if let Some(entry) = entries.iter_mut().find(|entry| entry.client_id == client_id) {
                    entry.sent_at = Some(sent_at);
                }
            }
            Self::Done { client_id } => entries.retain(|entry| entry.client_id != client_id),
        }
    }

    /// The line, with its end.
    pub(super) fn write_to(&self, line: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        serde_json::to_writer(&mut *line, self)?;
        line.push(b'\n');
        Ok(())
    }
}
