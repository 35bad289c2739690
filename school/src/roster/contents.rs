//! What a roster holds, once read: plain values that refer to each other by their `sourced_id`.
//!
//! Every reference in here leads to a record that is in here too: what led nowhere was reported and left out.

use jiff::civil::Date;

use super::kinship::Kinship;
use super::problem::Place;
use super::words::{ClassType, EnrollmentRole, OrganisationType, Role, SessionType, Status};

/// Which OneRoster the files speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Version {
    /// 1.1: a person's role and organisations stand in `users.csv`.
    V1_1,
    /// 1.2: they stand in `roles.csv`, and a person can have several.
    #[default]
    V1_2,
}

/// Everything a roster says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roster {
    /// Which OneRoster the files speak.
    pub version: Version,
    /// The system that wrote them, when `manifest.csv` names it.
    pub source_system: Option<String>,
    /// The manifest calls a file a list of changes (`delta`). Such a file was left out and reported, so what is missing here is not
    /// gone: a roster with this set must not be applied.
    pub delta: bool,
    /// `orgs.csv`.
    pub organisations: Vec<Organisation>,
    /// `academicSessions.csv`.
    pub sessions: Vec<Session>,
    /// `courses.csv`.
    pub courses: Vec<Course>,
    /// `classes.csv`.
    pub classes: Vec<Class>,
    /// `users.csv` with `roles.csv` and `demographics.csv`.
    pub people: Vec<Person>,
    /// `enrollments.csv`.
    pub enrollments: Vec<Enrollment>,
    /// Guardian and child, by child and guardian: the agents of `users.csv` with `samtaleRelations.csv`.
    pub relations: Vec<Relation>,
}

/// A municipality, a school, a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// The roster's id.
    pub sourced_id: String,
    /// Whether it is to be kept.
    pub status: Status,
    /// Where it was read.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: OrganisationType,
    /// An official number, in Denmark the institution number.
    pub identifier: Option<String>,
    /// The organisation above it.
    pub parent: Option<String>,
}

/// A school year or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The roster's id.
    pub sourced_id: String,
    /// Whether it is to be kept.
    pub status: Status,
    /// Where it was read.
    pub place: Place,
    /// Its name.
    pub title: String,
    /// What it is.
    pub kind: SessionType,
    /// Its first day.
    pub start_date: Option<Date>,
    /// Its last day.
    pub end_date: Option<Date>,
    /// The session it is a part of.
    pub parent: Option<String>,
    /// The year in which its school year ends.
    pub school_year: Option<i16>,
}

/// A subject as it is offered; classes refer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    /// The roster's id.
    pub sourced_id: String,
    /// Whether it is to be kept.
    pub status: Status,
    /// Where it was read.
    pub place: Place,
    /// Its name.
    pub title: String,
    /// A short name.
    pub code: Option<String>,
    /// Who offers it.
    pub organisation: Option<String>,
}

/// A class, a team, an after-school group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// The roster's id.
    pub sourced_id: String,
    /// Whether it is to be kept.
    pub status: Status,
    /// Where it was read.
    pub place: Place,
    /// Its name: 3.A.
    pub title: String,
    /// A short name.
    pub code: Option<String>,
    /// A homeroom is a class, anything else a team.
    pub kind: ClassType,
    /// The organisation it belongs to.
    pub organisation: String,
    /// School years it is for, as the file writes them.
    pub grades: Vec<String>,
    /// Subjects taught in it.
    pub subjects: Vec<String>,
    /// The course it is held for.
    pub course: Option<String>,
    /// When it meets.
    pub sessions: Vec<String>,
    /// Where it meets.
    pub location: Option<String>,
}

/// Someone. The file's password, sex, ethnicity and identity numbers are never read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The roster's id.
    pub sourced_id: String,
    /// Whether they are to be kept.
    pub status: Status,
    /// Where they were read.
    pub place: Place,
    /// False when the file says they may not log in.
    pub enabled: bool,
    /// What they log in as; unique among the people to be kept, whatever its case.
    pub username: Option<String>,
    /// First name.
    pub given_name: String,
    /// Last name.
    pub family_name: String,
    /// Names between.
    pub middle_name: Option<String>,
    /// The first name they are called by, where it is another (1.2).
    pub preferred_given_name: Option<String>,
    /// The last name they are called by, where it is another (1.2).
    pub preferred_family_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Mobile telephone (the file's `sms`).
    pub mobile: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// School years, of a child, as the file writes them.
    pub grades: Vec<String>,
    /// Date of birth (`demographics.csv`).
    pub birth_date: Option<Date>,
    /// Other families never see the name (Samtale's `metadata.nameProtected`).
    pub name_protected: bool,
    /// The organisation they mostly belong to (1.2).
    pub primary_organisation: Option<String>,
    /// What they are, and where. Empty when the file does not say or nobody understood it.
    pub roles: Vec<PersonRole>,
}

impl Person {
    /// Whether they care for a child anywhere.
    pub fn is_guardian(&self) -> bool {
        self.roles.iter().any(|held| held.role.is_guardian())
    }

    /// Whether they are a child anywhere.
    pub fn is_child(&self) -> bool {
        self.roles.iter().any(|held| held.role.is_child())
    }

    /// Whether they work anywhere.
    pub fn is_employee(&self) -> bool {
        self.roles.iter().any(|held| held.role.is_employee())
    }
}

/// What a person is in an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRole {
    /// Where it was read.
    pub place: Place,
    /// What they are.
    pub role: Role,
    /// Where. None when the file does not say and nothing else does: such a role gives access to nothing.
    pub organisation: Option<String>,
    /// Their main role there.
    pub primary: bool,
    /// From this day.
    pub begin_date: Option<Date>,
    /// To this day.
    pub end_date: Option<Date>,
}

/// A person's place in a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrollment {
    /// The roster's id.
    pub sourced_id: String,
    /// Whether it is to be kept.
    pub status: Status,
    /// Where it was read.
    pub place: Place,
    /// The class.
    pub class: String,
    /// The person.
    pub person: String,
    /// What the person is in the class.
    pub role: EnrollmentRole,
    /// The main teacher of the class: in a homeroom, the class teacher.
    pub primary: bool,
    /// From this day.
    pub begin_date: Option<Date>,
    /// To this day.
    pub end_date: Option<Date>,
}

/// That someone is a child's guardian. A right, not a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Whether it is to be kept: it is not when either of the two is not.
    pub status: Status,
    /// Where it was read.
    pub place: Place,
    /// The guardian.
    pub guardian: String,
    /// The child.
    pub child: String,
    /// What the guardian is to the child.
    pub kinship: Kinship,
    /// Has custody.
    pub custody: bool,
    /// May be in contact with the school about the child.
    pub contact: bool,
    /// May fetch the child.
    pub pickup: bool,
    /// From this day.
    pub begin_date: Option<Date>,
    /// To this day.
    pub end_date: Option<Date>,
}

impl Roster {
    /// The institution an organisation is or belongs to: a school itself, and for a department the school above it. A department
    /// with no school above is an institution of its own. A municipality is in none.
    pub fn institution_of(&self, sourced_id: &str) -> Option<&Organisation> {
        let own = self.organisation(sourced_id)?;
        match own.kind {
            OrganisationType::School => Some(own),
            OrganisationType::Department => {
                let mut above = self.lineage(own);
                Some(
                    above
                        .find(|organisation| organisation.kind == OrganisationType::School)
                        .unwrap_or(own),
                )
            }
            _ => None,
        }
    }

    /// The municipality an organisation is or belongs to: the nearest district or local authority.
    pub fn municipality_of(&self, sourced_id: &str) -> Option<&Organisation> {
        let mut line = self.lineage(self.organisation(sourced_id)?);
        line.find(|organisation| matches!(organisation.kind, OrganisationType::District | OrganisationType::Local))
    }

    /// The organisation of this id.
    pub fn organisation(&self, sourced_id: &str) -> Option<&Organisation> {
        self.organisations
            .iter()
            .find(|organisation| organisation.sourced_id == sourced_id)
    }

    /// An organisation and those above it, nearest first. Parents never form a ring in what was read; a bound stands in for trust.
    fn lineage<'r>(&'r self, own: &'r Organisation) -> impl Iterator<Item = &'r Organisation> {
        std::iter::successors(Some(own), |below| self.organisation(below.parent.as_deref()?))
            .take(super::limits::MAX_ORGANISATION_DEPTH)
    }
}
