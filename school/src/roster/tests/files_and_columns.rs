//! Files that are not written, named or headed as they should be.

use super::*;
use crate::roster::limits::{MAX_FIELD_BYTES, MAX_PROBLEMS};

fn assert_reads_like_tidy(reading: &Reading) {
    let tidy = read_files(tidy());
    let names = |reading: &Reading| {
        reading
            .roster
            .people
            .iter()
            .map(|person| person.given_name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(reading), names(&tidy), "{:#?}", lines(reading));
    assert_eq!(reading.roster.relations.len(), tidy.roster.relations.len());
}

#[test]
fn marks_line_ends_and_blank_lines_do_not_matter() {
    let cases = [
        format!("\u{feff}{USERS}"),
        USERS.replace('\n', "\r\n"),
        USERS.replace('\n', "\r"),
        USERS.replace('\n', "\n\n   \n"),
        USERS.replace('\n', ",,\n"),
        USERS.replace('\n', ",,\n").replacen(",,\n", "\n", 1),
        USERS.trim_end().to_owned(),
        format!("\n{USERS}\n,,,\n"),
    ];
    for text in cases {
        let reading = tidy_but("users.csv", text.clone());
        assert_reads_like_tidy(&reading);
        assert_eq!(lines(&reading), Vec::<String>::new(), "{text:?}");
    }
}

#[test]
fn line_numbers_are_those_an_editor_shows() {
    let text = USERS.replace('\n', "\r\n\r\n").replace("s,teacher,", "s,xyzzy,");
    assert!(has_line(&tidy_but("users.csv", text), "E users.csv:3 role", "xyzzy"));
    let text = format!("sep=,\n{}", USERS.replace("s,student,", "s,xyzzy,"));
    assert!(has_line(&tidy_but("users.csv", text), "E users.csv:4 role", "xyzzy"));
}

#[test]
fn windows_1252_is_read_with_a_warning() {
    let text: Vec<u8> = ORGS
        .chars()
        .map(|letter| u8::try_from(u32::from(letter)).expect("Latin-1"))
        .collect();
    let reading = tidy_but("orgs.csv", text);
    assert_eq!(reading.roster.organisations[1].name, "Lærkeskolen");
    assert_only_problem(
        &reading,
        "W orgs.csv:0 -",
        "not UTF-8 as expected; read as Windows-1252",
    );
}

#[test]
fn semicolons_and_tabs_separate_with_a_warning() {
    for (separator, name) in [(";", "semicolons"), ("\t", "tabs")] {
        let reading = tidy_but("users.csv", USERS.replace(',', separator));
        assert_reads_like_tidy(&reading);
        assert_only_problem(&reading, "W users.csv:0 -", name);
    }
    let hinted = format!("sep=;\r\n{}", USERS.replace(',', ";"));
    assert_reads_like_tidy(&tidy_but("users.csv", hinted));
}

#[test]
fn headings_are_recognised_however_they_are_spelled() {
    let silent = [
        ("sourcedId", "SourcedID"),
        ("givenName", "given_name"),
        ("familyName", "Family Name"),
        ("role", "ROLE"),
    ];
    for (from, to) in silent {
        let reading = tidy_with("users.csv", from, to);
        assert_reads_like_tidy(&reading);
        assert_eq!(lines(&reading), Vec::<String>::new(), "{to}");
    }
    let said = [
        ("sourcedId", "sourceId"),
        ("givenName", "Fornavn"),
        ("agentSourcedIds", "agentSourceIds"),
        ("role", "rolle"),
    ];
    for (from, to) in said {
        let reading = tidy_with("users.csv", from, to);
        assert_reads_like_tidy(&reading);
        assert_only_problem(
            &reading,
            &format!("W users.csv:1 {from}: column `{to}`"),
            &format!("taken as `{from}`"),
        );
    }
    let reading = tidy_with("classes.csv", "schoolSourcedId", "schoolSourceId");
    assert_eq!(reading.roster.classes.len(), 2);
    assert_only_problem(&reading, "W classes.csv:1 schoolSourcedId", "taken as");
}

#[test]
fn columns_of_others_are_ignored_and_doubles_said() {
    let reading = tidy_with("users.csv", ",password", ",favouriteAnimal");
    assert_only_problem(&reading, "W users.csv:1 favouriteAnimal", "ignored");
    let reading = tidy_with("users.csv", ",password", ",metadata.locker");
    assert_eq!(lines(&reading), Vec::<String>::new());
    let reading = tidy_with("users.csv", ",password", ",role");
    assert_only_problem(&reading, "W users.csv:1 role", "there twice");
}

#[test]
fn missing_columns_cost_as_much_as_they_must() {
    let reading = tidy_but(
        "enrollments.csv",
        "sourcedId,classSourcedId,userSourcedId\ne1,3a,anne\n",
    );
    assert_eq!(reading.roster.enrollments.len(), 1);
    assert!(lines(&reading)[0].starts_with("W enrollments.csv:1 role: no column `role` found"));
    let reading = tidy_but(
        "enrollments.csv",
        "classSourcedId,userSourcedId,role\n3a,anne,teacher\n",
    );
    assert_eq!(reading.roster.enrollments.len(), 0);
    assert_only_problem(
        &reading,
        "E enrollments.csv:1 sourcedId",
        "without it the file is skipped",
    );
}

#[test]
fn rows_of_the_wrong_length() {
    let reading = tidy_with(
        "enrollments.csv",
        "e2,,,3a,s,freja,student,false,2026-08-01,",
        "e2,,,3a,s,freja,student",
    );
    assert_eq!(reading.roster.enrollments.len(), 2);
    assert_only_problem(&reading, "W enrollments.csv:3 -", "7 cells found, 10 expected");
    let reading = tidy_with("classes.csv", "\"0,1,2,3\"", "0,1,2,3");
    assert_eq!(reading.roster.classes.len(), 1);
    assert_only_problem(&reading, "E classes.csv:3 -", "a list in a cell must be quoted");
}

#[test]
fn an_unclosed_quote_costs_its_row_only() {
    let reading = tidy_with("users.csv", ",Anne,", ",\"Anne,");
    assert_eq!(reading.roster.people.len(), 2);
    assert!(
        lines(&reading)
            .iter()
            .any(|line| line.starts_with("E users.csv:2 -: a quote is opened and never closed"))
    );
}

#[test]
fn a_cell_that_is_too_long_costs_its_row() {
    let reading = tidy_with("users.csv", ",Anne,", &format!(",{},", "x".repeat(MAX_FIELD_BYTES + 1)));
    assert_eq!(reading.roster.people.len(), 2);
    assert!(
        lines(&reading)
            .iter()
            .any(|line| line.starts_with("E users.csv:2 -: a cell of more than"))
    );
}

#[test]
fn file_names_are_recognised_and_others_said() {
    for (name, problem) in [
        ("Users.CSV", ""),
        (
            "user.csv",
            "W user.csv:0 -: not a OneRoster file name; taken as `users.csv`",
        ),
    ] {
        let mut files = tidy();
        files
            .iter_mut()
            .filter(|(other, _)| *other == "users.csv")
            .for_each(|file| file.0 = name);
        let reading = read_files(files);
        assert_eq!(reading.roster.people.len(), 3);
        assert_eq!(lines(&reading).join("\n"), problem);
    }
    assert_only_problem(&tidy_but("kantine.csv", "a,b\n"), "W kantine.csv:0", "file ignored");
    for name in ["lineItems.csv", "results.csv", "userProfiles.csv"] {
        assert_eq!(lines(&tidy_but(name, "sourcedId\nx\n")), Vec::<String>::new());
    }
    let mut files = tidy();
    files.push(("users.csv", USERS.as_bytes().to_vec()));
    assert_only_problem(&read_files(files), "W users.csv:0", "there already");
}

#[test]
fn the_manifest_is_believed_where_that_is_safe() {
    let reading = tidy_but(
        "manifest.csv",
        format!("{MANIFEST}file.enrollments,absent\nfile.demographics,bulk\n"),
    );
    assert_eq!(reading.roster.enrollments.len(), 2);
    let found = lines(&reading);
    assert!(
        found[0].starts_with("E demographics.csv:0 -: file is missing, though the manifest names it"),
        "{found:#?}"
    );
    assert!(found[1].starts_with("W enrollments.csv:0 -: the manifest calls it `absent`"));
    let reading = tidy_but("manifest.csv", MANIFEST.replace("file.users,bulk", "file.users,delta"));
    assert!(reading.roster.delta && reading.roster.people.is_empty());
    assert!(
        lines(&reading)
            .iter()
            .any(|line| line.starts_with("E users.csv:0") && line.contains("`delta`"))
    );
}

#[test]
fn files_that_are_missing_are_said() {
    let reading = read_files(Vec::new());
    let found = lines(&reading);
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found[0].starts_with("W manifest.csv:0") && found[1].starts_with("E orgs.csv:0"));
    assert!(found[2].starts_with("E users.csv:0"));
    assert!(has_line(&tidy_but("users.csv", ""), "E users.csv:0", "file is empty"));
}

#[test]
fn problems_are_kept_up_to_a_limit_and_counted_beyond() {
    let mut text = "sourcedId,classSourcedId,userSourcedId,role\n".to_owned();
    for number in 0..MAX_PROBLEMS + 7 {
        text.push_str(&format!("x{number},3a,nobody{number},student\n"));
    }
    let reading = tidy_but("enrollments.csv", text);
    assert_eq!(reading.problems.len(), MAX_PROBLEMS);
    assert_eq!(
        (reading.problems_left_out, reading.errors),
        (7, MAX_PROBLEMS as u64 + 7)
    );
}
