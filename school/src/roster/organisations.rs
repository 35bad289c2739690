//! `orgs.csv`: municipalities, schools, parts of schools.

use super::catalogue::Catalogue;
use super::columns::Shape;
use super::contents::Organisation;
use super::index::Index;
use super::parents::{self, Claim};
use super::problem::{Problems, shown};
use super::row::Row;
use super::words::{OrganisationType, Status};

const SHAPE: Shape = Shape {
    known: &[
        "sourcedId",
        "status",
        "dateLastModified",
        "name",
        "type",
        "identifier",
        "parentSourcedId",
    ],
    needed: &["sourcedId"],
    expected: &["name", "type"],
    dates: &[],
};

/// The organisations that were read.
pub(super) struct Organisations {
    /// All of them.
    pub(super) list: Vec<Organisation>,
    /// Their ids.
    pub(super) index: Index,
    /// The institution everyone belongs to who names none: there is one if there is only one.
    pub(super) only: Option<String>,
}

impl Organisations {
    /// The organisation a row names in a column; the only institution there is when it names none that is known. `otherwise` says
    /// what is done when there is not just one.
    pub(super) fn named_by(&self, row: &mut Row<'_>, column: &'static str, otherwise: &str) -> Option<String> {
        let instead = self.instead(otherwise);
        match row.reference(column, &self.index, &instead) {
            Ok(Some((_, named))) => return Some(named),
            Ok(None) if self.only.is_some() => {
                row.warn_once(column, "none", || format!("no organisation is named; {instead}"));
            }
            Ok(None) => row.error(column, format!("no organisation is named; {instead}")),
            Err(_) => {}
        }
        self.only.clone()
    }

    /// What is done for a row that names no organisation.
    pub(super) fn instead(&self, otherwise: &str) -> String {
        let only = |only: &String| format!("taken as the only institution, {}", shown(only));
        self.only.as_ref().map_or_else(|| otherwise.to_owned(), only)
    }

    /// Whether an organisation is to be deleted.
    pub(super) fn is_ended(&self, sourced_id: &str) -> bool {
        let ended = |organisation: &&Organisation| organisation.status == Status::ToBeDeleted;
        self.list
            .iter()
            .filter(ended)
            .any(|organisation| organisation.sourced_id == sourced_id)
    }
}

/// Reads the organisations.
pub(super) fn read(catalogue: &Catalogue<'_>, problems: &mut Problems) -> Organisations {
    let mut list = Vec::new();
    let mut index = Index::new("organisation", true);
    let mut claims = Vec::new();
    if let Some(table) = catalogue.open("orgs", &SHAPE, true, problems) {
        table.each_row(problems, |row| {
            let Some(organisation) = organisation(row, &index) else {
                return;
            };
            index.keep(&organisation.sourced_id, list.len(), row.place().line);
            if let Some(parent) = row.text(parents::COLUMN) {
                claims.push(Claim {
                    child: list.len(),
                    parent,
                    place: row.place().clone(),
                });
            }
            list.push(organisation);
        });
    }
    for (position, parent) in parents::resolve(claims, &index, problems) {
        if let Some(organisation) = list.get_mut(position) {
            organisation.parent = Some(parent);
        }
    }
    report_lone_departments(&list, problems);
    let only = only_institution(&list);
    Organisations { list, index, only }
}

fn organisation(row: &mut Row<'_>, index: &Index) -> Option<Organisation> {
    let sourced_id = row.own_id(index)?;
    let name = row.text("name").unwrap_or_else(|| {
        row.warn("name", "empty, a name expected; its id taken instead");
        sourced_id.clone()
    });
    let kind = row
        .word("type", "taken as `school`")
        .ok()
        .flatten()
        .unwrap_or(OrganisationType::School);
    Some(Organisation {
        status: row.status(),
        place: row.place().clone(),
        name,
        kind,
        identifier: row.text("identifier"),
        parent: None,
        sourced_id,
    })
}

/// A department with no school above it stands for the school itself: somebody exported less than they have.
fn report_lone_departments(list: &[Organisation], problems: &mut Problems) {
    for department in list
        .iter()
        .filter(|organisation| organisation.kind == OrganisationType::Department)
    {
        let mut above = department.parent.as_deref();
        let mut in_school = false;
        while let Some(parent) = above.and_then(|id| list.iter().find(|organisation| organisation.sourced_id == id)) {
            in_school |= parent.kind == OrganisationType::School;
            above = parent.parent.as_deref();
        }
        if !in_school {
            let message = "a department with no school above it; taken as an institution of its own";
            problems.warning(&department.place, Some("type"), message);
        }
    }
}

fn only_institution(list: &[Organisation]) -> Option<String> {
    let active = || list.iter().filter(|organisation| organisation.status == Status::Active);
    let of = |kind| active().filter(move |organisation| organisation.kind == kind);
    let mut candidates: Vec<&Organisation> = of(OrganisationType::School).collect();
    if candidates.is_empty() {
        candidates = of(OrganisationType::Department).collect();
    }
    match candidates.as_slice() {
        [only] => Some(only.sourced_id.clone()),
        _ => None,
    }
}
