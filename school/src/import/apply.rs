//! Carrying an import out. The order is what makes it safe: the mark of an unfinished import, then what takes access and
//! the news of it, then what gives access, then the mark away.
//!
//! A person's profile row comes before their account and their list of profiles: it holds the roster's id, so whoever
//! goes on after a crash finds the person again and makes what is missing, instead of a second person.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt;
use samtale_protocol::{GroupId, PersonId, ProfileId, SpaceId};
use samtale_storage::directory::{GroupRecord, ProfileRecord, space_key, space_partition};
use samtale_storage::people::{PersonProfileRecord, person_profile_key};
use samtale_storage::{Compared, KeyValue, Record, StorageError};

use super::accounts::AccountWork;
use super::current::KnownSpace;
use super::plan::Work;
use super::register::PersonRegister;
use super::spaces::{SpaceChange, WantedSpace};
use super::telling::Affected;
use super::{ImportError, Progress};
use crate::school::School;
use crate::together::{UNDER_WAY, together};

/// Rows written together.
const BATCH: usize = 50;

/// An import that is being carried out.
pub struct Application<'a> {
    pub school: &'a School,
    pub spaces: &'a [WantedSpace<'a>],
    pub known: &'a BTreeMap<String, KnownSpace>,
    pub works: &'a [Work],
    pub new_persons: &'a BTreeSet<PersonId>,
    pub accounts: &'a AccountWork,
    pub register: &'a dyn PersonRegister,
    pub progress: Progress<'a>,
}

impl Application<'_> {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        let same = |space: &WantedSpace<'_>| space.change == SpaceChange::Unchanged;
        self.spaces.iter().all(same) && self.accounts.is_empty() && self.works.iter().all(Work::is_empty)
    }

    /// Carries it out.
    pub async fn apply(&self) -> Result<(), ImportError> {
        let renamed = self.write_spaces().await?;
        let works: Vec<&Work> = self
            .works
            .iter()
            .filter(|work| !work.is_empty() || renamed.contains(&work.space))
            .collect();
        for work in &works {
            self.school.mark_import(work.space, Some(true)).await?;
        }
        for work in &works {
            self.take_away(work, renamed.contains(&work.space)).await?;
        }
        self.accounts.close(self.register).await?;
        for work in &works {
            self.write_additions(work).await?;
        }
        self.accounts.make(self.register, self.progress).await?;
        for work in &works {
            self.give(work).await?;
        }
        self.tell_institutions_below(&works, &renamed).await?;
        for work in &works {
            self.school.mark_import(work.space, Some(false)).await?;
        }
        Ok(())
    }

    /// Writes the spaces' own rows. Returns those that were there and are other than before.
    async fn write_spaces(&self) -> Result<BTreeSet<SpaceId>, ImportError> {
        let mut renamed = BTreeSet::new();
        for space in self
            .spaces
            .iter()
            .filter(|space| space.change != SpaceChange::Unchanged)
        {
            if space.change == SpaceChange::Changed {
                self.school.mark_import(space.space, Some(true)).await?;
                renamed.insert(space.space);
            }
            let key = space_key(space.space);
            let outcome = self
                .school
                .store
                .compare_and_set(&key, space.version, &space.record)
                .await?;
            if outcome == Compared::Conflict {
                return Err(ImportError::Conflict);
            }
        }
        Ok(renamed)
    }

    /// Ends and changes rows, and tells at once.
    async fn take_away(&self, work: &Work, renamed: bool) -> Result<(), ImportError> {
        let plan = &work.plan;
        let space = work.space;
        let ended = |record: &GroupRecord| record.ended_at.is_some();
        let relations = plan.relations.ended.iter().chain(&plan.relations.changed);
        self.write(space, relations).await?;
        let profiles = || plan.profiles.ended.iter().chain(&plan.profiles.changed);
        self.write(space, profiles()).await?;
        let listed: Vec<&(ProfileId, ProfileRecord)> = profiles().filter(|row| is_listed_anew(work, row)).collect();
        self.list_profiles(space, listed.iter().copied()).await?;
        let members = plan.members.ended.iter().chain(&plan.members.changed);
        self.write(space, members).await?;
        let groups = plan.groups.ended.iter().chain(&plan.groups.changed);
        self.write(space, groups).await?;

        let mut affected = Affected::default();
        affected.persons.extend(listed.iter().map(|(_, row)| row.person));
        affected
            .profiles
            .extend(plan.profiles.ended.iter().map(|(profile, _)| *profile));
        let relations = plan.relations.ended.iter().chain(&plan.relations.changed);
        affected.profiles.extend(relations.map(|((_, child), _)| *child));
        let members = plan.members.ended.iter().chain(&plan.members.changed);
        affected.groups.extend(members.map(|((group, _), _)| *group));
        let groups = plan.groups.ended.iter().filter(|(_, row)| ended(row));
        affected.groups.extend(groups.map(|(group, _)| *group));
        let nothing = plan.profiles.changed.is_empty() && plan.groups.changed.is_empty() && affected.is_empty();
        if nothing && !renamed {
            return Ok(());
        }
        (self.progress)(&format!("{}: what ended and what changed is applied", work.name));
        self.school.tell_import(space, &affected).await
    }

    /// Writes the rows that are new. Nobody is told yet: their people cannot log in before they have accounts.
    async fn write_additions(&self, work: &Work) -> Result<(), ImportError> {
        let plan = &work.plan;
        if plan.is_empty() {
            return Ok(());
        }
        (self.progress)(&format!(
            "{}: {} people, {} groups and {} relations are new",
            work.name,
            plan.profiles.added.len(),
            plan.groups.added.len(),
            plan.relations.added.len()
        ));
        let space = work.space;
        let profiles = plan.profiles.added.iter();
        self.write(space, profiles).await?;
        let groups = plan.groups.added.iter();
        self.write(space, groups).await?;
        let relations = plan.relations.added.iter();
        self.write(space, relations).await?;
        let members = plan.members.added.iter();
        self.write(space, members).await.map_err(ImportError::from)
    }

    /// Lists the new profiles with their persons, and tells. After a crash all of them: which were told is not known.
    async fn give(&self, work: &Work) -> Result<(), ImportError> {
        let plan = &work.plan;
        let mut affected = Affected {
            everything: work.unfinished,
            ..Affected::default()
        };
        let added: BTreeSet<ProfileId> = plan.profiles.rows().map(|(profile, _)| *profile).collect();
        let again = work
            .there
            .iter()
            .filter(|(profile, _)| work.unfinished && !added.contains(profile));
        let listed: Vec<&(ProfileId, ProfileRecord)> = plan.profiles.added.iter().chain(again).collect();
        self.list_profiles(work.space, listed.iter().copied()).await?;
        // A person who is new has nobody who could have to hear of it.
        let known = listed.iter().map(|(_, row)| row.person);
        affected
            .persons
            .extend(known.filter(|person| !self.new_persons.contains(person)));
        affected
            .profiles
            .extend(plan.profiles.added.iter().map(|(profile, _)| *profile));
        affected
            .profiles
            .extend(plan.relations.added.iter().map(|((_, child), _)| *child));
        affected
            .groups
            .extend(plan.members.added.iter().map(|((group, _), _)| *group));
        affected
            .groups
            .extend(plan.groups.added.iter().map(|(group, _)| *group));
        if affected.is_empty() {
            return Ok(());
        }
        self.school.tell_import(work.space, &affected).await
    }

    /// A municipality is part of what its institutions decide by: where it changed, they read it again.
    async fn tell_institutions_below(&self, works: &[&Work], renamed: &BTreeSet<SpaceId>) -> Result<(), ImportError> {
        let unfinished = works.iter().filter(|work| work.unfinished).map(|work| work.space);
        let changed: BTreeSet<SpaceId> = renamed.iter().copied().chain(unfinished).collect();
        for known in self.known.values() {
            if known.record.parent.is_some_and(|parent| changed.contains(&parent)) {
                self.school.tell_import(known.space, &Affected::default()).await?;
            }
        }
        Ok(())
    }

    async fn list_profiles(
        &self,
        space: SpaceId,
        profiles: impl Iterator<Item = &(ProfileId, ProfileRecord)>,
    ) -> Result<(), StorageError> {
        let rows = profiles.map(|(profile, row)| {
            let record = PersonProfileRecord {
                role: row.role,
                left_at: row.left_at,
            };
            (person_profile_key(row.person, space, *profile), record)
        });
        let school = self.school;
        let puts = rows
            .map(|(key, record)| async move { school.store.put(key, &record, school.write_timestamp()).await }.boxed());
        together(UNDER_WAY, puts.collect()).await?;
        Ok(())
    }

    async fn write<'r, K: Columns + 'r, R: Record + Clone + 'r>(
        &self,
        space: SpaceId,
        rows: impl Iterator<Item = &'r (K, R)>,
    ) -> Result<(), StorageError> {
        let rows: Vec<(Vec<KeyValue>, R)> = rows.map(|(key, row)| (key.columns(), row.clone())).collect();
        let school = self.school;
        let puts = rows.chunks(BATCH).map(|batch| {
            let (partition, batch) = (space_partition(space).to_vec(), batch.to_vec());
            async move { school.store.put_all(partition, batch, school.write_timestamp()).await }.boxed()
        });
        together(UNDER_WAY, puts.collect()).await?;
        Ok(())
    }
}

/// Whether a profile that ends or changes is other in its person's list too.
fn is_listed_anew(work: &Work, (profile, row): &(ProfileId, ProfileRecord)) -> bool {
    let before = work.there.iter().find(|(before, _)| before == profile);
    before.is_none_or(|(_, before)| (before.role, before.left_at) != (row.role, row.left_at))
}

/// The columns of a row of a space's directory.
trait Columns {
    fn columns(&self) -> Vec<KeyValue>;
}

impl Columns for ProfileId {
    fn columns(&self) -> Vec<KeyValue> {
        vec![(*self).into()]
    }
}

impl Columns for GroupId {
    fn columns(&self) -> Vec<KeyValue> {
        vec![(*self).into()]
    }
}

impl<A: Columns, B: Columns> Columns for (A, B) {
    fn columns(&self) -> Vec<KeyValue> {
        [self.0.columns(), self.1.columns()].concat()
    }
}
