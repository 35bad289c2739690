//! One row of a file, cell by cell and typed. Every cell that cannot be read as what it should be is reported here, with its place,
//! so that the files' own readers speak of records only.

use std::collections::HashSet;

use csv::StringRecord;
use jiff::civil::Date;

use super::dates::{self, Form, Order};
use super::index::Index;
use super::problem::{Place, Problems, shown};
use super::table::Table;
use super::word::{Understood, Word, choices, understand};
use super::words::Status;

/// A cell that could not be read; it is reported already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

/// A cell: empty, read, or not readable.
pub(super) type Cell<T> = Result<Option<T>, Unreadable>;

/// One row.
pub(super) struct Row<'r> {
    table: &'r Table<'r>,
    cells: &'r StringRecord,
    place: Place,
    problems: &'r mut Problems,
    said: &'r mut HashSet<(&'static str, String)>,
}

impl<'r> Row<'r> {
    /// A row of a table. `said` are the things said of the file already that need no repeating.
    pub(super) fn new(
        table: &'r Table<'r>,
        cells: &'r StringRecord,
        place: Place,
        problems: &'r mut Problems,
        said: &'r mut HashSet<(&'static str, String)>,
    ) -> Self {
        Self {
            table,
            cells,
            place,
            problems,
            said,
        }
    }

    /// Where the row stands.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Something of the row was not taken.
    pub(super) fn error(&mut self, column: &'static str, message: impl Into<String>) {
        self.problems.error(&self.place, Some(column), message);
    }

    /// Something of the row was taken by an assumption.
    pub(super) fn warn(&mut self, column: &'static str, message: impl Into<String>) {
        self.problems.warning(&self.place, Some(column), message);
    }

    /// The same, said for the first such row of the file only.
    pub(super) fn warn_once(&mut self, column: &'static str, key: &str, message: impl FnOnce() -> String) {
        if self.said.insert((column, key.to_owned())) {
            let message = message();
            self.warn(column, format!("{message} (here and in every row like it)"));
        }
    }

    /// A cell's text, without the white space around it; none when empty.
    pub(super) fn text(&mut self, column: &'static str) -> Option<String> {
        let cell = self.raw(column);
        if cell.is_empty() {
            return None;
        }
        if cell == "NULL" {
            self.warn_once(column, "NULL", || {
                "`NULL` found, nothing expected; taken as empty".to_owned()
            });
            return None;
        }
        if !cell.contains(char::is_control) {
            return Some(cell.to_owned());
        }
        self.warn_once(column, "control", || {
            "a control character found; it and its like taken as a space".to_owned()
        });
        let spaced = cell.replace(char::is_control, " ");
        Some(spaced.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty())
    }

    /// A cell's text, when the row is worth nothing without it.
    pub(super) fn required(&mut self, column: &'static str) -> Option<String> {
        let text = self.text(column);
        if text.is_none() {
            self.error(column, format!("empty, `{column}` expected; row skipped"));
        }
        text
    }

    /// The texts of a list in a cell: `a, b`. Lists without a comma may be written with semicolons or bars.
    pub(super) fn list(&mut self, column: &'static str) -> Vec<String> {
        let Some(text) = self.text(column) else {
            return Vec::new();
        };
        let separator = [',', ';', '|']
            .into_iter()
            .find(|separator| text.contains(*separator))
            .unwrap_or(',');
        let parts = text.split(separator).map(|part| part.trim().trim_matches('"').trim());
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    /// A word from a closed list. `otherwise` says what is done when it is no such word.
    pub(super) fn word<T: Word + PartialEq>(&mut self, column: &'static str, otherwise: &str) -> Cell<T> {
        let Some(text) = self.text(column) else { return Ok(None) };
        match understand::<T>(&text) {
            Understood::Exactly(word) => Ok(Some(word)),
            Understood::As(word, spelling) => {
                self.warn_once(column, &text, || {
                    format!("{} is not {}; taken as `{spelling}`", shown(&text), T::LIST)
                });
                Ok(Some(word))
            }
            Understood::Not => {
                let message = format!(
                    "{} is not {}, one of {} expected; {otherwise}",
                    shown(&text),
                    T::LIST,
                    choices::<T>()
                );
                self.error(column, message);
                Err(Unreadable)
            }
        }
    }

    /// True or false.
    pub(super) fn truth(&mut self, column: &'static str, otherwise: &str) -> Cell<bool> {
        self.word::<Truth>(column, otherwise)
            .map(|truth| truth.map(|Truth(value)| value))
    }

    /// The record's status; a bulk file leaves it empty.
    pub(super) fn status(&mut self) -> Status {
        self.word("status", "taken as `active`")
            .ok()
            .flatten()
            .unwrap_or(Status::Active)
    }

    /// A date.
    pub(super) fn date(&mut self, column: &'static str, otherwise: &str) -> Cell<Date> {
        let Some(text) = self.text(column) else { return Ok(None) };
        let order = self.table.order(column);
        let Some((date, form)) = dates::read(&text, order) else {
            self.error(
                column,
                format!(
                    "{} is not a date, e.g. `2026-08-10` expected; {otherwise}",
                    shown(&text)
                ),
            );
            return Err(Unreadable);
        };
        self.comment_on_date(column, &text, date, form, order);
        Ok((form != Form::Never).then_some(date))
    }

    fn comment_on_date(&mut self, column: &'static str, text: &str, date: Date, form: Form, order: Order) {
        let (key, reading) = match form {
            Form::Iso => return,
            Form::DanishMidnight => ("midnight", "midnight in Denmark, so the day that begins"),
            Form::YearFirst => ("year first", "year, month, day"),
            Form::DayFirst => ("day first", "day, month, year"),
            Form::MonthFirst => ("month first", "month, day, year, since it cannot be otherwise"),
            Form::Ambiguous if order == Order::MonthFirst => {
                ("ambiguous", "month, day, year, as the other dates of the column")
            }
            Form::Ambiguous => (
                "ambiguous",
                "day, month, year, as in Denmark, though it could be otherwise",
            ),
            Form::Never => ("never", "no date"),
        };
        self.warn_once(column, key, || {
            let taken = if form == Form::Never {
                String::new()
            } else {
                format!(": {date}")
            };
            format!(
                "{} found, a date such as `2026-08-10` expected; taken as {reading}{taken}",
                shown(text)
            )
        });
    }

    /// A reference to another record: its position, and its id as it spells it. `otherwise` says what is done when it leads nowhere.
    pub(super) fn reference(&mut self, column: &'static str, index: &Index, otherwise: &str) -> Cell<(usize, String)> {
        let Some(id) = self.text(column) else { return Ok(None) };
        index
            .follow(&id, &self.place, column, otherwise, self.problems)
            .map(Some)
            .ok_or(Unreadable)
    }

    /// A list of references, each once; those that lead nowhere are reported and left out.
    pub(super) fn references(&mut self, column: &'static str, index: &Index, otherwise: &str) -> Vec<String> {
        let mut found = Vec::new();
        for id in self.list(column) {
            if let Some((_, id)) = index.follow(&id, &self.place, column, otherwise, self.problems)
                && !found.contains(&id)
            {
                found.push(id);
            }
        }
        found
    }

    /// The record's own id, when no earlier row has it; the row is worth nothing otherwise.
    pub(super) fn own_id(&mut self, index: &Index) -> Option<String> {
        let id = self.required("sourcedId")?;
        match index.line_of(&id) {
            None => Some(id),
            Some(line) => {
                self.error(
                    "sourcedId",
                    format!("{} is the id of line {line} too; row skipped", shown(&id)),
                );
                None
            }
        }
    }

    /// Two dates that should follow each other.
    pub(super) fn check_order(&mut self, column: &'static str, begin: Option<Date>, end: Option<Date>) {
        if let (Some(begin), Some(end)) = (begin, end)
            && end < begin
        {
            self.warn(
                column,
                format!("{end} is before the beginning, {begin}; taken as it stands"),
            );
        }
    }

    fn raw(&self, column: &'static str) -> &'r str {
        let position = self.table.position(column);
        let cell = position
            .and_then(|position| self.cells.get(position))
            .unwrap_or_default();
        // Spreadsheets and web pages leave marks at the edges that nobody sees.
        cell.trim_matches(|edge: char| edge.is_whitespace() || matches!(edge, '\u{feff}' | '\u{200b}'))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Truth(bool);

impl Word for Truth {
    const LIST: &'static str = "true or false";
    const OFFICIAL: &'static [(&'static str, Self)] = &[("true", Self(true)), ("false", Self(false))];
    const OTHER: &'static [(&'static str, Self)] = &[
        ("1", Self(true)),
        ("0", Self(false)),
        ("yes", Self(true)),
        ("no", Self(false)),
        ("y", Self(true)),
        ("n", Self(false)),
        ("ja", Self(true)),
        ("nej", Self(false)),
        ("j", Self(true)),
        ("sand", Self(true)),
        ("sandt", Self(true)),
        ("falsk", Self(false)),
    ];
}
