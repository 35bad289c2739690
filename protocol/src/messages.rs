//! Messages: what they hold, and what a client asks for them.

use serde::{Deserialize, Serialize};

use crate::ids::{ClientId, MessageId, ProfileId, ThreadId};
use crate::limits;
use crate::people::Withheld;
use crate::time::Timestamp;

/// A piece of a message's body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Part {
    /// Plain text in UTF-8; line breaks are `\n`.
    Text {
        /// The text.
        text: String,
    },
    /// A part of a kind that this program does not know: show that something is there that needs a newer version.
    #[serde(other)]
    Unknown,
}

impl Part {
    /// A text part.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// The text of all parts, joined by line breaks.
    pub fn plain_text(parts: &[Self]) -> String {
        let texts: Vec<&str> = parts
            .iter()
            .map(|part| match part {
                Self::Text { text } => text.as_str(),
                Self::Unknown => "\u{fffd}",
            })
            .collect();
        texts.join("\n")
    }

    /// Whether parts may be a message's body; otherwise what is wrong.
    pub fn check(parts: &[Self]) -> Result<(), &'static str> {
        let mut bytes = 0;
        for part in parts {
            match part {
                Self::Text { text } if text.trim().is_empty() => return Err("a text part is empty"),
                Self::Text { text } if text.contains('\0') => return Err("a text part contains a NUL character"),
                Self::Text { text } => bytes += text.len(),
                Self::Unknown => return Err("a part of a kind that this server does not know; it knows: text"),
            }
        }
        match parts.len() {
            0 => Err("a message needs at least one part"),
            count if count > limits::PARTS => Err("more than 16 parts"),
            _ if bytes > limits::TEXT_BYTES => Err("more than 16 KiB of text"),
            _ => Ok(()),
        }
    }
}

/// A message as it is now. State, never a delta: a higher `version` replaces a lower one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Message {
    /// Its thread.
    pub thread: ThreadId,
    /// Its id; the order of a thread is the order of ids.
    pub message: MessageId,
    /// Who wrote it.
    pub author: ProfileId,
    /// The time its sender fixed.
    pub sent_at: Timestamp,
    /// Rises with each change.
    pub version: u64,
    /// What it says. Empty when it was recalled.
    pub parts: Vec<Part>,
    /// The message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// When it was last edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// When it was recalled. Its text is gone; the place stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recalled_at: Option<Timestamp>,
}

/// Sends a message to a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SendMessage {
    /// Where to.
    pub thread: ThreadId,
    /// The client's own id of this send, the same on every retry.
    pub client_id: ClientId,
    /// Server time as the client knows it, above every id it has seen in the thread; the same on every retry.
    pub sent_at: Timestamp,
    /// What it says.
    pub parts: Vec<Part>,
    /// The message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// The newest version of the thread's membership that the client has seen; the node loads at least that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub membership_version: Option<u64>,
}

/// A message that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sent {
    /// Its thread.
    pub thread: ThreadId,
    /// Its id.
    pub message: MessageId,
    /// The client's own id.
    pub client_id: ClientId,
}

/// Answers the author of a message alone: opens a thread of the two, or goes on with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReplyToSender {
    /// The thread of the message.
    pub thread: ThreadId,
    /// The message.
    pub message: MessageId,
    /// The client's own id of this send.
    pub client_id: ClientId,
    /// As in `send_message`.
    pub sent_at: Timestamp,
    /// What it says.
    pub parts: Vec<Part>,
}

/// Replaces the text of one's own message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EditMessage {
    /// Its thread.
    pub thread: ThreadId,
    /// The message.
    pub message: MessageId,
    /// What it says now.
    pub parts: Vec<Part>,
}

/// Names one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MessageReference {
    /// Its thread.
    pub thread: ThreadId,
    /// The message.
    pub message: MessageId,
}

/// Asks for a page of a thread, oldest message first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct History {
    /// The thread.
    pub thread: ThreadId,
    /// Only messages before this one. With neither bound: the newest page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<MessageId>,
    /// Only messages after this one, from the oldest on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<MessageId>,
    /// At most this many, 100 at the most.
    pub limit: u32,
}

/// A page of a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HistoryPage {
    /// The messages, oldest first.
    pub messages: Vec<Message>,
    /// Whether there are more in the asked direction.
    pub more: bool,
    /// What is not shown, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<Withheld>,
}

/// What a person has read of a thread: everything up to an id that is at least ten seconds old, and single later ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReadMarker {
    /// Everything up to and with this message is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<MessageId>,
    /// Later messages that are read, each on its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<MessageId>,
}

impl ReadMarker {
    /// Whether `message` is read.
    pub fn covers(&self, message: MessageId) -> bool {
        self.up_to.is_some_and(|up_to| message <= up_to) || self.also.contains(&message)
    }
}

/// Says that one has read these messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MarkRead {
    /// The thread.
    pub thread: ThreadId,
    /// The messages on the screen, the newest last. Everything before the first of them is read too.
    pub messages: Vec<MessageId>,
}
