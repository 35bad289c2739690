//! The server `samtale`: sockets, sessions, HTTP, login, limits and drain.

pub mod accounts;
pub mod adapters;
pub mod admin_socket;
pub mod cli;
pub mod commands;
pub mod config;
pub mod connection;
pub mod cursor;
pub mod framing;
pub mod handshake;
pub mod http;
pub mod link;
pub mod listener;
pub mod node;
pub mod origin;
pub mod outbox;
pub mod reader;
pub mod replaying;
pub mod requests;
pub mod running;
pub mod server;
pub mod session;
pub mod shard;
pub mod shard_sessions;
pub mod upgrade;
pub mod wire;
