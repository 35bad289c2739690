//! Storage from outside: opening, keys, the contract of every engine, backups.
#![expect(clippy::unwrap_used, reason = "in a test, what must not fail may end it")]

mod keys;
mod open;
mod rig;
