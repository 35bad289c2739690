//! Rosters as they should be and as they are, read.

mod agents;
mod arbitrary;
mod archives;
mod cells;
mod files_and_columns;
mod real_file;
mod records;
mod round_trip;
mod versions;

use super::{Enrollment, Person, Problem, Reading, Relation, RosterFiles, Severity, read};

const MANIFEST: &str =
    "propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\nfile.orgs,bulk\nfile.users,bulk\n";

const ORGS: &str = "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId
m,,,Birkedal Kommune,district,,
s,,,Lærkeskolen,school,123456,m
";

const SESSIONS: &str = "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear
year,,,2026/27,schoolYear,2026-08-01,2027-07-31,,2027
autumn,,,Efterår,semester,2026-08-01,2026-12-31,year,2027
";

const CLASSES: &str = "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods
3a,,,3.A,3,,3A,homeroom,,s,year,\"Dansk,Matematik\",,
sfo,,,SFO Mælkevejen,\"0,1,2,3\",,,scheduled,,s,year,,,
";

const USERS: &str = "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password
anne,,,true,s,teacher,anne.holm,,Anne,Holm,,,anne@example.dk,,,,,hemmeligt
freja,,,true,s,student,freja.lind,,Freja,Lind,,,,,,mette,3,
mette,,,true,s,parent,mette.lind,,Mette,Lind,,,,,,freja,,
";

const ENROLLMENTS: &str =
    "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate
e1,,,3a,s,anne,teacher,true,2026-08-01,
e2,,,3a,s,freja,student,false,2026-08-01,
";

/// A tidy 1.1 roster of one class with a teacher, a child and a mother.
fn tidy() -> Vec<(&'static str, Vec<u8>)> {
    [
        ("manifest.csv", MANIFEST),
        ("orgs.csv", ORGS),
        ("academicSessions.csv", SESSIONS),
        ("classes.csv", CLASSES),
        ("users.csv", USERS),
        ("enrollments.csv", ENROLLMENTS),
    ]
    .map(|(name, text)| (name, text.as_bytes().to_vec()))
    .to_vec()
}

/// The tidy roster with one file replaced or added.
fn tidy_but(name: &'static str, bytes: impl Into<Vec<u8>>) -> Reading {
    let mut files = tidy();
    files.retain(|(other, _)| *other != name);
    files.push((name, bytes.into()));
    read_files(files)
}

/// The tidy roster with one text in one file replaced by another.
fn tidy_with(name: &'static str, from: &str, to: &str) -> Reading {
    let files = tidy();
    let (_, bytes) = files
        .iter()
        .find(|(other, _)| *other == name)
        .expect("a file of the tidy roster");
    let text = String::from_utf8(bytes.clone()).expect("the tidy roster is UTF-8");
    assert!(text.contains(from), "{name} has no {from}");
    tidy_but(name, text.replacen(from, to, 1))
}

fn read_files(files: Vec<(&str, Vec<u8>)>) -> Reading {
    let mut gathered = RosterFiles::new();
    for (name, bytes) in files {
        gathered.add(name, bytes);
    }
    read(&gathered)
}

fn person<'r>(reading: &'r Reading, id: &str) -> &'r Person {
    let mut people = reading.roster.people.iter();
    people
        .find(|person| person.sourced_id == id)
        .expect("the person is read")
}

fn enrollment<'r>(reading: &'r Reading, id: &str) -> Option<&'r Enrollment> {
    reading
        .roster
        .enrollments
        .iter()
        .find(|enrollment| enrollment.sourced_id == id)
}

fn relation<'r>(reading: &'r Reading, guardian: &str, child: &str) -> Option<&'r Relation> {
    let mut relations = reading.roster.relations.iter();
    relations.find(|relation| relation.guardian == guardian && relation.child == child)
}

/// A problem as one line: `E users.csv:3 role: message`.
fn line(problem: &Problem) -> String {
    let severity = if problem.severity == Severity::Error { 'E' } else { 'W' };
    let column = problem.column.as_deref().unwrap_or("-");
    format!(
        "{severity} {}:{} {column}: {}",
        problem.file, problem.line, problem.message
    )
}

fn lines(reading: &Reading) -> Vec<String> {
    reading.problems.iter().map(line).collect()
}

/// Whether there is a problem that begins with the first text and holds the second.
fn has_line(reading: &Reading, begins: &str, holds: &str) -> bool {
    lines(reading)
        .iter()
        .any(|line| line.starts_with(begins) && line.contains(holds))
}

/// Checks that there is exactly one problem, which begins with the first text and holds the second.
fn assert_only_problem(reading: &Reading, begins: &str, holds: &str) {
    let lines = lines(reading);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(
        lines[0].starts_with(begins) && lines[0].contains(holds),
        "{begins} … {holds} expected: {}",
        lines[0]
    );
}

#[test]
fn a_tidy_roster_has_no_problems() {
    let reading = read_files(tidy());
    assert_eq!(lines(&reading), Vec::<String>::new());
    assert_eq!(reading.errors, 0);
    let roster = &reading.roster;
    assert_eq!(
        (
            roster.organisations.len(),
            roster.classes.len(),
            roster.people.len(),
            roster.enrollments.len()
        ),
        (2, 2, 3, 2)
    );
    assert_eq!(
        roster.institution_of("s").map(|school| school.name.as_str()),
        Some("Lærkeskolen")
    );
    assert_eq!(
        roster.municipality_of("s").map(|above| above.name.as_str()),
        Some("Birkedal Kommune")
    );
    assert_eq!(roster.institution_of("m"), None);
    let mother = relation(&reading, "mette", "freja").expect("the mother is a guardian");
    assert!(mother.custody && mother.contact && mother.pickup);
    assert_eq!(
        (
            &*person(&reading, "freja").place.file,
            person(&reading, "freja").place.line
        ),
        ("users.csv", 3)
    );
}

#[test]
fn passwords_are_nowhere_in_what_is_read() {
    let reading = read_files(tidy());
    assert!(!format!("{reading:?}").contains("hemmeligt"));
}
