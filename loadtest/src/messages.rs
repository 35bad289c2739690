//! The messages of a run: what they say, and how large the event that carries one is.

use anyhow::{Context, Result};
use bytes::Bytes;
use samtale_client::light;
use samtale_protocol::messages::{Message, Part};
use samtale_protocol::{Encoding, Event, EventId, MessageId, ProfileId, ServerFrame, SpaceId, ThreadId, Timestamp};

/// The size of an event as a WebSocket payload that everything is measured with.
pub const EVENT_BYTES: usize = 256;

/// The two numbers of a label as a text has them, with a space behind each.
const LABEL_BYTES: usize = 32;

/// What a message of a run says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// Its number, rising by one from message to message.
    pub number: u32,
    /// When it was due to be sent, by the clock of [`crate::clock`].
    pub due: u64,
}

impl Label {
    /// The text, filled up so that the event is [`EVENT_BYTES`] long where that is possible.
    pub fn text(self) -> String {
        let words = format!("{:010} {:020} ", self.number, self.due);
        let length = EVENT_BYTES.saturating_sub(bytes_around(0)).max(words.len());
        // A long text takes a byte more to say how long it is.
        let more = bytes_around(length) - bytes_around(0) - length;
        format!("{words:.<width$}", width = (length - more).max(words.len()))
    }

    /// Reads it from a frame of any of the servers that are measured: ours, or one that passes on what it was sent,
    /// with some words of its own around it or none.
    pub fn within(bytes: &[u8]) -> Option<Self> {
        // Ten digits, a space, twenty digits, a space: nothing else in a frame looks like it.
        let is_label = |window: &[u8]| {
            (window[10], window[31]) == (b' ', b' ')
                && window[..10].iter().chain(&window[11..31]).all(u8::is_ascii_digit)
        };
        let place = bytes.windows(LABEL_BYTES).position(is_label)?;
        Self::read(std::str::from_utf8(&bytes[place..place + LABEL_BYTES]).ok()?)
    }

    /// Reads a text.
    pub fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let number = words.next()?.parse().ok()?;
        let due = words.next()?.parse().ok()?;
        words.next().map(|_| Self { number, due })
    }

    /// Reads the label of a message's event; `None` of any other frame.
    pub fn of(frame: &ServerFrame) -> Option<Self> {
        match frame {
            ServerFrame::Event {
                event: Event::Message(message),
                ..
            } => Self::read(&Part::plain_text(&message.parts)),
            _ => None,
        }
    }
}

/// The bytes of an event as the floor sends them: those that a server would send.
pub fn framed(label: Label) -> Result<Bytes> {
    light::framed(&event(label.text())).context("an event can not be framed")
}

/// How long an event with a text of so many bytes is.
fn bytes_around(text: usize) -> usize {
    // Our own types always encode.
    Encoding::MessagePack
        .encode(&event("x".repeat(text)))
        .map_or(0, |bytes| bytes.len())
}

fn event(text: String) -> ServerFrame {
    // Ids and times of today's size: the encoding is shorter for small numbers.
    let time = Timestamp::saturating(1_800_000_000_000);
    ServerFrame::Event {
        space: SpaceId::from_bytes([1; 16]),
        id: EventId::from_bytes([2; 16]),
        event: Event::Message(Message {
            thread: ThreadId::from_bytes([3; 16]),
            message: MessageId::from_bytes([4; 16]),
            author: ProfileId::from_bytes([5; 16]),
            sent_at: time,
            version: time.as_micros(),
            parts: vec![Part::text(text)],
            reply_to: None,
            edited_at: None,
            recalled_at: None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_read_back_from_an_event_of_the_stated_size() {
        let label = Label {
            number: 4_000_000,
            due: 123_456_789_012_345,
        };
        let text = label.text();
        assert_eq!(Label::read(&text), Some(label));
        assert_eq!(Label::of(&event(text.clone())), Some(label));
        let bytes = Encoding::MessagePack.encode(&event(text)).unwrap();
        assert_eq!(bytes.len(), EVENT_BYTES);
        // Two bytes, and two of length: an unmasked frame of this size (RFC 6455, section 5.2).
        assert_eq!(framed(label).unwrap().len(), EVENT_BYTES + 4);
    }

    #[test]
    fn other_texts_have_no_label() {
        assert_eq!(Label::read("hej med dig"), None);
        assert_eq!(Label::read("12"), None);
    }

    #[test]
    fn a_label_is_found_in_the_frames_of_others() {
        let label = Label { number: 12, due: 34 };
        let pushed = format!("{{\"push\":{{\"data\":\"{}\"}}}}", label.text());
        assert_eq!(Label::within(pushed.as_bytes()), Some(label));
        assert_eq!(Label::within(&framed(label).unwrap()), Some(label));
        assert_eq!(Label::within(b"{}"), None);
    }
}
