//! `users.csv`: everyone. In OneRoster 1.1 their roles stand here too.

use std::collections::HashMap;

use super::catalogue::Catalogue;
use super::columns::Shape;
use super::contents::{Person, PersonRole};
use super::index::Index;
use super::organisations::Organisations;
use super::problem::{Place, Problems, shown};
use super::row::Row;
use super::words::{Role, Status};

/// The columns of 1.1 and 1.2 together. `password`, `identifier`, `userIds` and `userMasterIdentifier` are known and never read:
/// people log in with activation codes, and an identity number that is not kept cannot leak.
const KNOWN: &[&str] = &[
    "sourcedId",
    "status",
    "dateLastModified",
    "enabledUser",
    "orgSourcedIds",
    "role",
    "username",
    "userIds",
    "givenName",
    "familyName",
    "middleName",
    "identifier",
    "email",
    "sms",
    "phone",
    "agentSourcedIds",
    "grades",
    "password",
    "userMasterIdentifier",
    "resourceSourcedIds",
    "preferredGivenName",
    "preferredMiddleName",
    "preferredFamilyName",
    "primaryOrgSourcedId",
    "pronouns",
    "metadata.nameProtected",
];

const WITH_ROLES: Shape = Shape {
    known: KNOWN,
    needed: &["sourcedId"],
    expected: &["orgSourcedIds", "role", "username", "givenName", "familyName"],
    dates: &[],
};

const WITHOUT_ROLES: Shape = Shape {
    known: KNOWN,
    needed: &["sourcedId"],
    expected: &["username", "givenName", "familyName"],
    dates: &[],
};

/// The people that were read.
pub(super) struct People {
    /// All of them.
    pub(super) list: Vec<Person>,
    /// Their ids.
    pub(super) index: Index,
    /// Whom they name as their agents.
    pub(super) agents: Vec<Agents>,
}

/// Whom a person names as agents: the other end of relations, once everyone's role is known.
pub(super) struct Agents {
    /// The person, by position.
    pub(super) person: usize,
    /// The ids they name.
    pub(super) named: Vec<String>,
    /// Where.
    pub(super) place: Place,
}

/// Reads the people, with the roles that stand beside them when no `roles.csv` has them.
pub(super) fn read(
    catalogue: &Catalogue<'_>,
    organisations: &Organisations,
    has_roles_file: bool,
    problems: &mut Problems,
) -> People {
    let mut people = People {
        list: Vec::new(),
        index: Index::new("person", true),
        agents: Vec::new(),
    };
    let shape = if has_roles_file { &WITHOUT_ROLES } else { &WITH_ROLES };
    let Some(table) = catalogue.open("users", shape, true, problems) else {
        return people;
    };
    let has_role = table.has("role");
    let mut usernames = HashMap::new();
    table.each_row(problems, |row| {
        let Some(sourced_id) = row.own_id(&people.index) else {
            return;
        };
        let line = row.place().line;
        let Some(mut person) = person(row, &sourced_id, organisations) else {
            people.index.skip(&sourced_id, line);
            return;
        };
        keep_username_unique(row, &mut person, &mut usernames);
        if has_role {
            person.roles = roles(row, organisations, has_roles_file);
        }
        let named = row.list("agentSourcedIds");
        if !named.is_empty() {
            people.agents.push(Agents {
                person: people.list.len(),
                named,
                place: row.place().clone(),
            });
        }
        people.index.keep(&sourced_id, people.list.len(), line);
        people.list.push(person);
    });
    people
}

fn person(row: &mut Row<'_>, sourced_id: &str, organisations: &Organisations) -> Option<Person> {
    let (given_name, family_name) = names(row)?;
    let primary = row
        .reference("primaryOrgSourcedId", &organisations.index, "left out")
        .ok()
        .flatten();
    Some(Person {
        sourced_id: sourced_id.to_owned(),
        status: row.status(),
        place: row.place().clone(),
        // Someone who may not log in must not be let in by a misspelling.
        enabled: row
            .truth("enabledUser", "taken as `false`")
            .unwrap_or(Some(false))
            .unwrap_or(true),
        username: row.text("username"),
        given_name,
        family_name,
        middle_name: row.text("middleName"),
        preferred_given_name: row.text("preferredGivenName"),
        preferred_family_name: row.text("preferredFamilyName"),
        email: row.text("email"),
        mobile: row.text("sms"),
        phone: row.text("phone"),
        grades: row.list("grades"),
        birth_date: None,
        // A name that may have to be protected is.
        name_protected: row
            .truth("metadata.nameProtected", "taken as `true`")
            .unwrap_or(Some(true))
            .unwrap_or(false),
        primary_organisation: primary.map(|(_, id)| id),
        roles: Vec::new(),
    })
}

/// First and last name. One of them is enough; without either the user name stands in; without that nobody knows who it is.
fn names(row: &mut Row<'_>) -> Option<(String, String)> {
    match (row.text("givenName"), row.text("familyName")) {
        (Some(given), Some(family)) => Some((given, family)),
        (Some(given), None) => {
            row.warn("familyName", "empty, a last name expected; taken as having none");
            Some((given, String::new()))
        }
        (None, Some(family)) => {
            row.warn("givenName", "empty, a first name expected; taken as having none");
            Some((String::new(), family))
        }
        (None, None) => {
            let username = row.text("username");
            match &username {
                Some(name) => row.warn(
                    "givenName",
                    format!("no name at all; the user name {} taken instead", shown(name)),
                ),
                None => row.error("givenName", "no name at all, and no user name; row skipped"),
            }
            username.map(|name| (name, String::new()))
        }
    }
}

/// Two people cannot log in by one name: the second has none. Names of people who leave are free again.
fn keep_username_unique(row: &mut Row<'_>, person: &mut Person, taken: &mut HashMap<String, u64>) {
    if person.status == Status::ToBeDeleted {
        return;
    }
    let Some(username) = &person.username else {
        row.warn_once("username", "none", || {
            "empty, a user name expected; taken as having none".to_owned()
        });
        return;
    };
    let key = username.to_lowercase();
    match taken.get(&key) {
        Some(line) => {
            row.error(
                "username",
                format!(
                    "{} is the user name of line {line} too; taken as having none",
                    shown(username)
                ),
            );
            person.username = None;
        }
        None => {
            taken.insert(key, row.place().line);
        }
    }
}

/// The roles that stand beside a person (1.1): one role, in each organisation. With a `roles.csv` they only help out, in silence
/// where they are empty.
fn roles(row: &mut Row<'_>, organisations: &Organisations, has_roles_file: bool) -> Vec<PersonRole> {
    let role = match row.word::<Role>("role", "person read without a role") {
        Ok(Some(role)) => role,
        Ok(None) if has_roles_file => return Vec::new(),
        Ok(None) => {
            row.error("role", "empty, a role expected; person read without a role");
            return Vec::new();
        }
        Err(_) => return Vec::new(),
    };
    let column = "orgSourcedIds";
    let instead = organisations.instead("left out");
    let mut named: Vec<Option<String>> = row
        .references(column, &organisations.index, &instead)
        .into_iter()
        .map(Some)
        .collect();
    if named.is_empty() {
        if row.text(column).is_none() && organisations.only.is_some() {
            row.warn_once(column, "none", || format!("no organisation is named; {instead}"));
        }
        named.push(organisations.only.clone());
    }
    let held = |organisation| PersonRole {
        place: row.place().clone(),
        role,
        organisation,
        primary: true,
        begin_date: None,
        end_date: None,
    };
    named.into_iter().map(held).collect()
}
