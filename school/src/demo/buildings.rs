//! What is there before anyone comes: the municipality, the school, its year, its subjects, its classes and teams.

use super::making::{MUNICIPALITY, Making, SCHOOL, nowhere};
use crate::roster::{Class, ClassType, Course, Organisation, OrganisationType, Session, SessionType, Status};

/// Grades from 0 to 9.
pub(super) const GRADES: std::ops::Range<i16> = 0..10;

/// Classes of each grade.
pub(super) const TRACKS: [char; 2] = ['A', 'B'];

/// A team: a group that is not a class.
pub(super) struct Team {
    /// Its id.
    pub(super) sourced_id: &'static str,
    /// Its name.
    pub(super) title: &'static str,
    /// The grades its children come from.
    pub(super) grades: std::ops::RangeInclusive<i16>,
    /// The subject taught in it.
    pub(super) subject: Option<&'static str>,
    /// The part of those children that come, in a hundred.
    pub(super) percent: usize,
}

/// The after-school club's groups and the youth club.
pub(super) const CLUBS: &[Team] = &[
    Team {
        sourced_id: "sfo-maelkevejen",
        title: "SFO Mælkevejen",
        grades: 0..=1,
        subject: None,
        percent: 88,
    },
    Team {
        sourced_id: "sfo-nordstjernen",
        title: "SFO Nordstjernen",
        grades: 2..=3,
        subject: None,
        percent: 72,
    },
    Team {
        sourced_id: "klub-kometen",
        title: "Klub Kometen",
        grades: 4..=6,
        subject: None,
        percent: 40,
    },
];

/// Second foreign languages: whoever is not in the first of a grade is in the second.
pub(super) const LANGUAGES: &[(Team, Team)] = &[
    (
        Team {
            sourced_id: "tysk-7",
            title: "Tysk 7. årgang",
            grades: 7..=7,
            subject: Some("Tysk"),
            percent: 70,
        },
        Team {
            sourced_id: "fransk-7",
            title: "Fransk 7. årgang",
            grades: 7..=7,
            subject: Some("Fransk"),
            percent: 30,
        },
    ),
    (
        Team {
            sourced_id: "tysk-8",
            title: "Tysk 8. årgang",
            grades: 8..=8,
            subject: Some("Tysk"),
            percent: 70,
        },
        Team {
            sourced_id: "fransk-8",
            title: "Fransk 8. årgang",
            grades: 8..=8,
            subject: Some("Fransk"),
            percent: 30,
        },
    ),
    (
        Team {
            sourced_id: "tysk-9",
            title: "Tysk 9. årgang",
            grades: 9..=9,
            subject: Some("Tysk"),
            percent: 70,
        },
        Team {
            sourced_id: "fransk-9",
            title: "Fransk 9. årgang",
            grades: 9..=9,
            subject: Some("Fransk"),
            percent: 30,
        },
    ),
];

/// The school choir.
pub(super) const CHOIR: Team = Team {
    sourced_id: "skolekoret",
    title: "Skolekoret",
    grades: 2..=6,
    subject: Some("Musik"),
    percent: 15,
};

/// The pupils' council: two of every class.
pub(super) const COUNCIL: Team = Team {
    sourced_id: "elevraadet",
    title: "Elevrådet",
    grades: 4..=9,
    subject: None,
    percent: 0,
};

const SUBJECTS: &[(&str, &str)] = &[
    ("dansk", "Dansk"),
    ("matematik", "Matematik"),
    ("engelsk", "Engelsk"),
    ("tysk", "Tysk"),
    ("fransk", "Fransk"),
    ("natur-teknologi", "Natur/teknologi"),
    ("historie", "Historie"),
    ("kristendomskundskab", "Kristendomskundskab"),
    ("idraet", "Idræt"),
    ("musik", "Musik"),
    ("billedkunst", "Billedkunst"),
    ("haandvaerk-design", "Håndværk og design"),
];

const SCHOOL_YEAR: &str = "school-year";

/// A class's id.
pub(super) fn class_id(grade: i16, track: char) -> String {
    format!("class-{grade}{}", track.to_ascii_lowercase())
}

/// Puts everything there.
pub(super) fn build(making: &mut Making) {
    making.roster.organisations = organisations();
    making.roster.sessions = sessions(making);
    making.roster.courses = SUBJECTS.iter().map(|(id, title)| course(id, title)).collect();
    let classes = GRADES.flat_map(|grade| TRACKS.map(|track| class(grade, track)));
    let languages = LANGUAGES.iter().flat_map(|(first, second)| [first, second]);
    let teams = CLUBS.iter().chain(languages).chain([&CHOIR, &COUNCIL]).map(team);
    making.roster.classes = classes.chain(teams).collect();
}

fn organisations() -> Vec<Organisation> {
    let organisation = |id: &str, name: &str, kind, identifier: &str, parent: Option<&str>| Organisation {
        sourced_id: id.to_owned(),
        status: Status::Active,
        place: nowhere(),
        name: name.to_owned(),
        kind,
        identifier: Some(identifier.to_owned()),
        parent: parent.map(str::to_owned),
    };
    vec![
        organisation(
            MUNICIPALITY,
            "Lærkedal Kommune",
            OrganisationType::District,
            "DEMO-0",
            None,
        ),
        organisation(
            SCHOOL,
            "Kløvermoseskolen",
            OrganisationType::School,
            "DEMO-1",
            Some(MUNICIPALITY),
        ),
    ]
}

fn sessions(making: &Making) -> Vec<Session> {
    let year = making.year;
    let session = |id: &str, title: String, kind, start_date, end_date, parent: Option<&str>| Session {
        sourced_id: id.to_owned(),
        status: Status::Active,
        place: nowhere(),
        title,
        kind,
        start_date: Some(start_date),
        end_date: Some(end_date),
        parent: parent.map(str::to_owned),
        school_year: Some(year.begins + 1),
    };
    let autumn_ends = year.last_autumn_day();
    let spring_begins = autumn_ends.saturating_add(jiff::Span::new().days(1));
    let (term, whole) = (SessionType::Semester, Some(SCHOOL_YEAR));
    vec![
        session(
            SCHOOL_YEAR,
            year.title(),
            SessionType::SchoolYear,
            year.first_day(),
            year.last_day(),
            None,
        ),
        session(
            "autumn",
            format!("Efterår {}", year.begins),
            term,
            year.first_day(),
            autumn_ends,
            whole,
        ),
        session(
            "spring",
            format!("Forår {}", year.begins + 1),
            term,
            spring_begins,
            year.last_teaching_day(),
            whole,
        ),
    ]
}

fn course(id: &str, title: &str) -> Course {
    Course {
        sourced_id: course_id(id),
        status: Status::Active,
        place: nowhere(),
        title: title.to_owned(),
        code: None,
        organisation: Some(SCHOOL.to_owned()),
    }
}

fn course_id(id: &str) -> String {
    format!("course-{id}")
}

fn class(grade: i16, track: char) -> Class {
    let title = format!("{grade}.{track}");
    let subjects = ["Dansk", "Matematik"].into_iter();
    Class {
        sourced_id: class_id(grade, track),
        code: Some(format!("{grade}{track}")),
        kind: ClassType::Homeroom,
        grades: vec![grade.to_string()],
        subjects: subjects.map(str::to_owned).collect(),
        course: None,
        location: Some(format!(
            "Lokale {}",
            100 + grade * 10 + if track == 'A' { 1 } else { 2 }
        )),
        ..group(title)
    }
}

fn team(team: &Team) -> Class {
    let subject = SUBJECTS.iter().find(|(_, title)| Some(*title) == team.subject);
    Class {
        sourced_id: team.sourced_id.to_owned(),
        grades: team.grades.clone().map(|grade| grade.to_string()).collect(),
        subjects: subject.iter().map(|(_, title)| (*title).to_owned()).collect(),
        course: subject.map(|(id, _)| course_id(id)),
        ..group(team.title.to_owned())
    }
}

fn group(title: String) -> Class {
    Class {
        sourced_id: String::new(),
        status: Status::Active,
        place: nowhere(),
        title,
        code: None,
        kind: ClassType::Scheduled,
        organisation: SCHOOL.to_owned(),
        grades: Vec::new(),
        subjects: Vec::new(),
        course: None,
        sessions: vec![SCHOOL_YEAR.to_owned()],
        location: None,
    }
}
