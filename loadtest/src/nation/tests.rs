//! What holds of every nation that is drawn, and that the same seed draws the same.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::*;

const SMALL: Nation = Nation {
    people: 20_000,
    seed: 7,
};

fn digest(nation: Nation) -> u64 {
    let mut hasher = DefaultHasher::new();
    for institution in nation.draw() {
        serde_json::to_string(&institution).unwrap().hash(&mut hasher);
    }
    hasher.finish()
}

#[test]
fn the_same_seed_is_the_same_nation_and_another_is_not() {
    let few = Nation { people: 3_000, seed: 1 };
    assert_eq!(digest(few), digest(few));
    assert_ne!(digest(few), digest(Nation { seed: 2, ..few }));
}

#[test]
fn every_institution_has_a_municipality_of_its_own_name_and_space() {
    let nation = Nation {
        people: 60_000,
        seed: 7,
    };
    let mut names = HashMap::new();
    let mut spaces = HashSet::new();
    for institution in nation.draw() {
        let above = institution.municipality;
        assert!(spaces.insert(institution.space) && !spaces.contains(&above.space));
        assert_eq!(
            names.entry(above.space).or_insert_with(|| above.name.clone()),
            &above.name
        );
    }
    let different: HashSet<&String> = names.values().collect();
    assert_eq!((different.len(), names.len()), (2, 2));
}

#[test]
fn every_child_has_a_guardian_and_a_class_with_staff_where_it_is() {
    let (mut persons, mut profiles, mut in_several) = (HashMap::new(), HashSet::new(), HashSet::new());
    let mut guarded: HashMap<PersonId, usize> = HashMap::new();
    for institution in SMALL.draw() {
        let people = &institution.people;
        let guardians = people.iter().filter(|member| member.role == Role::Guardian);
        let guarded_here: HashSet<usize> = guardians.flat_map(|guardian| guardian.guardian_of.clone()).collect();
        for (place, member) in people.iter().enumerate() {
            assert!(
                profiles.insert(member.profile),
                "a profile is one person's in one institution"
            );
            if persons.insert(member.person, member.given_name.clone()).is_some() {
                in_several.insert(member.person);
            }
            let has_account = guarded.entry(member.person).or_default();
            *has_account += usize::from(member.username.is_some());
            if member.role == Role::Child {
                assert!(guarded_here.contains(&place), "{member:?} has no guardian");
                assert_eq!(member.groups.len(), 1);
            }
        }
        for group in 0..institution.groups.len() {
            let of = |role: Role| {
                people
                    .iter()
                    .filter(|member| member.role == role && member.groups.contains(&group))
                    .count()
            };
            assert!((1..=figures::CLASS).contains(&of(Role::Child)), "{institution:?}");
            assert!(of(Role::Employee) + of(Role::InstitutionAdmin) > 0);
        }
    }
    assert!(
        guarded.values().all(|accounts| *accounts == 1),
        "everyone has one account"
    );
    assert!(
        in_several.len() > 100,
        "siblings are in several institutions, and so are their guardians"
    );
}

#[test]
fn it_is_as_large_as_it_was_asked_to_be() {
    let mut counted = Written::default();
    for mut institution in SMALL.draw() {
        counted.take(&mut institution, 1_000);
    }
    assert!((19_000..=21_500).contains(&counted.people), "{counted:?}");
    assert!((40..=46).contains(&counted.institutions), "{counted:?}");
    // 44 % are children and 7 % staff, by the figures.
    assert!(
        (0.40..0.48).contains(&(counted.children as f64 / counted.people as f64)),
        "{counted:?}"
    );
    assert!(
        (0.05..0.10).contains(&(counted.staff as f64 / counted.people as f64)),
        "{counted:?}"
    );
    assert_eq!((counted.logins, counted.real_institutions > 1), (1_000, true));
    let whole = Nation {
        people: PEOPLE,
        seed: 1,
    };
    assert_eq!((whole.municipalities(), whole.institutions()), (98, 4_200));
}
