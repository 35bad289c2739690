//! What happens too often to be counted where others look: a thread counts for itself, and tells once a second.
//!
//! A frame that goes to ten thousand sessions is written ten thousand times on one thread; a shared counter would cost
//! an atomic write, and its cache line, each time.

use std::cell::Cell;

use metrics::counter;

use super::{BYTES_SENT, DELIVERIES, FRAMES_QUEUED, FRAMES_SENT};

struct Tally {
    frames: Cell<u64>,
    bytes: Cell<u64>,
    queued: Cell<u64>,
    deliveries: Cell<u64>,
}

thread_local! {
    static TALLY: Tally = const {
        Tally { frames: Cell::new(0), bytes: Cell::new(0), queued: Cell::new(0), deliveries: Cell::new(0) }
    };
}

fn add(count: &Cell<u64>, more: u64) {
    count.set(count.get().wrapping_add(more));
}

/// A frame of so many bytes was written or queued.
pub(crate) fn count_sent(bytes: usize) {
    TALLY.with(|tally| {
        add(&tally.frames, 1);
        add(&tally.bytes, bytes as u64);
    });
}

/// A frame had to wait.
pub(crate) fn count_queued() {
    TALLY.with(|tally| add(&tally.queued, 1));
}

/// An event or a signal was handed to so many sessions.
pub(crate) fn count_delivery(sessions: u64) {
    TALLY.with(|tally| add(&tally.deliveries, sessions));
}

/// Tells what this thread has counted since it last told.
pub(crate) fn publish_tally() {
    TALLY.with(|tally| {
        counter!(FRAMES_SENT).increment(tally.frames.take());
        counter!(BYTES_SENT).increment(tally.bytes.take());
        counter!(FRAMES_QUEUED).increment(tally.queued.take());
        counter!(DELIVERIES).increment(tally.deliveries.take());
    });
}
