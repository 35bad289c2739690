//! Where people belong who name no organisation: a guardian belongs where the children do.

use std::collections::BTreeMap;

use super::contents::{Person, PersonRole, Relation};
use super::people::People;
use super::problem::Problems;
use super::words::Status;

/// Gives guardians of no organisation the organisations of their children, and reports whoever is still nowhere.
pub(super) fn place_people(people: &mut People, relations: &[Relation], problems: &mut Problems) {
    let mut children: BTreeMap<&str, Vec<&Person>> = BTreeMap::new();
    for relation in relations {
        let child = people
            .index
            .position(&relation.child)
            .and_then(|position| people.list.get(position));
        children.entry(&relation.guardian).or_default().extend(child);
    }
    let mut found = Vec::new();
    for (position, person) in people.list.iter().enumerate() {
        let is_unplaced = person.roles.iter().any(|held| held.organisation.is_none());
        if is_unplaced && let Some(children) = children.get(person.sourced_id.as_str()) {
            found.push((position, organisations_of(children)));
        }
    }
    for (position, organisations) in found {
        let Some(person) = people.list.get_mut(position) else {
            continue;
        };
        let roles = std::mem::take(&mut person.roles);
        person.roles = roles
            .into_iter()
            .flat_map(|held| placed(held, &organisations))
            .collect();
    }
    report_unplaced(&people.list, problems);
}

fn organisations_of(children: &[&Person]) -> Vec<String> {
    let roles = children
        .iter()
        .flat_map(|child| child.roles.iter().filter(|held| held.role.is_child()));
    let mut organisations: Vec<String> = roles.filter_map(|held| held.organisation.clone()).collect();
    organisations.sort();
    organisations.dedup();
    organisations
}

fn placed(held: PersonRole, organisations: &[String]) -> Vec<PersonRole> {
    if held.organisation.is_some() || !held.role.is_guardian() || organisations.is_empty() {
        return vec![held];
    }
    let there = |organisation: &String| PersonRole {
        organisation: Some(organisation.clone()),
        ..held.clone()
    };
    organisations.iter().map(there).collect()
}

fn report_unplaced(people: &[Person], problems: &mut Problems) {
    for person in people.iter().filter(|person| person.status == Status::Active) {
        if person.roles.is_empty() {
            problems.warning(
                &person.place,
                Some("role"),
                "of no role; person read, and belongs to no institution",
            );
        } else if person.roles.iter().all(|held| held.organisation.is_none()) {
            let message = "of no organisation; person read, and belongs to no institution";
            problems.warning(&person.place, Some("orgSourcedIds"), message);
        }
    }
}
