//! Rust text with comments, strings and characters blanked, so that rules look at code and at nothing else.

/// The same text, as long and with the same lines, in which only code is left.
pub fn mask(text: &str) -> String {
    let mut masking = Masking {
        rest: text,
        code: String::with_capacity(text.len()),
    };
    while masking.step() {}
    masking.code
}

struct Masking<'text> {
    rest: &'text str,
    code: String,
}

impl Masking<'_> {
    fn step(&mut self) -> bool {
        let Some(next) = self.rest.chars().next() else {
            return false;
        };
        match self.literal_or_comment_length() {
            Some(length) => self.blank(length),
            None => {
                self.code.push(next);
                self.rest = &self.rest[next.len_utf8()..];
            }
        }
        true
    }

    fn literal_or_comment_length(&self) -> Option<usize> {
        let inside_a_name = self.code.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        line_comment_length(self.rest)
            .or_else(|| block_comment_length(self.rest))
            .or_else(|| raw_string_length(self.rest).filter(|_| !inside_a_name))
            .or_else(|| string_length(self.rest))
            .or_else(|| character_length(self.rest))
    }

    /// Spaces for as many bytes, so that places in the code and in the text are the same.
    fn blank(&mut self, length: usize) {
        let (blanked, rest) = self.rest.split_at(length);
        for character in blanked.chars() {
            match character {
                '\n' => self.code.push('\n'),
                other => self.code.extend(std::iter::repeat_n(' ', other.len_utf8())),
            }
        }
        self.rest = rest;
    }
}

fn line_comment_length(rest: &str) -> Option<usize> {
    rest.starts_with("//").then(|| rest.find('\n').unwrap_or(rest.len()))
}

/// Block comments nest in Rust.
fn block_comment_length(rest: &str) -> Option<usize> {
    if !rest.starts_with("/*") {
        return None;
    }
    let (mut depth, mut at) = (1, 2);
    while depth > 0 {
        let opening = rest[at..].find("/*").map_or(usize::MAX, |found| at + found);
        let Some(closing) = rest[at..].find("*/").map(|found| at + found) else {
            return Some(rest.len());
        };
        if opening < closing {
            depth += 1;
            at = opening + 2;
        } else {
            depth -= 1;
            at = closing + 2;
        }
    }
    Some(at)
}

fn raw_string_length(rest: &str) -> Option<usize> {
    let after_prefix = ["br", "cr", "r"].iter().find_map(|prefix| rest.strip_prefix(prefix))?;
    let after_hashes = after_prefix.trim_start_matches('#');
    let body = after_hashes.strip_prefix('"')?;
    let closing = format!("\"{}", "#".repeat(after_prefix.len() - after_hashes.len()));
    let opening_length = rest.len() - body.len();
    Some(
        body.find(&closing)
            .map_or(rest.len(), |at| opening_length + at + closing.len()),
    )
}

/// The letter of `b"…"` and `c"…"` stays behind as a name of one letter, which no rule looks for.
fn string_length(rest: &str) -> Option<usize> {
    quoted_length(rest, '"')
}

/// A character, not a lifetime: either escaped, or closed right after one character.
fn character_length(rest: &str) -> Option<usize> {
    let mut characters = rest.strip_prefix('\'')?.chars();
    let first = characters.next()?;
    match first {
        '\\' => quoted_length(rest, '\''),
        other => (characters.next()? == '\'').then_some(other.len_utf8() + 2),
    }
}

fn quoted_length(rest: &str, quote: char) -> Option<usize> {
    let body = rest.strip_prefix(quote)?;
    let mut escaped = false;
    for (at, character) in body.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            other if other == quote => return Some(at + 2),
            _ => {}
        }
    }
    Some(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        mask(text).split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn keeps_length_and_lines() {
        let text = "let a = \"blåbær\nπ\"; // æøå\nb";
        let code = mask(text);
        assert_eq!(code.len(), text.len());
        assert_eq!(code.lines().count(), text.lines().count());
    }

    #[test]
    fn blanks_comments() {
        assert_eq!(words("a // b\nc /* d /* e */ f */ g"), ["a", "c", "g"]);
        assert_eq!(words("a /* never closed"), ["a"]);
    }

    #[test]
    fn blanks_strings_of_every_kind() {
        assert_eq!(words(r#"a "b \" c" d"#), ["a", "d"]);
        assert_eq!(words("a r##\"b \"# c\"## d"), ["a", "d"]);
        assert_eq!(words(r#"a (b"c { d") e"#), ["a", "(b", ")", "e"]);
        assert_eq!(words(r#"a br"c \" d"#), ["a", "d"]);
        assert_eq!(words("for r#type in over"), ["for", "r#type", "in", "over"]);
    }

    #[test]
    fn tells_characters_from_lifetimes() {
        assert_eq!(words("'{' x '\\'' y b'\"' z"), ["x", "y", "b", "z"]);
        assert_eq!(words("fn f<'a>(x: &'a str)"), ["fn", "f<'a>(x:", "&'a", "str)"]);
    }
}
