//! What a guardian is to a child: Samtale's own words, since OneRoster's roles say no more than "parent".

use super::spelling::folded;

/// What a guardian is to a child (Samtale's extension; see the module's documentation).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kinship {
    /// Mother; a child can have two.
    Mother,
    /// Father; a child can have two.
    Father,
    /// A parent, not said which.
    Parent,
    /// A foster parent.
    Foster,
    /// A parent's partner.
    Step,
    /// Someone of the family.
    Relative,
    /// A guardian by law or appointment.
    Guardian,
    /// Something else, in the file's words.
    Other(String),
}

impl Kinship {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("mother", Self::Mother),
        ("father", Self::Father),
        ("parent", Self::Parent),
        ("foster", Self::Foster),
        ("step", Self::Step),
        ("relative", Self::Relative),
        ("guardian", Self::Guardian),
        ("mor", Self::Mother),
        ("far", Self::Father),
        ("forælder", Self::Parent),
        ("plejeforælder", Self::Foster),
        ("bonusforælder", Self::Step),
        ("værge", Self::Guardian),
    ];

    /// Any text is a kinship; the known words are recognised.
    pub fn named(text: &str) -> Self {
        let key = folded(text);
        let known = Self::WORDS.iter().find(|(word, _)| *word == key);
        known.map_or_else(|| Self::Other(text.to_owned()), |(_, kinship)| kinship.clone())
    }

    /// The word as it is written to a file.
    pub fn word(&self) -> &str {
        match self {
            Self::Other(text) => text,
            known => Self::WORDS
                .iter()
                .find(|(_, kinship)| kinship == known)
                .map_or("other", |(word, _)| word),
        }
    }
}
