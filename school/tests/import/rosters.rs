//! Rosters to import: the demo school, and a single class of it.

use jiff::civil::date;
use samtale_school::demo::{self, Cast, Demo};
use samtale_school::roster::{ClassType, Roster};

pub fn demo() -> Demo {
    demo::generate(7, date(2026, 3, 2))
}

pub fn cast() -> Cast {
    demo::cast(&demo())
}

/// Class 3.A with its families and staff, so that a crash can be tried at every write.
pub fn class_3a() -> Roster {
    let mut roster = demo().roster;
    let class = class(&roster, "3.A");
    roster.enrollments.retain(|enrollment| enrollment.class == class);
    roster
        .classes
        .retain(|found| found.sourced_id == class || found.title == "3.B");
    let enrolled: Vec<String> = roster
        .enrollments
        .iter()
        .map(|enrollment| enrollment.person.clone())
        .collect();
    roster.relations.retain(|relation| enrolled.contains(&relation.child));
    let related: Vec<String> = roster
        .relations
        .iter()
        .map(|relation| relation.guardian.clone())
        .collect();
    let staff: Vec<String> = {
        let administrators = roster
            .people
            .iter()
            .filter(|person| person.roles.iter().any(|it| it.role.is_administrator()));
        administrators.map(|person| person.sourced_id.clone()).collect()
    };
    let is_here = |id: &String| enrolled.contains(id) || related.contains(id) || staff.contains(id);
    roster.people.retain(|person| is_here(&person.sourced_id));
    roster
}

/// The roster's id of a class.
pub fn class(roster: &Roster, title: &str) -> String {
    let mut classes = roster.classes.iter().filter(|class| class.kind == ClassType::Homeroom);
    classes.find(|class| class.title == title).unwrap().sourced_id.clone()
}

/// A child of a class other than the cast's, with two guardians, none of whom has another child here.
pub fn family_of_two(roster: &Roster, class: &str) -> (String, String, String) {
    let guardians = |child: &str| -> Vec<String> {
        let of_child = roster.relations.iter().filter(|relation| relation.child == child);
        of_child.map(|relation| relation.guardian.clone()).collect()
    };
    let children = |guardian: &str| {
        roster
            .relations
            .iter()
            .filter(|relation| relation.guardian == guardian)
            .count()
    };
    let freja = cast().child.sourced_id;
    let of_class = roster.enrollments.iter().filter(|enrollment| enrollment.class == class);
    let mut found = of_class.filter_map(|enrollment| match guardians(&enrollment.person).as_slice() {
        [one, other] if enrollment.person != freja && children(one) == 1 && children(other) == 1 => {
            Some((enrollment.person.clone(), one.clone(), other.clone()))
        }
        _ => None,
    });
    found.next().unwrap()
}

/// The same roster without these people, as if they had never been in it.
pub fn without(roster: &Roster, people: &[&str]) -> Roster {
    let mut roster = roster.clone();
    let gone = |id: &String| people.contains(&id.as_str());
    roster.people.retain(|person| !gone(&person.sourced_id));
    roster.enrollments.retain(|enrollment| !gone(&enrollment.person));
    roster
        .relations
        .retain(|relation| !gone(&relation.guardian) && !gone(&relation.child));
    roster
}
