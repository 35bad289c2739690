//! The server: sockets, sessions, HTTP, login, limits and drain.

pub mod accounts;
pub mod http;
pub mod listener;
pub mod origin;
pub mod upgrade;
