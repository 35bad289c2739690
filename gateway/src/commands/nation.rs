//! A nation for load tests, from a file with a line per institution (`samtale-loadtest nation` writes one): rows in
//! batches, accounts through the register that an import makes them with. It can be stopped and run again: an institution
//! that is whole is known by the version of its directory, which is written last, and everything before that is written
//! to the same rows again.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use samtale_protocol::people::{GroupKind, Role};
use samtale_protocol::{GroupId, PersonId, ProfileId, SpaceId};
use samtale_school::import::PersonRegister;
use samtale_storage::directory::{
    DirectoryVersionRecord, GroupMemberRecord, GroupRecord, ProfileRecord, ReadReceipts, RelationRecord, SpaceKind,
    SpaceRecord, directory_version_key, group_key, group_member_key, profile_key, relation_key, space_key,
    space_partition,
};
use samtale_storage::people::{PersonProfileRecord, person_partition};
use samtale_storage::{KeyValue, Record, StorageError};
use serde::Deserialize;

use super::patience::patiently;
use super::populate::{LoggedIn, Populated, failed};
use super::{CommandError, Progress};
use crate::server::Office;

/// Institutions that are worked on at once, and people of each: together they share the syncs of storage.
const INSTITUTIONS_AT_ONCE: usize = 8;
const PEOPLE_AT_ONCE: usize = 64;
/// Rows of one write.
const ROWS: usize = 200;
/// Institutions between two lines of progress.
const PROGRESS_EVERY: usize = 25;

/// A line of the file.
#[derive(Debug, Deserialize)]
struct Institution {
    space: SpaceId,
    name: String,
    municipality: Municipality,
    groups: Vec<Group>,
    people: Vec<Member>,
}

#[derive(Debug, Deserialize)]
struct Municipality {
    space: SpaceId,
    name: String,
}

#[derive(Debug, Deserialize)]
struct Group {
    group: GroupId,
    name: String,
}

/// Someone in an institution; groups and children by their place in its lists.
#[derive(Debug, Deserialize)]
struct Member {
    person: PersonId,
    profile: ProfileId,
    role: Role,
    given_name: String,
    family_name: String,
    /// In the first of their institutions only.
    #[serde(default)]
    username: Option<String>,
    groups: Vec<usize>,
    #[serde(default)]
    guardian_of: Vec<usize>,
    #[serde(default)]
    logs_in: bool,
}

impl Institution {
    /// Refuses places that are in none of its lists.
    fn check(&self) -> Result<(), String> {
        for (number, member) in self.people.iter().enumerate() {
            if member.groups.iter().any(|place| *place >= self.groups.len()) {
                return Err(format!("person {number} is in a group that it does not have"));
            }
            if member.guardian_of.iter().any(|place| *place >= self.people.len()) {
                return Err(format!("person {number} has a child who is not among its people"));
            }
        }
        Ok(())
    }
}

struct Founding<'a> {
    office: &'a Arc<Office>,
    timestamp: u64,
    people: AtomicUsize,
    institutions: AtomicUsize,
    since: Instant,
    progress: &'a dyn Progress,
}

/// Loads the nation of a file.
pub async fn populate_nation(
    office: &Arc<Office>,
    file: &Path,
    progress: &dyn Progress,
) -> Result<Populated, CommandError> {
    let unread = |error| CommandError::refused(format!("{} can not be read: {error}", file.display()));
    let lines = BufReader::new(std::fs::File::open(file).map_err(unread)?).lines();
    let founding = Founding {
        office,
        timestamp: office.clock.now().as_micros(),
        people: AtomicUsize::new(0),
        institutions: AtomicUsize::new(0),
        since: Instant::now(),
        progress,
    };
    let made = stream::iter(lines.enumerate()).map(|(number, line)| {
        let founding = &founding;
        async move {
            let line = line.map_err(unread)?;
            let wrong = |why: String| {
                let line = number + 1;
                CommandError::refused(format!("line {line} of {} is no institution: {why}", file.display()))
            };
            let institution: Institution = serde_json::from_str(&line).map_err(|error| wrong(error.to_string()))?;
            institution.check().map_err(wrong)?;
            // Everything in it may be written twice.
            patiently(&institution.name, progress, || founding.institution(&institution)).await?;
            let members = institution.people.iter().filter(|member| member.logs_in);
            let members: Vec<(PersonId, ProfileId)> = members.map(|member| (member.person, member.profile)).collect();
            Ok::<_, CommandError>((institution.space, members))
        }
        .boxed()
    });
    let made: Vec<(SpaceId, Vec<(PersonId, ProfileId)>)> = made.buffered(INSTITUTIONS_AT_ONCE).try_collect().await?;
    founding.tell();
    let mut populated = Populated {
        spaces: Vec::new(),
        groups: Vec::new(),
        people: Vec::new(),
        made: founding.people.load(Ordering::Relaxed),
    };
    // Not before all are there: a login looks at all of a person's profiles, and a server that runs remembers them.
    for (space, members) in made.into_iter().filter(|(_, members)| !members.is_empty()) {
        populated.spaces.push(space);
        let logins = members.into_iter().map(|member| founding.log_in(member).boxed());
        populated.people.extend(together(logins.collect()).await?);
    }
    Ok(populated)
}

impl Founding<'_> {
    /// Makes an institution, unless it is whole.
    async fn institution(&self, institution: &Institution) -> Result<(), CommandError> {
        let store = &self.office.opened.store;
        let version = directory_version_key(institution.space);
        if store
            .get::<DirectoryVersionRecord>(&version)
            .await
            .map_err(failed)?
            .is_none()
        {
            self.rows(institution).await.map_err(failed)?;
            together(self.accounts(institution)).await?;
            let whole = DirectoryVersionRecord::default();
            store.compare_and_set(&version, None, &whole).await.map_err(failed)?;
            self.people.fetch_add(institution.people.len(), Ordering::Relaxed);
        }
        if self.institutions.fetch_add(1, Ordering::Relaxed) % PROGRESS_EVERY == PROGRESS_EVERY - 1 {
            self.tell();
        }
        Ok(())
    }

    fn accounts<'a>(&'a self, institution: &'a Institution) -> Vec<BoxFuture<'a, Result<(), CommandError>>> {
        let people = institution.people.iter();
        people
            .map(|member| self.account(institution.space, member).boxed())
            .collect()
    }

    async fn log_in(&self, (person, profile): (PersonId, ProfileId)) -> Result<LoggedIn, CommandError> {
        let log_in = || async move { Ok(self.office.accounts.log_in_for_load(person).await?) };
        let reply = patiently("a login", self.progress, log_in).await?;
        Ok(LoggedIn {
            person,
            profile,
            access_token: reply.access_token,
        })
    }

    /// Makes a space, with the one above it or as the one that sets the table. It is there already where an earlier command
    /// was stopped, and a municipality with the first of its institutions.
    async fn found(
        &self,
        space: SpaceId,
        kind: SpaceKind,
        name: &str,
        parent: Option<SpaceId>,
    ) -> Result<(), StorageError> {
        let forbidden = match parent {
            Some(_) => Vec::new(),
            None => samtale_school::talk_table::DEFAULT_FORBIDDEN.to_vec(),
        };
        let record = SpaceRecord {
            kind,
            name: name.to_owned(),
            parent,
            roster_id: None,
            forbidden,
            read_receipts: ReadReceipts::default(),
        };
        let store = &self.office.opened.store;
        store.compare_and_set(&space_key(space), None, &record).await?;
        Ok(())
    }

    /// The rows of its space.
    async fn rows(&self, institution: &Institution) -> Result<(), StorageError> {
        let (space, above) = (institution.space, &institution.municipality);
        self.found(above.space, SpaceKind::Municipality, &above.name, None)
            .await?;
        let name = &institution.name;
        self.found(space, SpaceKind::Institution, name, Some(above.space))
            .await?;
        let groups = institution.groups.iter().map(|group| {
            let record = GroupRecord {
                kind: GroupKind::Class,
                name: group.name.clone(),
                roster_id: None,
                ended_at: None,
            };
            (group_key(space, group.group).clustering, record)
        });
        self.put(space, groups.collect()).await?;
        let profiles = institution.people.iter().map(|member| {
            let record = ProfileRecord {
                person: member.person,
                role: member.role,
                given_name: member.given_name.clone(),
                family_name: member.family_name.clone(),
                name_protected: false,
                roster_id: None,
                left_at: None,
            };
            (profile_key(space, member.profile).clustering, record)
        });
        self.put(space, profiles.collect()).await?;
        self.put(space, memberships(institution)).await?;
        self.put(space, relations(institution)).await
    }

    async fn put<R: Record>(&self, space: SpaceId, records: Vec<(Vec<KeyValue>, R)>) -> Result<(), StorageError> {
        let mut left = records.into_iter();
        loop {
            let some: Vec<_> = left.by_ref().take(ROWS).collect();
            if some.is_empty() {
                return Ok(());
            }
            let partition = space_partition(space).to_vec();
            self.office
                .opened
                .store
                .put_all(partition, some, self.timestamp)
                .await?;
        }
    }

    /// A person's account, in the first of their institutions, and their profile here in their list.
    async fn account(&self, space: SpaceId, member: &Member) -> Result<(), CommandError> {
        if let Some(username) = &member.username {
            self.office.accounts.create(member.person, username).await?;
        }
        let record = PersonProfileRecord {
            role: member.role,
            left_at: None,
        };
        let own = [(vec![space.into(), member.profile.into()], record)];
        let partition = person_partition(member.person).to_vec();
        let store = &self.office.opened.store;
        store.put_all(partition, own, self.timestamp).await.map_err(failed)
    }

    fn tell(&self) {
        let (people, institutions) = (
            self.people.load(Ordering::Relaxed),
            self.institutions.load(Ordering::Relaxed),
        );
        let seconds = self.since.elapsed().as_secs().max(1);
        let rate = people as u64 / seconds;
        self.progress.report(&format!(
            "{institutions} institutions are there; {people} people made in {seconds} s, {rate} per second"
        ));
    }
}

/// Does all of it, many at once.
async fn together<T>(work: Vec<BoxFuture<'_, Result<T, CommandError>>>) -> Result<Vec<T>, CommandError> {
    stream::iter(work).buffered(PEOPLE_AT_ONCE).try_collect().await
}

fn memberships(institution: &Institution) -> Vec<(Vec<KeyValue>, GroupMemberRecord)> {
    let members = institution.people.iter().flat_map(|member| {
        let of = member.groups.iter().filter_map(|place| institution.groups.get(*place));
        of.map(|group| group_member_key(institution.space, group.group, member.profile).clustering)
    });
    members
        .map(|key| (key, GroupMemberRecord { from: None, to: None }))
        .collect()
}

fn relations(institution: &Institution) -> Vec<(Vec<KeyValue>, RelationRecord)> {
    let people = &institution.people;
    let pairs = people.iter().flat_map(|guardian| {
        let children = guardian.guardian_of.iter().filter_map(|place| people.get(*place));
        children.map(|child| relation_key(institution.space, guardian.profile, child.profile).clustering)
    });
    let record = RelationRecord {
        kind: "guardian".to_owned(),
        custody: true,
        contact: true,
        pickup: true,
        from: None,
        to: None,
    };
    pairs.map(|key| (key, record.clone())).collect()
}
