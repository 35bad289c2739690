//! What people log in as: `anne.holm`, in letters every keyboard has, and each only once.

use std::collections::HashSet;

use crate::user_names::user_name_of;

/// The user names given so far.
#[derive(Default)]
pub(super) struct Usernames(HashSet<String>);

impl Usernames {
    /// A user name nobody has yet, of the first of the first names and the last of the last names. Namesakes get a number.
    pub(super) fn give(&mut self, given_name: &str, family_name: &str) -> String {
        let name = user_name_of(given_name, family_name);
        let mut candidate = name.clone();
        let mut number = 1;
        while !self.0.insert(candidate.clone()) {
            number += 1;
            candidate = format!("{name}{number}");
        }
        candidate
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
