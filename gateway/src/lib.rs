//! The server: sockets, sessions, HTTP, login, limits and drain.

pub mod accounts;
pub mod admin_socket;
pub mod cli;
pub mod commands;
pub mod config;
pub mod http;
pub mod listener;
pub mod origin;
pub mod upgrade;
