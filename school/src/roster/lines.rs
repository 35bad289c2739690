//! The rows of a CSV text, each with the line it begins on.
//!
//! The crate `csv` splits them. Two things are added: exact line numbers where blank lines stand between, and a way on after a quote
//! that is opened and never closed, which would otherwise swallow the rest of the file without a word.

use csv::{Reader, ReaderBuilder, StringRecord};

use super::limits::{MAX_FIELD_BYTES, MAX_UNCLOSED_QUOTES};

/// Walks through the rows of a text.
pub(super) struct Lines<'t> {
    text: &'t str,
    delimiter: u8,
    expected_cells: Option<usize>,
    /// Where in the text the current reader began, in bytes and in lines.
    offset: usize,
    line: u64,
    reader: Reader<&'t [u8]>,
    record: StringRecord,
    unclosed_quotes: u32,
}

/// What stands next in the text.
#[derive(Debug)]
pub(super) enum Line<'l> {
    /// A row, and the line it begins on.
    Row(u64, &'l StringRecord),
    /// A quote is opened on this line and never closed; the line is lost, the next one follows.
    UnclosedQuote(u64),
    /// The same once too often; nothing follows.
    GivenUp(u64),
}

impl<'t> Lines<'t> {
    /// The rows of a text, the headings included. With the number of cells a row should have, rows that a quote glued together are
    /// told from cells that hold a line break.
    pub(super) fn new(text: &'t str, delimiter: u8, expected_cells: Option<usize>) -> Self {
        Self {
            text,
            delimiter,
            expected_cells,
            offset: 0,
            line: 1,
            reader: reader(text, delimiter),
            record: StringRecord::new(),
            unclosed_quotes: 0,
        }
    }

    /// The next row.
    pub(super) fn next(&mut self) -> Option<Line<'_>> {
        if self.unclosed_quotes > MAX_UNCLOSED_QUOTES || !self.reader.read_record(&mut self.record).unwrap_or(false) {
            return None;
        }
        let (start, line) = self.beginning();
        if !self.is_glued() {
            return Some(Line::Row(line, &self.record));
        }
        self.unclosed_quotes += 1;
        if self.unclosed_quotes > MAX_UNCLOSED_QUOTES {
            return Some(Line::GivenUp(line));
        }
        self.begin_after(start, line);
        Some(Line::UnclosedQuote(line))
    }

    /// Where the current row begins. The reader's position is that of the blank lines before it.
    fn beginning(&self) -> (usize, u64) {
        let position = self.record.position();
        let byte = position.map_or(0, |position| usize::try_from(position.byte()).unwrap_or(usize::MAX));
        let line = position.map_or(1, csv::Position::line);
        let start = self.offset.saturating_add(byte).min(self.text.len());
        let bytes = &self.text.as_bytes()[start..];
        let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let feeds = bytes[..blank].iter().filter(|byte| **byte == b'\n').count() as u64;
        (start + blank, self.line + line - 1 + feeds)
    }

    /// Several lines became one row, and a row that cannot be meant: its cells are too many, too few or too long.
    fn is_glued(&self) -> bool {
        let wrong_count = self.expected_cells.is_some_and(|expected| {
            self.record.len() < expected || self.record.iter().skip(expected).any(|cell| !cell.is_empty())
        });
        let spans_lines = |cell: &str| cell.contains('\n') && (wrong_count || cell.len() > MAX_FIELD_BYTES);
        self.record.iter().any(spans_lines)
    }

    /// Reads on from the line after the given one.
    fn begin_after(&mut self, start: usize, line: u64) {
        let rest = &self.text.as_bytes()[start..];
        let length = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(rest.len(), |feed| feed + 1);
        self.offset = start + length;
        self.line = line + 1;
        self.reader = reader(&self.text[self.offset..], self.delimiter);
    }
}

fn reader(text: &str, delimiter: u8) -> Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, cells: usize) -> Vec<(u64, String)> {
        let mut lines = Lines::new(text, b',', Some(cells));
        let mut found = Vec::new();
        while let Some(line) = lines.next() {
            found.push(match line {
                Line::Row(number, cells) => (number, cells.iter().collect::<Vec<_>>().join("|")),
                Line::UnclosedQuote(number) => (number, "unclosed".to_owned()),
                Line::GivenUp(number) => (number, "given up".to_owned()),
            });
        }
        found
    }

    fn rows(expected: &[(u64, &str)]) -> Vec<(u64, String)> {
        expected
            .iter()
            .map(|(line, text)| (*line, (*text).to_owned()))
            .collect()
    }

    #[test]
    fn line_numbers_count_blank_lines_and_line_breaks_in_cells() {
        assert_eq!(
            read("a,b\r\n\r\n\n1,2\r\n\"x\ny\",3\n4,5", 2),
            rows(&[(1, "a|b"), (4, "1|2"), (5, "x\ny|3"), (7, "4|5")])
        );
    }

    #[test]
    fn an_unclosed_quote_costs_one_line() {
        assert_eq!(
            read("a,b,c\n1,\"2,3\n4,5,6\n7,8,9\n", 3),
            rows(&[(1, "a|b|c"), (2, "unclosed"), (3, "4|5|6"), (4, "7|8|9")])
        );
    }

    #[test]
    fn too_many_unclosed_quotes_end_the_file() {
        let text = "1,\"2\n".repeat(2) + &"1,\"2\n\n".repeat(300) + "1,2,3\n";
        let found = read(&text, 7);
        assert_eq!(found.last().map(|(_, what)| what.as_str()), Some("given up"));
        assert!(found.len() <= MAX_UNCLOSED_QUOTES as usize + 1);
    }
}
