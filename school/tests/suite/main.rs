//! The rules from outside: schools built from records over the engine in memory, callers that act through
//! `School::handle`, and what the router brings to each of them.
#![expect(clippy::unwrap_used, reason = "in a test, what must not fail may end it")]

mod counting;
mod harness;
mod model;
mod permissions;
