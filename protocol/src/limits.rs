//! Limits of the wire. What a client may send, and the most that a server frame or list holds.

use std::time::Duration;

/// A limit, for the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its name: that of the constant in small letters, with `_ms` when it is a time.
    pub name: &'static str,
    /// A count, a size in bytes, or milliseconds.
    pub value: u64,
    /// What it bounds.
    pub meaning: &'static str,
}

/// What a limit can be, as a whole number.
const fn count(value: usize) -> u64 {
    value as u64
}

/// Times are told in milliseconds.
const fn millis(value: Duration) -> u64 {
    value.as_secs() * 1000 + value.subsec_millis() as u64
}

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $value:expr, $number:ident $text:literal;)+) => {
        $($(#[doc = $doc])+ pub const $name: $type = $value;)+

        /// The whole list.
        pub const ALL: &[Limit] =
            &[$(Limit { name: $text, value: $number($name), meaning: concat!($($doc),+) }),+];
    };
}

limits! {
    /// A frame from a client, in bytes. A text of the largest size with its JSON escapes and ids fits.
    CLIENT_FRAME_BYTES: usize = 64 * 1024, count "client_frame_bytes";
    /// A frame from the server, in bytes; what a client must be able to take.
    SERVER_FRAME_BYTES: usize = 256 * 1024, count "server_frame_bytes";
    /// How deep lists and maps may be nested in a frame. Our own frames need eight.
    NESTING_DEPTH: usize = 16, count "nesting_depth";
    /// The parts of one message.
    PARTS: usize = 16, count "parts";
    /// The text of one message, all parts together, in bytes of UTF-8: about six pages.
    TEXT_BYTES: usize = 16 * 1024, count "text_bytes";
    /// A thread's subject, in bytes of UTF-8.
    SUBJECT_BYTES: usize = 400, count "subject_bytes";
    /// The entries of one recipient list; a group is one entry.
    RECIPIENTS: usize = 200, count "recipients";
    /// The members of one thread: the guardians, children and staff of the largest school, or the staff of a municipality.
    MEMBERS: usize = 10_000, count "members";
    /// The children that one thread regards.
    REGARDING: usize = 40, count "regarding";
    /// The items of one page of any list.
    PAGE: usize = 100, count "page";
    /// A page ends early at this size, in bytes: a stalled reader never holds more than one page and its events.
    PAGE_BYTES: usize = 40 * 1024, count "page_bytes";
    /// The ids in one request for names, or beside one read marker.
    IDS: usize = 200, count "ids";
    /// The profiles that one session may watch for presence: those on one screen.
    WATCHED: usize = 200, count "watched";
    /// A cursor, in bytes.
    CURSOR_BYTES: usize = 4 * 1024, count "cursor_bytes";
    /// An access token, in bytes.
    TOKEN_BYTES: usize = 1024, count "token_bytes";
    /// A search text, a user name, a client's name: any short text, in bytes.
    SHORT_TEXT_BYTES: usize = 200, count "short_text_bytes";
    /// Requests of one session that may be under way at once.
    REQUESTS_UNDER_WAY: usize = 8, count "requests_under_way";
    /// The time from the upgrade to a whole `hello`.
    HANDSHAKE: Duration = Duration::from_secs(10), millis "handshake_ms";
    /// How far ahead of the node's clock a `sent_at` may be.
    SENT_AT_AHEAD: Duration = Duration::from_secs(2), millis "sent_at_ahead_ms";
    /// From this age of `sent_at` on, a node asks storage before it writes.
    SENT_AT_FRESH: Duration = Duration::from_secs(10), millis "sent_at_fresh_ms";
    /// A typing signal ends after this time unless it is renewed.
    TYPING: Duration = Duration::from_secs(6), millis "typing_ms";
}
