//! What begins or ends by its date: a place in a class, a custody, an employment. What a person may see and hear is asked
//! of the clock each time; who is a member of a thread is a row, and has to be written when the day comes.

use std::sync::Arc;
use std::time::Duration;

use samtale_protocol::{SpaceId, Timestamp};
use samtale_storage::directory::SpaceRecord;
use samtale_storage::engine::chain;
use samtale_storage::{Range, StorageError};
use tracing::{info, warn};

use crate::server::Office;

/// How often is looked: a date is a day, so this is soon enough.
const LOOKS: Duration = Duration::from_secs(10 * 60);

/// How far back the first look reaches: a server that was down for the summer catches up.
const REACH: Duration = Duration::from_secs(100 * 24 * 60 * 60);

/// Spaces read at once.
const PAGE: usize = 500;

/// Follows the dates of all spaces, for as long as it is polled.
pub async fn follow(office: Arc<Office>) {
    let mut since = office.clock.now().minus(REACH);
    loop {
        let now = office.clock.now();
        match follow_all(&office, since).await {
            Ok(0) => since = now,
            Ok(threads) => {
                info!(threads, "members came and went by their dates");
                since = now;
            }
            Err(error) => warn!(error = %chain(&error), "dates can not be followed now; tried again"),
        }
        tokio::time::sleep(LOOKS).await;
    }
}

async fn follow_all(office: &Office, since: Timestamp) -> Result<u32, StorageError> {
    let store = &office.opened.store;
    let spaces = store
        .scan_all::<SpaceRecord>(&[SpaceId::SYSTEM.into()], Range::all(PAGE))
        .await?;
    let mut changed = 0;
    for space in spaces {
        if let Some(samtale_storage::KeyValue::Id(id)) = space.clustering.first() {
            changed += office.school.follow_dates(SpaceId::from_bytes(*id), since).await?;
        }
    }
    Ok(changed)
}
