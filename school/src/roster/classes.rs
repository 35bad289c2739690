//! `classes.csv`: classes, teams, after-school groups.

use super::catalogue::Catalogue;
use super::columns::Shape;
use super::contents::Class;
use super::index::Index;
use super::organisations::Organisations;
use super::problem::Problems;
use super::row::Row;
use super::words::{ClassType, Status};

const SHAPE: Shape = Shape {
    known: &[
        "sourcedId",
        "status",
        "dateLastModified",
        "title",
        "grades",
        "courseSourcedId",
        "classCode",
        "classType",
        "location",
        "schoolSourcedId",
        "termSourcedIds",
        "subjects",
        "subjectCodes",
        "periods",
    ],
    needed: &["sourcedId"],
    expected: &["title", "classType", "schoolSourcedId"],
    dates: &[],
};

/// Reads the classes.
pub(super) fn read(
    catalogue: &Catalogue<'_>,
    organisations: &Organisations,
    sessions: &Index,
    courses: &Index,
    problems: &mut Problems,
) -> (Vec<Class>, Index) {
    let mut list: Vec<Class> = Vec::new();
    let table = catalogue.open("classes", &SHAPE, false, problems);
    let mut index = Index::new("class", true);
    if let Some(table) = table {
        table.each_row(problems, |row| {
            let Some(sourced_id) = row.own_id(&index) else { return };
            let line = row.place().line;
            match class(row, &sourced_id, organisations, sessions, courses) {
                Some(class) => {
                    index.keep(&sourced_id, list.len(), line);
                    list.push(class);
                }
                None => index.skip(&sourced_id, line),
            }
        });
    }
    (list, index)
}

fn class(
    row: &mut Row<'_>,
    sourced_id: &str,
    organisations: &Organisations,
    sessions: &Index,
    courses: &Index,
) -> Option<Class> {
    // A class of nowhere can have no members.
    let organisation = organisations.named_by(row, "schoolSourcedId", "row skipped")?;
    let mut status = row.status();
    if organisations.is_ended(&organisation) && status == Status::Active {
        row.warn(
            "status",
            "active, but its organisation is to be deleted; taken as to be deleted too",
        );
        status = Status::ToBeDeleted;
    }
    let title = row.text("title").unwrap_or_else(|| {
        row.warn("title", "empty, a title expected; its id taken instead");
        sourced_id.to_owned()
    });
    Some(Class {
        sourced_id: sourced_id.to_owned(),
        status,
        place: row.place().clone(),
        title,
        code: row.text("classCode"),
        kind: row
            .word("classType", "taken as `scheduled`")
            .ok()
            .flatten()
            .unwrap_or(ClassType::Scheduled),
        organisation,
        grades: row.list("grades"),
        subjects: row.list("subjects"),
        course: row
            .reference("courseSourcedId", courses, "left out")
            .ok()
            .flatten()
            .map(|(_, id)| id),
        sessions: row.references("termSourcedIds", sessions, "left out"),
        location: row.text("location"),
    })
}
