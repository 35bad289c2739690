//! The people who work there.

use jiff::civil::date;

use super::chance::Chance;
use super::making::{MUNICIPALITY, Making, Newcomer, SCHOOL, grown_up};
use super::names::{DANISH, Origin, any_origin};
use crate::roster::Role;

/// Class teachers, one for each class.
pub(super) const CLASS_TEACHERS: usize = 20;

/// Teachers without a class of their own.
pub(super) const OTHER_TEACHERS: usize = 6;

/// Pedagogues, the head of the after-school club first.
pub(super) const PEDAGOGUES: usize = 9;

/// The position of 3.A among the classes, whose teacher is one of the demo's cast.
const CAST_CLASS: usize = 6;

/// The ids of everyone who works there.
pub(super) struct Staff {
    /// The head of the school.
    pub(super) head: String,
    /// Who runs the office, and everyone's accounts.
    pub(super) secretary: String,
    /// Who advises the older pupils.
    pub(super) counselor: String,
    /// By class.
    pub(super) class_teachers: Vec<String>,
    /// Without a class.
    pub(super) other_teachers: Vec<String>,
    /// The head of the after-school club first.
    pub(super) pedagogues: Vec<String>,
}

/// Hires everyone.
pub(super) fn hire(making: &mut Making) -> Staff {
    let mut hiring = Hiring {
        chance: Chance::new(making.seed, 1),
        count: 0,
        making,
    };
    // First of all, so that nobody else has the user name.
    let cast = hiring.named("Anne", "Holm", Role::Teacher);
    let head = hiring.anyone(Role::Principal, SCHOOL);
    let _deputy = hiring.anyone(Role::SiteAdministrator, SCHOOL);
    let secretary = hiring.anyone(Role::SiteAdministrator, SCHOOL);
    let _assistant = hiring.anyone(Role::Aide, SCHOOL);
    let counselor = hiring.anyone(Role::Counselor, SCHOOL);
    let _consultant = hiring.anyone(Role::DistrictAdministrator, MUNICIPALITY);
    let mut class_teachers = hiring.several(CLASS_TEACHERS - 1, Role::Teacher);
    class_teachers.insert(CAST_CLASS, cast);
    let other_teachers = hiring.several(OTHER_TEACHERS, Role::Teacher);
    let pedagogues = hiring.several(PEDAGOGUES, Role::Aide);
    Staff {
        head,
        secretary,
        counselor,
        class_teachers,
        other_teachers,
        pedagogues,
    }
}

struct Hiring<'m> {
    chance: Chance,
    count: usize,
    making: &'m mut Making,
}

impl Hiring<'_> {
    fn several(&mut self, count: usize, role: Role) -> Vec<String> {
        (0..count).map(|_| self.anyone(role, SCHOOL)).collect()
    }

    fn anyone(&mut self, role: Role, organisation: &'static str) -> String {
        // Staff are of other origins too, though less often than families.
        let origin: &Origin = if self.chance.percent(60) {
            &DANISH
        } else {
            any_origin(&mut self.chance)
        };
        let woman = self.chance.percent(68);
        let born = self.making.year.begins - self.chance.between(26, 64);
        let (given_name, birth_date) = grown_up(woman, origin, born, &mut self.chance);
        let family_name = (*self.chance.pick(origin.surnames)).to_owned();
        let sourced_id = self.next_id();
        self.making.add_person(Newcomer {
            sourced_id,
            given_name,
            middle_name: None,
            family_name,
            birth_date,
            role,
            organisation,
            grade: None,
            name_protected: false,
        })
    }

    fn named(&mut self, given_name: &str, family_name: &str, role: Role) -> String {
        let sourced_id = self.next_id();
        let birth_date = date(self.making.year.begins - 41, 3, 12);
        self.making.add_person(Newcomer {
            sourced_id,
            given_name: given_name.to_owned(),
            middle_name: None,
            family_name: family_name.to_owned(),
            birth_date,
            role,
            organisation: SCHOOL,
            grade: None,
            name_protected: false,
        })
    }

    fn next_id(&mut self) -> String {
        self.count += 1;
        format!("employee-{:02}", self.count)
    }
}
