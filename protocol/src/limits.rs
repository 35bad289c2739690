//! Limits of the wire. What a client may send, and the most that a server frame or list holds.

use std::time::Duration;

/// A frame from a client, in bytes. A text of the largest size with its JSON escapes and ids fits.
pub const CLIENT_FRAME_BYTES: usize = 64 * 1024;
/// A frame from the server, in bytes; what a client must be able to take.
pub const SERVER_FRAME_BYTES: usize = 256 * 1024;
/// How deep lists and maps may be nested in a frame. Our own frames need eight.
pub const NESTING_DEPTH: usize = 16;
/// The parts of one message.
pub const PARTS: usize = 16;
/// The text of one message, all parts together, in bytes of UTF-8: about six pages.
pub const TEXT_BYTES: usize = 16 * 1024;
/// A thread's subject, in bytes of UTF-8.
pub const SUBJECT_BYTES: usize = 400;
/// The entries of one recipient list; a group is one entry.
pub const RECIPIENTS: usize = 200;
/// The members of one thread: the guardians, children and staff of a large school.
pub const MEMBERS: usize = 5_000;
/// The children that one thread regards.
pub const REGARDING: usize = 40;
/// The items of one page of any list.
pub const PAGE: usize = 100;
/// A page ends early at this size, in bytes: a stalled reader never holds more than one page and its events.
pub const PAGE_BYTES: usize = 40 * 1024;
/// The ids in one request for names, or beside one read marker.
pub const IDS: usize = 200;
/// The profiles that one session may watch for presence: those on one screen.
pub const WATCHED: usize = 200;
/// A cursor, in bytes.
pub const CURSOR_BYTES: usize = 4 * 1024;
/// An access token, in bytes.
pub const TOKEN_BYTES: usize = 1024;
/// A search text, a user name, a client's name: any short text, in bytes.
pub const SHORT_TEXT_BYTES: usize = 200;
/// Requests of one session that may be under way at once.
pub const REQUESTS_UNDER_WAY: usize = 8;
/// The time from the upgrade to a whole `hello`.
pub const HANDSHAKE: Duration = Duration::from_secs(10);
/// How far ahead of the node's clock a `sent_at` may be.
pub const SENT_AT_AHEAD: Duration = Duration::from_secs(2);
/// From this age of `sent_at` on, a node asks storage before it writes.
pub const SENT_AT_FRESH: Duration = Duration::from_secs(10);
/// A typing signal ends after this time unless it is renewed.
pub const TYPING: Duration = Duration::from_secs(6);
