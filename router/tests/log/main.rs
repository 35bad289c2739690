//! What every log promises, in process and over a real Redis; and what a Redis does to one that is used over it.

mod contract;
mod outages;
mod redis_server;
mod rig;
