//! Finds the people of a class or an institution in storage, as the roster left them there.

use std::collections::{BTreeMap, BTreeSet};

use samtale_protocol::people::{GroupKind, Role};
use samtale_protocol::{GroupId, PersonId, ProfileId, SpaceId, Timestamp};
use samtale_storage::directory::{
    GroupMemberRecord, GroupRecord, ProfileRecord, RelationRecord, SpaceRecord, space_partition,
};
use samtale_storage::engine::Range;
use samtale_storage::{KeyValue, Record, Store, Stored};

use super::{CommandError, Selection};
use crate::accounts::refused;

/// Rows per page when a space is read.
const PAGE: usize = 500;

/// A profile that was asked for.
pub(super) struct Selected {
    pub(super) person: PersonId,
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) space: String,
    pub(super) classes: Vec<String>,
    pub(super) children: Vec<String>,
}

/// The people that `of` asks for, by space, class, role and name.
pub(super) async fn select(store: &Store, of: &Selection, now: Timestamp) -> Result<Vec<Selected>, CommandError> {
    let mut found = Vec::new();
    let mut spaces_with_class = Vec::new();
    for row in spaces(store, of).await? {
        let Some(space) = ids(&row).first().copied().map(SpaceId::from_bytes) else {
            continue;
        };
        let directory = Directory::read(store, space, now).await?;
        if let Some(class) = &of.class {
            if !directory.classes.values().any(|name| name == class) {
                continue;
            }
            spaces_with_class.push(row.record.name.clone());
        }
        found.extend(directory.select(&row.record.name, of.class.as_deref()));
    }
    match (&of.class, spaces_with_class.as_slice()) {
        (Some(class), []) => Err(CommandError::refused(format!("there is no class {class}"))),
        (Some(class), [_, _, ..]) => {
            let names = spaces_with_class.join(", ");
            Err(CommandError::refused(format!(
                "there is a class {class} in each of {names}: say which with --space"
            )))
        }
        _ => Ok(found),
    }
}

async fn spaces(store: &Store, of: &Selection) -> Result<Vec<Stored<SpaceRecord>>, CommandError> {
    let mut rows = scan::<SpaceRecord>(store, SpaceId::SYSTEM).await?;
    if let Some(name) = &of.space {
        rows.retain(|row| row.record.name.to_lowercase() == name.to_lowercase());
        if rows.is_empty() {
            return Err(CommandError::refused(format!(
                "there is no institution or municipality called {name}"
            )));
        }
    }
    rows.sort_by(|one, other| one.record.name.cmp(&other.record.name));
    Ok(rows)
}

/// The people, classes and families of one space.
struct Directory {
    profiles: BTreeMap<ProfileId, ProfileRecord>,
    classes: BTreeMap<GroupId, String>,
    classes_of: BTreeMap<ProfileId, BTreeSet<String>>,
    children_of: BTreeMap<ProfileId, Vec<ProfileId>>,
}

impl Directory {
    async fn read(store: &Store, space: SpaceId, now: Timestamp) -> Result<Self, CommandError> {
        let profiles = scan::<ProfileRecord>(store, space).await?.into_iter();
        let profiles = profiles.filter(|row| holds(row.record.left_at, now));
        let profiles = profiles.filter_map(|row| Some((ProfileId::from_bytes(*ids(&row).first()?), row.record)));
        let classes = scan::<GroupRecord>(store, space).await?.into_iter();
        let classes = classes.filter(|row| row.record.kind == GroupKind::Class && holds(row.record.ended_at, now));
        let classes = classes.filter_map(|row| Some((GroupId::from_bytes(*ids(&row).first()?), row.record.name)));
        let mut directory = Self {
            profiles: profiles.collect(),
            classes: classes.collect(),
            classes_of: BTreeMap::new(),
            children_of: BTreeMap::new(),
        };
        for row in scan::<GroupMemberRecord>(store, space).await? {
            let [group, profile] = ids(&row)[..] else { continue };
            if let (Some(class), true) = (
                directory.classes.get(&GroupId::from_bytes(group)),
                holds(row.record.to, now),
            ) {
                directory
                    .classes_of
                    .entry(ProfileId::from_bytes(profile))
                    .or_default()
                    .insert(class.clone());
            }
        }
        for row in scan::<RelationRecord>(store, space).await? {
            let [guardian, child] = ids(&row)[..] else { continue };
            if holds(row.record.to, now) {
                let children = directory
                    .children_of
                    .entry(ProfileId::from_bytes(guardian))
                    .or_default();
                children.push(ProfileId::from_bytes(child));
            }
        }
        Ok(directory)
    }

    fn select(&self, space: &str, class: Option<&str>) -> Vec<Selected> {
        let mut selected: Vec<Selected> = self
            .profiles
            .iter()
            .map(|(profile, record)| self.selected(*profile, record, space))
            .filter(|found| class.is_none_or(|class| found.classes.iter().any(|name| name == class)))
            .collect();
        // Children, then their guardians, then staff; by name within.
        selected
            .sort_by(|one, other| (&one.classes, one.role, &one.name).cmp(&(&other.classes, other.role, &other.name)));
        selected
    }

    fn selected(&self, profile: ProfileId, record: &ProfileRecord, space: &str) -> Selected {
        let children = self.children_of.get(&profile).map(Vec::as_slice).unwrap_or_default();
        let with_children = std::iter::once(&profile).chain(children);
        let classes: BTreeSet<&String> = with_children
            .filter_map(|one| self.classes_of.get(one))
            .flatten()
            .collect();
        Selected {
            person: record.person,
            name: full_name(record),
            role: record.role,
            space: space.to_owned(),
            classes: classes.into_iter().cloned().collect(),
            children: children
                .iter()
                .filter_map(|child| self.profiles.get(child))
                .map(full_name)
                .collect(),
        }
    }
}

/// Whether what ends at `to` has not ended. What begins later counts: codes are handed out before the first day.
fn holds(to: Option<Timestamp>, now: Timestamp) -> bool {
    to.is_none_or(|to| now < to)
}

fn full_name(record: &ProfileRecord) -> String {
    format!("{} {}", record.given_name, record.family_name)
        .trim()
        .to_owned()
}

async fn scan<R: Record>(store: &Store, space: SpaceId) -> Result<Vec<Stored<R>>, CommandError> {
    Ok(store
        .scan_all(&space_partition(space), Range::all(PAGE))
        .await
        .map_err(refused)?)
}

fn ids<R>(row: &Stored<R>) -> Vec<[u8; 16]> {
    let columns = row.clustering.iter();
    columns
        .filter_map(|column| if let KeyValue::Id(id) = column { Some(*id) } else { None })
        .collect()
}
