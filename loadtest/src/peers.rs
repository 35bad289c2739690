//! Other servers, measured in turns with ours: each a process of its own, and as many listeners as ours has.

mod greeting;
mod listener;
mod listeners;
mod process;
mod publisher;

pub use greeting::Speaks;
pub use listener::run as listen;
pub use listeners::{Heard, Listeners};
pub use process::{Peer, Running, resident_kib};
pub use publisher::Publisher;
