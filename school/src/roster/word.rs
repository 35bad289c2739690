//! A word from a closed list, recognised however it is written.

use super::spelling::{folded, nearest};

/// A word from a closed list.
pub(super) trait Word: Copy + Sized + 'static {
    /// What the list is called in messages: "a role".
    const LIST: &'static str;
    /// The words of the standard, as it spells them.
    const OFFICIAL: &'static [(&'static str, Self)];
    /// Other words seen for them, folded.
    const OTHER: &'static [(&'static str, Self)];

    /// The standard's spelling.
    fn spelling(self) -> &'static str
    where
        Self: PartialEq,
    {
        Self::OFFICIAL
            .iter()
            .find(|(_, word)| *word == self)
            .map_or("", |(spelling, _)| spelling)
    }
}

/// How a written word was understood.
pub(super) enum Understood<T> {
    /// It is the standard's word, whatever its case.
    Exactly(T),
    /// It is another word for it, or a misspelling; the standard's spelling comes with it.
    As(T, &'static str),
    /// Nobody knows.
    Not,
}

/// Finds what a written word means.
pub(super) fn understand<T: Word + PartialEq>(written: &str) -> Understood<T> {
    // OneRoster 1.2 lets a system add words of its own behind `ext:`; some write it before the standard's words too.
    let written = written.strip_prefix("ext:").unwrap_or(written);
    // Nearly every word is written as the standard has it, and a file has millions: that way allocates nothing.
    if let Some((_, word)) = T::OFFICIAL
        .iter()
        .find(|(spelling, _)| spelling.eq_ignore_ascii_case(written))
    {
        return Understood::Exactly(*word);
    }
    let key = folded(written);
    let official = |key: &str| {
        T::OFFICIAL
            .iter()
            .find(|(spelling, _)| folded(spelling) == key)
            .copied()
    };
    if let Some((_, word)) = official(&key) {
        return Understood::Exactly(word);
    }
    if let Some((_, word)) = T::OTHER.iter().find(|(other, _)| *other == key) {
        return Understood::As(*word, word.spelling());
    }
    let spellings: Vec<String> = T::OFFICIAL.iter().map(|(spelling, _)| folded(spelling)).collect();
    match nearest(&key, spellings.iter().map(String::as_str)).and_then(official) {
        Some((spelling, word)) => Understood::As(word, spelling),
        None => Understood::Not,
    }
}

/// The standard's words as a message lists them.
pub(super) fn choices<T: Word>() -> String {
    let spellings: Vec<&str> = T::OFFICIAL.iter().map(|(spelling, _)| *spelling).collect();
    spellings.join(", ")
}
