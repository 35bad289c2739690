//! Wrong passwords slow an account down and never shut its owner out.
//!
//! Waiting is counted per account first. An address is only a far outer bound, because a school is one address: 800
//! pupils come at 08:00. Where an account has logged in before, its attempts are counted apart from those of
//! strangers, so someone who guesses from elsewhere does not slow its owner down at school or at home. An attempt counts
//! as wrong from the moment it begins, so that many at once are not many guesses for free.

use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustc_hash::FxHashMap;
use samtale_protocol::Timestamp;

use super::Address;

/// Wrong passwords before the first wait: people mistype, and try the password they had last year.
const FREE_ATTEMPTS: u32 = 5;
/// The first wait; it doubles with each wrong password after.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait: at one guess per half a minute a password of ten characters outlives its account, and a person
/// who is being guessed at is through after one wait.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// After this long without an attempt the count begins anew.
const FORGET_AFTER: Duration = Duration::from_secs(60 * 60);
/// Attempts of one account per minute, right or wrong, unless configured: a login costs 19 MiB and 40 ms.
pub const ATTEMPTS_PER_MINUTE: u32 = 20;
const MINUTE: Duration = Duration::from_secs(60);
/// Wrong passwords from one address within [`ADDRESS_WINDOW`], before strangers there have to wait. A school with 800
/// pupils, each wrong twice, stays below it.
const WRONG_PER_ADDRESS: u32 = 2_000;
/// See [`WRONG_PER_ADDRESS`].
const ADDRESS_WINDOW: Duration = Duration::from_secs(10 * 60);
/// The addresses kept per account where it has logged in: home, school, work.
const FAMILIAR_ADDRESSES: usize = 4;
/// The accounts and the addresses kept, some 10 MB in all. What is beyond is forgotten, the longest untouched first.
const KEPT: usize = 50_000;

/// Counts attempts; see the module.
pub struct Slowdown {
    attempts_per_minute: u32,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    accounts: FxHashMap<[u8; 16], Account>,
    addresses: FxHashMap<Address, Window>,
}

#[derive(Default)]
struct Account {
    strangers: Tries,
    familiar: Vec<(Address, Tries)>,
    touched: Timestamp,
}

#[derive(Clone, Copy, Default)]
struct Tries {
    wrong: u32,
    last: Timestamp,
    minute: Window,
}

#[derive(Clone, Copy, Default)]
struct Window {
    count: u32,
    began: Timestamp,
}

impl Slowdown {
    /// Nothing counted yet.
    pub fn new(attempts_per_minute: u32) -> Self {
        Self {
            attempts_per_minute,
            counts: Mutex::default(),
        }
    }

    /// Begins an attempt on `account`, or says how long to wait. It counts as wrong until [`Slowdown::succeeded`] or
    /// [`Slowdown::withdrawn`].
    pub fn begin(&self, account: [u8; 16], address: Address, now: Timestamp) -> Result<(), Duration> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let Counts { accounts, addresses } = &mut *counts;
        make_room(accounts, &account, |account| account.touched);
        make_room(addresses, &address, |window| window.began);
        let entry = accounts.entry(account).or_default();
        let window = addresses.entry(address).or_default();
        window.roll(now, ADDRESS_WINDOW);
        entry.touched = now;
        let is_stranger = entry.familiar.iter().all(|(familiar, _)| *familiar != address);
        if is_stranger && window.count >= WRONG_PER_ADDRESS {
            return Err(window.left(now, ADDRESS_WINDOW));
        }
        let tries = entry.tries(address);
        tries.admit(self.attempts_per_minute, now)?;
        tries.wrong += 1;
        tries.last = now;
        tries.minute.count += 1;
        window.count += 1;
        Ok(())
    }

    /// The password was right: the count begins anew, and the address is known from now on.
    pub fn succeeded(&self, account: [u8; 16], address: Address) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.take_back(address);
        let Some(entry) = counts.accounts.get_mut(&account) else {
            return;
        };
        match entry.familiar.iter().position(|(familiar, _)| *familiar == address) {
            Some(place) => entry.familiar[place].1.wrong = 0,
            None => {
                entry.strangers.wrong = 0;
                if entry.familiar.len() == FAMILIAR_ADDRESSES {
                    entry.familiar.remove(0);
                }
                entry.familiar.push((address, entry.strangers));
            }
        }
    }

    /// The attempt came to nothing through no fault of the person: it does not count.
    pub fn withdrawn(&self, account: [u8; 16], address: Address) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.take_back(address);
        if let Some(entry) = counts.accounts.get_mut(&account) {
            let tries = entry.tries(address);
            tries.minute.count = tries.minute.count.saturating_sub(1);
            tries.wrong = tries.wrong.saturating_sub(1);
        }
    }
}

impl Counts {
    fn take_back(&mut self, address: Address) {
        if let Some(window) = self.addresses.get_mut(&address) {
            window.count = window.count.saturating_sub(1);
        }
    }
}

impl Account {
    fn tries(&mut self, address: Address) -> &mut Tries {
        match self.familiar.iter_mut().find(|(familiar, _)| *familiar == address) {
            Some((_, tries)) => tries,
            None => &mut self.strangers,
        }
    }
}

impl Tries {
    fn admit(&mut self, attempts_per_minute: u32, now: Timestamp) -> Result<(), Duration> {
        if now.since(self.last) >= FORGET_AFTER {
            *self = Self::default();
        }
        self.minute.roll(now, MINUTE);
        if self.minute.count >= attempts_per_minute {
            return Err(self.minute.left(now, MINUTE));
        }
        let Some(beyond) = self.wrong.checked_sub(FREE_ATTEMPTS) else {
            return Ok(());
        };
        let wait = FIRST_WAIT.saturating_mul(1 << beyond.min(16)).min(LONGEST_WAIT);
        match wait.saturating_sub(now.since(self.last)) {
            Duration::ZERO => Ok(()),
            left => Err(left),
        }
    }
}

impl Window {
    fn roll(&mut self, now: Timestamp, length: Duration) {
        if now.since(self.began) >= length {
            *self = Self { count: 0, began: now };
        }
    }

    fn left(&self, now: Timestamp, length: Duration) -> Duration {
        length
            .saturating_sub(now.since(self.began))
            .max(Duration::from_millis(1))
    }
}

/// Makes room for one more, by forgetting the tenth that was not touched for longest.
fn make_room<K: Hash + Eq + Clone, V>(map: &mut FxHashMap<K, V>, key: &K, touched: impl Fn(&V) -> Timestamp) {
    if map.len() < KEPT || map.contains_key(key) {
        return;
    }
    let mut times: Vec<Timestamp> = map.values().map(&touched).collect();
    let (_, oldest, _) = times.select_nth_unstable(KEPT / 10);
    let oldest = *oldest;
    map.retain(|_, value| touched(value) > oldest);
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNE: [u8; 16] = [1; 16];

    fn at(seconds: u64) -> Timestamp {
        Timestamp::saturating(1_800_000_000_000 + seconds * 1000)
    }

    fn address(last: u8) -> Address {
        Address::of([192, 0, 2, last].into())
    }

    fn free(slowdown: &Slowdown, account: [u8; 16], from: Address, now: Timestamp) {
        for attempt in 0..FREE_ATTEMPTS {
            slowdown
                .begin(account, from, now)
                .unwrap_or_else(|wait| panic!("attempt {attempt} waits {wait:?}"));
        }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_a_right_password_after_the_wait_gets_in() {
        let slowdown = Slowdown::new(1000);
        free(&slowdown, ANNE, address(1), at(0));
        let mut now = at(0);
        for expected in [1, 2, 4, 8, 16, 30, 30, 30] {
            let wait = slowdown.begin(ANNE, address(1), now).unwrap_err();
            assert_eq!(wait, Duration::from_secs(expected));
            now = now.plus(wait);
            slowdown.begin(ANNE, address(1), now).unwrap();
        }
        slowdown.succeeded(ANNE, address(1));
        free(&slowdown, ANNE, address(1), now);
    }

    #[test]
    fn asking_while_waiting_does_not_make_the_wait_longer() {
        let slowdown = Slowdown::new(1000);
        free(&slowdown, ANNE, address(1), at(0));
        for _ in 0..100 {
            slowdown.begin(ANNE, address(1), at(0)).unwrap_err();
        }
        slowdown.begin(ANNE, address(1), at(1)).unwrap();
    }

    #[test]
    fn a_stranger_who_guesses_does_not_slow_the_owner_down_where_they_have_logged_in() {
        let slowdown = Slowdown::new(1000);
        slowdown.begin(ANNE, address(1), at(0)).unwrap();
        slowdown.succeeded(ANNE, address(1));
        free(&slowdown, ANNE, address(66), at(1));
        slowdown.begin(ANNE, address(66), at(1)).unwrap_err();
        slowdown.begin(ANNE, address(67), at(1)).unwrap_err();
        slowdown.begin(ANNE, address(1), at(1)).unwrap();
    }

    #[test]
    fn a_school_at_one_address_is_not_slowed_down() {
        let slowdown = Slowdown::new(ATTEMPTS_PER_MINUTE);
        for pupil in 0..800_u16 {
            let mut account = [0; 16];
            account[..2].copy_from_slice(&pupil.to_be_bytes());
            slowdown.begin(account, address(1), at(0)).unwrap();
            slowdown.begin(account, address(1), at(0)).unwrap();
            slowdown.succeeded(account, address(1));
        }
    }

    #[test]
    fn one_password_tried_on_thousands_of_accounts_stops_at_the_outer_bound() {
        let slowdown = Slowdown::new(1000);
        let account = |number: u32| {
            let mut account = [9; 16];
            account[..4].copy_from_slice(&number.to_be_bytes());
            account
        };
        slowdown.begin(ANNE, address(1), at(0)).unwrap();
        slowdown.succeeded(ANNE, address(1));
        for number in 0..WRONG_PER_ADDRESS {
            slowdown.begin(account(number), address(1), at(1)).unwrap();
        }
        let wait = slowdown
            .begin(account(WRONG_PER_ADDRESS), address(1), at(1))
            .unwrap_err();
        assert!(wait <= ADDRESS_WINDOW);
        slowdown.begin(account(WRONG_PER_ADDRESS), address(2), at(1)).unwrap();
        slowdown.begin(ANNE, address(1), at(1)).unwrap();
        slowdown
            .begin(account(0), address(1), at(1 + ADDRESS_WINDOW.as_secs()))
            .unwrap();
    }

    #[test]
    fn attempts_per_minute_are_bounded_even_when_right() {
        let slowdown = Slowdown::new(3);
        for _ in 0..3 {
            slowdown.begin(ANNE, address(1), at(0)).unwrap();
            slowdown.succeeded(ANNE, address(1));
        }
        assert_eq!(
            slowdown.begin(ANNE, address(1), at(20)).unwrap_err(),
            Duration::from_secs(40)
        );
        slowdown.begin(ANNE, address(1), at(60)).unwrap();
    }

    #[test]
    fn a_withdrawn_attempt_does_not_count() {
        let slowdown = Slowdown::new(1000);
        for _ in 0..100 {
            slowdown.begin(ANNE, address(1), at(0)).unwrap();
            slowdown.withdrawn(ANNE, address(1));
        }
        free(&slowdown, ANNE, address(1), at(0));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let slowdown = Slowdown::new(1000);
        for number in 0..(KEPT as u64 + 10) {
            let mut account = [3; 16];
            account[..8].copy_from_slice(&number.to_be_bytes());
            let [.., a, b, c] = number.to_be_bytes();
            slowdown
                .begin(account, Address::of([10, a, b, c].into()), at(number))
                .unwrap();
        }
        let counts = slowdown.counts.lock().unwrap();
        assert!(counts.accounts.len() <= KEPT && counts.addresses.len() <= KEPT);
        assert!(counts.accounts.len() > KEPT / 2);
    }
}
