//! How many statements were sent, by what they cost.

use std::sync::atomic::{AtomicU64, Ordering};

/// Statements that an engine has sent since it was opened. A batch is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatementCounts {
    /// Reads at LOCAL_QUORUM.
    pub reads: u64,
    /// Writes with a given timestamp.
    pub writes: u64,
    /// Compare-and-sets and serial reads: four round trips each, where a write has one.
    pub serial: u64,
}

/// Counts them.
#[derive(Debug, Default)]
pub(super) struct Counters {
    reads: AtomicU64,
    writes: AtomicU64,
    serial: AtomicU64,
}

impl Counters {
    pub fn read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    pub fn write(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }

    pub fn serial(&self) {
        self.serial.fetch_add(1, Ordering::Relaxed);
    }

    pub fn now(&self) -> StatementCounts {
        StatementCounts {
            reads: self.reads.load(Ordering::Relaxed),
            writes: self.writes.load(Ordering::Relaxed),
            serial: self.serial.load(Ordering::Relaxed),
        }
    }
}
