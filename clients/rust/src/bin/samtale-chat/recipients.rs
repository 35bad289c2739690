//! Whom a name on the command line means.

use std::collections::BTreeSet;

use samtale_protocol::people::{Group, Person, Role};
use samtale_protocol::threads::Recipient;
use samtale_protocol::{GroupId, ProfileId, SpaceId};

use crate::failure::Failure;
use crate::session::Session;

/// What stands before a group's name when its children's guardians are meant.
const GUARDIANS_OF: [&str; 6] = [
    "guardians of ",
    "parents of ",
    "parents in ",
    "forældre i ",
    "forældre til ",
    "forældrene i ",
];

/// Someone or something that a name may mean.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    space: SpaceId,
    recipient: Recipient,
    shown: String,
}

/// The recipients behind names, and the space where all of them are.
pub async fn resolve(session: &mut Session, names: &[String]) -> Result<(SpaceId, Vec<Recipient>), Failure> {
    let spaces: BTreeSet<SpaceId> = session.profiles().iter().map(|own| own.space).collect();
    let mut candidates = Vec::new();
    for name in names {
        let mut of_name = Vec::new();
        for space in &spaces {
            of_name.extend(candidates_in(session, *space, name.trim()).await?);
        }
        candidates.push((name.trim(), of_name));
    }
    choose(&spaces, &candidates)
}

async fn candidates_in(session: &mut Session, space: SpaceId, name: &str) -> Result<Vec<Candidate>, Failure> {
    let mut candidates = Vec::new();
    let guardians_of = group_of_guardians(name);
    if guardians_of.is_none() {
        let id: Option<ProfileId> = name.parse().ok();
        // A name is searched for; an id is looked for among all.
        let search = if id.is_some() { None } else { Some(name) };
        let people = session.people(space, search).await?.items;
        let meant = people
            .into_iter()
            .filter(|person| Some(person.profile) == id || same(&person.name, name));
        candidates.extend(meant.map(|person| from_person(space, &person)));
    }
    // A person's name comes before a group's of the same name.
    if candidates.is_empty() {
        let id: Option<GroupId> = name.parse().ok();
        let wanted = guardians_of.unwrap_or(name);
        let groups = session.groups(space).await?.groups;
        let meant = groups
            .into_iter()
            .filter(|group| Some(group.group) == id || same(&group.name, wanted));
        candidates.extend(meant.map(|group| from_group(space, &group, guardians_of.is_some())));
    }
    Ok(candidates)
}

/// The one meaning of each name, in the one space where every name has one.
fn choose(spaces: &BTreeSet<SpaceId>, names: &[(&str, Vec<Candidate>)]) -> Result<(SpaceId, Vec<Recipient>), Failure> {
    if let Some((name, _)) = names.iter().find(|(_, candidates)| candidates.is_empty()) {
        let hint = "see the commands people and groups; names are whole, in any case";
        return Err(Failure::usage(format!("no person and no group is called {name:?}")).detail(hint));
    }
    let in_space = |space: SpaceId| -> Option<Vec<Recipient>> {
        let one = |(_, candidates): &(&str, Vec<Candidate>)| {
            let mut here = candidates.iter().filter(|candidate| candidate.space == space);
            here.next()
                .filter(|_| here.next().is_none())
                .map(|candidate| candidate.recipient.clone())
        };
        names.iter().map(one).collect()
    };
    let mut fitting = spaces.iter().filter_map(|space| Some((*space, in_space(*space)?)));
    match (fitting.next(), fitting.next()) {
        (Some(found), None) => Ok(found),
        _ => Err(ambiguous(names)),
    }
}

fn ambiguous(names: &[(&str, Vec<Candidate>)]) -> Failure {
    let Some((name, candidates)) = names.iter().find(|(_, candidates)| candidates.len() > 1) else {
        return Failure::usage("the recipients are not all in one institution");
    };
    let list: Vec<&str> = candidates.iter().map(|candidate| candidate.shown.as_str()).collect();
    Failure::usage(format!("{name:?} may mean {}; give the id", candidates.len())).detail(list.join("; "))
}

fn from_person(space: SpaceId, person: &Person) -> Candidate {
    let recipient = Recipient::Profile {
        profile: person.profile,
    };
    Candidate {
        space,
        recipient,
        shown: format!("{}, {}, {}", person.name, role_name(person.role), person.profile),
    }
}

fn from_group(space: SpaceId, group: &Group, guardians: bool) -> Candidate {
    let recipient = match guardians {
        true => Recipient::Guardians { group: group.group },
        false => Recipient::Group { group: group.group },
    };
    Candidate {
        space,
        recipient,
        shown: format!("{}, {} members, {}", group.name, group.members, group.group),
    }
}

/// `3.A` of "guardians of 3.A".
fn group_of_guardians(name: &str) -> Option<&str> {
    GUARDIANS_OF.iter().find_map(|prefix| {
        let head = name.get(..prefix.len())?;
        same(head, prefix).then(|| name[prefix.len()..].trim())
    })
}

fn same(left: &str, right: &str) -> bool {
    left.to_lowercase() == right.to_lowercase()
}

/// A role as the wire names it.
fn role_name(role: Role) -> &'static str {
    match role {
        Role::Child => "child",
        Role::Guardian => "guardian",
        Role::Employee => "employee",
        Role::InstitutionAdmin => "institution_admin",
        Role::MunicipalityAdmin => "municipality_admin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: SpaceId = SpaceId::from_bytes([1; 16]);
    const THERE: SpaceId = SpaceId::from_bytes([2; 16]);

    fn person(space: SpaceId, number: u8) -> Candidate {
        let profile = ProfileId::from_bytes([number; 16]);
        Candidate {
            space,
            recipient: Recipient::Profile { profile },
            shown: format!("person {number}"),
        }
    }

    fn chosen(names: &[(&str, Vec<Candidate>)]) -> Result<(SpaceId, usize), String> {
        let found = choose(&BTreeSet::from([HERE, THERE]), names);
        found
            .map(|(space, recipients)| (space, recipients.len()))
            .map_err(|failure| failure.in_words())
    }

    #[test]
    fn guardians_are_asked_for_in_both_languages() {
        assert_eq!(group_of_guardians("guardians of 3.A"), Some("3.A"));
        assert_eq!(group_of_guardians("Forældre i 3.a"), Some("3.a"));
        assert_eq!(group_of_guardians("forældre til SFO Nord"), Some("SFO Nord"));
        assert_eq!(group_of_guardians("FORÆLDRE I 3.A"), Some("3.A"));
        assert_eq!(group_of_guardians("Åse"), None);
    }

    #[test]
    fn names_that_all_mean_one_thing_in_one_space_are_chosen() {
        assert_eq!(
            chosen(&[("a", vec![person(HERE, 1)]), ("b", vec![person(HERE, 2)])]),
            Ok((HERE, 2))
        );
        // The same name in two institutions is decided by the others.
        let both = vec![person(HERE, 1), person(THERE, 3)];
        assert_eq!(chosen(&[("a", both), ("b", vec![person(THERE, 2)])]), Ok((THERE, 2)));
    }

    #[test]
    fn unknown_and_ambiguous_names_are_said_with_their_matches() {
        assert!(chosen(&[("Anders", vec![])]).unwrap_err().contains("Anders"));
        let error = chosen(&[("Anders", vec![person(HERE, 1), person(HERE, 2)])]).unwrap_err();
        assert!(error.contains("person 1") && error.contains("person 2"), "{error}");
        assert!(chosen(&[("a", vec![person(HERE, 1)]), ("b", vec![person(THERE, 2)])]).is_err());
    }
}
