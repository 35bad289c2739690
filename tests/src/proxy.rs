//! A TCP proxy that injects faults: it stands between gateways and Redis, between gateways and the database, and between
//! clients and gateways, and what it does to bytes can be changed at any time.
//!
//! [`faults`] says what there is, [`door`] accepts or does not, [`line`](mod@line) carries one connection, and
//! [`push_messages`] knows as much of Redis' protocol as it takes to lose a published message and nothing else;
//! [`cql_requests`] as much of CQL's as it takes to make one partition slow.

pub mod cql_requests;
mod door;
pub mod faults;
mod line;
pub mod push_messages;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::process::stable_port;

pub use faults::{Door, Faults, LateRequests, LineFaults};

/// What a proxy is started with.
#[derive(Clone, Debug, Default)]
pub struct ProxyOptions {
    /// The port of 127.0.0.1 to listen on; 0 picks a free one.
    pub port: u16,
    /// What its chance is made from.
    pub seed: u64,
    /// Whether the targets speak Redis' protocol, so that published messages can be lost one by one.
    pub speaks_redis: bool,
    /// Whether the targets speak CQL, so that requests for one partition can be late.
    pub speaks_cql: bool,
}

/// What went through, over all connections.
#[derive(Debug, Default)]
pub struct Counts {
    /// Connections that were handed on to a target.
    pub connections: AtomicU64,
    /// Published messages on their way to a subscriber.
    pub messages: AtomicU64,
    /// Those of them that were lost on purpose.
    pub dropped: AtomicU64,
    /// Requests to a CQL server that were held back on purpose.
    pub held: AtomicU64,
    /// Bytes that were swallowed.
    pub swallowed: AtomicU64,
    /// Connections whose answers could not be read as Redis' protocol, so that nothing could be lost on them.
    pub unreadable: AtomicU64,
}

impl Counts {
    fn add(counter: &AtomicU64, number: usize) {
        counter.fetch_add(u64::try_from(number).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// A running proxy. Dropped, it closes everything with a reset.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

/// What a proxy and its connections share.
struct Shared {
    options: ProxyOptions,
    faults: watch::Sender<Faults>,
    /// Rises when all connections are to be reset.
    resets: watch::Sender<u64>,
    targets: Mutex<Vec<SocketAddr>>,
    counts: Counts,
}

impl Proxy {
    /// Starts one in front of these targets. Each connection goes to one of them by chance, and to another if that one
    /// does not answer.
    pub async fn start(options: ProxyOptions, targets: Vec<SocketAddr>) -> Result<Self> {
        // A port that nobody takes while the door is closed.
        let port = if options.port == 0 {
            stable_port()?
        } else {
            options.port
        };
        let shared = Arc::new(Shared {
            options,
            faults: watch::Sender::new(Faults::default()),
            resets: watch::Sender::new(0),
            targets: Mutex::new(targets),
            counts: Counts::default(),
        });
        let (listening, is_listening) = oneshot::channel();
        let serving = tokio::spawn(door::serve(Arc::clone(&shared), port, listening));
        let address = is_listening.await.context("the proxy ended")??;
        Ok(Self {
            address,
            shared,
            serving,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The faults that hold now.
    pub fn faults(&self) -> Faults {
        self.shared.faults.borrow().clone()
    }

    /// Changes the faults, for open connections too.
    pub fn change(&self, change: impl FnOnce(&mut Faults)) {
        self.shared.faults.send_modify(change);
    }

    /// Ends all faults.
    pub fn heal(&self) {
        self.change(|faults| *faults = Faults::default());
    }

    /// Ends every open connection with a reset, on both sides.
    pub fn reset(&self) {
        self.shared.resets.send_modify(|count| *count += 1);
    }

    /// Nobody gets through until [`Proxy::heal`]: what is open is reset, what comes is refused.
    pub fn cut(&self) {
        self.change(|faults| faults.door = Door::Closed);
        self.reset();
    }

    /// Where connections go from now on. What is open stays.
    pub fn retarget(&self, targets: Vec<SocketAddr>) {
        *self.shared.targets.lock().unwrap_or_else(PoisonError::into_inner) = targets;
    }

    /// What went through so far.
    pub fn counts(&self) -> &Counts {
        &self.shared.counts
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // The connections' tasks hold on to what is shared, so they are told; the door is closed at once.
        self.reset();
        self.serving.abort();
    }
}
