//! The ids of one kind of record: what a reference from another record leads to.

use std::collections::HashMap;

use super::problem::{Place, Problems, shown};

/// The ids of one kind of record.
#[derive(Debug)]
pub(super) struct Index {
    /// What the records are called in messages: "organisation".
    pub(super) what: &'static str,
    /// False when the file was not there at all: then references to it are left out without a word.
    pub(super) given: bool,
    entries: HashMap<String, Entry>,
    /// By the id in lower case; none where two ids differ by case only.
    any_case: HashMap<String, Option<String>>,
}

#[derive(Debug, Clone, Copy)]
enum Entry {
    Kept { position: usize, line: u64 },
    Skipped { line: u64 },
}

/// What a reference leads to.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// To the record at this position.
    Record(usize),
    /// To none of that id, but to one whose id differs by case only.
    OtherCase(usize, String),
    /// To a row that was skipped.
    Skipped(u64),
    /// Nowhere.
    Nothing,
}

impl Index {
    /// No ids yet.
    pub(super) fn new(what: &'static str, given: bool) -> Self {
        Self {
            what,
            given,
            entries: HashMap::new(),
            any_case: HashMap::new(),
        }
    }

    /// The line an id was first seen on.
    pub(super) fn line_of(&self, sourced_id: &str) -> Option<u64> {
        self.entries.get(sourced_id).map(|entry| match entry {
            Entry::Kept { line, .. } | Entry::Skipped { line } => *line,
        })
    }

    /// A record was kept at this position of its list.
    pub(super) fn keep(&mut self, sourced_id: &str, position: usize, line: u64) {
        self.entries
            .insert(sourced_id.to_owned(), Entry::Kept { position, line });
        self.any_case
            .entry(sourced_id.to_lowercase())
            .and_modify(|known| *known = None)
            .or_insert_with(|| Some(sourced_id.to_owned()));
    }

    /// A row was read far enough to know its id, and then skipped.
    pub(super) fn skip(&mut self, sourced_id: &str, line: u64) {
        self.entries
            .entry(sourced_id.to_owned())
            .or_insert(Entry::Skipped { line });
    }

    /// Where a reference leads.
    fn find(&self, sourced_id: &str) -> Found {
        match self.entries.get(sourced_id) {
            Some(Entry::Kept { position, .. }) => Found::Record(*position),
            Some(Entry::Skipped { line }) => Found::Skipped(*line),
            None => self.find_in_any_case(sourced_id),
        }
    }

    /// The position of the record of exactly this id.
    pub(super) fn position(&self, sourced_id: &str) -> Option<usize> {
        match self.entries.get(sourced_id) {
            Some(Entry::Kept { position, .. }) => Some(*position),
            _ => None,
        }
    }

    /// Follows a reference to its record: the position, and the id as the record spells it. None when it leads nowhere; that is
    /// reported, with what is done about it in `otherwise`.
    pub(super) fn follow(
        &self,
        sourced_id: &str,
        place: &Place,
        column: &'static str,
        otherwise: &str,
        problems: &mut Problems,
    ) -> Option<(usize, String)> {
        let (what, found) = (self.what, shown(sourced_id));
        match self.find(sourced_id) {
            Found::Record(position) => return Some((position, sourced_id.to_owned())),
            Found::OtherCase(position, spelling) => {
                let message = format!("there is no {what} {found}; taken as {}", shown(&spelling));
                problems.warning(place, Some(column), message);
                return Some((position, spelling));
            }
            Found::Skipped(line) => {
                let message = format!("{what} {found} was skipped (its line {line}); {otherwise}");
                problems.error(place, Some(column), message);
            }
            Found::Nothing if self.given => {
                problems.error(place, Some(column), format!("there is no {what} {found}; {otherwise}"));
            }
            Found::Nothing => {}
        }
        None
    }

    fn find_in_any_case(&self, sourced_id: &str) -> Found {
        let Some(Some(spelling)) = self.any_case.get(&sourced_id.to_lowercase()) else {
            return Found::Nothing;
        };
        match self.entries.get(spelling) {
            Some(Entry::Kept { position, .. }) => Found::OtherCase(*position, spelling.clone()),
            _ => Found::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_as_written_and_in_another_case_when_only_one_is_meant() {
        let mut index = Index::new("person", true);
        index.keep("Ab", 0, 2);
        index.keep("cd", 1, 3);
        index.keep("CD", 2, 4);
        index.skip("ef", 5);
        assert_eq!(index.find("Ab"), Found::Record(0));
        assert_eq!(index.find("aB"), Found::OtherCase(0, "Ab".to_owned()));
        assert_eq!(index.find("CD"), Found::Record(2));
        assert_eq!(index.find("cD"), Found::Nothing);
        assert_eq!(index.find("ef"), Found::Skipped(5));
        assert_eq!(index.find("gh"), Found::Nothing);
        assert_eq!(index.line_of("ef"), Some(5));
    }
}
