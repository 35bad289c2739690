//! A school's roster: who is there, who is whose guardian, who is in which class. Read from OneRoster CSV files, 1.1 and 1.2, as
//! they come: zipped or in a folder, tidy or not.
//!
//! [`open`] gathers the files, [`read`] makes a [`Roster`] of them and a list of [`Problem`]s: all of them at once, each with its
//! place, what was found, what was expected and what was done about it. What can be read is read. Nothing here asks a clock, a
//! store or the network: the same files always give the same [`Reading`].
//!
//! Sources: 1EdTech *OneRoster CSV Tables 1.1.1* (section 3, the tables) and *OneRoster CSV Binding 1.2.1* (section 3, the format of
//! each file). Only bulk files are read: a list of changes (`delta`) is reported and left out, and [`Roster::delta`] is set.
//!
//! # What is taken from which file
//!
//! | file | taken |
//! | --- | --- |
//! | `manifest.csv` | the version, the source system, which files are complete |
//! | `orgs.csv` | organisations; a department with no school above it counts as an institution |
//! | `academicSessions.csv`, `courses.csv` | as they are |
//! | `classes.csv` | `homeroom` is a class (3.A), `scheduled` a team; an after-school group is a team of its school |
//! | `users.csv` | people; in 1.1 one role in each of their organisations; their agents |
//! | `roles.csv` (1.2) | roles, several to a person; they replace what `users.csv` says |
//! | `demographics.csv` | dates of birth, and nothing else |
//! | `enrollments.csv` | who is in which class; the role is made to agree with what the person is |
//! | `samtaleRelations.csv` | Samtale's own, see below |
//!
//! OneRoster's other files are passed over in silence, any other CSV file with a warning. `password`, `userIds`, `identifier` of a
//! person, sex and ethnicity are never read.
//!
//! # Decisions
//!
//! - A status of `inactive` (OneRoster 1.0; deprecated in 1.1) means to be deleted, with a warning. An empty one means active.
//! - A record that depends on one that is to be deleted is to be deleted too.
//! - Where a cell decides what someone may do and cannot be read, they may not: `enabledUser` counts as false,
//!   `metadata.nameProtected` as true, rights of a relation as false, a relation or role whose end is unreadable as ended.
//! - `agentSourcedIds` are relations when one of the two is a guardian (guardian, parent, relative) and the other a student,
//!   whoever names whom. Any other pair is reported and left out.
//! - Dates are ISO. Others are read with a warning: day first, as in Denmark, unless another date of the same column shows that it
//!   is month first. A time at 22:00 or 23:00 universal time is midnight in Denmark, and means the day that begins. The year 9999
//!   means no date.
//! - An organisation may be left out where there is only one institution, and by a guardian whose children have one.
//!
//! # Samtale's own columns and file
//!
//! `metadata.nameProtected` in `users.csv` (`true` or `false`): other families never see the person's name.
//!
//! `samtaleRelations.csv` (optional) says more of the pairs of agents: `guardianSourcedId`, `childSourcedId`, `kind` (`mother`,
//! `father`, `parent`, `foster`, `step`, `relative`, `guardian` or other words), `custody`, `contact`, `pickup` (`true` or `false`),
//! `beginDate`, `endDate`. Without the file, or where its cell is empty, a guardian or parent has all three rights, and a relative all
//! but custody. With the file, a pair that no readable row of it names has none.

mod archive;
mod catalogue;
mod classes;
mod columns;
mod contents;
mod courses;
mod dates;
mod demographics;
mod disk;
mod encoding;
mod enrollments;
mod files;
mod index;
mod kinship;
pub mod limits;
mod lines;
mod manifest;
mod organisations;
mod parents;
mod people;
mod placing;
mod problem;
mod relations;
mod roles;
mod row;
mod sessions;
mod spelling;
mod table;
mod word;
mod words;
mod write;

#[cfg(test)]
mod tests;

pub use contents::{Class, Course, Enrollment, Organisation, Person, PersonRole, Relation, Roster, Session, Version};
pub use disk::{OpenError, open, save};
pub use files::{RosterFile, RosterFiles};
pub use kinship::Kinship;
pub use problem::{Place, Problem, Severity};
pub use words::{ClassType, EnrollmentRole, OrganisationType, Role, SessionType, Status};
pub use write::write;

use catalogue::Catalogue;
use problem::Problems;

/// What came of reading a roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What could be read.
    pub roster: Roster,
    /// What was wrong, by file and line.
    pub problems: Vec<Problem>,
    /// How many problems more there were than are kept ([`limits::MAX_PROBLEMS`]).
    pub problems_left_out: u64,
    /// How many of all the problems are errors: what a strict import asks.
    pub errors: u64,
}

/// Reads a roster from its files.
pub fn read(files: &RosterFiles) -> Reading {
    let mut problems = Problems::default();
    problems.extend(files.problems());
    let roster = read_roster(files, &mut problems);
    let (problems, problems_left_out, errors) = problems.finish();
    Reading {
        roster,
        problems,
        problems_left_out,
        errors,
    }
}

/// File after file, each after those it refers to.
fn read_roster(files: &RosterFiles, problems: &mut Problems) -> Roster {
    let catalogue = Catalogue::of(files, problems);
    let organisations = organisations::read(&catalogue, problems);
    let (sessions, session_index) = sessions::read(&catalogue, problems);
    let (courses, course_index) = courses::read(&catalogue, &organisations.index, problems);
    let (classes, class_index) = classes::read(&catalogue, &organisations, &session_index, &course_index, problems);
    let roles = roles::open(&catalogue, problems);
    let mut people = people::read(&catalogue, &organisations, roles.is_some(), problems);
    if let Some(roles) = roles {
        roles::read(&roles, &mut people, &organisations, problems);
    }
    demographics::read(&catalogue, &mut people, problems);
    let enrollments = enrollments::read(&catalogue, &classes, &class_index, &people, problems);
    let relations = relations::read(&catalogue, &people, problems);
    placing::place_people(&mut people, &relations, problems);
    Roster {
        version: catalogue.manifest().version,
        source_system: catalogue.manifest().source_system.clone(),
        delta: catalogue.is_delta(),
        organisations: organisations.list,
        sessions,
        courses,
        classes,
        people: people.list,
        enrollments,
        relations,
    }
}
