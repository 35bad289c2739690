//! Storage from outside: opening, keys, the contract of every engine, backups.
#![expect(clippy::unwrap_used, reason = "in a test, what must not fail may end it")]

mod backups;
mod canary;
mod coalescing;
mod contract;
mod copying;
mod database;
mod engines;
mod keys;
mod migrations;
mod open;
mod outage;
mod power_loss;
mod rig;
mod shared_keys;
