//! What waits for storage or the log: it runs beside the router's loop, and its outcome comes back as an input.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use samtale_protocol::time::Clock;
use samtale_protocol::{EventId, SpaceId, ThreadId, Timestamp};
use samtale_storage::journal::{Fact, JournalRecord};

use super::bridging::{Begin, Bridge, Bridged};
use crate::delivery::{Recipients, Safe};
use crate::log::{AddressedSignal, Log, LogEntry, Position, Slice};
use crate::rights::{AT_ONCE, JournalPlace, Rights, know_members, newest_of_each};

/// How many entries are read from a log at once.
pub(super) const FILL: usize = 512;

/// How many pages of a journal are peeked into at once.
const PEEKED: usize = 16;

/// How long to wait after storage or the log failed.
pub(super) const RETRY: Duration = Duration::from_millis(200);

/// What ran beside the loop and came back.
pub(super) enum Done {
    Filled {
        space: SpaceId,
        after: Position,
        slice: Slice,
    },
    Bridged(Bridged),
    Loaded {
        space: SpaceId,
        thread: ThreadId,
        offset: u64,
        recipients: Recipients,
    },
    Signal {
        space: SpaceId,
        signal: Arc<AddressedSignal>,
        recipients: Recipients,
    },
    Heads {
        heads: Vec<(SpaceId, Position)>,
        away: Vec<SpaceId>,
    },
    Peeked {
        space: SpaceId,
        entries: Vec<(Arc<LogEntry>, Recipients)>,
    },
    Told {
        space: SpaceId,
        entry: Arc<LogEntry>,
        recipients: Recipients,
    },
    Nothing,
}

/// Reads what the log has after `seen`.
pub(super) async fn fill(log: Arc<dyn Log>, space: SpaceId, seen: Position) -> Done {
    loop {
        match log.read(space, seen, FILL).await {
            Ok(slice) => {
                return Done::Filled {
                    space,
                    after: seen,
                    slice,
                };
            }
            Err(_) => tokio::time::sleep(RETRY).await,
        }
    }
}

/// Begins to bridge, and reads the first page of the journal. The log's head is read before: what is appended after it is
/// read from the log, what is up to it was in the journal before.
pub(super) async fn bridge(
    log: Arc<dyn Log>,
    rights: Arc<dyn Rights>,
    clock: Arc<dyn Clock>,
    space: SpaceId,
    begin: Begin,
) -> Done {
    let on = loop {
        match begin_at_head(log.as_ref(), clock.as_ref(), space, &begin).await {
            Some(on) => break Arc::new(on),
            None => tokio::time::sleep(RETRY).await,
        }
    };
    bridge_on(rights, space, begin.place, on).await
}

async fn begin_at_head(log: &dyn Log, clock: &dyn Clock, space: SpaceId, begin: &Begin) -> Option<Bridge> {
    let time = clock.now();
    let position = log.heads(&[space]).await.ok()?.pop()?;
    if !position.is_known() {
        return None;
    }
    let is_another_log = position.epoch != begin.epoch;
    let begun = if is_another_log {
        log.begun(space).await.ok()?
    } else {
        None
    };
    let told = begun.map_or_else(|| begin.told.ids(), |begun| begin.told.ids_before(begun));
    let head = Safe { position, time };
    Some(Bridge { head, told })
}

/// Reads a page of the journal, but for what was told.
pub(super) async fn bridge_on(rights: Arc<dyn Rights>, space: SpaceId, place: JournalPlace, on: Arc<Bridge>) -> Done {
    loop {
        if let Some(bridged) = read_journal(&rights, space, place, &on).await {
            return Done::Bridged(bridged);
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn read_journal(
    rights: &Arc<dyn Rights>,
    space: SpaceId,
    place: JournalPlace,
    on: &Arc<Bridge>,
) -> Option<Bridged> {
    let page = rights.journal(space, place).await.ok()?;
    let (mut next, mut rows) = (page.next, page.rows);
    let back = rows.iter().position(|(_, record)| place.back_for(record).is_some());
    if let Some(back) = back {
        next = place.back_for(&rows[back].1);
        rows.truncate(back);
    }
    rows.retain(|(id, _)| !on.told.contains(id));
    let rows = newest_of_each(rows);
    let asked = rows.len();
    let entries = entries_of(rights, space, rows).await;
    if entries.len() < asked {
        let (last, _) = entries.last()?;
        next = Some(place.behind(last.id, last.time));
    }
    Some(Bridged {
        space,
        on: Arc::clone(on),
        next,
        entries,
    })
}

/// What rows of the journal say now, and to whom: those before the first that can not be told now.
async fn entries_of(
    rights: &Arc<dyn Rights>,
    space: SpaceId,
    mut rows: Vec<(EventId, JournalRecord)>,
) -> Vec<(Arc<LogEntry>, Recipients)> {
    know_members(rights.as_ref(), space, &mut rows).await;
    let facts: Vec<&Fact> = rows.iter().map(|(_, record)| &record.fact).collect();
    let events = rights.events_of(space, &facts).await.unwrap_or_default();
    let told = rows.into_iter().zip(events).map(|((id, record), event)| {
        let entry = Arc::new(LogEntry {
            id,
            time: record.time,
            audience: record.audience,
            fact: record.fact,
            event,
        });
        async move {
            // A log that began anew is rare: here a slow thread may hold back the others of its space.
            rights.observe(space, &entry);
            let recipients = rights.recipients(space, &entry.audience).await.ok()?;
            Some((entry, recipients))
        }
    });
    let known = stream::iter(told).buffered(AT_ONCE);
    known
        .take_while(|entry| ready(entry.is_some()))
        .filter_map(ready)
        .collect()
        .await
}

/// Loads who is behind an entry's audience.
pub(super) async fn load(
    rights: Arc<dyn Rights>,
    space: SpaceId,
    thread: ThreadId,
    offset: u64,
    entry: Arc<LogEntry>,
) -> Done {
    loop {
        match rights.recipients(space, &entry.audience).await {
            Ok(recipients) => {
                return Done::Loaded {
                    space,
                    thread,
                    offset,
                    recipients,
                };
            }
            Err(_) => tokio::time::sleep(RETRY).await,
        }
    }
}

/// Loads who a signal is for. One that can not be told now is not told.
pub(super) async fn address(rights: Arc<dyn Rights>, space: SpaceId, signal: Arc<AddressedSignal>) -> Done {
    match rights.recipients(space, &signal.audience).await {
        Ok(recipients) => Done::Signal {
            space,
            signal,
            recipients,
        },
        Err(_) => Done::Nothing,
    }
}

/// Reads the heads of these spaces. Those that can not be asked now are asked again later.
pub(super) async fn heads(log: Arc<dyn Log>, spaces: Vec<SpaceId>) -> Done {
    match log.heads(&spaces).await {
        Ok(heads) => known(spaces.into_iter().zip(heads)),
        Err(_) => known(spaces.into_iter().map(|space| (space, Position::UNKNOWN))),
    }
}

/// Subscribes to these spaces, whose logs were away when they were joined.
pub(super) async fn subscribe(log: Arc<dyn Log>, spaces: Vec<SpaceId>) -> Done {
    let mut heads = Vec::with_capacity(spaces.len());
    for space in spaces {
        heads.push((space, log.subscribe(space).await.unwrap_or(Position::UNKNOWN)));
    }
    known(heads.into_iter())
}

fn known(heads: impl Iterator<Item = (SpaceId, Position)>) -> Done {
    let (heads, away): (Vec<_>, Vec<_>) = heads.partition(|(_, head)| head.is_known());
    Done::Heads {
        heads,
        away: away.into_iter().map(|(space, _)| space).collect(),
    }
}

/// Reads what the journal has since a time, while its log is away: as far as it can be read now.
pub(super) async fn peek(rights: Arc<dyn Rights>, space: SpaceId, since: Timestamp) -> Done {
    let mut entries = Vec::new();
    let mut place = Some(JournalPlace::since(since));
    for _ in 0..PEEKED {
        let Some(from) = place else { break };
        let Ok(page) = rights.journal(space, from).await else {
            break;
        };
        entries.extend(entries_of(&rights, space, newest_of_each(page.rows)).await);
        place = page.next;
    }
    Done::Peeked { space, entries }
}

/// Looks up who is to be told of an entry that is not in its log yet. If that can not be known now, the log tells of it
/// later.
pub(super) async fn tell(rights: Arc<dyn Rights>, space: SpaceId, entry: Arc<LogEntry>) -> Done {
    rights.observe(space, &entry);
    match rights.recipients(space, &entry.audience).await {
        Ok(recipients) => Done::Told {
            space,
            entry,
            recipients,
        },
        Err(_) => Done::Nothing,
    }
}
