//! A frame of every kind, by name: what the golden files hold, and what the fuzzer starts from.

#![allow(dead_code, unused_imports, reason = "each test program uses a part of the samples")]

pub mod kinds;
mod requests;
mod server;

pub use requests::client_frames;
pub use server::server_frames;

use samtale_protocol::messages::{Message, Part, ReadMarker};
use samtale_protocol::people::{Withheld, WithheldReason};
use samtale_protocol::threads::Thread;
use samtale_protocol::*;

/// 2026-08-10 06:00 UTC, the first day of a school year.
pub const MORNING: Timestamp = Timestamp::saturating(1_786_341_600_000);

macro_rules! ids {
    ($($function:ident: $type:ty = $letter:literal;)+) => {$(
        /// The id with this number, made in the morning; the letter tells the types apart in the golden files.
        pub fn $function(number: u8) -> $type {
            <$type>::at(MORNING, &[$letter, $letter, $letter, $letter, 0, 0, 0, 0, 0, number])
        }
    )+};
}

ids! {
    space: SpaceId = 0xaa;
    person: PersonId = 0xbb;
    profile: ProfileId = 0xcc;
    group: GroupId = 0xdd;
    thread: ThreadId = 0x11;
    message_id: MessageId = 0x22;
    event_id: EventId = 0x33;
    client_id: ClientId = 0x44;
    device: DeviceId = 0x55;
    session: SessionId = 0x66;
}

pub fn text() -> Vec<Part> {
    vec![Part::text("Kære forældre,\nhusk \"madpakke\" 🥪 på torsdag.")]
}

pub fn a_message() -> Message {
    Message {
        thread: thread(1),
        message: message_id(1),
        author: profile(1),
        sent_at: MORNING,
        version: 1,
        parts: text(),
        reply_to: None,
        edited_at: None,
        recalled_at: None,
    }
}

pub fn a_thread() -> Thread {
    Thread {
        space: space(1),
        thread: thread(1),
        version: 1,
        membership_version: 1,
        subject: "Tur til Moesgård".to_owned(),
        starter: profile(1),
        started_at: MORNING,
        regarding: vec![],
        linked_to: None,
    }
}

pub fn read_marker() -> ReadMarker {
    ReadMarker {
        up_to: Some(message_id(1)),
        also: vec![message_id(3)],
    }
}

pub fn withheld() -> Vec<Withheld> {
    [
        WithheldReason::NameProtected,
        WithheldReason::NotPermitted,
        WithheldReason::OutsideMembership,
        WithheldReason::Unreadable,
    ]
    .map(|reason| Withheld { count: 2, reason })
    .to_vec()
}
