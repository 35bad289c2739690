//! What is kept: one table list, engines that keep it, and key custody as a wrapper over either.
//!
//! [`schema`] lists the tables, [`Engine`] is the small trait that each engine implements, [`Store`] reads and writes
//! typed records over any of them. The records themselves stand in one file per capability.

pub mod directory;
pub mod engine;
pub mod journal;
pub mod key;
pub mod memory;
pub mod people;
pub mod schema;
pub mod store;
pub mod threads;

pub use engine::{Batch, Change, Compared, Engine, Page, Range, Row, RowChange, StorageError};
pub use key::{Key, KeyValue};
pub use schema::Table;
pub use store::{Record, Store, Stored};
