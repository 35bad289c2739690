//! A small school to test with: two classes, their staff, children and guardians, written through the store.

use anyhow::{Context, Result};
use samtale_gateway::accounts::IfTaken;
use samtale_gateway::server::Office;
use samtale_protocol::people::{GroupKind, Role};
use samtale_protocol::{GroupId, PersonId, ProfileId, SpaceId};
use samtale_school::talk_table::DEFAULT_FORBIDDEN;
use samtale_storage::directory::{
    DirectoryVersionRecord, GroupMemberRecord, GroupRecord, ProfileRecord, RelationRecord, SpaceKind, SpaceRecord,
    directory_version_key, group_key, group_member_key, profile_key, relation_key, space_key,
};
use samtale_storage::people::{PersonProfileRecord, person_profile_key};
use zeroize::Zeroizing;

/// The password of everyone in a town. Towns live as long as a test.
pub const PASSWORD: &str = "blåbærgrød på bålet";

/// Someone who lives in a town.
#[derive(Clone, Debug)]
pub struct Inhabitant {
    /// What they log in as.
    pub username: String,
    /// Their name.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// The person.
    pub person: PersonId,
    /// Their profile.
    pub profile: ProfileId,
}

/// A school with people who can log in.
#[derive(Clone, Debug)]
pub struct Town {
    /// The municipality that the school belongs to.
    pub municipality: SpaceId,
    /// The school.
    pub space: SpaceId,
    /// The class that everybody belongs to.
    pub class: GroupId,
    /// The people: a teacher first, then guardians and children in turn, then an administrator, a
    /// pedagogue and another administrator.
    pub people: Vec<Inhabitant>,
}

impl Town {
    /// Founds a school with a teacher and `families` families of one guardian and one child, all in class 3.A.
    pub async fn found(office: &Office, families: usize) -> Result<Self> {
        let store = &office.opened.store;
        let timestamp = office.clock.now().as_micros();
        let space = SpaceId::from_bytes(office.school.random_bytes());
        let class = GroupId::from_bytes(office.school.random_bytes());
        let municipality = SpaceId::from_bytes(office.school.random_bytes());
        let above = SpaceRecord {
            kind: SpaceKind::Municipality,
            name: "Prøvekommunen".to_owned(),
            parent: None,
            roster_id: None,
            forbidden: DEFAULT_FORBIDDEN.to_vec(),
            read_receipts: samtale_storage::directory::ReadReceipts::default(),
        };
        let here = SpaceRecord {
            kind: SpaceKind::Institution,
            name: "Prøveskolen".to_owned(),
            parent: Some(municipality),
            forbidden: Vec::new(),
            ..above.clone()
        };
        store.compare_and_set(&space_key(municipality), None, &above).await?;
        store.compare_and_set(&space_key(space), None, &here).await?;
        let group = GroupRecord {
            kind: GroupKind::Class,
            name: "3.A".to_owned(),
            roster_id: None,
            ended_at: None,
        };
        store.put(group_key(space, class), &group, timestamp).await?;
        let mut town = Self {
            municipality,
            space,
            class,
            people: Vec::new(),
        };
        town.settle(office, Role::Employee, "lærer", timestamp).await?;
        for family in 0..families {
            let guardian = town
                .settle(office, Role::Guardian, &format!("forælder{family}"), timestamp)
                .await?;
            let child = town
                .settle(office, Role::Child, &format!("barn{family}"), timestamp)
                .await?;
            let relation = RelationRecord {
                kind: "parent".to_owned(),
                custody: true,
                contact: true,
                pickup: true,
                from: None,
                to: None,
            };
            store
                .put(relation_key(space, guardian, child), &relation, timestamp)
                .await?;
        }
        town.settle(office, Role::InstitutionAdmin, "leder", timestamp).await?;
        town.settle(office, Role::Employee, "pædagog", timestamp).await?;
        town.settle(office, Role::InstitutionAdmin, "souschef", timestamp)
            .await?;
        let version = DirectoryVersionRecord::default();
        store
            .compare_and_set(&directory_version_key(space), None, &version)
            .await?;
        Ok(town)
    }

    /// Someone moves in: a person with a user name, a password and a profile of this role, in class 3.A.
    pub async fn settle(&mut self, office: &Office, role: Role, name: &str, timestamp: u64) -> Result<ProfileId> {
        let store = &office.opened.store;
        let profile = ProfileId::from_bytes(office.school.random_bytes());
        let created = office
            .accounts
            .create_person(name, IfTaken::Number)
            .await
            .context("a person")?;
        let (person, username) = created;
        let set = office
            .accounts
            .set_password(person, Zeroizing::new(PASSWORD.to_owned()))
            .await;
        set.map_err(|refusal| anyhow::anyhow!("no password: {:?}", refusal.code))?;
        let record = ProfileRecord {
            person,
            role,
            given_name: name.to_owned(),
            family_name: "Prøve".to_owned(),
            name_protected: false,
            roster_id: None,
            left_at: None,
        };
        store.put(profile_key(self.space, profile), &record, timestamp).await?;
        let own = PersonProfileRecord { role, left_at: None };
        store
            .put(person_profile_key(person, self.space, profile), &own, timestamp)
            .await?;
        if role != Role::Guardian {
            let member = GroupMemberRecord { from: None, to: None };
            store
                .put(group_member_key(self.space, self.class, profile), &member, timestamp)
                .await?;
        }
        let name = format!("{name} Prøve");
        self.people.push(Inhabitant {
            username,
            name,
            role,
            person,
            profile,
        });
        Ok(profile)
    }

    /// The teacher.
    pub fn teacher(&self) -> &Inhabitant {
        &self.people[0]
    }

    /// The administrator.
    pub fn admin(&self) -> &Inhabitant {
        &self.people[self.people.len() - 3]
    }

    /// Another employee.
    pub fn pedagogue(&self) -> &Inhabitant {
        &self.people[self.people.len() - 2]
    }

    /// Another administrator.
    pub fn deputy(&self) -> &Inhabitant {
        &self.people[self.people.len() - 1]
    }

    /// The guardian of a family.
    pub fn guardian(&self, family: usize) -> &Inhabitant {
        &self.people[1 + family * 2]
    }

    /// The child of a family.
    pub fn child(&self, family: usize) -> &Inhabitant {
        &self.people[2 + family * 2]
    }
}
