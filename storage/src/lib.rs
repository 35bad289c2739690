//! What is kept: one table list, engines that keep it, and key custody as a wrapper over either.
//!
//! [`schema`] lists the tables, [`Engine`] is the small trait that each engine implements, [`Store`] reads and writes
//! typed records over any of them. The records themselves stand in one file per capability.

pub mod backup;
pub mod coalescing;
pub mod copying;
pub mod cql;
pub mod custodian;
pub mod directory;
pub mod embedded;
pub mod encrypted;
pub mod engine;
mod envelope;
mod files;
pub mod in_transit;
pub mod journal;
pub mod key;
pub mod keyring;
pub mod memory;
pub mod metered;
pub mod nodes;
pub mod open;
pub mod people;
pub mod schema;
pub mod store;
pub mod threads;

pub use engine::{Batch, Change, Compared, Engine, Page, Range, Row, RowChange, StorageError};
pub use in_transit::InTransit;
pub use key::{Key, KeyValue};
pub use keyring::Keyring;
pub use open::{OpenOptions, Opened, open};
pub use schema::Table;
pub use store::{Record, Store, Stored};
