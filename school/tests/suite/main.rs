//! The rules from outside: schools built from records over the engine in memory, callers that act through
//! `School::handle`, and what the router brings to each of them.
#![expect(clippy::unwrap_used, reason = "in a test, what must not fail may end it")]

mod acting;
mod answers;
mod closing;
mod counting;
mod following;
mod half_done;
mod harness;
mod inbox;
mod members;
mod messages;
mod missed;
mod model;
mod names;
mod not_followed;
mod on_cql;
mod permissions;
mod retries;
mod threads;
