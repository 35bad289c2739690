//! Who is whose guardian: from the agents that people name in `users.csv`, and from Samtale's own `samtaleRelations.csv`.

use std::collections::BTreeMap;

use super::catalogue::Catalogue;
use super::columns::Shape;
use super::contents::{Person, Relation};
use super::kinship::Kinship;
use super::people::{Agents, People};
use super::problem::{Place, Problems, shown};
use super::row::Row;
use super::words::{Role, Status};

const SHAPE: Shape = Shape {
    known: &[
        "guardianSourcedId",
        "childSourcedId",
        "kind",
        "custody",
        "contact",
        "pickup",
        "beginDate",
        "endDate",
    ],
    needed: &["guardianSourcedId", "childSourcedId"],
    expected: &[],
    dates: &["beginDate", "endDate"],
};

const FILE: &str = "samtaleRelations";

const AGENTS: &str = "agentSourcedIds";

/// By child and guardian, by position: one relation each.
type Relations = BTreeMap<(usize, usize), Relation>;

/// Reads the relations.
pub(super) fn read(catalogue: &Catalogue<'_>, people: &People, problems: &mut Problems) -> Vec<Relation> {
    let mut relations = Relations::new();
    for agents in &people.agents {
        take_agents(agents, people, &mut relations, problems);
    }
    if catalogue.has(FILE) {
        let mut refined = Relations::new();
        if let Some(table) = catalogue.open(FILE, &SHAPE, false, problems) {
            table.each_row(problems, |row| refine(row, people, &mut relations, &mut refined));
        }
        relations
            .values_mut()
            .for_each(|relation| take_rights(relation, problems));
        relations.append(&mut refined);
    }
    let mut list: Vec<Relation> = relations.into_values().collect();
    list.sort_by(|a, b| (&a.child, &a.guardian).cmp(&(&b.child, &b.guardian)));
    list
}

/// Takes the agents one person names. In either direction, since systems differ: a child's agents are its guardians, a guardian's
/// agents are the children.
fn take_agents(agents: &Agents, people: &People, relations: &mut Relations, problems: &mut Problems) {
    let Some(person) = people.list.get(agents.person) else {
        return;
    };
    for named in &agents.named {
        let followed = people
            .index
            .follow(named, &agents.place, AGENTS, "relation left out", problems);
        let Some((position, _)) = followed else { continue };
        let Some(agent) = people.list.get(position) else {
            continue;
        };
        let guardian_first = person.is_guardian() && agent.is_child();
        let child_first = person.is_child() && agent.is_guardian();
        let (guardian, child) = match (guardian_first, child_first) {
            (true, false) => (agents.person, position),
            (false, true) => (position, agents.person),
            _ => {
                let message = format!(
                    "agent {} is {}, the person is {}; a guardian and a child expected; relation left out",
                    shown(named),
                    roles_of(agent),
                    roles_of(person)
                );
                problems.error(&agents.place, Some(AGENTS), message);
                continue;
            }
        };
        relations
            .entry((child, guardian))
            .or_insert_with(|| by_role(&people.list[guardian], &people.list[child], agents.place.clone()));
    }
}

fn roles_of(person: &Person) -> String {
    use super::word::Word;
    let words: Vec<&str> = person.roles.iter().map(|held| held.role.spelling()).collect();
    if words.is_empty() {
        "of no role".to_owned()
    } else {
        words.join(" and ")
    }
}

/// A relation as the guardian's role alone has it: custody, contact and pickup, but no custody for someone who is only a relative.
fn by_role(guardian: &Person, child: &Person, place: Place) -> Relation {
    let has = |role: Role| guardian.roles.iter().any(|held| held.role == role);
    let kinship = if has(Role::Parent) {
        Kinship::Parent
    } else if has(Role::Guardian) {
        Kinship::Guardian
    } else {
        Kinship::Relative
    };
    let ended = guardian.status == Status::ToBeDeleted || child.status == Status::ToBeDeleted;
    Relation {
        status: if ended { Status::ToBeDeleted } else { Status::Active },
        place,
        guardian: guardian.sourced_id.clone(),
        child: child.sourced_id.clone(),
        custody: kinship != Kinship::Relative,
        contact: true,
        pickup: true,
        kinship,
        begin_date: None,
        end_date: None,
    }
}

/// Where `samtaleRelations.csv` is, rights come from it alone: its row on this pair may be missing because nobody could read it, and it
/// may have been the one that says "no custody".
fn take_rights(relation: &mut Relation, problems: &mut Problems) {
    let found = format!("{} and {}", shown(&relation.guardian), shown(&relation.child));
    let message = format!(
        "no row of `samtaleRelations.csv` could be read for {found}; taken without custody, contact and pickup"
    );
    problems.error(&relation.place, Some(AGENTS), message);
    (relation.custody, relation.contact, relation.pickup) = (false, false, false);
}

/// Takes a row of `samtaleRelations.csv`: it says more of a pair of agents, which is then moved to `refined`.
fn refine(row: &mut Row<'_>, people: &People, relations: &mut Relations, refined: &mut Relations) {
    let Some((guardian, child)) = pair(row, people) else {
        return;
    };
    let key = (child, guardian);
    let (guardian, child) = (&people.list[guardian], &people.list[child]);
    if !guardian.is_guardian() || !child.is_child() {
        let message = format!(
            "{} is {}, {} is {}; a guardian and a child expected; row skipped",
            shown(&guardian.sourced_id),
            roles_of(guardian),
            shown(&child.sourced_id),
            roles_of(child)
        );
        row.error("guardianSourcedId", message);
        return;
    }
    if let Some(earlier) = refined.get(&key) {
        let line = earlier.place.line;
        row.error(
            "guardianSourcedId",
            format!("guardian and child are those of line {line} too; row skipped"),
        );
        return;
    }
    let was_agent = relations.remove(&key).is_some();
    let Some(relation) = refined_relation(row, by_role(guardian, child, row.place().clone())) else {
        return;
    };
    if !was_agent {
        let message = "neither names the other as agent in `users.csv`; taken as a relation all the same";
        row.warn("guardianSourcedId", message);
    }
    refined.insert(key, relation);
}

/// What the row says of rights and dates. Rights are never given by a cell that nobody can read, nor for a time nobody can read.
fn refined_relation(row: &mut Row<'_>, by_role: Relation) -> Option<Relation> {
    let begin_date = row.date("beginDate", "relation left out");
    let end_date = row.date("endDate", "relation left out");
    let (begin_date, end_date) = (begin_date.ok()?, end_date.ok()?);
    row.check_order("endDate", begin_date, end_date);
    let mut right = |column, otherwise| {
        row.truth(column, "taken as `false`")
            .unwrap_or(Some(false))
            .unwrap_or(otherwise)
    };
    let custody = right("custody", by_role.custody);
    let contact = right("contact", by_role.contact);
    let pickup = right("pickup", by_role.pickup);
    let kinship = row
        .text("kind")
        .map_or(by_role.kinship.clone(), |kind| Kinship::named(&kind));
    Some(Relation {
        kinship,
        custody,
        contact,
        pickup,
        begin_date,
        end_date,
        ..by_role
    })
}

/// The guardian and the child of a row, by position.
fn pair(row: &mut Row<'_>, people: &People) -> Option<(usize, usize)> {
    let mut end = |column| {
        row.required(column)?;
        row.reference(column, &people.index, "row skipped")
            .ok()
            .flatten()
            .map(|(position, _)| position)
    };
    let (guardian, child) = (end("guardianSourcedId"), end("childSourcedId"));
    Some((guardian?, child?))
}
