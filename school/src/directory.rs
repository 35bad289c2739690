//! A space's people, relations and groups as they are now, in memory: what every decision about rights is made from.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;
use samtale_protocol::people::Role;
use samtale_protocol::{GroupId, PersonId, ProfileId, SpaceId, Timestamp};
use samtale_storage::directory::{
    DirectoryVersionRecord, GroupMemberRecord, GroupRecord, ProfileRecord, RelationRecord, SpaceRecord,
    directory_version_key, space_key, space_partition,
};
use samtale_storage::threads::MemberRecord;
use samtale_storage::{KeyValue, Range, StorageError, Store};

/// Rows read at once while a directory is loaded.
const PAGE: usize = 2_000;

/// A snapshot of a space's directory. Rows that ended are kept: they say what was once allowed.
#[derive(Debug)]
pub struct Directory {
    /// The space.
    pub space: SpaceId,
    /// The version that the snapshot is at least as new as.
    pub version: u64,
    /// The space's own record.
    pub record: SpaceRecord,
    /// The municipality's record.
    pub municipality: Option<SpaceRecord>,
    /// Everyone who is or was in the space.
    pub profiles: FxHashMap<ProfileId, ProfileRecord>,
    /// The groups.
    pub groups: FxHashMap<GroupId, GroupRecord>,
    /// A child's guardians.
    pub guardians_of: FxHashMap<ProfileId, Vec<(ProfileId, RelationRecord)>>,
    /// A guardian's children.
    pub children_of: FxHashMap<ProfileId, Vec<(ProfileId, RelationRecord)>>,
    /// A group's members.
    pub members_of: FxHashMap<GroupId, Vec<(ProfileId, GroupMemberRecord)>>,
    /// A profile's groups.
    pub groups_of: FxHashMap<ProfileId, Vec<(GroupId, GroupMemberRecord)>>,
    /// Every time at which something in it begins or ends, in order; gathered on first need.
    dates: OnceLock<Vec<Timestamp>>,
}

impl Directory {
    /// Reads a space's directory; `None` if there is no such space.
    pub async fn load(store: &Store, space: SpaceId) -> Result<Option<Self>, StorageError> {
        // The version first: rows read after it are at least as new.
        let version = store
            .get_serial::<DirectoryVersionRecord>(&directory_version_key(space))
            .await?;
        let Some(record) = store
            .get::<SpaceRecord>(&space_key(space))
            .await?
            .map(|stored| stored.record)
        else {
            return Ok(None);
        };
        let municipality = match record.parent {
            Some(parent) => store
                .get::<SpaceRecord>(&space_key(parent))
                .await?
                .map(|stored| stored.record),
            None => None,
        };
        let partition = space_partition(space);
        let mut directory = Self::empty(space, record, municipality);
        directory.version = version.map_or(0, |stored| stored.timestamp);
        for stored in store.scan_all::<ProfileRecord>(&partition, Range::all(PAGE)).await? {
            directory
                .profiles
                .insert(ProfileId::from_bytes(id_at(&stored.clustering, 0)), stored.record);
        }
        for stored in store.scan_all::<GroupRecord>(&partition, Range::all(PAGE)).await? {
            directory
                .groups
                .insert(GroupId::from_bytes(id_at(&stored.clustering, 0)), stored.record);
        }
        for stored in store.scan_all::<RelationRecord>(&partition, Range::all(PAGE)).await? {
            let guardian = ProfileId::from_bytes(id_at(&stored.clustering, 0));
            let child = ProfileId::from_bytes(id_at(&stored.clustering, 1));
            directory.relate(guardian, child, stored.record);
        }
        for stored in store
            .scan_all::<GroupMemberRecord>(&partition, Range::all(PAGE))
            .await?
        {
            let group = GroupId::from_bytes(id_at(&stored.clustering, 0));
            let profile = ProfileId::from_bytes(id_at(&stored.clustering, 1));
            directory.join(group, profile, stored.record);
        }
        Ok(Some(directory))
    }

    /// A directory without people.
    pub fn empty(space: SpaceId, record: SpaceRecord, municipality: Option<SpaceRecord>) -> Self {
        Self {
            space,
            version: 0,
            record,
            municipality,
            profiles: FxHashMap::default(),
            groups: FxHashMap::default(),
            guardians_of: FxHashMap::default(),
            children_of: FxHashMap::default(),
            members_of: FxHashMap::default(),
            groups_of: FxHashMap::default(),
            dates: OnceLock::new(),
        }
    }

    /// Up to when everything holds that holds now; `None` is for good.
    pub fn holds_until(&self, now: Timestamp) -> Option<Timestamp> {
        let dates = self.dates.get_or_init(|| self.gather_dates());
        dates.get(dates.partition_point(|date| *date <= now)).copied()
    }

    fn gather_dates(&self) -> Vec<Timestamp> {
        let relations = self.children_of.values().flatten();
        let memberships = self.groups_of.values().flatten();
        let mut dates: Vec<Timestamp> = relations
            .flat_map(|(_, relation)| [relation.from, relation.to])
            .chain(memberships.flat_map(|(_, member)| [member.from, member.to]))
            .chain(self.profiles.values().map(|record| record.left_at))
            .chain(self.groups.values().map(|record| record.ended_at))
            .flatten()
            .collect();
        dates.sort_unstable();
        dates.dedup();
        dates
    }

    /// Adds a relation.
    pub fn relate(&mut self, guardian: ProfileId, child: ProfileId, relation: RelationRecord) {
        self.guardians_of
            .entry(child)
            .or_default()
            .push((guardian, relation.clone()));
        self.children_of.entry(guardian).or_default().push((child, relation));
    }

    /// Adds a member to a group.
    pub fn join(&mut self, group: GroupId, profile: ProfileId, member: GroupMemberRecord) {
        self.members_of
            .entry(group)
            .or_default()
            .push((profile, member.clone()));
        self.groups_of.entry(profile).or_default().push((group, member));
    }

    /// The role of someone who is here now, with the rights that go with it.
    ///
    /// A guardian's rights come from their children: without a relation that holds now they have none.
    pub fn role_now(&self, profile: ProfileId, now: Timestamp) -> Option<Role> {
        let record = self.profiles.get(&profile)?;
        if record.left_at.is_some_and(|left_at| left_at <= now) {
            return None;
        }
        let holds = record.role != Role::Guardian || self.children_now(profile, now).next().is_some();
        holds.then_some(record.role)
    }

    /// The person behind a profile.
    pub fn person_of(&self, profile: ProfileId) -> Option<PersonId> {
        self.profiles.get(&profile).map(|record| record.person)
    }

    /// The full name.
    pub fn name_of(&self, profile: ProfileId) -> String {
        self.profiles.get(&profile).map_or_else(String::new, full_name)
    }

    /// A guardian's children that are here, by relations that hold now.
    pub fn children_now(
        &self,
        guardian: ProfileId,
        now: Timestamp,
    ) -> impl Iterator<Item = (ProfileId, &RelationRecord)> {
        let here = self.is_present(guardian, now);
        let children = self.children_of.get(&guardian).filter(|_| here).into_iter().flatten();
        children
            .filter(move |(child, relation)| holds(relation.from, relation.to, now) && self.is_present(*child, now))
            .map(|(child, relation)| (*child, relation))
    }

    /// A child's guardians, by relations that hold now.
    pub fn guardians_now(
        &self,
        child: ProfileId,
        now: Timestamp,
    ) -> impl Iterator<Item = (ProfileId, &RelationRecord)> {
        let here = self.is_present(child, now);
        let guardians = self.guardians_of.get(&child).filter(|_| here).into_iter().flatten();
        guardians
            .filter(move |(guardian, relation)| {
                holds(relation.from, relation.to, now) && self.is_present(*guardian, now)
            })
            .map(|(guardian, relation)| (*guardian, relation))
    }

    /// The members of a group now.
    pub fn members_now(&self, group: GroupId, now: Timestamp) -> impl Iterator<Item = ProfileId> {
        let runs = self
            .groups
            .get(&group)
            .is_some_and(|group| group.ended_at.is_none_or(|ended_at| ended_at > now));
        let members = self.members_of.get(&group).filter(|_| runs).into_iter().flatten();
        members
            .filter(move |(profile, member)| holds(member.from, member.to, now) && self.is_present(*profile, now))
            .map(|(profile, _)| *profile)
    }

    /// The groups of a profile now.
    pub fn groups_now(&self, profile: ProfileId, now: Timestamp) -> impl Iterator<Item = GroupId> {
        let here = self.is_present(profile, now);
        let groups = self.groups_of.get(&profile).filter(|_| here).into_iter().flatten();
        groups
            .filter(move |(group, member)| {
                holds(member.from, member.to, now)
                    && self
                        .groups
                        .get(group)
                        .is_some_and(|group| group.ended_at.is_none_or(|ended_at| ended_at > now))
            })
            .map(|(group, _)| *group)
    }

    /// Whether two profiles are of one family: guardian and child, guardians of one child, or children of one guardian.
    pub fn is_family(&self, one: ProfileId, other: ProfileId, now: Timestamp) -> bool {
        one == other
            || self.children_now(one, now).any(|(child, _)| {
                child == other || self.guardians_now(child, now).any(|(guardian, _)| guardian == other)
            })
            || self.guardians_now(one, now).any(|(guardian, _)| {
                guardian == other || self.children_now(guardian, now).any(|(child, _)| child == other)
            })
    }

    /// Whether a member of a thread that regards these children may know of it: the membership was not closed, they are
    /// in the space, and they have not lost the children that the thread regards or that they came by.
    pub fn may_know(&self, profile: ProfileId, member: &MemberRecord, regarding: &[ProfileId], now: Timestamp) -> bool {
        !member.closed
            && self.role_now(profile, now).is_some()
            && !self.has_lost(profile, |child| regarding.contains(&child), now)
            && !member
                .through
                .is_some_and(|group| self.has_lost_group(profile, group, now))
    }

    /// Whether the guardian once was one of these children's and now is of none of them: then what concerns them is
    /// closed to the guardian.
    fn has_lost(&self, guardian: ProfileId, is_one: impl Fn(ProfileId) -> bool, now: Timestamp) -> bool {
        let Some(relations) = self.children_of.get(&guardian) else {
            return false;
        };
        let mut of_these = relations.iter().filter(|(child, _)| is_one(*child)).peekable();
        of_these.peek().is_some() && !of_these.any(|(_, relation)| holds(relation.from, relation.to, now))
    }

    /// The same for the children of a group, unless the guardian was in it without them.
    fn has_lost_group(&self, guardian: ProfileId, group: GroupId, now: Timestamp) -> bool {
        let was_in_it = |profile: ProfileId| {
            let groups = self.groups_of.get(&profile).into_iter().flatten();
            groups.into_iter().any(|(known, _)| *known == group)
        };
        !was_in_it(guardian) && self.has_lost(guardian, was_in_it, now)
    }

    fn is_present(&self, profile: ProfileId, now: Timestamp) -> bool {
        self.profiles
            .get(&profile)
            .is_some_and(|record| record.left_at.is_none_or(|left_at| left_at > now))
    }
}

/// Given and family names.
pub fn full_name(record: &ProfileRecord) -> String {
    format!("{} {}", record.given_name, record.family_name)
        .trim()
        .to_owned()
}

/// Whether something from `from` to `to` holds now.
pub fn holds(from: Option<Timestamp>, to: Option<Timestamp>, now: Timestamp) -> bool {
    from.is_none_or(|from| from <= now) && to.is_none_or(|to| now < to)
}

/// The id in a column of a key.
pub fn id_at(clustering: &[KeyValue], column: usize) -> [u8; 16] {
    match clustering.get(column) {
        Some(KeyValue::Id(id)) => *id,
        _ => [0; 16],
    }
}
