//! Telling of an import: the directory's version, the persons whose profiles changed, and the threads of groups.

use std::collections::BTreeSet;

use futures_util::FutureExt;
use samtale_protocol::{Audience, Event, GroupId, PersonId, ProfileId, SpaceId};
use samtale_storage::directory::{DirectoryVersionRecord, directory_version_key};
use samtale_storage::journal::Fact;
use samtale_storage::{Compared, StorageError};

use super::ImportError;
use crate::school::School;
use crate::together::{UNDER_WAY, together};

/// How often a directory's version is tried to be raised while others raise it too.
const ATTEMPTS: usize = 8;

/// What a part of an import touched.
#[derive(Debug, Default)]
pub struct Affected {
    /// Persons whose list of profiles is other than before.
    pub persons: BTreeSet<PersonId>,
    /// Profiles that came or went, and children whose guardians did: the threads of their groups follow.
    pub profiles: BTreeSet<ProfileId>,
    /// Groups with other members.
    pub groups: BTreeSet<GroupId>,
    /// Nobody knows what was touched before a crash: all groups count.
    pub everything: bool,
}

impl Affected {
    /// Whether nothing was touched.
    pub fn is_empty(&self) -> bool {
        self.persons.is_empty() && self.profiles.is_empty() && self.groups.is_empty() && !self.everything
    }
}

impl School {
    /// Raises the version of a space's directory. `unfinished` marks it for whoever imports next; `None` leaves the mark.
    pub(super) async fn mark_import(&self, space: SpaceId, unfinished: Option<bool>) -> Result<u64, ImportError> {
        let key = directory_version_key(space);
        for _ in 0..ATTEMPTS {
            let there = self.store.get_serial::<DirectoryVersionRecord>(&key).await?;
            let version = there.as_ref().map(|there| there.timestamp);
            let marked = there.is_some_and(|there| there.record.unfinished);
            let unfinished = unfinished.unwrap_or(marked);
            let record = DirectoryVersionRecord { unfinished };
            if let Compared::Applied { version } = self.store.compare_and_set(&key, version, &record).await? {
                return Ok(version);
            }
        }
        Err(ImportError::Conflict)
    }

    /// Tells this node, and through the log every other, that a space's directory is another.
    pub(super) async fn tell_import(&self, space: SpaceId, affected: &Affected) -> Result<(), ImportError> {
        let version = self.mark_import(space, None).await?;
        {
            let mut memory = self.memory();
            let newest = memory.directory_versions.entry(space).or_default();
            *newest = (*newest).max(version);
            for person in &affected.persons {
                memory.forget_person(*person);
            }
        }
        let (fact, event) = (Fact::Directory { version }, Event::Directory { version });
        self.tell(space, fact, Some(event), Audience::space()).await?;
        let telling = affected.persons.iter().map(|person| {
            let fact = Fact::Profiles { person: *person };
            self.tell(SpaceId::SYSTEM, fact, None, Audience::people([*person]))
                .boxed()
        });
        together(UNDER_WAY, telling.collect()).await?;
        let groups = self.affected_groups(space, affected).await?;
        self.follow_groups(space, &groups, affected.everything).await?;
        Ok(())
    }

    /// Tells that a space's directory is another, as after its table of who may talk with whom was set.
    pub async fn tell_directory(&self, space: SpaceId) -> Result<(), ImportError> {
        self.tell_import(space, &Affected::default()).await
    }

    async fn affected_groups(&self, space: SpaceId, affected: &Affected) -> Result<Vec<GroupId>, StorageError> {
        let Some(directory) = self.load_directory(space).await? else {
            return Ok(Vec::new());
        };
        if affected.everything {
            return Ok(directory.groups.keys().copied().collect());
        }
        let of_profiles = affected
            .profiles
            .iter()
            .filter_map(|profile| directory.groups_of.get(profile));
        let mut groups: BTreeSet<GroupId> = of_profiles.flatten().map(|(group, _)| *group).collect();
        groups.extend(&affected.groups);
        Ok(groups.into_iter().collect())
    }
}
