//! A school in the making: the roster that grows, and what everyone who adds to it needs.

use jiff::civil::Date;

use super::chance::Chance;
use super::names::Origin;
use super::school_year::{SchoolYear, day_of};
use super::usernames::Usernames;
use crate::roster::{Kinship, Person, PersonRole, Place, Relation, Role, Roster, Status, Version};

/// The municipality.
pub(super) const MUNICIPALITY: &str = "municipality";

/// The school.
pub(super) const SCHOOL: &str = "school";

/// Where in its file a record stands is known when all are there.
pub(super) fn nowhere() -> Place {
    Place::new("", 0)
}

/// Who a new person is.
pub(super) struct Newcomer {
    pub(super) sourced_id: String,
    pub(super) given_name: String,
    pub(super) middle_name: Option<String>,
    pub(super) family_name: String,
    pub(super) birth_date: Date,
    pub(super) role: Role,
    pub(super) organisation: &'static str,
    pub(super) grade: Option<i16>,
    pub(super) name_protected: bool,
}

/// What a guardian may, and what they are to the child.
#[derive(Clone)]
pub(super) struct Right {
    pub(super) kinship: Kinship,
    pub(super) custody: bool,
    pub(super) contact: bool,
    pub(super) pickup: bool,
    pub(super) begin_date: Option<Date>,
    pub(super) end_date: Option<Date>,
}

/// The school so far.
pub(super) struct Making {
    pub(super) seed: u64,
    pub(super) today: Date,
    pub(super) year: SchoolYear,
    pub(super) usernames: Usernames,
    pub(super) roster: Roster,
}

impl Making {
    /// Nothing yet.
    pub(super) fn new(seed: u64, today: Date) -> Self {
        let roster = Roster {
            version: Version::V1_2,
            source_system: Some("Samtale demo".to_owned()),
            ..Roster::default()
        };
        Self {
            seed,
            today,
            year: SchoolYear::of(today),
            usernames: Usernames::default(),
            roster,
        }
    }

    /// Adds a person; answers with their id.
    pub(super) fn add_person(&mut self, newcomer: Newcomer) -> String {
        let username = self.usernames.give(&newcomer.given_name, &newcomer.family_name);
        // Children have no e-mail of their own; the adults' is in a domain that is set aside for examples.
        let email = (!newcomer.role.is_child()).then(|| format!("{username}@skole.example"));
        self.roster.people.push(Person {
            sourced_id: newcomer.sourced_id.clone(),
            status: Status::Active,
            place: nowhere(),
            enabled: true,
            username: Some(username),
            given_name: newcomer.given_name,
            family_name: newcomer.family_name,
            middle_name: newcomer.middle_name,
            preferred_given_name: None,
            preferred_family_name: None,
            email,
            mobile: None,
            phone: None,
            grades: newcomer.grade.iter().map(ToString::to_string).collect(),
            birth_date: Some(newcomer.birth_date),
            name_protected: newcomer.name_protected,
            primary_organisation: Some(newcomer.organisation.to_owned()),
            roles: vec![PersonRole {
                place: nowhere(),
                role: newcomer.role,
                organisation: Some(newcomer.organisation.to_owned()),
                primary: true,
                begin_date: None,
                end_date: None,
            }],
        });
        newcomer.sourced_id
    }

    /// Gives someone who is here already a second role in the school.
    pub(super) fn add_role(&mut self, person: &str, role: Role) {
        if let Some(person) = self.roster.people.iter_mut().find(|other| other.sourced_id == person) {
            person.roles.push(PersonRole {
                place: nowhere(),
                role,
                organisation: Some(SCHOOL.to_owned()),
                primary: false,
                begin_date: None,
                end_date: None,
            });
        }
    }

    /// Makes someone a child's guardian.
    pub(super) fn relate(&mut self, guardian: &str, child: &str, right: &Right) {
        self.roster.relations.push(Relation {
            status: Status::Active,
            place: nowhere(),
            guardian: guardian.to_owned(),
            child: child.to_owned(),
            kinship: right.kinship.clone(),
            custody: right.custody,
            contact: right.contact,
            pickup: right.pickup,
            begin_date: right.begin_date,
            end_date: right.end_date,
        });
    }

    /// The last name of someone who is here already.
    pub(super) fn family_name(&self, person: &str) -> Option<String> {
        let found = self.roster.people.iter().find(|other| other.sourced_id == person);
        found.map(|person| person.family_name.clone())
    }
}

/// A grown-up's first name and birth date, for someone of about this age.
pub(super) fn grown_up(woman: bool, origin: &Origin, born: i16, chance: &mut Chance) -> (String, Date) {
    let names = if woman { origin.women } else { origin.men };
    ((*chance.pick(names)).to_owned(), day_of(born, chance))
}
