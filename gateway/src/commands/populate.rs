//! A school for load tests: people without passwords, each logged in once. A hash per person would measure argon2 and
//! nothing else, so the access tokens are handed to the operator, who alone reaches this command.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use samtale_protocol::people::{GroupKind, Role};
use samtale_protocol::{GroupId, PersonId, ProfileId, SpaceId};
use samtale_storage::directory::{
    DirectoryVersionRecord, GroupMemberRecord, GroupRecord, ProfileRecord, SpaceKind, SpaceRecord,
    directory_version_key, group_key, group_member_key, profile_key, space_key, space_partition,
};
use samtale_storage::people::{PersonProfileRecord, person_partition};
use samtale_storage::{KeyValue, StorageError};
use serde::{Deserialize, Serialize};

use super::{CommandError, Progress};
use crate::accounts::IfTaken;
use crate::server::Office;

/// Everyone is in so many spaces, as a child of a school and its after-school club is.
const SPACES: usize = 2;
/// Everyone is staff: they may write to groups, and need no relations, on which the rights of guardians rest.
const ROLE: Role = Role::Employee;
/// The most members of one group. With the one who writes to it, a thread takes no more.
const GROUP_MEMBERS: usize = samtale_protocol::limits::MEMBERS - 1;
/// Rows of one write.
const ROWS: usize = 500;
/// People who are worked on at once: enough to share the syncs of storage.
const AT_ONCE: usize = 128;
/// People between two lines of progress.
const PROGRESS_EVERY: usize = 500;
/// The most people of one command: their tokens fit into one answer of the socket for commands.
const PEOPLE: usize = 200_000;

/// The school that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Populated {
    /// The spaces that everyone is in; the groups are those of the first.
    pub spaces: Vec<SpaceId>,
    /// The groups, full but for the last. The first person is in none, so that a group and the one who writes to it are a thread.
    pub groups: Vec<GroupId>,
    /// The people.
    pub people: Vec<LoggedIn>,
    /// How many were made, those included who are not logged in.
    pub made: usize,
}

/// Someone who is logged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedIn {
    /// Who.
    pub person: PersonId,
    /// Their profile in the first space.
    pub profile: ProfileId,
    /// Worth a password for as long as it lasts.
    pub access_token: String,
}

/// Makes a school of so many people.
pub async fn populate(office: &Arc<Office>, people: usize, progress: &dyn Progress) -> Result<Populated, CommandError> {
    if !(2..=PEOPLE).contains(&people) {
        return Err(CommandError::refused(format!("between 2 and {PEOPLE} people")));
    }
    let founding = Founding::new(office, people);
    founding.found().await.map_err(failed)?;
    let made = stream::iter(0..people).map(|number| founding.person(number));
    let persons = counted(made.buffered(AT_ONCE), "people made", people, progress).await?;
    founding.settle(&persons).await.map_err(failed)?;
    let logins = stream::iter(persons.iter().copied().enumerate());
    let logged_in = logins.map(|(number, person)| founding.log_in(number, person));
    let logged_in = counted(logged_in.buffered(AT_ONCE), "people logged in", people, progress).await?;
    let Founding { spaces, groups, .. } = founding;
    Ok(Populated {
        spaces,
        groups,
        people: logged_in,
        made: people,
    })
}

async fn counted<T>(
    made: impl stream::Stream<Item = Result<T, CommandError>>,
    what: &str,
    total: usize,
    progress: &dyn Progress,
) -> Result<Vec<T>, CommandError> {
    let mut all = Vec::with_capacity(total);
    let mut made = std::pin::pin!(made);
    while let Some(one) = made.try_next().await? {
        all.push(one);
        if all.len() % PROGRESS_EVERY == 0 {
            progress.report(&format!("{} of {total} {what}", all.len()));
        }
    }
    Ok(all)
}

struct Founding<'a> {
    office: &'a Arc<Office>,
    timestamp: u64,
    /// Apart from those of an earlier command in the same data folder.
    name: String,
    spaces: Vec<SpaceId>,
    groups: Vec<GroupId>,
    /// A profile per space and person.
    profiles: Vec<Vec<ProfileId>>,
}

impl<'a> Founding<'a> {
    fn new(office: &'a Arc<Office>, people: usize) -> Self {
        let random = || office.school.random_bytes();
        let spaces: Vec<_> = (0..SPACES).map(|_| SpaceId::from_bytes(random())).collect();
        let groups = (0..(people - 1).div_ceil(GROUP_MEMBERS)).map(|_| GroupId::from_bytes(random()));
        let profiles = spaces
            .iter()
            .map(|_| (0..people).map(|_| ProfileId::from_bytes(random())).collect())
            .collect();
        let [first, second, ..]: [u8; 16] = random();
        Self {
            office,
            timestamp: office.clock.now().as_micros(),
            name: format!("load{first:02x}{second:02x}"),
            groups: groups.collect(),
            profiles,
            spaces,
        }
    }

    async fn found(&self) -> Result<(), StorageError> {
        let store = &self.office.opened.store;
        for (number, space) in self.spaces.iter().enumerate() {
            let record = SpaceRecord {
                kind: SpaceKind::Institution,
                name: format!("{} {}", self.name, number + 1),
                parent: None,
                roster_id: None,
                forbidden: samtale_school::talk_table::DEFAULT_FORBIDDEN.to_vec(),
                read_receipts: samtale_storage::directory::ReadReceipts::default(),
            };
            store.compare_and_set(&space_key(*space), None, &record).await?;
        }
        for (number, group) in self.groups.iter().enumerate() {
            let record = GroupRecord {
                kind: GroupKind::Class,
                name: format!("{} class {}", self.name, number + 1),
                roster_id: None,
                ended_at: None,
            };
            store
                .put(group_key(self.spaces[0], *group), &record, self.timestamp)
                .await?;
        }
        Ok(())
    }

    async fn person(&self, number: usize) -> Result<PersonId, CommandError> {
        let username = format!("{}.{number}", self.name);
        let created = self.office.accounts.create_person(&username, IfTaken::Number).await;
        let (person, _) = created.map_err(|error| CommandError::failed(error.to_string()))?;
        let own = self.spaces.iter().zip(&self.profiles).map(|(space, profiles)| {
            let record = PersonProfileRecord {
                role: ROLE,
                left_at: None,
            };
            (vec![(*space).into(), profiles[number].into()], record)
        });
        let partition = person_partition(person).to_vec();
        let store = &self.office.opened.store;
        store.put_all(partition, own, self.timestamp).await.map_err(failed)?;
        Ok(person)
    }

    async fn settle(&self, persons: &[PersonId]) -> Result<(), StorageError> {
        let store = &self.office.opened.store;
        let numbers: Vec<usize> = (0..persons.len()).collect();
        for (space, profiles) in self.spaces.iter().zip(&self.profiles) {
            for numbers in numbers.chunks(ROWS) {
                let records = numbers.iter().map(|number| {
                    let record = ProfileRecord {
                        person: persons[*number],
                        role: ROLE,
                        given_name: format!("{number}"),
                        family_name: self.name.clone(),
                        name_protected: false,
                        roster_id: None,
                        left_at: None,
                    };
                    (profile_key(*space, profiles[*number]).clustering, record)
                });
                let partition: Vec<KeyValue> = space_partition(*space).to_vec();
                store.put_all(partition, records, self.timestamp).await?;
            }
        }
        let space = self.spaces[0];
        for numbers in numbers[1..].chunks(ROWS) {
            let members = numbers.iter().map(|number| {
                let group = self.groups[(number - 1) / GROUP_MEMBERS];
                let key = group_member_key(space, group, self.profiles[0][*number]);
                (key.clustering, GroupMemberRecord { from: None, to: None })
            });
            store
                .put_all(space_partition(space).to_vec(), members, self.timestamp)
                .await?;
        }
        for space in &self.spaces {
            let version = DirectoryVersionRecord::default();
            store
                .compare_and_set(&directory_version_key(*space), None, &version)
                .await?;
        }
        Ok(())
    }

    async fn log_in(&self, number: usize, person: PersonId) -> Result<LoggedIn, CommandError> {
        let reply = self.office.accounts.log_in_for_load(person).await?;
        Ok(LoggedIn {
            person,
            profile: self.profiles[0][number],
            access_token: reply.access_token,
        })
    }
}

/// A failure of storage, with its causes.
pub(super) fn failed(error: StorageError) -> CommandError {
    CommandError::failed(samtale_storage::engine::chain(&error))
}
