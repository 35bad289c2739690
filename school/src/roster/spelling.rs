//! Names as people spell them: compared without case and punctuation, and the nearest known one where that is not enough.

/// A name reduced to what people agree on: lower case, letters and digits only. `given_name`, `Given Name` and `givenName` are one.
pub(super) fn folded(name: &str) -> String {
    name.chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// The one known name nearest to a misspelled one, both folded; none when it is too far off or two are as near.
///
/// Two letters may be wrong, but not more than one in four: among short words like `sms` and `sex` every word is near every other.
pub(super) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let allowed = (name.chars().count() / 4).min(2);
    let mut best: Option<(usize, &'k str)> = None;
    let mut tied = false;
    for candidate in known {
        let distance = strsim::osa_distance(name, candidate);
        if distance > allowed {
            continue;
        }
        match best {
            Some((smallest, _)) if distance > smallest => {}
            Some((smallest, _)) if distance == smallest => tied = true,
            _ => {
                best = Some((distance, candidate));
                tied = false;
            }
        }
    }
    best.filter(|_| !tied).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_punctuation_do_not_matter() {
        assert_eq!(folded(" Given_Name "), "givenname");
        assert_eq!(folded("metadata.nameProtected"), "metadatanameprotected");
        assert_eq!(folded("LÆRER"), "lærer");
    }

    #[test]
    fn the_nearest_name_is_found_when_it_is_near_and_alone() {
        let known = ["schoolsourcedid", "usersourcedid", "sms", "sex", "role"];
        assert_eq!(nearest("schoolsourceid", known.into_iter()), Some("schoolsourcedid"));
        assert_eq!(nearest("schoolsuorcedid", known.into_iter()), Some("schoolsourcedid"));
        assert_eq!(nearest("rolle", known.into_iter()), Some("role"));
        assert_eq!(nearest("sis", known.into_iter()), None);
        assert_eq!(nearest("password", known.into_iter()), None);
        assert_eq!(nearest("aaaaaaab", ["aaaaaaac", "aaaaaaad"].into_iter()), None);
    }
}
