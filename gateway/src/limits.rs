//! What one address may do: new connections, and requests for a login. Rates by governor.
//!
//! A school of eight hundred is one address, so the bounds are those of a school, not of a person. What an address has used
//! is forgotten once it is free again; beyond a bound the addresses share what is left, so memory does not grow with
//! whoever comes.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as GovernorClock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::accounts::Address;
use crate::metrics;

/// How often what is free again is forgotten.
pub const FORGET_EVERY: Duration = Duration::from_secs(60);
/// Addresses that are known at once, some 5 MB per limit.
const KNOWN: usize = 50_000;
/// The places that further addresses share: few enough to cost nothing, many enough that one who floods slows down few.
const SHARED: u64 = 1_024;

/// The rates of one address. Each may be used up at once, and comes back evenly over a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRates {
    /// New connections per minute: of each that is accepted, or of each socket when a proxy is in front.
    pub connections_per_minute: NonZeroU32,
    /// Requests for a login per minute: log in, activate, refresh, log out.
    pub logins_per_minute: NonZeroU32,
    /// Whether this machine itself is not limited: it is the operator, a load tester, or a proxy that was not named.
    pub spares_loopback: bool,
}

impl Default for AddressRates {
    fn default() -> Self {
        Self {
            connections_per_minute: NonZeroU32::MIN.saturating_add(2_999),
            logins_per_minute: NonZeroU32::MIN.saturating_add(1_199),
            spares_loopback: true,
        }
    }
}

/// What each address has used.
pub struct AddressLimits<C: GovernorClock = MonotonicClock> {
    connections: Limit<C>,
    logins: Limit<C>,
    spares_loopback: bool,
}

impl AddressLimits {
    /// Nothing is used yet.
    pub fn new(rates: AddressRates) -> Self {
        Self::with_clock(rates, &MonotonicClock)
    }
}

impl<C: GovernorClock + Clone> AddressLimits<C> {
    fn with_clock(rates: AddressRates, clock: &C) -> Self {
        let limit = |name, per_minute| Limit::new(name, per_minute, clock.clone());
        Self {
            connections: limit("connections_per_address", rates.connections_per_minute),
            logins: limit("logins_per_address", rates.logins_per_minute),
            spares_loopback: rates.spares_loopback,
        }
    }

    /// One more connection, or how long to wait.
    pub fn connect(&self, address: IpAddr) -> Result<(), Duration> {
        self.admit(&self.connections, address)
    }

    /// One more request for a login, or how long to wait.
    pub fn log_in(&self, address: IpAddr) -> Result<(), Duration> {
        self.admit(&self.logins, address)
    }

    /// Forgets the addresses that have everything back.
    pub fn forget(&self) {
        self.connections.forget();
        self.logins.forget();
    }

    fn admit(&self, limit: &Limit<C>, address: IpAddr) -> Result<(), Duration> {
        if self.spares_loopback && address.to_canonical().is_loopback() {
            return Ok(());
        }
        limit.admit(Address::of(address))
    }
}

/// Whose use is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    Own(Address),
    Shared(u64),
}

struct Limit<C: GovernorClock> {
    name: &'static str,
    used: RateLimiter<Place, DashMapStateStore<Place>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    /// Nobody outside knows whom they share a place with.
    hasher: RandomState,
}

impl<C: GovernorClock + Clone> Limit<C> {
    fn new(name: &'static str, per_minute: NonZeroU32, clock: C) -> Self {
        let used = RateLimiter::dashmap_with_clock(Quota::per_minute(per_minute), clock.clone());
        Self {
            name,
            used,
            clock,
            hasher: RandomState::new(),
        }
    }

    fn admit(&self, address: Address) -> Result<(), Duration> {
        let place = if self.used.len() < KNOWN {
            Place::Own(address)
        } else {
            Place::Shared(self.hasher.hash_one(address) % SHARED)
        };
        self.used.check_key(&place).map_err(|until| {
            metrics::on_limited(self.name);
            until.wait_time_from(self.clock.now())
        })
    }

    fn forget(&self) {
        self.used.retain_recent();
        self.used.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests;
