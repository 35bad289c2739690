//! `courses.csv`: what is taught. Read as far as classes refer to it.

use super::catalogue::Catalogue;
use super::columns::Shape;
use super::contents::Course;
use super::index::Index;
use super::problem::Problems;
use super::row::Row;

const SHAPE: Shape = Shape {
    known: &[
        "sourcedId",
        "status",
        "dateLastModified",
        "schoolYearSourcedId",
        "title",
        "courseCode",
        "grades",
        "orgSourcedId",
        "subjects",
        "subjectCodes",
    ],
    needed: &["sourcedId"],
    expected: &["title"],
    dates: &[],
};

/// Reads the courses.
pub(super) fn read(catalogue: &Catalogue<'_>, organisations: &Index, problems: &mut Problems) -> (Vec<Course>, Index) {
    let mut list = Vec::new();
    let table = catalogue.open("courses", &SHAPE, false, problems);
    let mut index = Index::new("course", table.is_some());
    if let Some(table) = table {
        table.each_row(problems, |row| {
            let Some(course) = course(row, &index, organisations) else {
                return;
            };
            index.keep(&course.sourced_id, list.len(), row.place().line);
            list.push(course);
        });
    }
    (list, index)
}

fn course(row: &mut Row<'_>, index: &Index, organisations: &Index) -> Option<Course> {
    let sourced_id = row.own_id(index)?;
    Some(Course {
        status: row.status(),
        place: row.place().clone(),
        title: row.text("title").unwrap_or_else(|| sourced_id.clone()),
        code: row.text("courseCode"),
        organisation: row
            .reference("orgSourcedId", organisations, "left out")
            .ok()
            .flatten()
            .map(|(_, id)| id),
        sourced_id,
    })
}
