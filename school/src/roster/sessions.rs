//! `academicSessions.csv`: school years and their parts.

use super::catalogue::Catalogue;
use super::columns::Shape;
use super::contents::Session;
use super::index::Index;
use super::parents::{self, Claim};
use super::problem::{Problems, shown};
use super::row::Row;
use super::words::SessionType;

const SHAPE: Shape = Shape {
    known: &[
        "sourcedId",
        "status",
        "dateLastModified",
        "title",
        "type",
        "startDate",
        "endDate",
        "parentSourcedId",
        "schoolYear",
    ],
    needed: &["sourcedId"],
    expected: &["title", "type", "startDate", "endDate"],
    dates: &["startDate", "endDate"],
};

/// Reads the sessions.
pub(super) fn read(catalogue: &Catalogue<'_>, problems: &mut Problems) -> (Vec<Session>, Index) {
    let mut list = Vec::new();
    let mut claims = Vec::new();
    let table = catalogue.open("academicSessions", &SHAPE, false, problems);
    let mut index = Index::new("academic session", table.is_some());
    if let Some(table) = table {
        table.each_row(problems, |row| {
            let Some(session) = session(row, &index) else { return };
            index.keep(&session.sourced_id, list.len(), row.place().line);
            if let Some(parent) = row.text(parents::COLUMN) {
                claims.push(Claim {
                    child: list.len(),
                    parent,
                    place: row.place().clone(),
                });
            }
            list.push(session);
        });
    }
    for (position, parent) in parents::resolve(claims, &index, problems) {
        if let Some(session) = list.get_mut(position) {
            session.parent = Some(parent);
        }
    }
    (list, index)
}

fn session(row: &mut Row<'_>, index: &Index) -> Option<Session> {
    let sourced_id = row.own_id(index)?;
    let start_date = row.date("startDate", "date left out").ok().flatten();
    let end_date = row.date("endDate", "date left out").ok().flatten();
    row.check_order("endDate", start_date, end_date);
    Some(Session {
        status: row.status(),
        place: row.place().clone(),
        title: row.text("title").unwrap_or_else(|| sourced_id.clone()),
        kind: row
            .word("type", "taken as `term`")
            .ok()
            .flatten()
            .unwrap_or(SessionType::Term),
        start_date,
        end_date,
        parent: None,
        school_year: school_year(row),
        sourced_id,
    })
}

/// OneRoster wants the year a school year ends in; some write both years.
fn school_year(row: &mut Row<'_>) -> Option<i16> {
    let text = row.text("schoolYear")?;
    let last = text.rsplit(['/', '-']).next().unwrap_or(&text).trim();
    let year = last.parse().ok().filter(|year| (1900..=2200).contains(year));
    if year.is_none() {
        row.error(
            "schoolYear",
            format!("{} is not a year, e.g. `2027` expected; left out", shown(&text)),
        );
    } else if last != text {
        row.warn_once("schoolYear", "both", || {
            format!("{} found, one year expected; the last taken", shown(&text))
        });
    }
    year
}
