//! What every log promises, in process and over a real Redis; and what a Redis does to one that is used over it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test, what must not fail may end it"
)]

mod contract;
mod outages;
mod presence;
mod redis_server;
mod rig;
