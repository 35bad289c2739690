//! Who is online on this node. Nothing of it is stored, and nothing of it remembers.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};
use samtale_protocol::PersonId;

/// The persons with a session on this node, and those who hide.
#[derive(Default)]
pub struct Presence {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sessions: FxHashMap<PersonId, u32>,
    hidden: FxHashSet<PersonId>,
}

impl Presence {
    /// A session of `person` began. Returns whether others now see them come online.
    pub fn connected(&self, person: PersonId, hidden: bool) -> bool {
        let mut state = self.lock();
        if hidden {
            state.hidden.insert(person);
        }
        let sessions = state.sessions.entry(person).or_default();
        *sessions += 1;
        *sessions == 1 && !hidden
    }

    /// A session of `person` ended. Returns whether others now see them go offline.
    pub fn disconnected(&self, person: PersonId) -> bool {
        let mut state = self.lock();
        let Some(sessions) = state.sessions.get_mut(&person) else {
            return false;
        };
        *sessions -= 1;
        if *sessions > 0 {
            return false;
        }
        state.sessions.remove(&person);
        !state.hidden.remove(&person)
    }

    /// `person` hides or shows themselves. Returns whether others see a change.
    pub fn set_hidden(&self, person: PersonId, hidden: bool) -> bool {
        let mut state = self.lock();
        if !state.sessions.contains_key(&person) {
            return false;
        }
        if hidden {
            state.hidden.insert(person)
        } else {
            state.hidden.remove(&person)
        }
    }

    /// Whether others see that `person` is online.
    pub fn is_online(&self, person: PersonId) -> bool {
        let state = self.lock();
        state.sessions.contains_key(&person) && !state.hidden.contains(&person)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_devices_are_one_person_and_a_hidden_one_is_seen_by_nobody() {
        let presence = Presence::default();
        let anna = PersonId::from_bytes([1; 16]);
        assert!(presence.connected(anna, false));
        assert!(!presence.connected(anna, false));
        assert!(presence.is_online(anna));
        assert!(!presence.disconnected(anna));
        assert!(presence.set_hidden(anna, true) && !presence.set_hidden(anna, true));
        assert!(!presence.is_online(anna));
        assert!(!presence.disconnected(anna));
        assert!(
            presence.connected(anna, false),
            "hiding is a setting that the caller passes in, not a memory"
        );
    }
}
