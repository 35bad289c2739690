//! A roster as OneRoster 1.2 CSV files, with Samtale's own columns: the inverse of reading. What a roster does not keep (other
//! systems' columns, passwords) is not there to be written.

use super::contents::{Class, Course, Enrollment, Organisation, Person, Relation, Roster, Session};
use super::files::RosterFiles;
use super::word::Word;
use super::words::{Role, Status};

/// Writes a roster as files: always as 1.2, because 1.1 cannot say that a teacher is also a parent.
pub fn write(roster: &Roster) -> RosterFiles {
    let mut files = RosterFiles::new();
    files.add("manifest.csv", manifest(roster));
    files.add(
        "orgs.csv",
        sheet(ORGANISATIONS, roster.organisations.iter().map(organisation)),
    );
    files.add(
        "academicSessions.csv",
        sheet(SESSIONS, roster.sessions.iter().map(session)),
    );
    files.add("courses.csv", sheet(COURSES, roster.courses.iter().map(course)));
    files.add("classes.csv", sheet(CLASSES, roster.classes.iter().map(class)));
    files.add(
        "users.csv",
        sheet(PEOPLE, roster.people.iter().map(|someone| person(someone, roster))),
    );
    files.add("roles.csv", sheet(ROLES, roster.people.iter().flat_map(roles)));
    let born = roster.people.iter().filter_map(demographics);
    files.add("demographics.csv", sheet(DEMOGRAPHICS, born));
    files.add(
        "enrollments.csv",
        sheet(ENROLLMENTS, roster.enrollments.iter().map(enrollment)),
    );
    files.add(
        "samtaleRelations.csv",
        sheet(RELATIONS, roster.relations.iter().map(relation)),
    );
    files
}

const ORGANISATIONS: &str = "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId";
const SESSIONS: &str = "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear";
const COURSES: &str = "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,\
                       subjectCodes";
const CLASSES: &str = "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,\
                       schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods";
const PEOPLE: &str = "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,\
                      email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,resourceSourcedIds,\
                      preferredGivenName,preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns,\
                      metadata.nameProtected";
const ROLES: &str = "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,\
                     userProfileSourcedId";
const DEMOGRAPHICS: &str = "sourcedId,status,dateLastModified,birthDate,sex,americanIndianOrAlaskaNative,asian,\
                            blackOrAfricanAmerican,nativeHawaiianOrOtherPacificIslander,white,demographicRaceTwoOrMoreRaces,\
                            hispanicOrLatinoEthnicity,countryOfBirthCode,stateOfBirthAbbreviation,cityOfBirth,\
                            publicSchoolResidenceStatus";
const ENROLLMENTS: &str = "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,\
                           beginDate,endDate";
const RELATIONS: &str = "guardianSourcedId,childSourcedId,kind,custody,contact,pickup,beginDate,endDate";

/// What `manifest.csv` says of every file OneRoster 1.2 knows.
const MANIFEST_FILES: &[(&str, &str)] = &[
    ("academicSessions", "bulk"),
    ("categories", "absent"),
    ("classes", "bulk"),
    ("classResources", "absent"),
    ("courses", "bulk"),
    ("courseResources", "absent"),
    ("demographics", "bulk"),
    ("enrollments", "bulk"),
    ("lineItemLearningObjectiveIds", "absent"),
    ("lineItems", "absent"),
    ("lineItemScoreScales", "absent"),
    ("orgs", "bulk"),
    ("resources", "absent"),
    ("resultLearningObjectiveIds", "absent"),
    ("results", "absent"),
    ("resultScoreScales", "absent"),
    ("roles", "bulk"),
    ("scoreScales", "absent"),
    ("userProfiles", "absent"),
    ("userResources", "absent"),
    ("users", "bulk"),
];

fn manifest(roster: &Roster) -> String {
    let mut rows = vec![
        vec!["manifest.version".to_owned(), "1.0".to_owned()],
        vec!["oneroster.version".to_owned(), "1.2".to_owned()],
    ];
    rows.extend(
        MANIFEST_FILES
            .iter()
            .map(|(name, mode)| vec![format!("file.{name}"), (*mode).to_owned()]),
    );
    let system = roster.source_system.clone().unwrap_or_default();
    rows.push(vec!["source.systemName".to_owned(), system]);
    rows.push(vec!["source.systemCode".to_owned(), String::new()]);
    sheet("propertyName,value", rows)
}

fn organisation(organisation: &Organisation) -> Vec<String> {
    vec![
        organisation.sourced_id.clone(),
        status(organisation.status),
        String::new(),
        organisation.name.clone(),
        organisation.kind.spelling().to_owned(),
        optional(&organisation.identifier),
        optional(&organisation.parent),
    ]
}

fn session(session: &Session) -> Vec<String> {
    vec![
        session.sourced_id.clone(),
        status(session.status),
        String::new(),
        session.title.clone(),
        session.kind.spelling().to_owned(),
        optional(&session.start_date),
        optional(&session.end_date),
        optional(&session.parent),
        optional(&session.school_year),
    ]
}

fn course(course: &Course) -> Vec<String> {
    vec![
        course.sourced_id.clone(),
        status(course.status),
        String::new(),
        String::new(),
        course.title.clone(),
        optional(&course.code),
        String::new(),
        optional(&course.organisation),
        String::new(),
        String::new(),
    ]
}

fn class(class: &Class) -> Vec<String> {
    vec![
        class.sourced_id.clone(),
        status(class.status),
        String::new(),
        class.title.clone(),
        class.grades.join(","),
        optional(&class.course),
        optional(&class.code),
        class.kind.spelling().to_owned(),
        optional(&class.location),
        class.organisation.clone(),
        class.sessions.join(","),
        class.subjects.join(","),
        String::new(),
        String::new(),
    ]
}

fn person(person: &Person, roster: &Roster) -> Vec<String> {
    let guardians: Vec<&str> = guardians_of(person, roster);
    vec![
        person.sourced_id.clone(),
        status(person.status),
        String::new(),
        person.enabled.to_string(),
        optional(&person.username),
        String::new(),
        person.given_name.clone(),
        person.family_name.clone(),
        optional(&person.middle_name),
        String::new(),
        optional(&person.email),
        optional(&person.mobile),
        optional(&person.phone),
        guardians.join(","),
        person.grades.join(","),
        String::new(),
        String::new(),
        String::new(),
        optional(&person.preferred_given_name),
        String::new(),
        optional(&person.preferred_family_name),
        optional(&person.primary_organisation),
        String::new(),
        person.name_protected.to_string(),
    ]
}

/// Relations stand by child, so a child's are found by halving.
fn guardians_of<'r>(person: &Person, roster: &'r Roster) -> Vec<&'r str> {
    let first = roster
        .relations
        .partition_point(|relation| relation.child < person.sourced_id);
    let own = roster.relations[first..]
        .iter()
        .take_while(|relation| relation.child == person.sourced_id);
    own.map(|relation| relation.guardian.as_str()).collect()
}

fn roles(person: &Person) -> Vec<Vec<String>> {
    let row = |(number, held): (usize, &super::contents::PersonRole)| {
        vec![
            format!("{}-role-{}", person.sourced_id, number + 1),
            status(Status::Active),
            String::new(),
            person.sourced_id.clone(),
            if held.primary { "primary" } else { "secondary" }.to_owned(),
            Role::spelling(held.role).to_owned(),
            optional(&held.begin_date),
            optional(&held.end_date),
            optional(&held.organisation),
            String::new(),
        ]
    };
    person.roles.iter().enumerate().map(row).collect()
}

fn demographics(person: &Person) -> Option<Vec<String>> {
    let born = person.birth_date?;
    let mut row = vec![
        person.sourced_id.clone(),
        status(person.status),
        String::new(),
        born.to_string(),
    ];
    row.resize(DEMOGRAPHICS.split(',').count(), String::new());
    Some(row)
}

fn enrollment(enrollment: &Enrollment) -> Vec<String> {
    vec![
        enrollment.sourced_id.clone(),
        status(enrollment.status),
        String::new(),
        enrollment.class.clone(),
        String::new(),
        enrollment.person.clone(),
        enrollment.role.spelling().to_owned(),
        enrollment.primary.to_string(),
        optional(&enrollment.begin_date),
        optional(&enrollment.end_date),
    ]
}

fn relation(relation: &Relation) -> Vec<String> {
    vec![
        relation.guardian.clone(),
        relation.child.clone(),
        relation.kinship.word().to_owned(),
        relation.custody.to_string(),
        relation.contact.to_string(),
        relation.pickup.to_string(),
        optional(&relation.begin_date),
        optional(&relation.end_date),
    ]
}

/// A bulk file leaves the status of what is in force empty.
fn status(status: Status) -> String {
    if status == Status::Active {
        String::new()
    } else {
        status.spelling().to_owned()
    }
}

fn optional(value: &Option<impl ToString>) -> String {
    value.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn sheet(headings: &str, rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut text = headings.to_owned();
    text.push_str("\r\n");
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
