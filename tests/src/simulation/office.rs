//! The school's office: children come into the class and leave it, as an import says, at once or on a day, and the threads
//! that go to the guardians of the class follow. What fails half-way is done again, through whatever node lives.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use samtale_protocol::time::Clock;
use samtale_protocol::{ProfileId, ThreadId, Timestamp};
use samtale_school::School;
use samtale_storage::directory::{GroupMemberRecord, group_member_key};
use samtale_storage::memory::MemoryEngine;
use samtale_storage::{StorageError, Store};

use crate::checker::Note;
use crate::simulation::device::Shared;
use crate::simulation::node::Node;
use crate::simulation::randomness::Seeded;
use crate::simulation::world::SimulatedClock;

/// The device that the notes of the office are of.
pub const OFFICE: u32 = u32::MAX - 1;

/// How long the office waits for a node that may have died.
const PATIENCE: Duration = Duration::from_secs(30);

/// More than the clocks of two nodes differ.
const CLOCKS_APART: Duration = Duration::from_secs(1);

/// A child's last day was before any node's clock shows now.
const SOME_DAYS: Duration = Duration::from_hours(48);

/// The office.
pub struct Office {
    shared: Shared,
    store: Store,
    clock: Arc<SimulatedClock>,
    /// The children who are in the class.
    class: BTreeSet<ProfileId>,
    /// The threads that go to the guardians of the class.
    threads: Vec<ThreadId>,
    changes: u64,
    is_busy: Rc<Cell<bool>>,
}

impl Office {
    /// The office of a school whose children are all in the class. It writes its lists without a fault.
    pub fn new(shared: Shared, engine: &Arc<MemoryEngine>, clock: Arc<SimulatedClock>) -> Self {
        let store = Store::new(Arc::clone(engine) as Arc<dyn samtale_storage::Engine>);
        let class = shared.people.children().into_iter().collect();
        Self {
            shared,
            store,
            clock,
            class,
            threads: Vec::new(),
            changes: 0,
            is_busy: Rc::default(),
        }
    }

    /// A thread that goes to the guardians of the class.
    pub fn follows(&mut self, thread: ThreadId) {
        self.threads.push(thread);
    }

    /// Whether a change is not yet known to everyone.
    pub fn is_busy(&self) -> bool {
        self.is_busy.get()
    }

    /// A child leaves the class, or comes into it again, unless the last change is not through yet.
    pub async fn move_a_child(&mut self, random: &mut Seeded) -> Result<(), StorageError> {
        let children = self.shared.people.children();
        let Some(child) = random.pick(&children).copied().filter(|_| !self.is_busy()) else {
            return Ok(());
        };
        let before = self.guardians();
        let comes = !self.class.remove(&child) && self.class.insert(child);
        let after = self.guardians();
        let moved: Vec<ProfileId> = before.symmetric_difference(&after).copied().collect();
        for (thread, profile) in each(&self.threads, &moved) {
            let note = Note::FollowAsked { thread, profile, comes };
            self.shared.note(OFFICE, note);
        }
        self.changes += 1;
        let now = self.clock.now();
        let date = random
            .chance(500)
            .then(|| now.plus(Duration::from_millis(random.between(2_000, 12_000))));
        let people = &self.shared.people;
        let key = group_member_key(people.space, people.group, child);
        let record = GroupMemberRecord {
            from: date.filter(|_| comes),
            to: (!comes).then(|| date.unwrap_or(now.minus(SOME_DAYS))),
        };
        // The drawn row was written at 1.
        self.store.put(key, &record, 1 + self.changes).await?;
        self.is_busy.set(true);
        let change = Change {
            threads: self.threads.clone(),
            profiles: moved,
            comes,
            date: date.map(|date| (date, date.since(now))),
            next_node: random.below(8),
        };
        let (shared, is_busy) = (self.shared.clone(), Rc::clone(&self.is_busy));
        tokio::task::spawn_local(async move {
            bring_in_line(&shared, change).await;
            is_busy.set(false);
        });
        Ok(())
    }

    /// The guardians of the children in the class.
    pub fn guardians(&self) -> BTreeSet<ProfileId> {
        let relations = self.shared.people.relations.iter();
        let of_class = relations.filter(|(child, _)| self.class.contains(child));
        of_class.map(|(_, guardian)| *guardian).collect()
    }
}

/// Who comes into which threads, or goes from them.
struct Change {
    threads: Vec<ThreadId>,
    profiles: Vec<ProfileId>,
    comes: bool,
    /// The day of it, and how far away that is; without one it is so at once.
    date: Option<(Timestamp, Duration)>,
    /// Through which node it is told: any, also one that nobody is connected to.
    next_node: u64,
}

/// What is done of a change.
#[derive(Clone, Copy)]
enum Step {
    /// An import tells of it.
    Import,
    /// The day has come.
    Date(Timestamp),
}

/// Tells of a change until it is through, as whoever imports does, and as the node does to which the dates of the space fall.
async fn bring_in_line(shared: &Shared, mut change: Change) {
    until_told(shared, &mut change, Step::Import).await;
    if let Some((date, away)) = change.date {
        shared.world.pass(away + CLOCKS_APART).await;
        until_told(shared, &mut change, Step::Date(date.minus(CLOCKS_APART))).await;
    }
    let Change { profiles, comes, .. } = change;
    for (thread, profile) in each(&change.threads, &profiles) {
        shared.note(OFFICE, Note::FollowTold { thread, profile, comes });
    }
}

async fn until_told(shared: &Shared, change: &mut Change, step: Step) {
    let mut again = false;
    while !tell(shared, change.next_node, step, again).await {
        again = true;
        change.next_node += 1;
        shared.world.pass(Duration::from_secs(1)).await;
    }
    change.next_node += 1;
}

async fn tell(shared: &Shared, node: u64, step: Step, again: bool) -> bool {
    let Some(school) = a_living_node(shared, node) else {
        return false;
    };
    let (space, group) = (shared.people.space, shared.people.group);
    let telling = async {
        match step {
            Step::Import => {
                school.tell_directory(space).await.is_ok() && school.follow_groups(space, &[group], again).await.is_ok()
            }
            Step::Date(since) => school.follow_dates(space, since, again).await.is_ok(),
        }
    };
    tokio::time::timeout(PATIENCE, telling).await.unwrap_or(false)
}

fn a_living_node(shared: &Shared, number: u64) -> Option<Arc<School>> {
    let nodes = shared.nodes.borrow();
    let living: Vec<&Node> = nodes.iter().flatten().collect();
    let place = usize::try_from(number).ok()?.checked_rem(living.len())?;
    living.get(place).map(|node| Arc::clone(&node.school))
}

fn each(threads: &[ThreadId], profiles: &[ProfileId]) -> Vec<(ThreadId, ProfileId)> {
    let of_thread = |thread: &ThreadId| profiles.iter().map(|profile| (*thread, *profile)).collect::<Vec<_>>();
    threads.iter().flat_map(of_thread).collect()
}
