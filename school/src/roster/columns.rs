//! The columns of a file: which known column each heading is, however it is spelled.

use std::collections::HashMap;

use super::limits::MAX_COLUMNS;
use super::problem::{Place, Problems, shown};
use super::spelling::{folded, nearest};

/// What is known of one kind of file.
pub(super) struct Shape {
    /// Every column the standard has, and Samtale's own; those that are never read stand here too, so that they are not reported.
    pub(super) known: &'static [&'static str],
    /// Columns without which no row can be read.
    pub(super) needed: &'static [&'static str],
    /// Columns that should be there; rows are read without them.
    pub(super) expected: &'static [&'static str],
    /// Columns that hold dates and are read.
    pub(super) dates: &'static [&'static str],
}

/// Other headings seen for a column, folded. A heading may stand for several columns: the one the file knows is meant.
const OTHER_HEADINGS: &[(&str, &str)] = &[
    ("id", "sourcedId"),
    ("guid", "sourcedId"),
    ("navn", "name"),
    ("navn", "title"),
    ("name", "title"),
    ("title", "name"),
    ("fornavn", "givenName"),
    ("firstname", "givenName"),
    ("mellemnavn", "middleName"),
    ("efternavn", "familyName"),
    ("lastname", "familyName"),
    ("surname", "familyName"),
    ("brugernavn", "username"),
    ("login", "username"),
    ("mail", "email"),
    ("emailaddress", "email"),
    ("mobil", "sms"),
    ("mobile", "sms"),
    ("telefon", "phone"),
    ("telephone", "phone"),
    ("aktiv", "enabledUser"),
    ("enabled", "enabledUser"),
    ("fødselsdato", "birthDate"),
    ("foedselsdato", "birthDate"),
    ("dateofbirth", "birthDate"),
    ("startdate", "beginDate"),
    ("begindate", "startDate"),
    ("startdato", "beginDate"),
    ("startdato", "startDate"),
    ("slutdato", "endDate"),
    ("agents", "agentSourcedIds"),
    ("orgs", "orgSourcedIds"),
    ("org", "orgSourcedId"),
    ("orgid", "orgSourcedId"),
    ("school", "schoolSourcedId"),
    ("schoolid", "schoolSourcedId"),
    ("skole", "schoolSourcedId"),
    ("orgsourcedid", "schoolSourcedId"),
    ("class", "classSourcedId"),
    ("classid", "classSourcedId"),
    ("klasse", "classSourcedId"),
    ("user", "userSourcedId"),
    ("userid", "userSourcedId"),
    ("terms", "termSourcedIds"),
    ("nameprotected", "metadata.nameProtected"),
    ("navnebeskyttet", "metadata.nameProtected"),
    ("guardian", "guardianSourcedId"),
    ("child", "childSourcedId"),
];

/// Where each known column stands in a file.
#[derive(Debug)]
pub(super) struct Columns {
    positions: HashMap<&'static str, usize>,
    count: usize,
}

impl Columns {
    /// Where a column stands, counted from 0.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    /// How many columns the file has, known or not.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Recognises a file's headings. None when a needed one is missing: the file cannot be read, and why is reported.
    pub(super) fn recognise(
        headings: &csv::StringRecord,
        shape: &'static Shape,
        place: &Place,
        problems: &mut Problems,
    ) -> Option<Self> {
        if headings.len() > MAX_COLUMNS {
            let message = format!(
                "{} columns found, at most {MAX_COLUMNS} expected; file skipped",
                headings.len()
            );
            problems.error(place, None, message);
            return None;
        }
        let mut columns = Self {
            positions: HashMap::new(),
            count: headings.len(),
        };
        let unclear = columns.take_exact(headings, shape, place, problems);
        columns.take_similar(headings, &unclear, shape, place, problems);
        columns.complain_of_missing(shape, place, problems)
    }

    /// Takes the headings that differ from a known column by case and punctuation at most; answers with the others.
    fn take_exact(
        &mut self,
        headings: &csv::StringRecord,
        shape: &'static Shape,
        place: &Place,
        problems: &mut Problems,
    ) -> Vec<usize> {
        let known: HashMap<String, &'static str> = shape.known.iter().map(|name| (folded(name), *name)).collect();
        let mut unclear = Vec::new();
        for (position, heading) in headings.iter().enumerate() {
            match known.get(&folded(heading)) {
                Some(name) if self.positions.contains_key(name) => {
                    let message = format!("column {} is there twice; the first is taken", shown(heading));
                    problems.warning(place, Some(name), message);
                }
                Some(name) => {
                    self.positions.insert(name, position);
                }
                None => unclear.push(position),
            }
        }
        unclear
    }

    /// Takes the headings that are another word for a known column or a misspelling of one.
    fn take_similar(
        &mut self,
        headings: &csv::StringRecord,
        unclear: &[usize],
        shape: &'static Shape,
        place: &Place,
        problems: &mut Problems,
    ) {
        for position in unclear {
            let heading = headings.get(*position).unwrap_or_default();
            let key = folded(heading);
            // An empty heading is a comma too many; `metadata.` is how OneRoster lets systems add columns of their own.
            let ignorable = key.is_empty() || key.starts_with("metadata");
            if let Some(name) = self.similar(&key, shape) {
                self.positions.insert(name, *position);
                let message = format!("column {} is not known; taken as `{name}`", shown(heading));
                problems.warning(place, Some(name), message);
            } else if !ignorable {
                let message = format!("column {} is not known; ignored", shown(heading));
                problems.warning(place, Some(heading), message);
            }
        }
    }

    /// The known column, not found yet, that a folded heading means.
    fn similar(&self, key: &str, shape: &'static Shape) -> Option<&'static str> {
        let free = || {
            shape
                .known
                .iter()
                .copied()
                .filter(|name| !self.positions.contains_key(name))
        };
        let other = |name: &&'static str| OTHER_HEADINGS.contains(&(key, *name));
        if let Some(name) = free().find(other) {
            return Some(name);
        }
        let keys: Vec<(String, &'static str)> = free().map(|name| (folded(name), name)).collect();
        let found = nearest(key, keys.iter().map(|(known, _)| known.as_str()))?;
        keys.iter().find(|(known, _)| known == found).map(|(_, name)| *name)
    }

    fn complain_of_missing(self, shape: &'static Shape, place: &Place, problems: &mut Problems) -> Option<Self> {
        let is_missing = |name: &&&'static str| !self.positions.contains_key(**name);
        let missing: Vec<&'static str> = shape.needed.iter().filter(is_missing).copied().collect();
        for name in &missing {
            problems.error(
                place,
                Some(name),
                format!("no column `{name}` found; without it the file is skipped"),
            );
        }
        for name in shape.expected.iter().filter(is_missing) {
            problems.warning(
                place,
                Some(name),
                format!("no column `{name}` found; taken as empty in every row"),
            );
        }
        missing.is_empty().then_some(self)
    }
}
