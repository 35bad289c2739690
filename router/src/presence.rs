//! Who is online. Nothing of it is stored, and nothing of it remembers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rustc_hash::{FxHashMap, FxHashSet};
use samtale_protocol::{PersonId, Timestamp};

use crate::log::LogError;

/// For how long what other nodes told last is held on to when they can not be asked. A node may have ended meanwhile, and a
/// wrong "online" is gone within 30 s, of which up to 10 pass until someone asks again.
const UNANSWERED: Duration = Duration::from_secs(15);

/// What nodes tell each other of who is online. What a node told ends by itself soon after the node.
#[async_trait]
pub trait SharedPresence: Send + Sync + 'static {
    /// Tells whether others see that `person` is online on this node.
    async fn tell(&self, person: PersonId, online: bool) -> Result<(), LogError>;

    /// Whether each of these is online on any node.
    async fn online(&self, persons: &[PersonId]) -> Result<Vec<bool>, LogError>;
}

/// The persons with a session on this node, those who hide, and what other nodes tell.
#[derive(Default)]
pub struct Presence {
    state: Mutex<State>,
    shared: Option<Arc<dyn SharedPresence>>,
}

#[derive(Default)]
struct State {
    sessions: FxHashMap<PersonId, u32>,
    hidden: FxHashSet<PersonId>,
    /// When the other nodes' people were last asked for and told.
    answered: Option<Timestamp>,
}

impl Presence {
    /// Nobody is online yet; other nodes tell through `shared`.
    pub fn shared_by(shared: Arc<dyn SharedPresence>) -> Self {
        Self {
            state: Mutex::default(),
            shared: Some(shared),
        }
    }

    /// Whether this is the only node.
    pub fn is_alone(&self) -> bool {
        self.shared.is_none()
    }

    /// A session of `person` began. Returns whether others now see them come online here.
    pub fn connected(&self, person: PersonId, hidden: bool) -> bool {
        let mut state = self.lock();
        if hidden {
            state.hidden.insert(person);
        }
        let sessions = state.sessions.entry(person).or_default();
        *sessions += 1;
        *sessions == 1 && !hidden
    }

    /// A session of `person` ended. Returns whether others now see them go offline here.
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

    /// `person` hides or shows themselves. Returns whether others see a change here.
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

    /// Whether others see that `person` is online here.
    pub fn is_online_here(&self, person: PersonId) -> bool {
        let state = self.lock();
        state.sessions.contains_key(&person) && !state.hidden.contains(&person)
    }

    /// Everyone whom others see online here.
    pub fn all_here(&self) -> Vec<PersonId> {
        let state = self.lock();
        let people = state.sessions.keys();
        people
            .filter(|person| !state.hidden.contains(person))
            .copied()
            .collect()
    }

    /// Tells the other nodes how it is with `person` here, and returns whether they are online on any node. Whatever order
    /// such calls come in, the last one tells what is.
    pub async fn settle(&self, person: PersonId) -> bool {
        let here = self.is_online_here(person);
        let Some(shared) = &self.shared else { return here };
        // What is not heard now is told again with the lease.
        let _ = shared.tell(person, here).await;
        here || shared.online(&[person]).await.is_ok_and(|online| online == [true])
    }

    /// Whether each of these is online on any node. `None` when the other nodes can not be asked now: what they told last holds
    /// for a while. After that, only who is here is online.
    pub async fn online(&self, persons: &[PersonId], now: Timestamp) -> Option<Vec<bool>> {
        let elsewhere = match &self.shared {
            Some(shared) => shared.online(persons).await,
            None => Ok(vec![false; persons.len()]),
        };
        let here: Vec<bool> = persons.iter().map(|person| self.is_online_here(*person)).collect();
        match elsewhere {
            Ok(elsewhere) => {
                self.lock().answered = Some(now);
                let both = here.into_iter().zip(elsewhere);
                Some(both.map(|(here, elsewhere)| here || elsewhere).collect())
            }
            Err(_) => {
                let answered = self.lock().answered;
                let holds = answered.is_none_or(|answered| now.since(answered) < UNANSWERED);
                (!holds).then_some(here)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: PersonId = PersonId::from_bytes([1; 16]);

    #[test]
    fn two_devices_are_one_person_and_a_hidden_one_is_seen_by_nobody() {
        let presence = Presence::default();
        assert!(presence.connected(ANNA, false));
        assert!(!presence.connected(ANNA, false));
        assert!(presence.is_online_here(ANNA));
        assert!(!presence.disconnected(ANNA));
        assert!(presence.set_hidden(ANNA, true) && !presence.set_hidden(ANNA, true));
        assert!(!presence.is_online_here(ANNA) && presence.all_here().is_empty());
        assert!(!presence.disconnected(ANNA));
        assert!(
            presence.connected(ANNA, false),
            "hiding is a setting that the caller passes in, not a memory"
        );
    }

    #[tokio::test]
    async fn a_node_alone_asks_nobody() {
        let presence = Presence::default();
        presence.connected(ANNA, false);
        assert!(presence.is_alone() && presence.settle(ANNA).await);
        let (bo, now) = (PersonId::from_bytes([2; 16]), Timestamp::saturating(1_000));
        assert_eq!(presence.online(&[ANNA, bo], now).await, Some(vec![true, false]));
    }

    /// Other nodes that answer until they do not.
    struct Elsewhere(std::sync::atomic::AtomicBool);

    #[async_trait]
    impl SharedPresence for Elsewhere {
        async fn tell(&self, _: PersonId, _: bool) -> Result<(), LogError> {
            Ok(())
        }

        async fn online(&self, persons: &[PersonId]) -> Result<Vec<bool>, LogError> {
            if self.0.load(std::sync::atomic::Ordering::Relaxed) {
                return Ok(vec![true; persons.len()]);
            }
            Err(LogError {
                reason: "away".to_owned(),
            })
        }
    }

    #[tokio::test]
    async fn what_other_nodes_told_holds_for_a_while_when_they_can_not_be_asked() {
        let elsewhere = Arc::new(Elsewhere(true.into()));
        let presence = Presence::shared_by(Arc::clone(&elsewhere) as _);
        let bo = PersonId::from_bytes([2; 16]);
        let (now, later) = (Timestamp::saturating(1_000), Timestamp::saturating(16_000));
        presence.connected(ANNA, false);
        assert_eq!(presence.online(&[ANNA, bo], now).await, Some(vec![true, true]));
        elsewhere.0.store(false, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(presence.online(&[ANNA, bo], now).await, None);
        assert_eq!(presence.online(&[ANNA, bo], later).await, Some(vec![true, false]));
        elsewhere.0.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(presence.online(&[ANNA, bo], later).await, Some(vec![true, true]));
    }
}
