//! Guardians and children: who names whom, and what `samtaleRelations.csv` adds.

use super::*;
use crate::roster::Kinship;

const RELATIONS: &str = "guardianSourcedId,childSourcedId,kind,custody,contact,pickup,beginDate,endDate\n";

#[test]
fn either_end_may_name_the_other() {
    for text in [
        USERS.replace(",mette,3,", ",,3,"),
        USERS.replace(",,,,freja,,", ",,,,,,"),
        USERS.to_owned(),
    ] {
        let reading = tidy_but("users.csv", text);
        assert_eq!(reading.roster.relations.len(), 1);
        assert!(relation(&reading, "mette", "freja").is_some());
        assert_eq!(lines(&reading), Vec::<String>::new());
    }
}

#[test]
fn an_agent_who_is_no_guardian_is_no_relation() {
    let reading = tidy_with("users.csv", ",mette,3,", ",\"anne,mette\",3,");
    assert_eq!(reading.roster.relations.len(), 1);
    assert_only_problem(
        &reading,
        "E users.csv:3 agentSourcedIds",
        "agent `anne` is teacher, the person is student",
    );
    let reading = tidy_with("users.csv", ",mette,3,", ",\"freja,mette\",3,");
    assert_only_problem(&reading, "E users.csv:3 agentSourcedIds", "agent `freja` is student");
    let reading = tidy_with("users.csv", ",mette,3,", ",\"ukendt, mette\",3,");
    assert_only_problem(
        &reading,
        "E users.csv:3 agentSourcedIds",
        "there is no person `ukendt`; relation left out",
    );
}

#[test]
fn a_relative_has_no_custody() {
    let reading = tidy_with("users.csv", "s,parent,", "s,relative,");
    let found = relation(&reading, "mette", "freja").expect("a relative is related");
    assert!(!found.custody && found.contact && found.pickup);
    assert_eq!(found.kinship, Kinship::Relative);
}

#[test]
fn the_relations_file_says_more_of_a_pair() {
    let text = format!("{RELATIONS}mette,freja,mother,true,true,false,2020-01-01,2030-01-01\n");
    let reading = tidy_but("samtaleRelations.csv", text);
    assert_eq!(lines(&reading), Vec::<String>::new());
    let found = relation(&reading, "mette", "freja").expect("the relation is read");
    assert!(found.custody && found.contact && !found.pickup);
    assert_eq!(found.kinship, Kinship::Mother);
    assert_eq!(
        found.end_date.map(|date| date.to_string()).as_deref(),
        Some("2030-01-01")
    );
    assert_eq!(&*found.place.file, "samtaleRelations.csv");
}

#[test]
fn empty_cells_leave_what_the_role_says_and_free_words_stay() {
    let reading = tidy_but(
        "samtaleRelations.csv",
        format!("{RELATIONS}mette,freja,Mormors nabo,,,,,\n"),
    );
    let found = relation(&reading, "mette", "freja").expect("the relation is read");
    assert!(found.custody && found.contact && found.pickup);
    assert_eq!(found.kinship, Kinship::Other("Mormors nabo".to_owned()));
}

#[test]
fn rights_are_never_given_by_what_nobody_can_read() {
    let reading = tidy_but(
        "samtaleRelations.csv",
        format!("{RELATIONS}mette,freja,mother,måske,true,true,,\n"),
    );
    assert_eq!(
        relation(&reading, "mette", "freja").map(|found| found.custody),
        Some(false)
    );
    assert_only_problem(&reading, "E samtaleRelations.csv:2 custody", "taken as `false`");
    let reading = tidy_but(
        "samtaleRelations.csv",
        format!("{RELATIONS}mette,freja,mother,true,true,true,,i sommer\n"),
    );
    assert_eq!(relation(&reading, "mette", "freja"), None);
    assert_only_problem(&reading, "E samtaleRelations.csv:2 endDate", "relation left out");
}

#[test]
fn the_two_files_are_compared() {
    let reading = tidy_but("samtaleRelations.csv", RELATIONS);
    let found = relation(&reading, "mette", "freja").expect("the relation is read");
    assert!(!found.custody && !found.contact && !found.pickup);
    assert_only_problem(&reading, "E users.csv:3 agentSourcedIds", "taken without custody");
    let reading = tidy_but("samtaleRelations.csv", "a,b\n1,2\n");
    assert_eq!(
        relation(&reading, "mette", "freja").map(|found| found.custody),
        Some(false)
    );
    let users = USERS.replace(",mette,3,", ",,3,").replace(",,,,freja,,", ",,,,,,");
    let mut files = tidy();
    files.retain(|(name, _)| *name != "users.csv");
    files.push(("users.csv", users.into_bytes()));
    files.push((
        "samtaleRelations.csv",
        format!("{RELATIONS}mette,freja,mother,,,,,\nmette,freja,far,,,,,\n").into_bytes(),
    ));
    let reading = read_files(files);
    assert_eq!(
        relation(&reading, "mette", "freja").map(|found| &found.kinship),
        Some(&Kinship::Mother)
    );
    let found = lines(&reading);
    assert!(
        found[0].starts_with("W samtaleRelations.csv:2") && found[0].contains("neither names the other"),
        "{found:#?}"
    );
    assert!(found[1].starts_with("E samtaleRelations.csv:3") && found[1].contains("those of line 2 too"));
}

#[test]
fn a_row_of_others_than_guardian_and_child_is_skipped() {
    let reading = tidy_but(
        "samtaleRelations.csv",
        format!("{RELATIONS}mette,freja,,,,,,\nanne,freja,,,,,,\nfreja,mette,,,,,,\n"),
    );
    assert_eq!(reading.roster.relations.len(), 1);
    assert_eq!(reading.errors, 2);
}
