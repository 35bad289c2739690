//! Cells that are not what they should be.

use super::*;
use crate::roster::{ClassType, EnrollmentRole, Role, Status};

fn user_begin_dates(dates: &[&str]) -> Reading {
    let mut text = "sourcedId,classSourcedId,userSourcedId,role,beginDate\n".to_owned();
    for (number, date) in dates.iter().enumerate() {
        text.push_str(&format!("d{number},3a,freja,student,{date}\n"));
    }
    tidy_but("enrollments.csv", text)
}

fn begin_dates(reading: &Reading) -> Vec<String> {
    let dates = reading
        .roster
        .enrollments
        .iter()
        .map(|enrollment| enrollment.begin_date);
    dates
        .map(|date| date.map_or("-".to_owned(), |date| date.to_string()))
        .collect()
}

#[test]
fn iso_dates_and_times_are_taken_in_silence() {
    let reading = user_begin_dates(&["2026-08-10", "2026-08-10T00:00:00.000Z", "2026-08-10T07:00:00+02:00"]);
    assert_eq!(begin_dates(&reading), ["2026-08-10"; 3]);
    assert_eq!(lines(&reading), Vec::<String>::new());
}

#[test]
fn danish_dates_are_taken_with_one_warning_for_each_form() {
    let reading = user_begin_dates(&["25-12-2014", "24/12/2014", "23.12.2014", "03/04/2015"]);
    assert_eq!(
        begin_dates(&reading),
        ["2014-12-25", "2014-12-24", "2014-12-23", "2015-04-03"]
    );
    let lines = lines(&reading);
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].starts_with("W enrollments.csv:2 beginDate: `25-12-2014` found"));
    assert!(
        lines[1].contains("enrollments.csv:5")
            && lines[1].contains("as in Denmark, though it could be otherwise: 2015-04-03")
    );
}

#[test]
fn one_american_date_decides_for_its_column() {
    let reading = user_begin_dates(&["03/04/2015", "12/25/2014"]);
    assert_eq!(begin_dates(&reading), ["2015-03-04", "2014-12-25"]);
    assert!(lines(&reading)[0].contains("as the other dates of the column"));
}

#[test]
fn a_danish_and_an_american_date_leave_the_column_danish() {
    let reading = user_begin_dates(&["25/12/2014", "12/25/2014", "03/04/2015"]);
    assert_eq!(begin_dates(&reading), ["2014-12-25", "2014-12-25", "2015-04-03"]);
}

#[test]
fn midnight_in_denmark_is_the_day_that_begins() {
    let reading = user_begin_dates(&["2026-07-31T22:00:00Z"]);
    assert_eq!(begin_dates(&reading), ["2026-08-01"]);
    assert_only_problem(&reading, "W enrollments.csv:2 beginDate", "midnight in Denmark");
}

#[test]
fn what_is_no_date_is_left_out_and_never_is_none() {
    let reading = user_begin_dates(&["i morgen", "31-12-9999"]);
    assert_eq!(begin_dates(&reading), ["-", "-"]);
    let lines = lines(&reading);
    assert!(
        lines[0].starts_with("E enrollments.csv:2 beginDate: `i morgen` is not a date"),
        "{lines:#?}"
    );
    assert!(lines[1].starts_with("W enrollments.csv:3 beginDate") && lines[1].contains("taken as no date"));
}

#[test]
fn dates_in_the_wrong_order_are_said() {
    let reading = tidy_with("enrollments.csv", "true,2026-08-01,", "true,2026-08-01,2026-07-01");
    assert_only_problem(&reading, "W enrollments.csv:2 endDate", "before the beginning");
}

#[test]
fn words_are_recognised_in_any_case_and_in_danish() {
    let reading = tidy_with("users.csv", "s,teacher,", "s,TEACHER,");
    assert_eq!(lines(&reading), Vec::<String>::new());
    let reading = tidy_with("users.csv", "s,teacher,", "s,lærer,");
    assert_eq!(person(&reading, "anne").roles[0].role, Role::Teacher);
    assert_only_problem(
        &reading,
        "W users.csv:2 role",
        "`lærer` is not a role; taken as `teacher`",
    );
    let reading = tidy_with("users.csv", "s,student,", "s,studnet,");
    assert_eq!(person(&reading, "freja").roles[0].role, Role::Student);
    assert_only_problem(&reading, "W users.csv:3 role", "taken as `student`");
    let reading = tidy_with("classes.csv", ",homeroom,", ",Stamklasse,");
    assert_eq!(reading.roster.classes[0].kind, ClassType::Homeroom);
    let reading = tidy_with("classes.csv", ",homeroom,", ",lokale,");
    assert_eq!(reading.roster.classes[0].kind, ClassType::Scheduled);
    assert_only_problem(
        &reading,
        "E classes.csv:2 classType",
        "one of homeroom, scheduled expected; taken as `scheduled`",
    );
}

#[test]
fn a_word_is_explained_once_however_often_it_stands() {
    let text = ENROLLMENTS
        .replace(",student,", ",elev,")
        .replace("e2,", "e3,,,3a,s,freja,elev,,,\ne2,");
    let reading = tidy_but("enrollments.csv", text);
    assert_eq!(reading.roster.enrollments.len(), 3);
    assert_only_problem(&reading, "W enrollments.csv:3 role", "here and in every row like it");
}

#[test]
fn statuses() {
    let cases = [
        ("active", Status::Active, 0),
        ("Active", Status::Active, 0),
        ("tobedeleted", Status::ToBeDeleted, 0),
        ("to be deleted", Status::ToBeDeleted, 0),
        ("inactive", Status::ToBeDeleted, 1),
        ("slettet", Status::ToBeDeleted, 1),
        ("måske", Status::Active, 1),
    ];
    for (written, status, problems) in cases {
        let reading = tidy_with("enrollments.csv", "e2,,", &format!("e2,{written},"));
        assert_eq!(
            enrollment(&reading, "e2").map(|found| found.status),
            Some(status),
            "{written}"
        );
        assert_eq!(reading.problems.len(), problems, "{written}");
    }
}

#[test]
fn who_may_log_in_is_never_guessed() {
    for (written, enabled, problem) in [
        ("true", true, ""),
        ("FALSE", false, ""),
        ("", true, ""),
        ("SAND", true, "W users.csv:2 enabledUser: `SAND`"),
        ("FALSK", false, "W users.csv:2 enabledUser: `FALSK`"),
        ("0", false, "W users.csv:2 enabledUser: `0`"),
        ("måske", false, "E users.csv:2 enabledUser: `måske`"),
    ] {
        let reading = tidy_with("users.csv", "anne,,,true", &format!("anne,,,{written}"));
        assert_eq!(person(&reading, "anne").enabled, enabled, "{written}");
        assert!(
            problem.is_empty() || lines(&reading)[0].starts_with(problem),
            "{:?}",
            lines(&reading)
        );
    }
}

#[test]
fn lists_may_have_spaces_and_other_separators() {
    for written in ["\"0, 1,2 , 3\"", "\"0,1,2,3,\"", "0;1;2;3", "0|1|2|3"] {
        let reading = tidy_with("classes.csv", "\"0,1,2,3\"", written);
        assert_eq!(reading.roster.classes[1].grades, ["0", "1", "2", "3"], "{written}");
    }
}

#[test]
fn invisible_marks_and_control_characters_do_not_reach_names() {
    let reading = tidy_with("users.csv", ",Anne,", ", \u{200b}Anne\u{a0},");
    assert_eq!(person(&reading, "anne").given_name, "Anne");
    let reading = tidy_with("users.csv", ",Anne,", ",An\u{1b}ne,");
    assert_eq!(person(&reading, "anne").given_name, "An ne");
    assert_only_problem(&reading, "W users.csv:2 givenName", "control character");
    let reading = tidy_with("users.csv", ",Anne,", ",NULL,");
    assert_eq!(person(&reading, "anne").given_name, "");
}

#[test]
fn values_in_messages_are_short_and_harmless() {
    let reading = tidy_with("users.csv", "s,teacher,", &format!("s,{},", "x\u{1b}".repeat(500)));
    assert!(
        reading
            .problems
            .iter()
            .all(|problem| problem.message.len() < 500 && !problem.message.contains('\u{1b}'))
    );
}

#[test]
fn the_role_in_a_class_agrees_with_what_the_person_is() {
    let reading = tidy_with("enrollments.csv", "anne,teacher", "anne,student");
    assert_eq!(
        enrollment(&reading, "e1").map(|found| found.role),
        Some(EnrollmentRole::Teacher)
    );
    assert_only_problem(&reading, "W enrollments.csv:2 role", "taken as `teacher`");
    let reading = tidy_with("enrollments.csv", "freja,student", "freja,teacher");
    assert_eq!(
        enrollment(&reading, "e2").map(|found| found.role),
        Some(EnrollmentRole::Student)
    );
    assert_only_problem(&reading, "W enrollments.csv:3 role", "taken as `student`");
    let reading = tidy_with("enrollments.csv", "freja,student", "mette,student");
    assert_eq!(enrollment(&reading, "e2"), None);
    assert_only_problem(&reading, "E enrollments.csv:3 userSourcedId", "row skipped");
    let reading = tidy_with("enrollments.csv", "freja,student", "freja,");
    assert_eq!(
        enrollment(&reading, "e2").map(|found| found.role),
        Some(EnrollmentRole::Student)
    );
    assert_only_problem(&reading, "W enrollments.csv:3 role", "no role found");
}
