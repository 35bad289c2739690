//! OneRoster 1.2: roles in a file of their own.

use super::*;
use crate::roster::{Role, Version};

const MANIFEST_1_2: &str = "propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\nfile.orgs,bulk\nfile.users,bulk\nfile.roles,bulk\nsource.systemName,Skolesystemet\n";

const USERS_1_2: &str = "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,resourceSourcedIds,preferredGivenName,preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns,metadata.nameProtected
anne,,,true,anne.holm,,Anne,Holm,,,,,,,,,,,,,,s,,
freja,,,true,freja.lind,,Freja,Lind,,,,,,mette,3,,,,Fie,,,,,TRUE
mette,,,true,mette.lind,,Mette,Lind,,,,,,,,,,,,,,,,false
";

const ROLES: &str =
    "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId
r1,,,anne,primary,principal,2020-08-01,,s,
r2,,,freja,primary,student,,,s,
r3,,,mette,primary,teacher,,,s,
r4,,,mette,secondary,parent,,,s,
r5,tobedeleted,,mette,secondary,siteAdministrator,,,s,
";

fn with_roles(roles: &str) -> Reading {
    let mut files = tidy();
    files.retain(|(name, _)| !["manifest.csv", "users.csv"].contains(name));
    files.push(("manifest.csv", MANIFEST_1_2.as_bytes().to_vec()));
    files.push(("users.csv", USERS_1_2.as_bytes().to_vec()));
    files.push(("roles.csv", roles.as_bytes().to_vec()));
    read_files(files)
}

#[test]
fn a_person_can_be_several_things() {
    let reading = with_roles(ROLES);
    assert_eq!(lines(&reading), Vec::<String>::new());
    assert_eq!(reading.roster.version, Version::V1_2);
    assert_eq!(reading.roster.source_system.as_deref(), Some("Skolesystemet"));
    let mother = person(&reading, "mette");
    assert!(mother.is_guardian() && mother.is_employee() && !mother.is_child());
    let roles: Vec<(Role, bool)> = mother.roles.iter().map(|held| (held.role, held.primary)).collect();
    assert_eq!(roles, [(Role::Teacher, true), (Role::Parent, false)]);
    assert!(relation(&reading, "mette", "freja").is_some());
    let head = person(&reading, "anne");
    assert!(head.roles[0].role.is_administrator());
    assert_eq!(
        head.roles[0].begin_date.map(|date| date.to_string()).as_deref(),
        Some("2020-08-01")
    );
    let child = person(&reading, "freja");
    assert!(child.name_protected);
    assert_eq!(child.preferred_given_name.as_deref(), Some("Fie"));
}

#[test]
fn untidy_roles() {
    let text = format!(
        "{ROLES}r2,,,freja,primary,student,,,s,\nr6,,,ukendt,primary,student,,,s,\nr7,,,anne,hoved,teacher,,,s,\nr8,,,anne,,,,,s,\n"
    );
    let found = lines(&with_roles(&text));
    assert_eq!(found.len(), 4, "{found:#?}");
    assert!(found[0].starts_with("E roles.csv:7 sourcedId: `r2` is the id of line 3 too"));
    assert!(found[1].starts_with("E roles.csv:8 userSourcedId: there is no person `ukendt`; row skipped"));
    assert!(found[2].starts_with("E roles.csv:9 roleType: `hoved` is not a type of role"));
    assert!(found[3].starts_with("E roles.csv:10 role: empty"));
}

#[test]
fn someone_without_a_row_of_their_own() {
    let reading = with_roles(&ROLES.replace("r1,,,anne,primary,principal,2020-08-01,,s,\n", ""));
    assert!(person(&reading, "anne").roles.is_empty());
    assert!(
        lines(&reading)
            .iter()
            .any(|line| line.starts_with("W users.csv:2 role: of no role"))
    );
    let mut files = tidy();
    files.push((
        "roles.csv",
        "sourcedId,userSourcedId,role,orgSourcedId\nr1,anne,teacher,s\n".into(),
    ));
    let reading = read_files(files);
    assert_eq!(person(&reading, "freja").roles[0].role, Role::Student);
    assert_eq!(
        lines(&reading)
            .iter()
            .filter(|line| line.contains("the one beside the person is taken"))
            .count(),
        2
    );
}

#[test]
fn a_role_whose_end_nobody_can_read_does_not_last() {
    let reading = with_roles(&ROLES.replace("teacher,,,s", "teacher,,snart,s"));
    assert!(!person(&reading, "mette").is_employee());
}

#[test]
fn birth_dates_come_from_demographics_and_nothing_else_does() {
    let text = "sourcedId,status,dateLastModified,birthDate,sex\nfreja,,,2017-03-04,female\nukendt,,,2017-03-04,male\n";
    let reading = tidy_but("demographics.csv", text);
    assert_eq!(
        person(&reading, "freja")
            .birth_date
            .map(|date| date.to_string())
            .as_deref(),
        Some("2017-03-04")
    );
    assert!(!format!("{:?}", reading.roster).contains("female"));
    assert_only_problem(
        &reading,
        "E demographics.csv:3 sourcedId",
        "there is no person `ukendt`",
    );
}

#[test]
fn the_version_is_guessed_when_nobody_says() {
    assert_eq!(
        tidy_but("manifest.csv", "propertyName,value\n").roster.version,
        Version::V1_1
    );
    let reading = tidy_but("manifest.csv", "propertyName,value\noneroster.version,2.0\n");
    assert_only_problem(
        &reading,
        "W manifest.csv:2 value",
        "OneRoster `2.0` found, 1.1 or 1.2 expected",
    );
}
