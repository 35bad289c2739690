//! What is there: the spaces that came from rosters, and who is in them.

use std::collections::BTreeMap;

use samtale_protocol::people::Role;
use samtale_protocol::{GroupId, PersonId, ProfileId, SpaceId};
use samtale_storage::directory::SpaceRecord;
use samtale_storage::{Range, StorageError, Store};

use crate::directory::{Directory, id_at};

/// Spaces read at once: more than a country has.
const PAGE: usize = 5_000;

/// A space that came from a roster.
#[derive(Clone, Debug)]
pub struct KnownSpace {
    /// The space.
    pub space: SpaceId,
    /// Its record.
    pub record: SpaceRecord,
    /// The version of its row.
    pub version: u64,
}

/// The spaces that are there, by the roster's id.
pub async fn known_spaces(store: &Store) -> Result<BTreeMap<String, KnownSpace>, StorageError> {
    let rows = store
        .scan_all::<SpaceRecord>(&[SpaceId::SYSTEM.into()], Range::all(PAGE))
        .await?;
    let known = rows.into_iter().filter_map(|row| {
        let space = SpaceId::from_bytes(id_at(&row.clustering, 0));
        let roster_id = row.record.roster_id.clone()?;
        let (record, version) = (row.record, row.timestamp);
        Some((roster_id, KnownSpace { space, record, version }))
    });
    Ok(known.collect())
}

/// What of a directory came from a roster, found by the roster's ids.
#[derive(Default)]
pub struct FromRoster<'d> {
    /// People and roles.
    pub profiles: BTreeMap<(&'d str, Role), ProfileId>,
    /// The person behind them.
    pub persons: BTreeMap<&'d str, PersonId>,
    /// Groups.
    pub groups: BTreeMap<&'d str, GroupId>,
}

impl<'d> FromRoster<'d> {
    /// Those of a directory.
    pub fn of(directory: &'d Directory) -> Self {
        let mut from_roster = Self::default();
        for (profile, record) in &directory.profiles {
            if let Some(roster_id) = &record.roster_id {
                from_roster.profiles.insert((roster_id, record.role), *profile);
                from_roster.persons.insert(roster_id, record.person);
            }
        }
        for (group, record) in &directory.groups {
            if let Some(roster_id) = &record.roster_id {
                from_roster.groups.insert(roster_id, *group);
            }
        }
        from_roster
    }
}
