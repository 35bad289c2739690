//! A Rust file as rules see it: the text, the code in it, its lines, and which parts of it are tests.

use std::ops::Range;

use super::masking::mask;

/// A Rust file, read once for all rules.
pub struct RustSource<'text> {
    /// The file as it is.
    pub text: &'text str,
    /// The same length and lines, with comments and strings blanked.
    pub code: String,
    line_starts: Vec<usize>,
    test_blocks: Vec<Range<usize>>,
}

impl<'text> RustSource<'text> {
    /// Reads a file's text.
    pub fn new(text: &'text str) -> Self {
        let code = mask(text);
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        let test_blocks = test_blocks(&code);
        Self {
            text,
            code,
            line_starts,
            test_blocks,
        }
    }

    /// The line of a place in the text, counted from 1.
    pub fn line_of(&self, place: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= place)
    }

    /// The text of a line counted from 1; empty when there is no such line.
    pub fn line(&self, number: usize) -> &'text str {
        self.text.lines().nth(number.wrapping_sub(1)).unwrap_or_default()
    }

    /// Whether a place is in an item under `#[cfg(test)]`.
    pub fn is_test(&self, place: usize) -> bool {
        self.test_blocks.iter().any(|block| block.contains(&place))
    }

    /// Lines of the file, without the block of tests that ends it.
    pub fn length_without_tests(&self) -> usize {
        let trailing = self
            .test_blocks
            .last()
            .filter(|block| self.code[block.end..].trim().is_empty());
        let counted = trailing.map_or(self.text, |block| self.text[..block.start].trim_end());
        counted.lines().count()
    }

    /// Where a word stands in the code: not inside a longer name.
    pub fn places_of<'source>(&'source self, word: &'source str) -> impl Iterator<Item = usize> + 'source {
        let joins = |character: char| character.is_alphanumeric() || character == '_';
        self.code.match_indices(word).map(|(at, _)| at).filter(move |at| {
            let runs_on_before = word.starts_with(joins) && self.code[..*at].ends_with(joins);
            let runs_on_after = word.ends_with(joins) && self.code[at + word.len()..].starts_with(joins);
            !runs_on_before && !runs_on_after
        })
    }

    /// The name that follows a place in the code, past spaces.
    pub fn name_after(&self, place: usize) -> Option<&str> {
        let rest = self.code[place..].trim_start();
        let end = rest
            .find(|character: char| !(character.is_alphanumeric() || character == '_'))
            .unwrap_or(rest.len());
        (end > 0).then(|| &rest[..end])
    }

    /// The braces of the item that starts at a place, if it has a body: from `{` to past `}`.
    pub fn body_after(&self, place: usize) -> Option<Range<usize>> {
        body_after(&self.code, place)
    }
}

fn test_blocks(code: &str) -> Vec<Range<usize>> {
    let mut blocks: Vec<Range<usize>> = Vec::new();
    for attribute in ["#[cfg(test)]", "#[cfg(all(test,"] {
        for (at, _) in code.match_indices(attribute) {
            if let Some(body) = body_after(code, at) {
                blocks.push(at..body.end);
            }
        }
    }
    blocks.sort_by_key(|block| block.start);
    blocks
}

/// Arguments, array lengths and attributes are stepped over, so the first `{` outside them opens the body; a `;` there, or
/// the end of what is around, says that there is none.
fn body_after(code: &str, place: usize) -> Option<Range<usize>> {
    let mut depth = 0_usize;
    for (offset, character) in code[place..].char_indices() {
        match character {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ';' | '}' if depth == 0 => return None,
            '{' if depth == 0 => {
                let open = place + offset;
                return Some(open..closing_brace(code, open)? + 1);
            }
            _ => {}
        }
    }
    None
}

fn closing_brace(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (offset, character) in code[open..].char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(open + offset),
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITH_TESTS: &str = "//! Doc.\nfn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() { \"}\"; }\n}\n";

    #[test]
    fn counts_lines_without_the_trailing_tests() {
        assert_eq!(RustSource::new(WITH_TESTS).length_without_tests(), 2);
        let followed = format!("{WITH_TESTS}fn c() {{}}\n");
        assert_eq!(RustSource::new(&followed).length_without_tests(), 8);
    }

    #[test]
    fn knows_which_places_are_tests() {
        let source = RustSource::new(WITH_TESTS);
        let places: Vec<bool> = source.places_of("fn").map(|place| source.is_test(place)).collect();
        assert_eq!(places, [false, true]);
    }

    #[test]
    fn does_not_take_a_field_for_a_block() {
        let source = RustSource::new("struct A {\n    #[cfg(test)]\n    b: u8,\n}\nfn c() {}\n");
        assert!(source.places_of("fn").all(|place| !source.is_test(place)));
    }

    #[test]
    fn finds_whole_words_only() {
        let source = RustSource::new("sleep asleep sleep_until(sleep) // sleep");
        assert_eq!(source.places_of("sleep").count(), 2);
    }

    #[test]
    fn finds_lines_names_and_bodies() {
        let source = RustSource::new("struct A;\nfn one(a: [u8; 3]) -> B {\n}\nfn two();\n");
        let functions: Vec<usize> = source.places_of("fn").collect();
        assert_eq!(source.line_of(functions[0]), 2);
        assert_eq!(source.line(2), "fn one(a: [u8; 3]) -> B {");
        assert_eq!(source.name_after(functions[0] + 2), Some("one"));
        assert!(source.body_after(functions[0]).is_some());
        assert!(source.body_after(functions[1]).is_none());
    }
}
