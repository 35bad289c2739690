//! Which faults a history has, and how often: times in a thousand calls. Shared by all its nodes, and healed at its end.

use std::sync::{Arc, Mutex, PoisonError};

use crate::simulation::randomness::Seeded;

/// How often what goes wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rates {
    /// A storage call takes up to four seconds.
    pub slow: u64,
    /// A storage call takes between five and sixteen seconds.
    pub very_slow: u64,
    /// A storage call fails and did nothing.
    pub refused: u64,
    /// A write times out and is never applied.
    pub lost: u64,
    /// A write times out and was applied.
    pub unanswered: u64,
    /// A write times out and is applied up to twenty seconds later.
    pub hanging: u64,
    /// A write is applied twice, the second time up to twenty seconds later.
    pub repeated: u64,
    /// A log call takes up to three seconds.
    pub log_slow: u64,
    /// A log call fails and did nothing.
    pub log_refused: u64,
    /// An append fails though it was done.
    pub log_unanswered: u64,
    /// An append is done twice.
    pub log_repeated: u64,
    /// A published entry does not reach a node.
    pub unpublished: u64,
}

impl Rates {
    /// The rates that a seed has: some are calm, some have only the one or the other kind of faults.
    pub fn of(random: &mut Seeded) -> Self {
        let mut rates = Self::default();
        let (storage, log) = (random.below(4), random.below(4));
        if storage > 0 {
            let most = [0, 4, 15, 40][usize::try_from(storage).unwrap_or(0)];
            rates.slow = random.below(most * 4);
            rates.very_slow = random.below(most);
            rates.refused = random.below(most);
            rates.lost = random.below(most);
            rates.unanswered = random.below(most);
            rates.hanging = random.below(most);
            rates.repeated = random.below(most);
        }
        if log > 0 {
            let most = [0, 10, 60, 200][usize::try_from(log).unwrap_or(0)];
            rates.log_slow = random.below(most);
            rates.log_refused = random.below(most);
            rates.log_unanswered = random.below(most);
            rates.log_repeated = random.below(most);
            rates.unpublished = random.below(most);
        }
        rates
    }
}

/// The faults as they are now.
#[derive(Clone, Default)]
pub struct Faults {
    shared: Arc<Mutex<Now>>,
}

#[derive(Default)]
struct Now {
    rates: Rates,
    log_is_away: bool,
}

impl Faults {
    /// Faults at these rates from now on.
    pub fn set(&self, rates: Rates) {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).rates = rates;
    }

    /// The log is away, or back.
    pub fn set_log_away(&self, is_away: bool) {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).log_is_away = is_away;
    }

    /// The rates now.
    pub fn rates(&self) -> Rates {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).rates
    }

    /// Whether the log is away.
    pub fn is_log_away(&self) -> bool {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).log_is_away
    }
}
