//! What every part of a history shares: the passing of simulated time, and the trace whose hash says whether two runs
//! of a seed were the same.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use samtale_protocol::Timestamp;
use samtale_protocol::time::Clock;
use tokio::time::Instant;

/// The shared part of one history.
#[derive(Clone)]
pub struct World {
    shared: Arc<Shared>,
}

struct Shared {
    began: Instant,
    began_at: u64,
    moments: AtomicU64,
    trace: Mutex<u64>,
    is_told: bool,
}

impl World {
    /// A history that begins now, at `began_at` milliseconds after 1970. `is_told` prints its trace.
    pub fn new(began_at: u64, is_told: bool) -> Self {
        let shared = Shared {
            began: Instant::now(),
            began_at,
            moments: AtomicU64::new(0),
            trace: Mutex::new(0xcbf2_9ce4_8422_2325),
            is_told,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Simulated time passes.
    pub async fn pass(&self, duration: Duration) {
        // tidy: waits because this is how simulated time passes: the runtime's clock is paused and no one sleeps
        tokio::time::sleep(duration).await;
    }

    /// Milliseconds since the history began.
    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.shared.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A number that rises with each call: the order in which things were written down.
    pub fn moment(&self) -> u64 {
        self.shared.moments.fetch_add(1, Ordering::Relaxed)
    }

    /// Adds a line to the trace.
    pub fn trace(&self, line: fmt::Arguments<'_>) {
        let text = format!("{} {line}", self.elapsed_ms());
        if self.shared.is_told {
            println!("{text}");
        }
        let mut hash = self.shared.trace.lock().unwrap_or_else(PoisonError::into_inner);
        // FNV-1a: the same on every machine, which the standard library does not promise of its hasher.
        for byte in text.bytes() {
            *hash = (*hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// The hash of the trace so far.
    pub fn trace_hash(&self) -> u64 {
        *self.shared.trace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A clock of this world that is `offset_ms` off.
    pub fn clock(&self, offset_ms: i64) -> Arc<SimulatedClock> {
        Arc::new(SimulatedClock {
            world: self.clone(),
            offset_ms: AtomicI64::new(offset_ms),
            newest: AtomicU64::new(0),
        })
    }
}

/// The clock of a node: off by some, and now and then corrected.
pub struct SimulatedClock {
    world: World,
    offset_ms: AtomicI64,
    newest: AtomicU64,
}

impl SimulatedClock {
    /// From now on it is off by this much. It never goes back: when corrected backwards, it stands still for so long.
    pub fn step(&self, offset_ms: i64) {
        self.offset_ms.store(offset_ms, Ordering::Relaxed);
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        let exact = self.world.shared.began_at + self.world.elapsed_ms();
        let shown = exact.saturating_add_signed(self.offset_ms.load(Ordering::Relaxed));
        Timestamp::saturating(self.newest.fetch_max(shown, Ordering::Relaxed).max(shown))
    }
}
