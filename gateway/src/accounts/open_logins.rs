//! Logins that were found open: whoever comes back with the same token is let in without a look into storage, as
//! everybody does at once after an outage.
//!
//! Each node hears of the logins that end, on it or on others, and forgets them here. Nothing is kept that was looked up
//! while such news came in, because nobody knows which of the two was first.

use std::sync::{PoisonError, RwLock};

use rustc_hash::FxHashMap;
use samtale_protocol::people::Caller;
use samtale_protocol::{PersonId, SessionId};

/// The people who are remembered, some 12 MB. A node has at most some tens of thousands at a time.
const KEPT: usize = 150_000;
/// The logins of one person who are remembered, as many as most people have devices.
const LOGINS: usize = 2;

/// See the module.
#[derive(Default)]
pub struct OpenLogins {
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    people: FxHashMap<PersonId, Person>,
    /// How often something was forgotten.
    forgotten: u64,
}

struct Person {
    logins: [Option<SessionId>; LOGINS],
    presence_hidden: bool,
}

/// When a look into storage began.
#[derive(Clone, Copy, Debug)]
pub struct Since(u64);

impl OpenLogins {
    /// Whether the person hides that they are online, if their login is known to be open; when to keep what storage says
    /// if it is not.
    pub fn presence_hidden(&self, caller: &Caller) -> Result<bool, Since> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let person = known.people.get(&caller.person);
        let open = person.filter(|person| person.logins.contains(&Some(caller.session)));
        open.map(|person| person.presence_hidden).ok_or(Since(known.forgotten))
    }

    /// The login was found open by a look that began at `since`.
    pub fn keep(&self, caller: &Caller, presence_hidden: bool, since: Since) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.forgotten != since.0 {
            return;
        }
        if known.people.len() >= KEPT && !known.people.contains_key(&caller.person) {
            // Rare, and it costs no more than looking again.
            known.people.clear();
        }
        let person = known.people.entry(caller.person).or_insert(Person {
            logins: [None; LOGINS],
            presence_hidden,
        });
        person.presence_hidden = presence_hidden;
        if !person.logins.contains(&Some(caller.session)) {
            person.logins.rotate_right(1);
            person.logins[0] = Some(caller.session);
        }
    }

    /// Something about the person's logins has changed.
    pub fn forget(&self, person: PersonId) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.people.remove(&person);
        known.forgotten += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(person: u8, session: u8) -> Caller {
        Caller {
            person: PersonId::from_bytes([person; 16]),
            session: SessionId::from_bytes([session; 16]),
        }
    }

    fn found_open(open: &OpenLogins, caller: Caller, hidden: bool) {
        if let Err(since) = open.presence_hidden(&caller) {
            open.keep(&caller, hidden, since);
        }
    }

    #[test]
    fn a_login_is_known_until_something_about_the_person_changes() {
        let open = OpenLogins::default();
        found_open(&open, caller(1, 1), true);
        found_open(&open, caller(2, 1), false);
        assert!(open.presence_hidden(&caller(1, 1)).unwrap());
        assert!(open.presence_hidden(&caller(1, 2)).is_err(), "another login of theirs");
        open.forget(caller(1, 1).person);
        assert!(open.presence_hidden(&caller(1, 1)).is_err());
        assert!(!open.presence_hidden(&caller(2, 1)).unwrap());
    }

    #[test]
    fn what_was_looked_up_while_a_login_ended_is_not_kept() {
        let open = OpenLogins::default();
        let since = open.presence_hidden(&caller(1, 1)).unwrap_err();
        open.forget(caller(1, 1).person);
        open.keep(&caller(1, 1), false, since);
        assert!(open.presence_hidden(&caller(1, 1)).is_err());
    }

    #[test]
    fn devices_and_people_are_bounded() {
        let open = OpenLogins::default();
        (1..=3).for_each(|session| found_open(&open, caller(1, session), false));
        let known = (1..=3).map(|session| open.presence_hidden(&caller(1, session)).is_ok());
        assert_eq!(known.collect::<Vec<_>>(), [false, true, true]);
        for number in 0..=KEPT as u64 {
            let mut bytes = [9; 16];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            let caller = Caller {
                person: PersonId::from_bytes(bytes),
                session: SessionId::from_bytes([1; 16]),
            };
            found_open(&open, caller, false);
        }
        assert!(open.known.read().unwrap().people.len() <= KEPT);
    }
}
