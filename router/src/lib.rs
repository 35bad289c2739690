//! Who hears of it: the space log, subscriptions, fan-out and presence.
//!
//! A [`Log`] is fast and never the truth; the journal in storage is. A node's [`Router`] follows the logs of the spaces
//! that have sessions on the node, finds gaps by offset and fills them, turns each entry's audience into persons with
//! the help of [`Rights`], and hands every entry once to the node's [`Sink`].

pub mod delivery;
pub mod fan_out;
pub mod log;
pub mod memory_log;
pub mod metered;
pub mod placement;
pub mod presence;
pub mod publisher;
pub mod redis_log;
pub mod replay;
pub mod rights;
pub mod space;
#[cfg(test)]
mod testing;
pub mod told;

pub use delivery::{Delivery, Recipients, Sent, SharedFrame, Sink};
pub use fan_out::{Router, RouterOptions};
pub use log::{Epoch, Log, LogEntry, LogError, Position, Published, Slice};
pub use memory_log::MemoryLog;
pub use presence::{Presence, SharedPresence};
pub use publisher::Publisher;
pub use redis_log::{RedisLog, RedisOptions};
pub use replay::{CursorPlace, Replay, ReplayFrom, ReplayPage};
pub use rights::{JournalPage, JournalPlace, Rights, RightsError};
