//! `roles.csv` (OneRoster 1.2): what everyone is, and where. A person can be several things: a teacher whose own child goes here.

use std::collections::HashMap;

use super::catalogue::Catalogue;
use super::columns::Shape;
use super::contents::PersonRole;
use super::index::Index;
use super::organisations::Organisations;
use super::people::People;
use super::problem::Problems;
use super::row::Row;
use super::table::Table;
use super::word::Word;
use super::words::Status;

const SHAPE: Shape = Shape {
    known: &[
        "sourcedId",
        "status",
        "dateLastModified",
        "userSourcedId",
        "roleType",
        "role",
        "beginDate",
        "endDate",
        "orgSourcedId",
        "userProfileSourcedId",
    ],
    needed: &["userSourcedId", "role"],
    expected: &["sourcedId", "orgSourcedId"],
    dates: &["beginDate", "endDate"],
};

/// Opens `roles.csv`, when there is one. People are read after it is opened and before its rows are.
pub(super) fn open<'f>(catalogue: &Catalogue<'f>, problems: &mut Problems) -> Option<Table<'f>> {
    catalogue.open("roles", &SHAPE, false, problems)
}

/// Reads everyone's roles, in place of those that stand beside them in `users.csv`.
pub(super) fn read(table: &Table<'_>, people: &mut People, organisations: &Organisations, problems: &mut Problems) {
    let mut found: HashMap<usize, Vec<PersonRole>> = HashMap::new();
    let mut index = Index::new("role", true);
    table.each_row(problems, |row| {
        if let Some((person, held)) = role(row, &people.index, &mut index, organisations) {
            let roles = found.entry(person).or_default();
            let said = |other: &PersonRole| {
                PersonRole {
                    place: held.place.clone(),
                    ..other.clone()
                } == held
            };
            if !roles.iter().any(said) {
                roles.push(held);
            }
        }
    });
    for (position, person) in people.list.iter_mut().enumerate() {
        if let Some(roles) = found.remove(&position) {
            person.roles = roles;
        } else if !person.roles.is_empty() {
            let message = "no role in `roles.csv`; the one beside the person is taken";
            problems.warning(&person.place, Some("role"), message);
        }
    }
}

/// The person, by position, and the role; none when the row is to be deleted or cannot be read.
fn role(
    row: &mut Row<'_>,
    people: &Index,
    index: &mut Index,
    organisations: &Organisations,
) -> Option<(usize, PersonRole)> {
    if let Some(id) = row.text("sourcedId") {
        if index.line_of(&id).is_some() {
            row.own_id(index)?;
        }
        index.skip(&id, row.place().line);
    }
    row.required("userSourcedId")?;
    let (person, _) = row.reference("userSourcedId", people, "row skipped").ok().flatten()?;
    row.required("role")?;
    let role = row.word("role", "row skipped").ok().flatten()?;
    if row.status() == Status::ToBeDeleted {
        return None;
    }
    let begin_date = row.date("beginDate", "date left out").ok().flatten();
    // A role whose end nobody can read must not last for ever.
    let end_date = row.date("endDate", "row skipped").ok()?;
    row.check_order("endDate", begin_date, end_date);
    let kind = row.word::<RoleType>("roleType", "taken as `primary`").ok().flatten();
    let held = PersonRole {
        place: row.place().clone(),
        role,
        organisation: organisations.named_by(row, "orgSourcedId", "role read without one"),
        primary: kind != Some(RoleType::Secondary),
        begin_date,
        end_date,
    };
    Some((person, held))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RoleType {
    Primary,
    Secondary,
}

impl Word for RoleType {
    const LIST: &'static str = "a type of role";
    const OFFICIAL: &'static [(&'static str, Self)] = &[("primary", Self::Primary), ("secondary", Self::Secondary)];
    const OTHER: &'static [(&'static str, Self)] = &[("primær", Self::Primary), ("sekundær", Self::Secondary)];
}
