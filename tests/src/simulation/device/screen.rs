//! What a device shows: its threads with their messages, in the order of ids.

use std::collections::BTreeMap;

use samtale_protocol::messages::{Message, Part};
use samtale_protocol::{ClientId, MessageId, ProfileId, ThreadId, Timestamp};

use crate::checker::Seen;

/// A thread on the screen.
#[derive(Debug, Default)]
pub struct ThreadOnScreen {
    /// Its messages.
    pub messages: BTreeMap<MessageId, Seen>,
    /// Those that are this device's person's own.
    pub own: Vec<MessageId>,
    /// Those of others, with their authors.
    pub others: Vec<(MessageId, ProfileId)>,
    /// The newest time seen in it: what is written next is fixed after it.
    pub newest: Timestamp,
    /// The newest version of its membership that was seen.
    pub membership_version: u64,
    /// Whether the person has left.
    pub is_left: bool,
}

/// The threads on the screen.
#[derive(Debug, Default)]
pub struct Screen {
    /// By id.
    pub threads: BTreeMap<ThreadId, ThreadOnScreen>,
}

impl Screen {
    /// A thread, empty at first.
    pub fn thread(&mut self, thread: ThreadId) -> &mut ThreadOnScreen {
        self.threads.entry(thread).or_default()
    }

    /// Shows a message as it is now, unless a newer state of it is shown. Returns it if anything changed.
    pub fn show(&mut self, message: &Message, me: ProfileId) -> Option<Seen> {
        let thread = self.threads.entry(message.thread).or_default();
        thread.newest = thread.newest.max(message.message.sent_at());
        let seen = seen(message);
        let old = thread.messages.get(&message.message);
        if old.is_some_and(|old| old.version >= seen.version) {
            return None;
        }
        match old {
            None if message.author == me => thread.own.push(message.message),
            None => thread.others.push((message.message, message.author)),
            Some(_) => {}
        }
        thread.messages.insert(message.message, seen);
        Some(seen)
    }
}

/// A message as it is written down.
pub fn seen(message: &Message) -> Seen {
    let text = Part::plain_text(&message.parts);
    let client: Option<ClientId> = text.split(' ').next().and_then(|first| first.parse().ok());
    Seen {
        message: message.message,
        version: message.version,
        client,
        reply_to: message.reply_to,
    }
}
