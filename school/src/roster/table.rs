//! One file of a roster as a table: decoded, its separator found, its columns recognised, its rows handed out one by one.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use csv::StringRecord;

use super::columns::{Columns, Shape};
use super::dates::{self, Order};
use super::encoding::decode;
use super::files::RosterFile;
use super::limits::{MAX_FIELD_BYTES, MAX_FILE_BYTES, MAX_ROWS};
use super::lines::{Line, Lines};
use super::problem::{Place, Problems};
use super::row::Row;

/// Rows looked at to learn how long a file's rows usually are.
const SAMPLED_ROWS: usize = 100;

/// A file whose columns are known.
pub(super) struct Table<'f> {
    file: Arc<str>,
    text: Cow<'f, str>,
    /// Where the headings begin, in bytes, and how many lines stand before them.
    start: usize,
    lines_before: u64,
    delimiter: u8,
    columns: Columns,
    /// How many cells most rows have: more than there are columns, in files whose rows end in separators.
    usual_cells: usize,
    /// The order of day and month in each column of dates.
    orders: HashMap<&'static str, Order>,
}

impl<'f> Table<'f> {
    /// Opens a file; none when it cannot be read at all, and why is reported.
    pub(super) fn open(file: &'f RosterFile, shape: &'static Shape, problems: &mut Problems) -> Option<Self> {
        let name: Arc<str> = Arc::from(file.name());
        let whole = Place {
            file: name.clone(),
            line: 0,
        };
        if file.bytes().len() as u64 > MAX_FILE_BYTES {
            let found = file.bytes().len();
            problems.error(
                &whole,
                None,
                format!("{found} bytes found, at most {MAX_FILE_BYTES} expected; file skipped"),
            );
            return None;
        }
        let decoded = decode(file.bytes());
        if let Some(encoding) = decoded.assumed {
            problems.warning(&whole, None, format!("not UTF-8 as expected; read as {encoding}"));
        }
        let (start, lines_before) = headings_begin(&decoded.text);
        let body = &decoded.text[start..];
        let delimiter = delimiter(body);
        if delimiter != b',' {
            let name = if delimiter == b';' { "semicolons" } else { "tabs" };
            problems.warning(
                &whole,
                None,
                format!("cells are separated by {name}, commas expected; read as such"),
            );
        }
        let (headings, line) = headings(body, delimiter);
        let Some(headings) = headings else {
            problems.error(&whole, None, "file is empty, a line of headings expected; file skipped");
            return None;
        };
        let place = Place {
            file: name.clone(),
            line: lines_before + line,
        };
        let columns = Columns::recognise(&headings, shape, &place, problems)?;
        let mut table = Self {
            file: name,
            text: decoded.text,
            start,
            lines_before,
            delimiter,
            usual_cells: columns.count(),
            columns,
            orders: HashMap::new(),
        };
        table.usual_cells = table.find_usual_cells();
        table.find_orders(shape);
        Some(table)
    }

    /// Whether the file has a column.
    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.position(column).is_some()
    }

    /// Where a known column stands.
    pub(super) fn position(&self, column: &str) -> Option<usize> {
        self.columns.position(column)
    }

    /// The order of day and month in a column.
    pub(super) fn order(&self, column: &str) -> Order {
        self.orders.get(column).copied().unwrap_or(Order::DayFirst)
    }

    /// Hands out every row that can be read; what cannot is reported.
    pub(super) fn each_row(&self, problems: &mut Problems, mut visit: impl FnMut(&mut Row<'_>)) {
        let mut said = HashSet::new();
        let mut lines = self.lines();
        let mut rows = 0;
        while let Some(line) = lines.next() {
            let Some((number, cells)) = self.usable(line, problems, &mut said) else {
                continue;
            };
            rows += 1;
            if rows > MAX_ROWS {
                let place = self.place(number);
                problems.error(
                    &place,
                    None,
                    format!("more than {MAX_ROWS} rows found; the rest of the file is skipped"),
                );
                return;
            }
            visit(&mut Row::new(self, cells, self.place(number), problems, &mut said));
        }
    }

    /// The row of a line, when it is one that can be read. Blank lines, and lines of separators only, are nobody's business.
    fn usable<'l>(
        &self,
        line: Line<'l>,
        problems: &mut Problems,
        said: &mut HashSet<(&'static str, String)>,
    ) -> Option<(u64, &'l StringRecord)> {
        let (number, cells) = match line {
            Line::Row(number, cells) => (number + self.lines_before, cells),
            Line::UnclosedQuote(number) => {
                let place = self.place(number + self.lines_before);
                problems.error(&place, None, "a quote is opened and never closed; row skipped");
                return None;
            }
            Line::GivenUp(number) => {
                let place = self.place(number + self.lines_before);
                problems.error(
                    &place,
                    None,
                    "yet another quote is never closed; the rest of the file is skipped",
                );
                return None;
            }
        };
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return None;
        }
        let is_whole = self.check_cells(cells, &self.place(number), problems, said);
        is_whole.then_some((number, cells))
    }

    /// Whether the row's cells can be told apart: not when there are more than columns, for then nobody knows which is which.
    fn check_cells(
        &self,
        cells: &StringRecord,
        place: &Place,
        problems: &mut Problems,
        said: &mut HashSet<(&'static str, String)>,
    ) -> bool {
        let (found, expected) = (cells.len(), self.columns.count());
        if cells.iter().any(|cell| cell.len() > MAX_FIELD_BYTES) {
            problems.error(
                place,
                None,
                format!("a cell of more than {MAX_FIELD_BYTES} bytes found; row skipped"),
            );
            return false;
        }
        let is_usual = found <= expected || found == self.usual_cells;
        if !is_usual || cells.iter().skip(expected).any(|cell| !cell.trim().is_empty()) {
            let message = format!(
                "{found} cells found, {expected} expected as in the headings; row skipped (a list in a cell must be quoted)"
            );
            problems.error(place, None, message);
            return false;
        }
        if found < expected && said.insert(("cells", found.to_string())) {
            let message = format!(
                "{found} cells found, {expected} expected as in the headings; the missing ones taken as empty, here and in every \
                 row like it"
            );
            problems.warning(place, None, message);
        }
        true
    }

    fn place(&self, line: u64) -> Place {
        Place {
            file: self.file.clone(),
            line,
        }
    }

    /// The rows below the headings.
    fn lines(&self) -> Lines<'_> {
        let mut lines = Lines::new(&self.text[self.start..], self.delimiter, Some(self.columns.count()));
        let _headings = lines.next();
        lines
    }

    /// How many cells most of the first rows have; of two such numbers the smaller.
    fn find_usual_cells(&self) -> usize {
        let mut lines = self.lines();
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        let mut sampled = 0;
        while sampled < SAMPLED_ROWS
            && let Some(line) = lines.next()
        {
            sampled += 1;
            if let Line::Row(_, cells) = line {
                *counts.entry(cells.len()).or_default() += 1;
            }
        }
        // Of equals the last wins, so the smallest comes last.
        let usual = counts.iter().rev().max_by_key(|(_, count)| **count);
        usual.map_or(self.columns.count(), |(cells, _)| *cells)
    }

    /// Looks through the columns of dates for one that only Americans can have written. A single date leaves most doubts open; a
    /// column of them rarely does.
    fn find_orders(&mut self, shape: &'static Shape) {
        let columns: Vec<(&'static str, usize)> = shape
            .dates
            .iter()
            .filter_map(|name| Some((*name, self.columns.position(name)?)))
            .collect();
        if columns.is_empty() {
            return;
        }
        let mut day_first = HashSet::new();
        let mut month_first = HashSet::new();
        let mut lines = self.lines();
        while let Some(line) = lines.next() {
            let Line::Row(_, cells) = line else { continue };
            for (name, position) in &columns {
                match cells.get(*position).map(str::trim).and_then(dates::evidence) {
                    Some(Order::DayFirst) => day_first.insert(*name),
                    Some(Order::MonthFirst) => month_first.insert(*name),
                    None => false,
                };
            }
        }
        self.orders = month_first
            .difference(&day_first)
            .map(|name| (*name, Order::MonthFirst))
            .collect();
    }
}

/// Spreadsheets may write their separator on a line before the headings: `sep=;`.
fn headings_begin(text: &str) -> (usize, u64) {
    let first = text.lines().next().unwrap_or_default();
    let is_hint = first.len() == 5 && first.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sep="));
    match text.find('\n') {
        Some(end) if is_hint => (end + 1, 1),
        _ => (0, 0),
    }
}

/// The separator: whichever the headings have most of.
fn delimiter(text: &str) -> u8 {
    let line = text.trim_start().lines().next().unwrap_or_default();
    let count = |separator: u8| line.bytes().filter(|byte| *byte == separator).count();
    // The last of equals wins, so the comma stands last.
    [b'\t', b';', b',']
        .into_iter()
        .max_by_key(|separator| count(*separator))
        .unwrap_or(b',')
}

fn headings(text: &str, delimiter: u8) -> (Option<StringRecord>, u64) {
    match Lines::new(text, delimiter, None).next() {
        Some(Line::Row(line, cells)) => (Some(cells.clone()), line),
        _ => (None, 0),
    }
}
