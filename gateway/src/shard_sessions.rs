//! The sessions of a shard: found by person, by space, and by whom they watch.

use std::rc::Rc;

use rustc_hash::FxHashMap;
use samtale_protocol::{PersonId, ProfileId, SpaceId};
use samtale_router::delivery::Safe;
use samtale_router::{CursorPlace, Position, Recipients};
use smallvec::SmallVec;

use crate::connection::Connection;
use crate::session::SessionSpace;

/// A space that sessions of the shard are in.
#[derive(Default)]
struct ShardSpace {
    /// Up to where everything was delivered.
    safe: Safe,
    /// The newest entry that was handed over; older ones may still wait for their thread.
    seen: Position,
    /// Whether the router hands over what happens in it.
    followed: bool,
    /// Whether the journal fills in at the moment: nobody goes live until it has.
    moving: bool,
    /// The sessions.
    slots: Vec<u32>,
    /// Sessions that read further in the log than was handed over when they went live, by slot, with the offset they came to.
    ahead: Vec<(u32, u64)>,
}

impl ShardSpace {
    /// An entry at `position` was handed over. Returns the sessions that have read it already, in order.
    fn on_delivery(&mut self, position: Position) -> Vec<u32> {
        if position.epoch != self.seen.epoch {
            self.seen = position;
            self.ahead.clear();
        }
        // It waited for its thread: whoever has read it in the log is given it twice, which is harmless.
        if position.offset <= self.seen.offset {
            return Vec::new();
        }
        self.seen = position;
        self.ahead.retain(|(_, reached)| *reached >= position.offset);
        self.ahead.iter().map(|(slot, _)| *slot).collect()
    }
}

/// Places of sessions: most people have one or two devices.
type Slots = SmallVec<[u32; 2]>;

/// The sessions of a shard.
#[derive(Default)]
pub struct Sessions {
    slots: Vec<Option<Rc<Connection>>>,
    free: Vec<u32>,
    people: FxHashMap<PersonId, Slots>,
    spaces: FxHashMap<SpaceId, ShardSpace>,
    watchers: FxHashMap<ProfileId, Slots>,
    watched: FxHashMap<ProfileId, Watched>,
}

/// Someone whom sessions of the shard watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// In which space.
    pub space: SpaceId,
    /// By this profile.
    pub profile: ProfileId,
    /// Who it is.
    pub person: PersonId,
    /// Whether the sessions were told that they are online.
    pub online: bool,
}

impl Sessions {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many sessions a person has here.
    pub fn count_of(&self, person: PersonId) -> usize {
        self.people.get(&person).map_or(0, Slots::len)
    }

    /// Takes in a new session; `make` gets its slot.
    pub fn add(&mut self, make: impl FnOnce(u32) -> Connection) -> Rc<Connection> {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let connection = Rc::new(make(slot));
        let session = connection.session.borrow();
        self.people.entry(session.caller().person).or_default().push(slot);
        for own in session.spaces() {
            self.spaces.entry(own.space).or_default().slots.push(slot);
        }
        drop(session);
        self.slots[slot as usize] = Some(Rc::clone(&connection));
        connection
    }

    /// Lets a session go. Returns the spaces that no session of the shard is in any more.
    pub fn remove(&mut self, connection: &Connection) -> Vec<SpaceId> {
        let slot = connection.slot;
        self.watch(connection, Vec::new());
        let session = connection.session.borrow();
        remove_from(&mut self.people, &session.caller().person, slot);
        let mut left = Vec::new();
        for own in session.spaces() {
            let Some(space) = self.spaces.get_mut(&own.space) else {
                continue;
            };
            space.slots.retain(|other| *other != slot);
            space.ahead.retain(|(other, _)| *other != slot);
            if space.slots.is_empty() {
                if space.followed {
                    left.push(own.space);
                }
                self.spaces.remove(&own.space);
            }
        }
        self.slots[slot as usize] = None;
        self.free.push(slot);
        left
    }

    /// Up to where everything of a space was delivered; `None` if the shard does not follow it.
    pub fn safe(&self, space: SpaceId) -> Option<Safe> {
        self.spaces
            .get(&space)
            .filter(|space| space.followed)
            .map(|space| space.safe)
    }

    /// The newest entry of a space that was handed over to its sessions.
    pub fn seen(&self, space: SpaceId) -> Option<Position> {
        self.spaces.get(&space).map(|space| space.seen)
    }

    /// Whether the router follows a space for this shard.
    pub fn is_followed(&self, space: SpaceId) -> bool {
        self.spaces.get(&space).is_some_and(|space| space.followed)
    }

    /// The router follows a space from here on, for the shard's first session in it. `false` if it did already, or the
    /// sessions are gone: then one of the two ends again.
    pub fn begin(&mut self, space: SpaceId, safe: Safe) -> bool {
        match self.spaces.get_mut(&space) {
            Some(known) if !known.followed => {
                // Whoever catches up from here on reads what the log has now, whatever the journal fills in elsewhere.
                (known.followed, known.moving) = (true, false);
                // What was handed over for another shard meanwhile may be further than the answer to this one.
                if !known.seen.is_known() {
                    (known.safe, known.seen) = (safe, safe.position);
                }
                true
            }
            _ => false,
        }
    }

    /// An entry was handed over, of the log if it has a position; everything up to `safe` was. Returns the slots of the
    /// sessions that have read it already, in order.
    pub fn on_delivery(&mut self, space: SpaceId, position: Option<Position>, safe: Safe) -> Vec<u32> {
        let Some(space) = self.spaces.get_mut(&space) else {
            return Vec::new();
        };
        space.safe = safe;
        position.map_or_else(Vec::new, |position| space.on_delivery(position))
    }

    /// A session goes live that has read the log up to `offset`, in the epoch of what was handed over.
    pub fn on_caught_up(&mut self, space: SpaceId, slot: u32, offset: u64) {
        if let Some(space) = self.spaces.get_mut(&space)
            && offset > space.seen.offset
        {
            match space.ahead.binary_search_by_key(&slot, |(slot, _)| *slot) {
                Ok(place) => space.ahead[place].1 = offset,
                Err(place) => space.ahead.insert(place, (slot, offset)),
            }
        }
    }

    /// The journal fills in until the log goes on.
    pub fn on_moving(&mut self, space: SpaceId) {
        if let Some(space) = self.spaces.get_mut(&space) {
            space.moving = true;
        }
    }

    /// Whether it does.
    pub fn is_moving(&self, space: SpaceId) -> bool {
        self.spaces.get(&space).is_some_and(|space| space.moving)
    }

    /// The space's log goes on at another place.
    pub fn on_moved(&mut self, space: SpaceId, safe: Safe) {
        if let Some(space) = self.spaces.get_mut(&space) {
            (space.safe, space.seen, space.moving) = (safe, safe.position, false);
            space.ahead.clear();
        }
    }

    /// The places of these spaces, for a cursor.
    pub fn places(&self, spaces: &[SessionSpace]) -> Vec<CursorPlace> {
        let place = |own: &SessionSpace| {
            let safe = self.safe(own.space)?;
            Some(CursorPlace {
                space: own.space,
                position: safe.position,
                time: safe.time,
            })
        };
        spaces.iter().filter_map(place).collect()
    }

    /// Calls `with` for each session of the recipients.
    pub fn for_each(&self, space: SpaceId, recipients: &Recipients, mut with: impl FnMut(&Rc<Connection>)) {
        let mut call = |slots: &[u32]| {
            for slot in slots {
                if let Some(Some(connection)) = self.slots.get(*slot as usize) {
                    with(connection);
                }
            }
        };
        match recipients {
            Recipients::Space => call(self.spaces.get(&space).map_or(&[], |space| space.slots.as_slice())),
            Recipients::People(people) => {
                for person in people.iter() {
                    if let Some(slots) = self.people.get(person) {
                        call(slots);
                    }
                }
            }
        }
    }

    /// A person's sessions.
    pub fn of_person(&self, person: PersonId) -> Vec<Rc<Connection>> {
        self.at(self.people.get(&person))
    }

    /// The sessions whose screen shows a profile.
    pub fn watchers(&self, profile: ProfileId) -> Vec<Rc<Connection>> {
        self.at(self.watchers.get(&profile))
    }

    /// Replaces whom a session watches.
    pub fn watch(&mut self, connection: &Connection, watched: Vec<Watched>) {
        let profiles = watched.iter().map(|watched| watched.profile).collect();
        for profile in connection.watched.replace(profiles) {
            remove_from(&mut self.watchers, &profile, connection.slot);
            if !self.watchers.contains_key(&profile) {
                self.watched.remove(&profile);
            }
        }
        for one in watched {
            self.watchers.entry(one.profile).or_default().push(connection.slot);
            self.watched.insert(one.profile, one);
        }
    }

    /// Everyone whom a session watches.
    pub fn all_watched(&self) -> Vec<Watched> {
        self.watched.values().copied().collect()
    }

    /// The sessions are told whether someone they watch is online. Returns whether that is news to them.
    pub fn set_online(&mut self, profile: ProfileId, online: bool) -> bool {
        let watched = self.watched.get_mut(&profile);
        watched.is_some_and(|watched| std::mem::replace(&mut watched.online, online) != online)
    }

    /// All sessions.
    pub fn all(&self) -> Vec<Rc<Connection>> {
        self.slots.iter().flatten().map(Rc::clone).collect()
    }

    /// Every `round`th session, beginning with `turn`.
    pub fn in_turn(&self, turn: u64, round: u64) -> Vec<Rc<Connection>> {
        let (turn, round) = (
            usize::try_from(turn).unwrap_or(0),
            usize::try_from(round).unwrap_or(1).max(1),
        );
        self.slots
            .iter()
            .skip(turn)
            .step_by(round)
            .flatten()
            .map(Rc::clone)
            .collect()
    }

    fn at(&self, slots: Option<&Slots>) -> Vec<Rc<Connection>> {
        let slots = slots.into_iter().flatten();
        slots
            .filter_map(|slot| self.slots.get(*slot as usize)?.as_ref().map(Rc::clone))
            .collect()
    }
}

fn remove_from<K: std::hash::Hash + Eq>(map: &mut FxHashMap<K, Slots>, key: &K, slot: u32) {
    if let Some(slots) = map.get_mut(key) {
        slots.retain(|other| *other != slot);
        if slots.is_empty() {
            map.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use samtale_router::Epoch;

    use super::*;

    const fn at(epoch: u64, offset: u64) -> Position {
        Position {
            epoch: Epoch(epoch),
            offset,
        }
    }

    const SPACE: SpaceId = SpaceId::from_bytes([1; 16]);

    /// Sessions in a space up to offset 10, three of which read further before they went live.
    fn sessions() -> Sessions {
        let mut sessions = Sessions::default();
        let space = sessions.spaces.entry(SPACE).or_default();
        (space.followed, space.seen) = (true, at(1, 10));
        sessions.on_caught_up(SPACE, 7, 12);
        sessions.on_caught_up(SPACE, 3, 11);
        sessions.on_caught_up(SPACE, 4, 10);
        sessions.on_caught_up(SPACE, 5, 12);
        sessions
    }

    fn told(sessions: &mut Sessions, epoch: u64, offset: u64) -> Vec<u32> {
        sessions.on_delivery(SPACE, Some(at(epoch, offset)), Safe::default())
    }

    #[test]
    fn who_read_an_entry_before_going_live_is_not_given_it_again() {
        let mut sessions = sessions();
        assert_eq!(told(&mut sessions, 1, 11), [3, 5, 7]);
        assert_eq!(told(&mut sessions, 1, 12), [5, 7]);
        assert!(told(&mut sessions, 1, 13).is_empty());
        assert!(sessions.spaces[&SPACE].ahead.is_empty());
    }

    #[test]
    fn a_shard_that_begins_to_follow_keeps_what_it_was_handed_over_already() {
        let mut sessions = Sessions::default();
        sessions.spaces.entry(SPACE).or_default();
        sessions.on_moving(SPACE);
        assert!(sessions.is_moving(SPACE));
        let answer = Safe {
            position: at(1, 10),
            ..Safe::default()
        };
        let moved = Safe {
            position: at(2, 3),
            ..Safe::default()
        };
        sessions.on_moved(SPACE, moved);
        sessions.on_moving(SPACE);
        assert!(sessions.begin(SPACE, answer));
        assert_eq!(sessions.seen(SPACE), Some(at(2, 3)));
        assert!(
            !sessions.is_moving(SPACE),
            "whose catching up begins only now need not wait"
        );
    }

    #[test]
    fn what_has_no_place_of_its_own_in_the_log_is_for_everyone() {
        let mut sessions = sessions();
        let elsewhere = sessions.on_delivery(SPACE, None, Safe::default());
        assert!(
            elsewhere.is_empty(),
            "told by the node that wrote it, or from the journal"
        );
        assert!(told(&mut sessions, 1, 10).is_empty(), "it waited for its thread");
        assert_eq!(told(&mut sessions, 1, 12), [5, 7], "a hole in the log changes nothing");
    }

    #[test]
    fn a_log_that_began_anew_has_been_read_by_nobody() {
        let mut moved = sessions();
        let position = at(2, 1);
        moved.on_moved(
            SPACE,
            Safe {
                position,
                ..Safe::default()
            },
        );
        assert!(told(&mut moved, 2, 2).is_empty());
        assert!(told(&mut sessions(), 2, 2).is_empty());
    }
}
