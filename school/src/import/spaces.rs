//! Municipalities and institutions: which of a roster's organisations become spaces, and as what.

use std::collections::BTreeMap;

use samtale_protocol::SpaceId;
use samtale_storage::directory::{ReadReceipts, SpaceKind, SpaceRecord};

use super::current::KnownSpace;
use super::report::Report;
use crate::roster::{OrganisationType, Roster};
use crate::talk_table::DEFAULT_FORBIDDEN;

/// What is to become of a space's own row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpaceChange {
    /// It is new.
    New,
    /// It gets another name or another municipality.
    Changed,
    /// It stays.
    Unchanged,
}

/// A space as the roster wants it.
#[derive(Clone, Debug)]
pub struct WantedSpace<'r> {
    /// What the roster calls it.
    pub roster_id: &'r str,
    /// The space.
    pub space: SpaceId,
    /// Its record.
    pub record: SpaceRecord,
    /// The version of the row that is there.
    pub version: Option<u64>,
    /// What is to become of it.
    pub change: SpaceChange,
}

impl WantedSpace<'_> {
    /// Whether it is a municipality.
    pub fn is_municipality(&self) -> bool {
        self.record.kind == SpaceKind::Municipality
    }
}

/// The spaces of these organisations, municipalities first: an institution is never there without the one above it.
pub fn wanted_spaces<'r>(
    roster: &Roster,
    organisations: impl Iterator<Item = &'r str>,
    known: &BTreeMap<String, KnownSpace>,
    mut new_id: impl FnMut() -> SpaceId,
) -> Vec<WantedSpace<'r>> {
    let ids: BTreeMap<&str, SpaceId> = organisations
        .map(|roster_id| {
            let there = known.get(roster_id).map(|known| known.space);
            (roster_id, there.unwrap_or_else(&mut new_id))
        })
        .collect();
    let mut spaces: Vec<WantedSpace<'r>> = ids
        .iter()
        .map(|(roster_id, space)| wanted_space(roster, roster_id, *space, known.get(*roster_id), &ids))
        .collect();
    spaces.sort_by_key(|space| !space.is_municipality());
    spaces
}

fn wanted_space<'r>(
    roster: &Roster,
    roster_id: &'r str,
    space: SpaceId,
    there: Option<&KnownSpace>,
    ids: &BTreeMap<&str, SpaceId>,
) -> WantedSpace<'r> {
    let organisation = roster.organisation(roster_id);
    let is_municipality = organisation
        .is_some_and(|organisation| matches!(organisation.kind, OrganisationType::District | OrganisationType::Local));
    let above = roster
        .municipality_of(roster_id)
        .filter(|above| above.sourced_id != roster_id);
    let before = there.map(|known| &known.record);
    let mut record = SpaceRecord {
        kind: if is_municipality {
            SpaceKind::Municipality
        } else {
            SpaceKind::Institution
        },
        name: organisation.map_or_else(String::new, |organisation| organisation.name.clone()),
        parent: above.and_then(|above| ids.get(above.sourced_id.as_str()).copied()),
        roster_id: Some(roster_id.to_owned()),
        forbidden: before.map_or_else(Vec::new, |before| before.forbidden.clone()),
        read_receipts: before.map_or_else(ReadReceipts::default, |before| before.read_receipts),
    };
    // Whoever has nobody above sets the table: a new space, and one that lost its municipality and with it the table.
    let sets_table = record.parent.is_none() && before.is_none_or(|before| before.parent.is_some());
    if sets_table && record.forbidden.is_empty() {
        record.forbidden = DEFAULT_FORBIDDEN.to_vec();
    }
    let change = match before {
        None => SpaceChange::New,
        Some(before) if *before == record => SpaceChange::Unchanged,
        Some(_) => SpaceChange::Changed,
    };
    WantedSpace {
        roster_id,
        space,
        record,
        version: there.map(|known| known.version),
        change,
    }
}

/// Adds the spaces to a report.
pub fn count_spaces(spaces: &[WantedSpace<'_>], report: &mut Report) {
    for space in spaces {
        let counts = match space.change {
            SpaceChange::New => &mut report.added,
            SpaceChange::Changed => &mut report.changed,
            SpaceChange::Unchanged => &mut report.unchanged,
        };
        counts.spaces += 1;
    }
}
