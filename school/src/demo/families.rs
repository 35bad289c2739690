//! The children and their families: every place in a class is filled, and every child has someone.

use jiff::civil::Date;

use super::buildings::{GRADES, TRACKS};
use super::chance::Chance;
use super::family_shapes::{BY_CHANCE, FamilyShape, Member, members};
use super::making::{Making, Newcomer, SCHOOL, grown_up};
use super::names::{DANISH, Origin, any_origin};
use super::school_year::SchoolYear;
use super::staff::Staff;
use crate::roster::Role;

/// A family of the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// Its shape.
    pub shape: FamilyShape,
    /// The ids of those who care for the children.
    pub guardians: Vec<String>,
    /// The ids of the children.
    pub children: Vec<String>,
}

/// A child and the class it is in.
pub(super) struct Pupil {
    /// Its id.
    pub(super) sourced_id: String,
    /// Its grade.
    pub(super) grade: i16,
    /// Its class's track.
    pub(super) track: char,
}

/// Everyone who came.
pub(super) struct Settled {
    /// The families; that of the cast comes first.
    pub(super) families: Vec<Family>,
    /// The children.
    pub(super) pupils: Vec<Pupil>,
}

/// A place in a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seat {
    grade: i16,
    track: char,
}

const CAST_SEATS: [Seat; 2] = [Seat { grade: 3, track: 'A' }, Seat { grade: 0, track: 'A' }];

/// Lets families come until every class is full.
pub(super) fn settle(making: &mut Making, staff: &Staff) -> Settled {
    let mut chance = Chance::new(making.seed, 2);
    let mut seats = seats(&mut chance);
    let employees = [&staff.pedagogues[..], &staff.other_teachers[..]].concat();
    let settled = Settled {
        families: Vec::new(),
        pupils: Vec::new(),
    };
    let mut settling = Settling {
        making,
        chance,
        employees,
        guardians: 0,
        settled,
    };
    settling.cast_family();
    // Each shape once, and what is rare but not that rare once more; then whatever comes.
    let rare = [
        FamilyShape::NameProtected,
        FamilyShape::ParentIsEmployee,
        FamilyShape::TwoMothers,
    ];
    for shape in FamilyShape::ALL.into_iter().chain(rare) {
        settling.family(shape, &mut seats);
    }
    while !seats.is_empty() {
        let shape = *settling.chance.pick_weighted(BY_CHANCE);
        settling.family(shape, &mut seats);
    }
    settling.settled
}

/// The places of all classes but those of the cast, in any order.
fn seats(chance: &mut Chance) -> Vec<Seat> {
    let mut seats = Vec::new();
    for grade in GRADES {
        for track in TRACKS {
            let count = 11 + chance.below(2);
            seats.extend(std::iter::repeat_n(Seat { grade, track }, count));
        }
    }
    chance.shuffle(&mut seats);
    for taken in CAST_SEATS {
        if let Some(position) = seats.iter().position(|seat| *seat == taken) {
            seats.swap_remove(position);
        }
    }
    seats
}

struct Settling<'m> {
    making: &'m mut Making,
    chance: Chance,
    /// Who of the staff can still become a parent here.
    employees: Vec<String>,
    guardians: usize,
    settled: Settled,
}

impl Settling<'_> {
    /// The family one logs in as: Mette and Jonas Lindgaard with Freja in 3.A and Villads in 0.A.
    fn cast_family(&mut self) {
        let (name, born) = ("Lindgaard", self.making.year.begins - 40);
        let adults = [("Mette", true), ("Jonas", false)];
        let guardians = adults.map(|(given_name, _)| {
            let birth_date = super::school_year::day_of(born, &mut self.chance);
            self.add_guardian(given_name.to_owned(), name.to_owned(), birth_date, Role::Parent, false)
        });
        let children: Vec<String> = ["Freja", "Villads"]
            .into_iter()
            .zip(CAST_SEATS)
            .map(|(given_name, seat)| self.add_child(given_name.to_owned(), None, name.to_owned(), seat, false))
            .collect();
        let family = members(FamilyShape::Together, self.making.today, &mut self.chance);
        for (guardian, member) in guardians.iter().zip(&family) {
            children
                .iter()
                .for_each(|child| self.making.relate(guardian, child, &member.right));
        }
        let guardians = guardians.to_vec();
        self.settled.families.push(Family {
            shape: FamilyShape::Together,
            guardians,
            children,
        });
    }

    /// A family of this shape, with children in as many of the seats as it has.
    fn family(&mut self, shape: FamilyShape, seats: &mut Vec<Seat>) {
        let own_seats = self.choose_seats(seats);
        let Some(eldest) = own_seats.iter().map(|seat| seat.grade).max() else {
            return;
        };
        let origin: &Origin = match shape {
            FamilyShape::TwoMothers | FamilyShape::ParentIsEmployee => &DANISH,
            _ => any_origin(&mut self.chance),
        };
        let protected = shape == FamilyShape::NameProtected;
        let family = members(shape, self.making.today, &mut self.chance);
        let employee = family
            .iter()
            .any(|member| member.employee)
            .then(|| self.employees.pop())
            .flatten();
        let own_name = employee.as_deref().and_then(|person| self.making.family_name(person));
        let name = own_name.unwrap_or_else(|| (*self.chance.pick(origin.surnames)).to_owned());
        let mut guardians = Vec::new();
        let mut other_name = None;
        for member in &family {
            let person = match &employee {
                Some(person) if member.employee => {
                    self.making.add_role(person, member.role);
                    person.clone()
                }
                _ => self.guardian(member, &name, origin, eldest, protected, &mut other_name),
            };
            guardians.push(person);
        }
        let mut children: Vec<String> = Vec::new();
        for seat in own_seats {
            let given_name = self.child_name(origin, &children);
            // Many children have the other parent's name between their own.
            let middle_name = other_name.clone().filter(|_| self.chance.percent(35));
            let child = self.add_child(given_name, middle_name, name.clone(), seat, protected);
            for (guardian, member) in guardians.iter().zip(&family) {
                self.making.relate(guardian, &child, &member.right);
            }
            children.push(child);
        }
        self.settled.families.push(Family {
            shape,
            guardians,
            children,
        });
    }

    /// Takes seats for one to three siblings, in different grades but for a few twins.
    fn choose_seats(&mut self, seats: &mut Vec<Seat>) -> Vec<Seat> {
        let wanted = *self.chance.pick_weighted(&[(66, 1), (29, 2), (5, 3)]);
        let twins = self.chance.percent(4);
        let mut chosen: Vec<Seat> = seats.pop().into_iter().collect();
        while chosen.len() < wanted {
            let fits = |seat: &Seat| {
                chosen.iter().all(|other| {
                    let apart = (other.grade - seat.grade).abs();
                    if twins { apart == 0 } else { (1..=6).contains(&apart) }
                })
            };
            match seats.iter().rposition(fits) {
                Some(position) => chosen.push(seats.remove(position)),
                None => break,
            }
        }
        chosen
    }

    /// A guardian who is not here yet. The first of another last name gives it to the children to bear between.
    fn guardian(
        &mut self,
        member: &Member,
        name: &str,
        origin: &Origin,
        eldest: i16,
        protected: bool,
        other_name: &mut Option<String>,
    ) -> String {
        let age = self.chance.between(23, 40) + if member.grandparent { 24 } else { 0 };
        let born = self.making.year.begins - 6 - eldest - age;
        let (given_name, birth_date) = grown_up(member.woman, origin, born, &mut self.chance);
        let family_name = if member.shares_name {
            name.to_owned()
        } else {
            let own = (*self.chance.pick(origin.surnames)).to_owned();
            let is_parent = member.role == Role::Parent && own != name;
            if is_parent && other_name.is_none() {
                *other_name = Some(own.clone());
            }
            own
        };
        self.add_guardian(given_name, family_name, birth_date, member.role, protected)
    }

    fn add_guardian(
        &mut self,
        given_name: String,
        family_name: String,
        birth_date: Date,
        role: Role,
        name_protected: bool,
    ) -> String {
        self.guardians += 1;
        self.making.add_person(Newcomer {
            sourced_id: format!("guardian-{:03}", self.guardians),
            given_name,
            middle_name: None,
            family_name,
            birth_date,
            role,
            organisation: SCHOOL,
            grade: None,
            name_protected,
        })
    }

    /// A first name that no sibling has.
    fn child_name(&mut self, origin: &Origin, siblings: &[String]) -> String {
        loop {
            let names = if self.chance.percent(50) {
                origin.girls
            } else {
                origin.boys
            };
            let name = *self.chance.pick(names);
            let people = &self.making.roster.people;
            let is_taken =
                |person: &crate::roster::Person| person.given_name == name && siblings.contains(&person.sourced_id);
            if !people.iter().any(is_taken) {
                return name.to_owned();
            }
        }
    }

    fn add_child(
        &mut self,
        given_name: String,
        middle_name: Option<String>,
        family_name: String,
        seat: Seat,
        name_protected: bool,
    ) -> String {
        let year: SchoolYear = self.making.year;
        let birth_date = year.birth_date(seat.grade, &mut self.chance);
        let sourced_id = self.making.add_person(Newcomer {
            sourced_id: format!("child-{:03}", self.settled.pupils.len() + 1),
            given_name,
            middle_name,
            family_name,
            birth_date,
            role: Role::Student,
            organisation: SCHOOL,
            grade: Some(seat.grade),
            name_protected,
        });
        self.settled.pupils.push(Pupil {
            sourced_id: sourced_id.clone(),
            grade: seat.grade,
            track: seat.track,
        });
        sourced_id
    }
}
