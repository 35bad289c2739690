//! A tidy roster, written and read back, is the same roster, and there is nothing to say of it.

use jiff::civil::{Date, date};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::roster::{
    Class, ClassType, Course, EnrollmentRole, Kinship, Organisation, OrganisationType, PersonRole, Place, Role, Roster,
    Session, SessionType, Status, Version, write,
};

/// What a name or title may hold: no white space at its edges, and nothing of control.
fn text() -> impl Strategy<Value = String> {
    "[A-Za-zÆØÅæøå0-9\"',;.|-]{1,12}( [A-Za-zæøåé\",;-]{1,8})?".prop_filter("means nothing", |text| text != "NULL")
}

fn a_date() -> impl Strategy<Value = Date> {
    (0i64..60_000).prop_map(|days| date(1950, 1, 1).saturating_add(jiff::Span::new().days(days)))
}

fn status() -> impl Strategy<Value = Status> {
    prop::sample::select(vec![Status::Active, Status::Active, Status::ToBeDeleted])
}

fn organisations() -> Vec<Organisation> {
    let organisation = |id: &str, kind, parent: Option<&str>, line| Organisation {
        sourced_id: id.to_owned(),
        status: Status::Active,
        place: Place::new("orgs.csv", line),
        name: format!("Navn på {id}"),
        kind,
        identifier: None,
        parent: parent.map(str::to_owned),
    };
    vec![
        organisation("m", OrganisationType::District, None, 2),
        organisation("s1", OrganisationType::School, Some("m"), 3),
        organisation("s2", OrganisationType::School, Some("m"), 4),
    ]
}

fn sessions(titles: Vec<(String, Option<Date>)>) -> Vec<Session> {
    let session = |(number, (title, start_date)): (usize, (String, Option<Date>))| Session {
        sourced_id: format!("t{number}"),
        status: Status::Active,
        place: Place::new("academicSessions.csv", number as u64 + 2),
        title,
        kind: SessionType::Term,
        start_date,
        end_date: start_date,
        parent: (number > 0).then(|| "t0".to_owned()),
        school_year: Some(2027),
    };
    titles.into_iter().enumerate().map(session).collect()
}

prop_compose! {
    fn class()(title in text(), code in option::of(text()), kind in prop::bool::ANY, status in status(), grades in vec("[0-9]", 0..3))
        -> Class {
        let kind = if kind { ClassType::Homeroom } else { ClassType::Scheduled };
        Class {
            sourced_id: String::new(), status, place: Place::new("classes.csv", 0), title, code, kind,
            organisation: "s1".to_owned(), grades, subjects: vec!["Dansk".to_owned()], course: Some("c".to_owned()),
            sessions: Vec::new(), location: None,
        }
    }
}

prop_compose! {
    fn someone()(
        (status, enabled, given_name, family_name, middle_name) in
            (status(), prop::bool::ANY, text(), text(), option::of(text())),
        (preferred, email, phone, birth_date, name_protected) in
            (option::of(text()), option::of("[a-z]{1,8}@example[.]dk"), option::of("[0-9]{8}"), option::of(a_date()), prop::bool::ANY),
        (role, begin_date) in (prop::sample::select(vec![Role::Teacher, Role::Parent, Role::Student, Role::Aide]), option::of(a_date())),
    ) -> Person {
        let held = PersonRole {
            place: Place::new("roles.csv", 0), role, organisation: Some("s1".to_owned()), primary: true, begin_date, end_date: None,
        };
        Person {
            sourced_id: String::new(), status, place: Place::new("users.csv", 0), enabled, username: None, given_name,
            family_name, middle_name, preferred_given_name: preferred.clone(), preferred_family_name: preferred, email,
            mobile: phone.clone(), phone, grades: Vec::new(), birth_date, name_protected,
            primary_organisation: Some("s2".to_owned()), roles: vec![held],
        }
    }
}

prop_compose! {
    fn roster()(
        titles in vec((text(), option::of(a_date())), 0..4),
        classes in vec(class(), 1..5),
        people in vec(someone(), 0..12),
        places in vec((prop::bool::ANY, prop::bool::ANY, option::of(a_date()), any::<prop::sample::Index>()), 12),
    ) -> Roster {
        let course = Course {
            sourced_id: "c".to_owned(), status: Status::Active, place: Place::new("courses.csv", 2), title: "Dansk".to_owned(),
            code: None, organisation: Some("s1".to_owned()),
        };
        let mut roster = Roster {
            version: Version::V1_2, source_system: Some("Prøven".to_owned()), delta: false, organisations: organisations(),
            sessions: sessions(titles), courses: vec![course], classes, people, enrollments: Vec::new(), relations: Vec::new(),
        };
        number(&mut roster);
        connect(&mut roster, &places);
        roster
    }
}

/// Gives ids, user names and the lines they will be written on.
fn number(roster: &mut Roster) {
    for (number, class) in roster.classes.iter_mut().enumerate() {
        class.sourced_id = format!("k{number}");
        class.place.line = number as u64 + 2;
        class.sessions = roster
            .sessions
            .iter()
            .map(|session| session.sourced_id.clone())
            .collect();
    }
    for (number, person) in roster.people.iter_mut().enumerate() {
        person.sourced_id = format!("p{number:02}");
        person.username = Some(format!("bruger.{number}"));
        person.place.line = number as u64 + 2;
        person.roles[0].place.line = number as u64 + 2;
    }
}

/// Enrolls everyone who can be, and relates every guardian to every child.
fn connect(roster: &mut Roster, choices: &[(bool, bool, Option<Date>, prop::sample::Index)]) {
    for (person, (primary, _, begin_date, class)) in roster.people.iter().zip(choices) {
        let class = class.get(&roster.classes);
        let role = match person.roles[0].role {
            Role::Student => EnrollmentRole::Student,
            Role::Teacher => EnrollmentRole::Teacher,
            Role::Aide => EnrollmentRole::Aide,
            _ => continue,
        };
        let ended = class.status == Status::ToBeDeleted || person.status == Status::ToBeDeleted;
        let line = roster.enrollments.len() as u64 + 2;
        roster.enrollments.push(Enrollment {
            sourced_id: format!("e{line}"),
            status: if ended { Status::ToBeDeleted } else { Status::Active },
            place: Place::new("enrollments.csv", line),
            class: class.sourced_id.clone(),
            person: person.sourced_id.clone(),
            role,
            primary: *primary,
            begin_date: *begin_date,
            end_date: *begin_date,
        });
    }
    let guardians = || roster.people.iter().filter(|person| person.is_guardian());
    let children = roster.people.iter().filter(|person| person.is_child());
    let pairs = children.flat_map(|child| guardians().map(move |guardian| (guardian, child)));
    let relations = pairs.enumerate().map(|(number, (guardian, child))| {
        let (custody, contact, end_date, _) = choices[number % choices.len()];
        let ended = guardian.status == Status::ToBeDeleted || child.status == Status::ToBeDeleted;
        Relation {
            status: if ended { Status::ToBeDeleted } else { Status::Active },
            place: Place::new("samtaleRelations.csv", number as u64 + 2),
            guardian: guardian.sourced_id.clone(),
            child: child.sourced_id.clone(),
            kinship: if custody {
                Kinship::Mother
            } else {
                Kinship::Other("Farmor, delvist".to_owned())
            },
            custody,
            contact,
            pickup: !contact,
            begin_date: None,
            end_date,
        }
    });
    roster.relations = relations.collect();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(roster in roster()) {
        let reading = read(&write(&roster));
        prop_assert_eq!(lines(&reading), Vec::<String>::new());
        prop_assert_eq!(reading.roster, roster);
    }
}
