//! What begins or ends by its date: a place in a class, a custody, an employment. What a person may see and hear is asked
//! of the clock each time; who is a member of a thread is a row, and has to be written when the day comes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use samtale_protocol::{SpaceId, Timestamp};
use samtale_storage::directory::SpaceRecord;
use samtale_storage::engine::chain;
use samtale_storage::{KeyValue, Range, StorageError, Store};
use tracing::{info, warn};

use crate::leases::Leases;
use crate::server::Office;

/// How often is looked: a date is a day, so this is soon enough.
const LOOKS: Duration = Duration::from_secs(10 * 60);

/// How far back the first look reaches: a server that was down for the summer catches up.
const REACH: Duration = Duration::from_secs(100 * 24 * 60 * 60);

/// Spaces read at once.
const PAGE: usize = 500;

/// Follows the dates of all spaces that fall to this node, for as long as it is polled.
pub async fn follow(office: Arc<Office>, leases: Option<Arc<Leases>>) {
    // Up to when each space was followed. One that can not be read, as when its keys are gone, does not hold back the others;
    // one that has only now fallen to this node is followed as far back as after a start.
    let mut followed: BTreeMap<SpaceId, Timestamp> = BTreeMap::new();
    let mut failed: BTreeSet<SpaceId> = BTreeSet::new();
    loop {
        match spaces(&office.opened.store).await {
            Ok(spaces) => {
                let falls_here = |space: &SpaceId| leases.as_ref().is_none_or(|leases| leases.is_for_this_node(*space));
                let spaces: BTreeSet<SpaceId> = spaces.into_iter().filter(falls_here).collect();
                followed.retain(|space, _| spaces.contains(space));
                for space in spaces {
                    let now = office.clock.now();
                    let from = followed.entry(space).or_insert(now.minus(REACH));
                    match office.school.follow_dates(space, *from, failed.remove(&space)).await {
                        Ok(threads) => {
                            *from = now;
                            if threads > 0 {
                                info!(%space, threads, "members came and went by their dates");
                            }
                        }
                        Err(error) => {
                            failed.insert(space);
                            warn!(%space, error = %chain(&error), "dates can not be followed now; tried again");
                        }
                    }
                }
            }
            Err(error) => warn!(error = %chain(&error), "spaces can not be listed now; tried again"),
        }
        tokio::time::sleep(LOOKS).await;
    }
}

/// Every space.
pub(crate) async fn spaces(store: &Store) -> Result<Vec<SpaceId>, StorageError> {
    let rows = store
        .scan_all::<SpaceRecord>(&[SpaceId::SYSTEM.into()], Range::all(PAGE))
        .await?;
    let ids = rows.iter().filter_map(|row| match row.clustering.first() {
        Some(KeyValue::Id(id)) => Some(SpaceId::from_bytes(*id)),
        _ => None,
    });
    Ok(ids.collect())
}
