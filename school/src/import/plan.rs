//! What is to be done in one space: the difference between its directory and what the roster wants. Rows are named by
//! their ids here: what ends is in no roster.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};
use samtale_protocol::people::Role;
use samtale_protocol::{GroupId, PersonId, ProfileId, SpaceId, Timestamp};
use samtale_storage::directory::{GroupMemberRecord, GroupRecord, ProfileRecord, RelationRecord};

use super::current::FromRoster;
use super::desired::Desired;
use super::difference::Difference;
use super::report::Report;
use crate::directory::Directory;
use crate::roster::Person;

/// Ids for rows that are new.
pub trait NewIds {
    /// Sixteen bytes that nobody has.
    fn next(&mut self) -> [u8; 16];
}

impl<F: FnMut() -> [u8; 16]> NewIds for F {
    fn next(&mut self) -> [u8; 16] {
        self()
    }
}

/// What is known of the people of a roster.
pub struct Persons<'r> {
    /// The person behind the roster's id.
    pub ids: BTreeMap<&'r str, PersonId>,
    /// Those whose account is to be opened or closed.
    pub account_changes: BTreeSet<PersonId>,
}

/// What is to be done in one space.
#[derive(Debug, Default)]
pub struct SpacePlan {
    /// People.
    pub profiles: Difference<ProfileId, ProfileRecord>,
    /// Classes and teams.
    pub groups: Difference<GroupId, GroupRecord>,
    /// Who is in them.
    pub members: Difference<(GroupId, ProfileId), GroupMemberRecord>,
    /// Guardian and child.
    pub relations: Difference<(ProfileId, ProfileId), RelationRecord>,
    /// How many of the roster's people were there.
    pub people_before: usize,
    /// How many of them are there no more.
    pub people_removed: usize,
}

impl SpacePlan {
    /// Compares what is there with what the roster wants.
    pub fn new(
        desired: &Desired<'_>,
        directory: &Directory,
        persons: &Persons<'_>,
        new_ids: &mut impl NewIds,
        now: Timestamp,
    ) -> Self {
        let mut plan = Self::default();
        let there = FromRoster::of(directory);
        let profiles = plan.plan_profiles(desired, directory, persons, &there, new_ids, now);
        let groups = plan.plan_groups(desired, directory, &there, new_ids, now);
        plan.plan_members(desired, directory, &profiles, &groups, now);
        plan.plan_relations(desired, directory, &profiles, now);
        plan
    }

    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.profiles.is_empty() && self.groups.is_empty() && self.members.is_empty() && self.relations.is_empty()
    }

    /// Adds it to a report.
    pub fn count(&self, report: &mut Report) {
        self.profiles.count(report, |counts| &mut counts.profiles);
        self.groups.count(report, |counts| &mut counts.groups);
        self.members.count(report, |counts| &mut counts.group_members);
        self.relations.count(report, |counts| &mut counts.relations);
    }

    fn plan_profiles<'r>(
        &mut self,
        desired: &Desired<'r>,
        directory: &Directory,
        persons: &Persons<'_>,
        there: &FromRoster<'_>,
        new_ids: &mut impl NewIds,
        now: Timestamp,
    ) -> BTreeMap<(&'r str, Role), ProfileId> {
        let mut ids = BTreeMap::new();
        for ((roster_id, role), row) in &desired.profiles {
            let known = there.profiles.get(&(*roster_id, *role)).copied();
            let known = known.or_else(|| other_office(there, desired, directory, (roster_id, *role), &ids));
            let id = known.unwrap_or_else(|| ProfileId::from_bytes(new_ids.next()));
            ids.insert((*roster_id, *role), id);
            let before = directory.profiles.get(&id);
            let person = before.map(|before| before.person);
            let Some(person) = person.or_else(|| persons.ids.get(roster_id).copied()) else {
                continue;
            };
            let wanted = profile_record(row, *role, person);
            if before == Some(&wanted) && persons.account_changes.contains(&person) {
                // The row stays as it is; what changes is whether they can log in, and that is told of people too.
                self.profiles.changed.push((id, wanted));
            } else {
                let before = before.map(|before| (before, before.left_at.is_none()));
                self.profiles.want(id, wanted, before);
            }
        }
        let kept: FxHashSet<ProfileId> = ids.values().copied().collect();
        let staying: BTreeSet<&str> = desired.profiles.keys().map(|(person, _)| *person).collect();
        let mut people = BTreeSet::new();
        for (id, record) in &directory.profiles {
            let (Some(roster_id), None) = (&record.roster_id, record.left_at) else {
                continue;
            };
            people.insert(roster_id.as_str());
            if !kept.contains(id) {
                let left_at = Some(now);
                self.profiles.end(
                    *id,
                    ProfileRecord {
                        left_at,
                        ..record.clone()
                    },
                );
            }
        }
        self.people_before = people.len();
        self.people_removed = people.difference(&staying).count();
        ids
    }

    fn plan_groups<'r>(
        &mut self,
        desired: &Desired<'r>,
        directory: &Directory,
        there: &FromRoster<'_>,
        new_ids: &mut impl NewIds,
        now: Timestamp,
    ) -> BTreeMap<&'r str, GroupId> {
        let mut ids = BTreeMap::new();
        for (roster_id, (kind, name)) in &desired.groups {
            let known = there.groups.get(roster_id).copied();
            let id = known.unwrap_or_else(|| GroupId::from_bytes(new_ids.next()));
            ids.insert(*roster_id, id);
            let wanted = GroupRecord {
                kind: *kind,
                name: (*name).to_owned(),
                roster_id: Some((*roster_id).to_owned()),
                ended_at: None,
            };
            let before = directory.groups.get(&id);
            self.groups
                .want(id, wanted, before.map(|before| (before, before.ended_at.is_none())));
        }
        for (roster_id, id) in &there.groups {
            let before = directory.groups.get(id).filter(|before| before.ended_at.is_none());
            if let Some(before) = before.filter(|_| !ids.contains_key(roster_id)) {
                let ended_at = Some(now);
                self.groups.end(
                    *id,
                    GroupRecord {
                        ended_at,
                        ..before.clone()
                    },
                );
            }
        }
        ids
    }

    fn plan_members(
        &mut self,
        desired: &Desired<'_>,
        directory: &Directory,
        profiles: &BTreeMap<(&str, Role), ProfileId>,
        groups: &BTreeMap<&str, GroupId>,
        now: Timestamp,
    ) {
        let wanted = desired.members.iter().filter_map(|((group, person), record)| {
            let key = (*groups.get(group)?, *profiles.get(person)?);
            Some((key, record.clone()))
        });
        let of_roster = |group: &GroupId| {
            directory
                .groups
                .get(group)
                .is_some_and(|group| group.roster_id.is_some())
        };
        let mut there: FxHashMap<(GroupId, ProfileId), &GroupMemberRecord> = FxHashMap::default();
        for (group, members) in directory.members_of.iter().filter(|(group, _)| of_roster(group)) {
            let members = members.iter().filter(|(member, _)| is_from_roster(directory, *member));
            there.extend(members.map(|(member, record)| ((*group, *member), record)));
        }
        for (key, record) in wanted {
            let before = there.remove(&key);
            self.members
                .want(key, record, before.map(|before| (before, is_open(before.to, now))));
        }
        for (key, before) in there.into_iter().filter(|(_, before)| is_open(before.to, now)) {
            self.members.end(
                key,
                GroupMemberRecord {
                    to: Some(now),
                    ..before.clone()
                },
            );
        }
    }

    fn plan_relations(
        &mut self,
        desired: &Desired<'_>,
        directory: &Directory,
        profiles: &BTreeMap<(&str, Role), ProfileId>,
        now: Timestamp,
    ) {
        let wanted = desired.relations.iter().filter_map(|((guardian, child), record)| {
            let guardian = profiles.get(&(*guardian, Role::Guardian))?;
            let child = profiles.get(&(*child, Role::Child))?;
            Some(((*guardian, *child), record.clone()))
        });
        let mut there: FxHashMap<(ProfileId, ProfileId), &RelationRecord> = FxHashMap::default();
        let of_roster = |profile: &ProfileId| is_from_roster(directory, *profile);
        for (child, guardians) in directory.guardians_of.iter().filter(|(child, _)| of_roster(child)) {
            let guardians = guardians.iter().filter(|(guardian, _)| of_roster(guardian));
            there.extend(guardians.map(|(guardian, record)| ((*guardian, *child), record)));
        }
        for (key, record) in wanted {
            let before = there.remove(&key);
            self.relations
                .want(key, record, before.map(|before| (before, is_open(before.to, now))));
        }
        for (key, before) in there.into_iter().filter(|(_, before)| is_open(before.to, now)) {
            self.relations.end(
                key,
                RelationRecord {
                    to: Some(now),
                    ..before.clone()
                },
            );
        }
    }
}

/// Someone of the staff who becomes another kind of staff keeps their profile, and with it their threads.
fn other_office(
    there: &FromRoster<'_>,
    desired: &Desired<'_>,
    directory: &Directory,
    (roster_id, role): (&str, Role),
    taken: &BTreeMap<(&str, Role), ProfileId>,
) -> Option<ProfileId> {
    let others = Role::ALL
        .into_iter()
        .filter(|other| role.is_staff() && other.is_staff());
    let free = others.filter(|other| !desired.profiles.contains_key(&(roster_id, *other)));
    let mut profiles = free.filter_map(|other| there.profiles.get(&(roster_id, other)).copied());
    profiles.find(|profile| {
        let record = directory.profiles.get(profile);
        record.is_some_and(|record| record.left_at.is_none()) && !taken.values().any(|other| other == profile)
    })
}

fn is_from_roster(directory: &Directory, profile: ProfileId) -> bool {
    let record = directory.profiles.get(&profile);
    record.is_some_and(|record| record.roster_id.is_some())
}

/// Whether something that lasts until `to` has not ended.
fn is_open(to: Option<Timestamp>, now: Timestamp) -> bool {
    to.is_none_or(|to| now < to)
}

fn profile_record(row: &Person, role: Role, person: PersonId) -> ProfileRecord {
    let given_name = row.preferred_given_name.clone().unwrap_or_else(|| {
        let names = std::iter::once(row.given_name.as_str()).chain(row.middle_name.as_deref());
        names.collect::<Vec<_>>().join(" ").trim().to_owned()
    });
    ProfileRecord {
        person,
        role,
        given_name,
        family_name: row
            .preferred_family_name
            .clone()
            .unwrap_or_else(|| row.family_name.clone()),
        name_protected: row.name_protected,
        roster_id: Some(row.sourced_id.clone()),
        left_at: None,
    }
}

/// A space with what is to be done in it.
pub struct Work {
    /// The space.
    pub space: SpaceId,
    /// Its name.
    pub name: String,
    /// What is to be done.
    pub plan: SpacePlan,
    /// Everyone who came from a roster before.
    pub there: Vec<(ProfileId, ProfileRecord)>,
    /// Whether an import stopped half-way here.
    pub unfinished: bool,
}

impl Work {
    /// Whether there is anything to do.
    pub fn is_empty(&self) -> bool {
        self.plan.is_empty() && !self.unfinished
    }
}
