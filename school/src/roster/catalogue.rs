//! Which file of a roster is which, however it is named, and whether the manifest agrees.

use std::collections::HashMap;

use super::columns::Shape;
use super::files::{RosterFile, RosterFiles};
use super::manifest::{Manifest, Mode};
use super::problem::{Place, Problems};
use super::spelling::{folded, nearest};
use super::table::Table;

/// The files that are read, by their OneRoster names without `.csv`.
const READ: &[&str] = &[
    "manifest",
    "orgs",
    "academicSessions",
    "courses",
    "classes",
    "users",
    "roles",
    "demographics",
    "enrollments",
    "samtaleRelations",
];

/// OneRoster's other files: marks, resources, profiles. Nobody misses them here.
const NOT_READ: &[&str] = &[
    "categories",
    "classResources",
    "courseResources",
    "lineItemLearningObjectiveIds",
    "lineItemScoreScales",
    "lineItems",
    "resources",
    "resultLearningObjectiveIds",
    "resultScoreScales",
    "results",
    "scoreScales",
    "userProfiles",
    "userResources",
];

/// Other names seen for a file, folded.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("organisations", "orgs"),
    ("organizations", "orgs"),
    ("people", "users"),
    ("terms", "academicSessions"),
    ("sessions", "academicSessions"),
];

/// A roster's files by what they are.
pub(super) struct Catalogue<'f> {
    files: HashMap<&'static str, &'f RosterFile>,
    manifest: Manifest,
}

impl<'f> Catalogue<'f> {
    /// Sorts the files and reads the manifest.
    pub(super) fn of(files: &'f RosterFiles, problems: &mut Problems) -> Self {
        let mut known = HashMap::new();
        for file in files.iter() {
            let place = Place::new(file.name(), 0);
            match recognise(file.name(), &place, problems) {
                Some(name) if known.contains_key(name) => {
                    problems.warning(&place, None, format!("`{name}.csv` is there already; file ignored"));
                }
                Some(name) if READ.contains(&name) => {
                    known.insert(name, file);
                }
                _ => {}
            }
        }
        let manifest = Manifest::read(known.get("manifest").copied(), known.contains_key("roles"), problems);
        Self { files: known, manifest }
    }

    /// What the manifest says.
    pub(super) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Whether a file is there, readable or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// Whether any file that is read is a list of changes.
    pub(super) fn is_delta(&self) -> bool {
        READ.iter().any(|name| self.manifest.mode(name) == Some(Mode::Delta))
    }

    /// Opens a file as a table; none when it is not there or cannot be read, and why is reported where it matters.
    pub(super) fn open(
        &self,
        name: &'static str,
        shape: &'static Shape,
        needed: bool,
        problems: &mut Problems,
    ) -> Option<Table<'f>> {
        let mode = self.manifest.mode(name);
        let Some(file) = self.files.get(name) else {
            let place = Place::new(&format!("{name}.csv"), 0);
            if needed {
                problems.error(&place, None, "file is missing; nothing of it is read");
            } else if matches!(mode, Some(Mode::Bulk | Mode::Delta)) {
                problems.error(
                    &place,
                    None,
                    "file is missing, though the manifest names it; nothing of it is read",
                );
            }
            return None;
        };
        let place = Place::new(file.name(), 0);
        match mode {
            Some(Mode::Delta) => {
                let message = "the manifest calls it a list of changes (`delta`), `bulk` expected; file skipped";
                problems.error(&place, None, message);
                return None;
            }
            Some(Mode::Absent) => {
                problems.warning(
                    &place,
                    None,
                    "the manifest calls it `absent`, but it is there; file read",
                );
            }
            Some(Mode::Bulk) | None => {}
        }
        Table::open(file, shape, problems)
    }
}

/// Which file a name means; none when it is not one of OneRoster's, which is reported.
fn recognise(file_name: &str, place: &Place, problems: &mut Problems) -> Option<&'static str> {
    let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
    let key = folded(stem);
    let all = || READ.iter().chain(NOT_READ).copied();
    if let Some(name) = all().find(|name| folded(name) == key) {
        return Some(name);
    }
    let keys: Vec<(String, &'static str)> = all().map(|name| (folded(name), name)).collect();
    let other = OTHER_NAMES
        .iter()
        .find(|(other, _)| *other == key)
        .map(|(_, name)| *name);
    let similar = || {
        let found = nearest(&key, keys.iter().map(|(known, _)| known.as_str()))?;
        keys.iter().find(|(known, _)| known == found).map(|(_, name)| *name)
    };
    let name = other.or_else(similar);
    match name {
        Some(name) => problems.warning(place, None, format!("not a OneRoster file name; taken as `{name}.csv`")),
        None => problems.warning(place, None, "not a OneRoster file; file ignored"),
    }
    name
}
