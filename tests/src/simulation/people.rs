//! The school of a seed: staff, guardians and children, a few threads among them, and the devices they have.

use std::sync::Arc;

use samtale_protocol::people::{GroupKind, Role};
use samtale_protocol::{GroupId, PersonId, ProfileId, SpaceId};
use samtale_storage::directory::{
    DirectoryVersionRecord, GroupMemberRecord, GroupRecord, ProfileRecord, ReadReceipts, RelationRecord, SpaceKind,
    SpaceRecord, directory_version_key, group_key, group_member_key, profile_key, relation_key, space_key,
};
use samtale_storage::memory::MemoryEngine;
use samtale_storage::people::{PersonProfileRecord, person_profile_key};
use samtale_storage::{StorageError, Store};

use crate::simulation::randomness::Seeded;

/// Someone of the school.
#[derive(Clone, Copy, Debug)]
pub struct Someone {
    /// The person.
    pub person: PersonId,
    /// Their profile.
    pub profile: ProfileId,
    /// Their role.
    pub role: Role,
}

/// The school.
#[derive(Clone, Debug)]
pub struct People {
    /// The space.
    pub space: SpaceId,
    /// The class, which all children are in at first.
    pub group: GroupId,
    /// Everyone.
    pub all: Vec<Someone>,
    /// Children and their guardians.
    pub relations: Vec<(ProfileId, ProfileId)>,
}

impl People {
    /// Draws a school and writes its directory.
    pub async fn draw(random: &mut Seeded, engine: &Arc<MemoryEngine>) -> Result<Self, StorageError> {
        let store = Store::new(Arc::clone(engine) as Arc<dyn samtale_storage::Engine>);
        let space = SpaceId::from_bytes(random.id());
        let group = GroupId::from_bytes(random.id());
        let (staff, children) = (random.between(2, 5), random.between(2, 5));
        let mut all = Vec::new();
        for role in std::iter::repeat_n(Role::Employee, usize::try_from(staff).unwrap_or(2))
            .chain(std::iter::repeat_n(Role::Child, usize::try_from(children).unwrap_or(2)))
        {
            all.push(draw_one(random, role));
        }
        let children: Vec<Someone> = all.iter().copied().filter(|one| one.role == Role::Child).collect();
        let mut relations = Vec::new();
        write_space(&store, space, group).await?;
        for child in &children {
            store
                .put(
                    group_member_key(space, group, child.profile),
                    &GroupMemberRecord { from: None, to: None },
                    1,
                )
                .await?;
            for _ in 0..random.between(1, 2) {
                let guardian = draw_one(random, Role::Guardian);
                let relation = RelationRecord {
                    kind: "mother".to_owned(),
                    custody: true,
                    contact: true,
                    pickup: true,
                    from: None,
                    to: None,
                };
                store
                    .put(relation_key(space, guardian.profile, child.profile), &relation, 1)
                    .await?;
                relations.push((child.profile, guardian.profile));
                all.push(guardian);
            }
        }
        for one in &all {
            let profile = ProfileRecord {
                person: one.person,
                role: one.role,
                given_name: "Someone".to_owned(),
                family_name: one.profile.to_string(),
                name_protected: false,
                roster_id: None,
                left_at: None,
            };
            store.put(profile_key(space, one.profile), &profile, 1).await?;
            let own = PersonProfileRecord {
                role: one.role,
                left_at: None,
            };
            store
                .put(person_profile_key(one.person, space, one.profile), &own, 1)
                .await?;
        }
        Ok(Self {
            space,
            group,
            all,
            relations,
        })
    }

    /// The children.
    pub fn children(&self) -> Vec<ProfileId> {
        let children = self.all.iter().filter(|one| one.role == Role::Child);
        children.map(|one| one.profile).collect()
    }

    /// The staff.
    pub fn staff(&self) -> Vec<Someone> {
        self.all.iter().copied().filter(|one| one.role.is_staff()).collect()
    }
}

fn draw_one(random: &mut Seeded, role: Role) -> Someone {
    let (person, profile) = (PersonId::from_bytes(random.id()), ProfileId::from_bytes(random.id()));
    Someone { person, profile, role }
}

async fn write_space(store: &Store, space: SpaceId, group: GroupId) -> Result<(), StorageError> {
    let record = SpaceRecord {
        kind: SpaceKind::Institution,
        name: "The school".to_owned(),
        parent: None,
        roster_id: None,
        forbidden: Vec::new(),
        read_receipts: ReadReceipts::Everyone,
    };
    store.compare_and_set(&space_key(space), None, &record).await?;
    store
        .compare_and_set(&directory_version_key(space), None, &DirectoryVersionRecord::default())
        .await?;
    let class = GroupRecord {
        kind: GroupKind::Class,
        name: "3.A".to_owned(),
        roster_id: None,
        ended_at: None,
    };
    store.put(group_key(space, group), &class, 1).await
}
