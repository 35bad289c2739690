//! Logins that ended while access tokens of theirs still last: those tokens no longer count.
//!
//! An access token is checked without storage, so what ended is remembered here for as long as a token lasts. Each node
//! hears of the logins that end on others.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use rustc_hash::FxHashMap;
use samtale_protocol::{PersonId, SessionId, Timestamp};

use super::tokens::Claims;

/// The ended logins that are remembered, some 8 MB. More than these in one token's lifetime is a whole municipality
/// logging out; the ones that ended first are forgotten then, and their tokens run out by themselves.
const KEPT: usize = 200_000;

/// See the module.
#[derive(Default)]
pub struct EndedLogins {
    ended: RwLock<Ended>,
}

#[derive(Default)]
struct Ended {
    sessions: FxHashMap<SessionId, Timestamp>,
    /// Whose tokens from before this time no longer count.
    persons: FxHashMap<PersonId, Timestamp>,
}

impl EndedLogins {
    /// The login `session` of `person`, or all of them, ended at `now`; tokens issued before last for `lifetime`.
    pub fn end(&self, person: PersonId, session: Option<SessionId>, now: Timestamp, lifetime: Duration) {
        let mut ended = self.ended.write().unwrap_or_else(PoisonError::into_inner);
        let Ended { sessions, persons } = &mut *ended;
        match session {
            Some(session) => {
                make_room(sessions, now, lifetime);
                sessions.insert(session, now);
            }
            None => {
                make_room(persons, now, lifetime);
                persons.insert(person, now);
            }
        }
    }

    /// Whether the login of these claims has ended.
    pub fn has_ended(&self, claims: &Claims) -> bool {
        let ended = self.ended.read().unwrap_or_else(PoisonError::into_inner);
        ended.sessions.contains_key(&claims.session)
            || ended
                .persons
                .get(&claims.person)
                .is_some_and(|ended_at| claims.issued_at < *ended_at)
    }
}

/// Forgets what no token can be from any more, at most every so often, and more when that is not enough.
fn make_room<K: Eq + std::hash::Hash>(map: &mut FxHashMap<K, Timestamp>, now: Timestamp, lifetime: Duration) {
    if map.len() < map.capacity() && map.len() < KEPT {
        return;
    }
    map.retain(|_, ended_at| now.since(*ended_at) < lifetime);
    if map.len() >= KEPT {
        let mut times: Vec<Timestamp> = map.values().copied().collect();
        let (_, oldest, _) = times.select_nth_unstable(KEPT / 10);
        let oldest = *oldest;
        map.retain(|_, ended_at| *ended_at > oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(900);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::saturating(1_800_000_000_000 + seconds * 1000)
    }

    fn claims(person: u8, session: u8, issued_at: Timestamp) -> Claims {
        Claims {
            person: PersonId::from_bytes([person; 16]),
            session: SessionId::from_bytes([session; 16]),
            issued_at,
            expires_at: issued_at.plus(LIFETIME),
        }
    }

    #[test]
    fn one_login_ends_alone_and_all_end_up_to_now() {
        let ended = EndedLogins::default();
        ended.end(
            PersonId::from_bytes([1; 16]),
            Some(SessionId::from_bytes([1; 16])),
            at(10),
            LIFETIME,
        );
        assert!(ended.has_ended(&claims(1, 1, at(0))));
        assert!(!ended.has_ended(&claims(1, 2, at(0))));
        ended.end(PersonId::from_bytes([1; 16]), None, at(20), LIFETIME);
        assert!(ended.has_ended(&claims(1, 2, at(0))));
        assert!(!ended.has_ended(&claims(1, 3, at(20))));
        assert!(!ended.has_ended(&claims(2, 4, at(0))));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_lasts_as_long_as_a_token() {
        let ended = EndedLogins::default();
        for number in 0..(KEPT as u64 * 2) {
            let mut session = [0; 16];
            session[..8].copy_from_slice(&number.to_be_bytes());
            ended.end(
                PersonId::from_bytes([1; 16]),
                Some(SessionId::from_bytes(session)),
                at(number / 100),
                LIFETIME,
            );
        }
        assert!(ended.ended.read().unwrap().sessions.len() <= KEPT);
        for number in 0..(KEPT as u64 * 2) {
            let mut session = [1; 16];
            session[..8].copy_from_slice(&number.to_be_bytes());
            ended.end(
                PersonId::from_bytes([1; 16]),
                Some(SessionId::from_bytes(session)),
                at(9000),
                LIFETIME,
            );
        }
        assert!(ended.ended.read().unwrap().sessions.len() <= KEPT);
    }
}
