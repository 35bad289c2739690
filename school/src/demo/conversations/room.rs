//! Who can write in a class: its teacher, its children, and the parents of each.

use super::{Demo, Recipient};
use crate::demo::chance::Chance;
use crate::demo::{Cast, FamilyShape, cast};
use crate::roster::{EnrollmentRole, Person, Relation};

/// The classes of a demo, and the chance by which someone is chosen to write.
pub(super) struct Rooms<'d> {
    pub(super) demo: &'d Demo,
    pub(super) cast: Cast,
    chance: Chance,
}

/// A class or team.
#[derive(Clone)]
pub(super) struct Room<'d> {
    /// Its id.
    pub(super) sourced_id: String,
    /// Who runs it.
    pub(super) teacher: &'d Person,
    /// Others of the staff.
    pub(super) colleagues: Vec<&'d Person>,
    /// Its children.
    pub(super) children: Vec<&'d Person>,
}

/// A parent with the child they write about.
#[derive(Clone, Copy)]
pub(super) struct Parent<'d> {
    pub(super) person: &'d Person,
    pub(super) child: &'d Person,
}

impl<'d> Rooms<'d> {
    /// The classes of a demo.
    pub(super) fn new(demo: &'d Demo, chance: Chance) -> Self {
        Self {
            demo,
            cast: cast(demo),
            chance,
        }
    }

    /// Someone by id.
    pub(super) fn person(&self, sourced_id: &str) -> Option<&'d Person> {
        self.demo
            .roster
            .people
            .iter()
            .find(|person| person.sourced_id == sourced_id)
    }

    /// A class by id.
    pub(super) fn room(&self, class: &str) -> Option<Room<'d>> {
        let members = || {
            self.demo
                .roster
                .enrollments
                .iter()
                .filter(move |found| found.class == class)
        };
        let teacher = members().find(|found| found.primary)?;
        let people = |student: bool| {
            let of_kind = members().filter(move |found| (found.role == EnrollmentRole::Student) == student);
            of_kind
                .filter(|found| !found.primary)
                .filter_map(|found| self.person(&found.person))
                .collect()
        };
        Some(Room {
            sourced_id: class.to_owned(),
            teacher: self.person(&teacher.person)?,
            colleagues: people(false),
            children: people(true),
        })
    }

    /// Parents in a class, each of another child; none of the cast, whose lines are written out, and nobody whose name is protected.
    pub(super) fn parents<const N: usize>(&mut self, room: &Room<'d>) -> Option<[Parent<'d>; N]> {
        let mut children = self.writing_children(room);
        self.chance.shuffle(&mut children);
        let mut parents: Vec<Parent<'d>> = Vec::new();
        for child in children {
            let own = self.custody_holders(child);
            let is_new = |person: &&&Person| {
                parents
                    .iter()
                    .all(|parent| parent.person.sourced_id != person.sourced_id)
            };
            let new: Vec<&'d Person> = own.iter().filter(is_new).copied().collect();
            if !new.is_empty() {
                parents.push(Parent {
                    person: new[self.chance.below(new.len())],
                    child,
                });
            }
        }
        parents.truncate(N);
        parents.try_into().ok()
    }

    /// Children in a class; none of the cast, and nobody whose name is protected.
    pub(super) fn children<const N: usize>(&mut self, room: &Room<'d>) -> Option<[&'d Person; N]> {
        let mut children = self.writing_children(room);
        self.chance.shuffle(&mut children);
        children.truncate(N);
        children.try_into().ok()
    }

    /// A child of a family of this shape, with its guardians in the order of the shape, and its class.
    pub(super) fn family(&self, shape: FamilyShape) -> Option<(&'d Person, Vec<&'d Person>, Room<'d>)> {
        let family = self.demo.families.iter().skip(1).find(|family| family.shape == shape)?;
        let child = family.children.first()?;
        let enrollment = self
            .demo
            .roster
            .enrollments
            .iter()
            .find(|found| found.person == *child)?;
        let guardians = family
            .guardians
            .iter()
            .filter_map(|guardian| self.person(guardian))
            .collect();
        Some((self.person(child)?, guardians, self.room(&enrollment.class)?))
    }

    fn writing_children(&self, room: &Room<'d>) -> Vec<&'d Person> {
        let is_cast = |child: &&&Person| child.sourced_id == self.cast.child.sourced_id;
        let writes = |child: &&&Person| !child.name_protected && !is_cast(child);
        room.children.iter().filter(writes).copied().collect()
    }

    /// Those with custody of a child who may write to the school, but nobody of its staff: whose lines would be taken for the
    /// school's.
    fn custody_holders(&self, child: &Person) -> Vec<&'d Person> {
        let relations = self.demo.roster.relations.iter();
        let holds = |relation: &&Relation| relation.child == child.sourced_id && relation.custody && relation.contact;
        let people = relations
            .filter(holds)
            .filter_map(|relation| self.person(&relation.guardian));
        let is_cast = |person: &&Person| person.sourced_id == self.cast.guardian.sourced_id;
        people
            .filter(|person| !person.is_employee() && !is_cast(person))
            .collect()
    }
}

impl Room<'_> {
    /// The guardians of its children.
    pub(super) fn guardians(&self) -> Vec<Recipient> {
        vec![Recipient::GuardiansOf(self.sourced_id.clone())]
    }

    /// Everyone in it.
    pub(super) fn everyone(&self) -> Vec<Recipient> {
        vec![Recipient::Class(self.sourced_id.clone())]
    }
}

/// These people.
pub(super) fn people(people: &[&Person]) -> Vec<Recipient> {
    people
        .iter()
        .map(|person| Recipient::Person(person.sourced_id.clone()))
        .collect()
}
