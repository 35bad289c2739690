//! Who is there.

use std::collections::{BTreeSet, HashSet};

use super::*;
use crate::roster::{ClassType, EnrollmentRole, Kinship, Person, Relation, read};

fn count(demo: &Demo, is: impl Fn(&Person) -> bool) -> usize {
    demo.roster.people.iter().filter(|person| is(person)).count()
}

fn relations<'d>(demo: &'d Demo, family: &Family) -> Vec<&'d Relation> {
    let child = &family.children[0];
    demo.roster
        .relations
        .iter()
        .filter(|relation| relation.child == *child)
        .collect()
}

#[test]
fn about_six_hundred_people_come() {
    for demo in demos() {
        let children = count(&demo, Person::is_child);
        let guardians = count(&demo, Person::is_guardian);
        let employees = count(&demo, Person::is_employee);
        assert!((220..=240).contains(&children), "{children} children");
        assert!((300..=360).contains(&guardians), "{guardians} guardians");
        assert!((38..=44).contains(&employees), "{employees} employees");
        assert!(
            (570..=640).contains(&demo.roster.people.len()),
            "{} people",
            demo.roster.people.len()
        );
    }
}

#[test]
fn classes_are_full_and_have_a_teacher() {
    for demo in demos() {
        let homerooms: Vec<_> = demo
            .roster
            .classes
            .iter()
            .filter(|class| class.kind == ClassType::Homeroom)
            .collect();
        assert_eq!(homerooms.len(), 20);
        for class in &demo.roster.classes {
            let members: Vec<_> = demo
                .roster
                .enrollments
                .iter()
                .filter(|found| found.class == class.sourced_id)
                .collect();
            let of = |role| members.iter().filter(|found| found.role == role).count();
            assert_eq!(
                members.iter().filter(|found| found.primary).count(),
                1,
                "{}",
                class.title
            );
            assert!(of(EnrollmentRole::Student) >= 3, "{}", class.title);
            if class.kind == ClassType::Homeroom {
                assert!((11..=12).contains(&of(EnrollmentRole::Student)), "{}", class.title);
                assert_eq!(of(EnrollmentRole::Teacher), 3);
            }
        }
    }
}

#[test]
fn every_shape_of_family_is_there() {
    for demo in demos() {
        let shapes: BTreeSet<FamilyShape> = demo.families.iter().map(|family| family.shape).collect();
        assert_eq!(shapes, BTreeSet::from(FamilyShape::ALL));
        assert!(demo.families.iter().any(|family| family.children.len() > 1), "siblings");
    }
}

#[test]
fn families_have_the_rights_of_their_shape() {
    let demo = generate(1, today());
    for family in &demo.families {
        let relations = relations(&demo, family);
        let custody = relations.iter().filter(|relation| relation.custody).count();
        let ended = relations
            .iter()
            .filter(|relation| relation.end_date.is_some_and(|end| end < today()))
            .count();
        let kin = |kinship: Kinship| relations.iter().filter(|relation| relation.kinship == kinship).count();
        let expected = match family.shape {
            FamilyShape::Together | FamilyShape::TwoHomes | FamilyShape::ParentIsEmployee => (2, 2, 0),
            FamilyShape::OneCustodyHolder | FamilyShape::WithGrandmother => (2, 1, 0),
            FamilyShape::OneParent | FamilyShape::NameProtected => (1, 1, 0),
            FamilyShape::WithStepParent => (3, 2, 0),
            FamilyShape::TwoMothers => (2, 2, 0),
            FamilyShape::Foster => (3, 1, 0),
            FamilyShape::SecondFosterHome => (4, 1, 1),
        };
        assert_eq!((relations.len(), custody, ended), expected, "{:?}", family.shape);
        match family.shape {
            FamilyShape::TwoMothers => assert_eq!(kin(Kinship::Mother), 2),
            FamilyShape::Foster => assert_eq!(kin(Kinship::Foster), 2),
            FamilyShape::WithStepParent => assert_eq!(kin(Kinship::Step), 1),
            _ => {}
        }
    }
}

#[test]
fn protected_families_are_protected_whole() {
    for demo in demos() {
        let members = |family: &Family| [&family.guardians[..], &family.children[..]].concat();
        let protected: HashSet<String> = demo
            .families
            .iter()
            .filter(|family| family.shape == FamilyShape::NameProtected)
            .flat_map(members)
            .collect();
        assert!(protected.len() >= 4);
        for person in &demo.roster.people {
            assert_eq!(
                person.name_protected,
                protected.contains(&person.sourced_id),
                "{}",
                person.sourced_id
            );
        }
    }
}

#[test]
fn some_employees_are_parents_too() {
    for demo in demos() {
        assert_eq!(count(&demo, |person| person.is_employee() && person.is_guardian()), 2);
    }
}

#[test]
fn everyone_has_their_own_plain_user_name_and_a_fitting_age() {
    for demo in demos() {
        let mut usernames = HashSet::new();
        for person in &demo.roster.people {
            let username = person.username.clone().expect("a user name");
            let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '.';
            assert!(
                username.chars().all(is_plain) && !username.starts_with('.') && !username.ends_with('.'),
                "{username}"
            );
            assert!(usernames.insert(username));
            let born = person.birth_date.expect("a birth date");
            let first = demo.roster.sessions[0].start_date.expect("a first day");
            let age = first.year() - born.year();
            assert!(
                if person.is_child() {
                    (5..=16).contains(&age)
                } else {
                    (20..=90).contains(&age)
                },
                "{age}"
            );
        }
    }
}

#[test]
fn the_cast_share_a_class() {
    for demo in demos() {
        let cast = cast(&demo);
        let in_class = |person: &str| {
            demo.roster
                .enrollments
                .iter()
                .find(|found| found.person == person && found.class == "class-3a")
        };
        assert!(in_class(&cast.teacher.sourced_id).expect("teaches 3.A").primary);
        assert_eq!(
            in_class(&cast.child.sourced_id).expect("is in 3.A").role,
            EnrollmentRole::Student
        );
        let is_hers = |relation: &&Relation| {
            relation.guardian == cast.guardian.sourced_id && relation.child == cast.child.sourced_id
        };
        assert!(
            demo.roster
                .relations
                .iter()
                .find(is_hers)
                .expect("is her mother")
                .custody
        );
        assert_eq!(
            [cast.teacher.name, cast.guardian.name, cast.child.name],
            ["Anne Holm", "Mette Lindgaard", "Freja Lindgaard"]
        );
    }
}

#[test]
fn names_are_danish_and_others() {
    let demo = generate(1, today());
    let has = |letters: &[char]| {
        count(&demo, |person| {
            format!("{} {}", person.given_name, person.family_name).contains(letters)
        })
    };
    assert!(has(&['æ', 'ø', 'å', 'Æ', 'Ø', 'Å']) > 20);
    let others = [
        "Yusuf", "Amina", "Nguyen", "Demir", "Hassan", "Abdi", "Nowak", "Tran", "Kaya", "Saleh",
    ];
    assert!(
        count(&demo, |person| others.iter().any(|name| [
            &person.given_name,
            &person.family_name
        ]
        .contains(&&(*name).to_owned())))
            >= 2
    );
}

#[test]
fn the_same_seed_and_day_make_the_same_school() {
    assert_eq!(generate(5, today()), generate(5, today()));
    assert_ne!(generate(5, today()).roster, generate(6, today()).roster);
}

#[test]
fn its_files_read_back_without_a_problem() {
    for demo in demos() {
        let reading = read(&files(&demo));
        assert_eq!(reading.problems, []);
        assert_eq!(reading.roster, demo.roster);
    }
}

#[test]
fn any_day_will_do() {
    for day in [Date::MIN, Date::MAX, date(1999, 1, 1), date(2200, 12, 31)] {
        let _demo = generate(0, day);
    }
}
