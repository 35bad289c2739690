//! A roster goes in: what it says is compared with what is there, and the difference is applied. The same roster twice
//! changes nothing; who is to be deleted, or has vanished, loses access at once, and their words stay.
//!
//! Spaces, people and groups are found by the roster's ids. Rows without one were not made by a roster and are never
//! touched; neither are spaces that the roster does not name, so several rosters can live in one server. A person is
//! the same in all the spaces that one roster names. A municipality of which a roster names no person keeps its people:
//! a single school's file has nothing to say of them.
//!
//! What takes access comes first. Every step can be repeated: a space says that an import has begun in it, and whoever
//! finds that goes through all of it again ([`apply`]).

mod accounts;
mod apply;
mod current;
mod desired;
mod difference;
mod plan;
mod register;
mod report;
mod spaces;
mod telling;

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use samtale_protocol::{PersonId, ProfileId, SpaceId};
use samtale_storage::StorageError;
use samtale_storage::directory::{DirectoryVersionRecord, directory_version_key};
use thiserror::Error;

pub use register::{AccountState, PersonRegister};
pub use report::{Counts, Report, ReportedProblem};

use accounts::AccountWork;
use apply::Application;
use current::{FromRoster, KnownSpace, known_spaces};
use desired::{Desired, desired};
use plan::{Persons, SpacePlan, Work};
use spaces::{SpaceChange, WantedSpace, count_spaces, wanted_spaces};

use crate::directory::Directory;
use crate::roster::{Reading, Roster, Status};
use crate::school::School;

/// More than this part of an institution's people vanishing in one roster is more likely a broken file than a wish.
pub const LARGEST_REMOVAL_PERCENT: usize = 5;

/// Told what is being done.
pub type Progress<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// How to import.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportOptions {
    /// Only says what would be done.
    pub dry_run: bool,
    /// Refuses a roster with errors.
    pub strict: bool,
    /// Applies a roster that removes many.
    pub force: bool,
}

/// An import that could not be carried out to its end. Run again, it goes on where it stopped.
#[derive(Debug, Error)]
pub enum ImportError {
    /// Storage failed.
    #[error("the roster was not applied to its end; run the import again")]
    Storage(#[from] StorageError),
    /// An account could not be made, opened or closed.
    #[error("an account could not be made or changed; run the import again: {0}")]
    Account(String),
    /// Someone else changed the same rows.
    #[error("the school was changed by someone else meanwhile; run the import again")]
    Conflict,
}

impl School {
    /// Imports a roster.
    pub async fn import(
        &self,
        reading: &Reading,
        options: ImportOptions,
        register: &dyn PersonRegister,
        progress: Progress<'_>,
    ) -> Result<Report, ImportError> {
        let _one_at_a_time = self.importing.lock().await;
        let mut report = Report::of(reading);
        let roster = &reading.roster;
        if roster.delta {
            return Ok(report.refuse("the roster is a list of changes; a whole one is needed"));
        }
        if options.strict && reading.errors > 0 {
            let errors = reading.errors;
            return Ok(report.refuse(format!("the roster has {errors} errors, and it is to have none")));
        }
        let zone = TimeZone::get("Europe/Copenhagen").unwrap_or(TimeZone::UTC);
        let known = known_spaces(&self.store).await?;
        let mut wanted = desired(roster, &zone, self.now());
        add_deleted(roster, &known, &mut wanted);
        if wanted.is_empty() {
            return Ok(report.refuse("the roster names no institution that could be read"));
        }
        progress("comparing the roster with what is there");
        let spaces = wanted_spaces(roster, wanted.keys().copied(), &known, || {
            SpaceId::from_bytes(self.new_id())
        });
        count_spaces(&spaces, &mut report);
        let mut found = Vec::with_capacity(spaces.len());
        for space in &spaces {
            found.push(self.find(space).await?);
        }
        let (persons, new_persons) = self.persons(&wanted, &found);
        let accounts = AccountWork::find(roster, &persons, &new_persons, register).await?;
        let persons = Persons {
            ids: persons,
            account_changes: accounts.changes(),
        };
        let mut works = Vec::with_capacity(spaces.len());
        for (space, found) in spaces.iter().zip(found) {
            let Some(desired) = wanted.get(space.roster_id) else {
                continue;
            };
            let work = self.work(roster, space, desired, found, &persons);
            work.plan.count(&mut report);
            works.push(work);
        }
        if let Some(reason) = too_many_removed(&works).filter(|_| !options.force) {
            return Ok(report.refuse(reason));
        }
        let application = Application {
            school: self,
            spaces: &spaces,
            known: &known,
            works: &works,
            new_persons: &new_persons,
            accounts: &accounts,
            register,
            progress,
        };
        if !options.dry_run && !application.is_empty() {
            application.apply().await?;
        }
        Ok(report)
    }

    /// What is there of a space.
    async fn find(&self, space: &WantedSpace<'_>) -> Result<Found, StorageError> {
        if space.change == SpaceChange::New {
            let directory = Directory::empty(space.space, space.record.clone(), None);
            return Ok(Found {
                directory,
                unfinished: false,
            });
        }
        let mark = self
            .store
            .get_serial::<DirectoryVersionRecord>(&directory_version_key(space.space))
            .await?;
        let directory = Directory::load(&self.store, space.space).await?;
        Ok(Found {
            directory: directory.unwrap_or_else(|| Directory::empty(space.space, space.record.clone(), None)),
            unfinished: mark.is_some_and(|mark| mark.record.unfinished),
        })
    }

    /// The persons behind the roster's ids: those that are there, and new ids for the others.
    fn persons<'r>(
        &self,
        wanted: &BTreeMap<&'r str, Desired<'r>>,
        found: &[Found],
    ) -> (BTreeMap<&'r str, PersonId>, BTreeSet<PersonId>) {
        let mut there: BTreeMap<&str, PersonId> = BTreeMap::new();
        for found in found {
            for (roster_id, person) in FromRoster::of(&found.directory).persons {
                there.entry(roster_id).or_insert(person);
            }
        }
        let (mut persons, mut new) = (BTreeMap::new(), BTreeSet::new());
        for (roster_id, _) in wanted.values().flat_map(|desired| desired.profiles.keys()) {
            persons.entry(*roster_id).or_insert_with(|| {
                there.get(roster_id).copied().unwrap_or_else(|| {
                    let person = PersonId::from_bytes(self.new_id());
                    new.insert(person);
                    person
                })
            });
        }
        (persons, new)
    }

    fn work(
        &self,
        roster: &Roster,
        space: &WantedSpace<'_>,
        desired: &Desired<'_>,
        found: Found,
        persons: &Persons<'_>,
    ) -> Work {
        let Found { directory, unfinished } = found;
        let is_kept = roster
            .organisation(space.roster_id)
            .is_some_and(|organisation| organisation.status == Status::Active);
        let plan = if is_kept && space.is_municipality() && desired.profiles.is_empty() {
            SpacePlan::default()
        } else {
            SpacePlan::new(desired, &directory, persons, &mut || self.new_id(), self.now())
        };
        let there = directory.profiles.into_iter();
        Work {
            space: space.space,
            name: space.record.name.clone(),
            plan,
            there: there.filter(|(_, record)| record.roster_id.is_some()).collect(),
            unfinished,
        }
    }

    /// A new id of this moment.
    fn new_id(&self) -> [u8; 16] {
        let bytes = self.random_bytes();
        let mut random = [0; 10];
        random.copy_from_slice(&bytes[..10]);
        *ProfileId::at(self.now(), &random).as_bytes()
    }
}

/// What is there of a space.
struct Found {
    directory: Directory,
    unfinished: bool,
}

/// Spaces that are there and that the roster wants deleted: nobody is wanted in them any more.
fn add_deleted<'r>(
    roster: &'r Roster,
    known: &BTreeMap<String, KnownSpace>,
    wanted: &mut BTreeMap<&'r str, Desired<'r>>,
) {
    for organisation in &roster.organisations {
        if organisation.status == Status::ToBeDeleted && known.contains_key(&organisation.sourced_id) {
            wanted.entry(&organisation.sourced_id).or_default();
        }
    }
}

/// Why this is more than a roster may remove unasked.
fn too_many_removed(works: &[Work]) -> Option<String> {
    let too_many = works.iter().find(|work| {
        let plan = &work.plan;
        plan.people_removed * 100 > plan.people_before * LARGEST_REMOVAL_PERCENT
    })?;
    let (removed, before) = (too_many.plan.people_removed, too_many.plan.people_before);
    let name = &too_many.name;
    Some(format!(
        "the roster removes {removed} of {before} people of {name}; that is more than {LARGEST_REMOVAL_PERCENT} %, so it has to be forced"
    ))
}
