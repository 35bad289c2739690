//! What people log in as: `anne.holm`, in letters every keyboard has, and each only once.

use std::collections::HashSet;

/// The user names given so far.
#[derive(Default)]
pub(super) struct Usernames(HashSet<String>);

impl Usernames {
    /// A user name nobody has yet, of the first of the first names and the last of the last names. Namesakes get a number.
    pub(super) fn give(&mut self, given_name: &str, family_name: &str) -> String {
        let first = given_name.split_whitespace().next().unwrap_or_default();
        let last = family_name.split_whitespace().last().unwrap_or_default();
        let name = format!("{}.{}", plain(first), plain(last));
        let mut candidate = name.clone();
        let mut number = 1;
        while !self.0.insert(candidate.clone()) {
            number += 1;
            candidate = format!("{name}{number}");
        }
        candidate
    }
}

/// A name in plain lower-case letters.
fn plain(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).map(plain_letter).collect()
}

fn plain_letter(letter: char) -> &'static str {
    const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";
    if let Some(position) = LETTERS.find(letter) {
        return &LETTERS[position..=position];
    }
    match letter {
        'æ' | 'ä' => "ae",
        'ø' | 'ö' => "oe",
        'å' => "aa",
        'á' | 'à' | 'â' | 'ą' => "a",
        'ç' | 'ć' | 'č' => "c",
        'đ' => "d",
        'é' | 'è' | 'ê' | 'ë' | 'ę' => "e",
        'ğ' => "g",
        'ı' | 'í' | 'î' => "i",
        'ł' => "l",
        'ñ' | 'ń' => "n",
        'ó' | 'ô' => "o",
        'ş' | 'ś' | 'š' => "s",
        'ü' | 'ú' => "u",
        'ý' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_are_plain_and_unique() {
        let mut usernames = Usernames::default();
        assert_eq!(usernames.give("Anne", "Holm"), "anne.holm");
        assert_eq!(usernames.give("Anne", "Holm"), "anne.holm2");
        assert_eq!(usernames.give("Søren Åge", "Ægir Østergård"), "soeren.oestergaard");
        assert_eq!(usernames.give("Özlem", "Şahin"), "oezlem.sahin");
        assert_eq!(usernames.give("İbrahim", "Al-Masri"), "ibrahim.almasri");
    }
}
