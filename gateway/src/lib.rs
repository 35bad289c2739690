//! The server `samtale`: sockets, sessions, HTTP, login, limits and drain.

pub mod connection;
pub mod cursor;
pub mod framing;
pub mod handshake;
pub mod link;
pub mod node;
pub mod outbox;
pub mod reader;
pub mod replaying;
pub mod requests;
pub mod session;
pub mod shard;
pub mod shard_sessions;
pub mod wire;
