//! `enrollments.csv`: who is in which class.

use super::catalogue::Catalogue;
use super::columns::Shape;
use super::contents::{Class, Enrollment, Person};
use super::index::Index;
use super::people::People;
use super::problem::{Problems, shown};
use super::row::Row;
use super::words::{EnrollmentRole, Role, Status};

const SHAPE: Shape = Shape {
    known: &[
        "sourcedId",
        "status",
        "dateLastModified",
        "classSourcedId",
        "schoolSourcedId",
        "userSourcedId",
        "role",
        "primary",
        "beginDate",
        "endDate",
    ],
    needed: &["sourcedId", "classSourcedId", "userSourcedId"],
    expected: &["role"],
    dates: &["beginDate", "endDate"],
};

/// Reads the enrollments.
pub(super) fn read(
    catalogue: &Catalogue<'_>,
    classes: &[Class],
    class_index: &Index,
    people: &People,
    problems: &mut Problems,
) -> Vec<Enrollment> {
    let mut list = Vec::new();
    let mut index = Index::new("enrollment", true);
    let Some(table) = catalogue.open("enrollments", &SHAPE, false, problems) else {
        return list;
    };
    table.each_row(problems, |row| {
        let Some(sourced_id) = row.own_id(&index) else { return };
        index.keep(&sourced_id, list.len(), row.place().line);
        let class = row
            .required("classSourcedId")
            .and_then(|_| follow(row, "classSourcedId", class_index));
        let person = row
            .required("userSourcedId")
            .and_then(|_| follow(row, "userSourcedId", &people.index));
        let class = class.and_then(|position| classes.get(position));
        let person = person.and_then(|position| people.list.get(position));
        if let (Some(class), Some(person)) = (class, person) {
            list.extend(enrollment(row, sourced_id, class, person));
        }
    });
    list
}

fn follow(row: &mut Row<'_>, column: &'static str, index: &Index) -> Option<usize> {
    row.reference(column, index, "row skipped")
        .ok()
        .flatten()
        .map(|(position, _)| position)
}

fn enrollment(row: &mut Row<'_>, sourced_id: String, class: &Class, person: &Person) -> Option<Enrollment> {
    let role = role(row, person)?;
    let begin_date = row.date("beginDate", "date left out").ok().flatten();
    let end_date = row.date("endDate", "date left out").ok().flatten();
    row.check_order("endDate", begin_date, end_date);
    check_school(row, class);
    Some(Enrollment {
        sourced_id,
        status: status(row, class, person),
        place: row.place().clone(),
        class: class.sourced_id.clone(),
        person: person.sourced_id.clone(),
        role,
        primary: row.truth("primary", "taken as `false`").ok().flatten().unwrap_or(false),
        begin_date,
        end_date,
    })
}

/// The role in the class, made to agree with what the person is: a slip in this file must make no pupil a teacher of others, and
/// no teacher a pupil.
fn role(row: &mut Row<'_>, person: &Person) -> Option<EnrollmentRole> {
    let written = row
        .word::<EnrollmentRole>("role", "taken from what the person is")
        .ok()
        .flatten();
    let as_employee = || employee_role(person);
    match (written, person.is_child(), person.is_employee()) {
        (Some(EnrollmentRole::Student), true, _) => Some(EnrollmentRole::Student),
        (Some(EnrollmentRole::Student), false, true) => {
            let taken = as_employee();
            row.warn(
                "role",
                format!(
                    "`student` found, but {} works here; taken as {}",
                    who(person),
                    name(taken)
                ),
            );
            Some(taken)
        }
        (Some(written), _, true) => Some(written),
        (Some(written), true, false) => {
            row.warn(
                "role",
                format!(
                    "{} found, but {} is a student; taken as `student`",
                    name(written),
                    who(person)
                ),
            );
            Some(EnrollmentRole::Student)
        }
        (None, true, false) => {
            row.warn_once("role", "none", || {
                "no role found; taken from what the person is".to_owned()
            });
            Some(EnrollmentRole::Student)
        }
        (None, _, true) => {
            row.warn_once("role", "none", || {
                "no role found; taken from what the person is".to_owned()
            });
            Some(as_employee())
        }
        (_, false, false) => {
            let message = format!(
                "{} is neither a student nor an employee, who alone can be in a class; row skipped",
                who(person)
            );
            row.error("userSourcedId", message);
            None
        }
    }
}

fn employee_role(person: &Person) -> EnrollmentRole {
    let is_aide = person
        .roles
        .iter()
        .filter(|held| held.role.is_employee())
        .all(|held| held.role == Role::Aide);
    if is_aide {
        EnrollmentRole::Aide
    } else {
        EnrollmentRole::Teacher
    }
}

fn who(person: &Person) -> String {
    format!("person {}", shown(&person.sourced_id))
}

fn name(role: EnrollmentRole) -> String {
    use super::word::Word;
    shown(role.spelling())
}

/// An enrollment ends with its class and its person.
fn status(row: &mut Row<'_>, class: &Class, person: &Person) -> Status {
    let status = row.status();
    if status == Status::ToBeDeleted {
        return status;
    }
    let (what, id) = if class.status == Status::ToBeDeleted {
        ("class", &class.sourced_id)
    } else if person.status == Status::ToBeDeleted {
        ("person", &person.sourced_id)
    } else {
        return status;
    };
    row.warn_once("status", &format!("{what} {id}"), || {
        let whose = format!("{what} {}", shown(id));
        format!("active, but {whose} is to be deleted; taken as to be deleted too")
    });
    Status::ToBeDeleted
}

fn check_school(row: &mut Row<'_>, class: &Class) {
    let column = "schoolSourcedId";
    if let Some(school) = row.text(column)
        && school != class.organisation
    {
        row.warn_once(column, &class.sourced_id, || {
            format!(
                "{} found, but the class belongs to {}; taken as that",
                shown(&school),
                shown(&class.organisation)
            )
        });
    }
}
