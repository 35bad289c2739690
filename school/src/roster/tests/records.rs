//! Records that are twice there, or lead nowhere.

use super::*;
use crate::roster::{OrganisationType, Status};

#[test]
fn the_second_record_of_an_id_is_skipped() {
    let reading = tidy_but(
        "users.csv",
        format!("{USERS}anne,,,true,s,student,anne.to,,Anden,Anne,,,,,,,,\n"),
    );
    assert_eq!(reading.roster.people.len(), 3);
    assert_eq!(person(&reading, "anne").given_name, "Anne");
    assert_only_problem(
        &reading,
        "E users.csv:5 sourcedId",
        "`anne` is the id of line 2 too; row skipped",
    );
}

#[test]
fn a_row_without_an_id_is_skipped() {
    let reading = tidy_with("users.csv", "anne,,,true", ",,,true");
    assert_eq!(reading.roster.people.len(), 2);
    assert!(
        lines(&reading)
            .iter()
            .any(|line| line.starts_with("E users.csv:2 sourcedId: empty"))
    );
}

#[test]
fn two_people_have_no_user_name_in_common() {
    let reading = tidy_with("users.csv", "mette.lind", "ANNE.holm");
    assert_eq!(person(&reading, "mette").username, None);
    assert_only_problem(&reading, "E users.csv:4 username", "user name of line 2 too");
    let reading = tidy_but(
        "users.csv",
        USERS
            .replace("anne,,", "anne,tobedeleted,")
            .replace("mette.lind", "anne.holm"),
    );
    assert_eq!(person(&reading, "mette").username.as_deref(), Some("anne.holm"));
}

#[test]
fn references_that_lead_nowhere_are_said() {
    let cases = [
        (
            "users.csv",
            "anne,,,true,s,",
            "anne,,,true,t,",
            "E users.csv:2 orgSourcedIds: there is no organisation `t`; taken as",
        ),
        (
            "classes.csv",
            "homeroom,,s,year",
            "homeroom,,s,tiden",
            "E classes.csv:2 termSourcedIds: there is no academic session `tiden`; left out",
        ),
        (
            "classes.csv",
            "homeroom,,s,year",
            "homeroom,,t,year",
            "E classes.csv:2 schoolSourcedId: there is no organisation `t`; taken as the only",
        ),
        (
            "enrollments.csv",
            "e1,,,3a,",
            "e1,,,4a,",
            "E enrollments.csv:2 classSourcedId: there is no class `4a`; row skipped",
        ),
        (
            "enrollments.csv",
            "s,anne,",
            "s,bente,",
            "E enrollments.csv:2 userSourcedId: there is no person `bente`; row skipped",
        ),
        (
            "enrollments.csv",
            "s,anne,",
            "s,ANNE,",
            "W enrollments.csv:2 userSourcedId: there is no person `ANNE`; taken as `anne`",
        ),
        (
            "enrollments.csv",
            "3a,s,",
            "3a,m,",
            "W enrollments.csv:2 schoolSourcedId: `m` found, but the class belongs to `s`",
        ),
        (
            "orgs.csv",
            "123456,m",
            "123456,k",
            "E orgs.csv:3 parentSourcedId: there is no organisation `k`; taken as having no parent",
        ),
        (
            "academicSessions.csv",
            "-31,year",
            "-31,aar",
            "E academicSessions.csv:3 parentSourcedId: there is no academic session `aar`",
        ),
    ];
    for (file, from, to, begins) in cases {
        assert_only_problem(&tidy_with(file, from, to), begins, "");
    }
}

#[test]
fn courses_are_not_missed_when_the_file_is_not_there() {
    let reading = tidy_with("classes.csv", "3.A,3,,", "3.A,3,dansk,");
    assert_eq!(reading.roster.classes[0].course, None);
    assert_eq!(lines(&reading), Vec::<String>::new());
}

#[test]
fn a_skipped_record_takes_along_what_leads_to_it() {
    let two_schools = format!("{ORGS}s2,,,Solsortskolen,school,,m\n");
    let mut files = tidy();
    files.retain(|(name, _)| *name != "orgs.csv" && *name != "classes.csv");
    files.push(("orgs.csv", two_schools.into_bytes()));
    files.push(("classes.csv", CLASSES.replacen(",s,year", ",t,year", 1).into_bytes()));
    let found = lines(&read_files(files));
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found[0].starts_with("E classes.csv:2 schoolSourcedId: there is no organisation `t`; row skipped"));
    assert!(found[1].contains("class `3a` was skipped (its line 2); row skipped"));
}

#[test]
fn what_depends_on_something_deleted_is_deleted() {
    let reading = tidy_with("classes.csv", "3a,,", "3a,tobedeleted,");
    assert!(
        reading
            .roster
            .enrollments
            .iter()
            .all(|found| found.status == Status::ToBeDeleted)
    );
    assert_only_problem(&reading, "W enrollments.csv:2 status", "class `3a` is to be deleted");
    let reading = tidy_with("users.csv", "mette,,", "mette,tobedeleted,");
    assert_eq!(
        relation(&reading, "mette", "freja").map(|found| found.status),
        Some(Status::ToBeDeleted)
    );
    let reading = tidy_with("orgs.csv", "s,,", "s,tobedeleted,");
    assert!(
        reading
            .roster
            .classes
            .iter()
            .all(|class| class.status == Status::ToBeDeleted)
    );
}

#[test]
fn a_ring_of_organisations_is_cut() {
    let reading = tidy_with("orgs.csv", "district,,", "district,,s");
    assert_only_problem(&reading, "E orgs.csv:3 parentSourcedId", "below its own child");
    assert_eq!(reading.roster.municipality_of("s"), None);
}

#[test]
fn departments_belong_to_their_school_or_stand_alone() {
    let reading = tidy_but("orgs.csv", format!("{ORGS}d,,,Indskoling,department,,s\n"));
    assert_eq!(
        reading
            .roster
            .institution_of("d")
            .map(|school| school.sourced_id.as_str()),
        Some("s")
    );
    assert_eq!(lines(&reading), Vec::<String>::new());
    let reading = tidy_but("orgs.csv", "sourcedId,name,type\ns,Historie,department\n");
    assert_eq!(
        reading.roster.institution_of("s").map(|own| own.kind),
        Some(OrganisationType::Department)
    );
    assert_only_problem(&reading, "W orgs.csv:2 type", "institution of its own");
}

#[test]
fn the_only_institution_is_everyones() {
    let reading = tidy_with("users.csv", "anne,,,true,s,", "anne,,,true,,");
    assert_eq!(person(&reading, "anne").roles[0].organisation.as_deref(), Some("s"));
    assert_only_problem(
        &reading,
        "W users.csv:2 orgSourcedIds",
        "taken as the only institution, `s`",
    );
}

#[test]
fn guardians_belong_where_their_children_do() {
    let mut files = tidy();
    files.retain(|(name, _)| *name != "orgs.csv" && *name != "users.csv");
    files.push(("orgs.csv", format!("{ORGS}s2,,,Solsortskolen,school,,m\n").into_bytes()));
    let text = USERS
        .replace("mette,,,true,s,", "mette,,,true,,")
        .replace("anne,,,true,s,", "anne,,,true,,");
    files.push(("users.csv", text.into_bytes()));
    let reading = read_files(files);
    assert_eq!(person(&reading, "mette").roles[0].organisation.as_deref(), Some("s"));
    assert_eq!(person(&reading, "anne").roles[0].organisation, None);
    assert_only_problem(&reading, "W users.csv:2 orgSourcedIds", "belongs to no institution");
}

#[test]
fn someone_must_be_called_something() {
    let reading = tidy_with("users.csv", ",Anne,Holm,", ",Anne,,");
    assert_only_problem(&reading, "W users.csv:2 familyName", "taken as having none");
    let reading = tidy_with("users.csv", ",Anne,Holm,", ",,,");
    assert_eq!(person(&reading, "anne").given_name, "anne.holm");
    let reading = tidy_with("users.csv", "anne.holm,,Anne,Holm,", ",,,,");
    assert!(has_line(&reading, "E users.csv:2 givenName", "row skipped"));
    assert_eq!(reading.roster.people.len(), 2);
}

#[test]
fn someone_of_no_known_role_is_read_without_one() {
    let reading = tidy_with("users.csv", "s,teacher,", "s,astronaut,");
    assert!(person(&reading, "anne").roles.is_empty());
    let found = lines(&reading);
    assert!(
        found
            .iter()
            .any(|line| line.starts_with("E users.csv:2 role: `astronaut` is not a role")),
        "{found:#?}"
    );
    assert!(
        found
            .iter()
            .any(|line| line.starts_with("E enrollments.csv:2 userSourcedId")),
        "{found:#?}"
    );
}
