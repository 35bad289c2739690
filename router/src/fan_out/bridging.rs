//! The journal fills in where a log can not: after it began anew, and for what is revoked while it is away.

use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashSet;
use samtale_protocol::{EventId, SpaceId};

use super::RouterLoop;
use super::beside;
use crate::delivery::{Recipients, Safe, Sent};
use crate::log::{Epoch, LogEntry};
use crate::metered;
use crate::rights::{JOURNAL_MARGIN, JournalPlace};
use crate::told::Told;

/// How far back the journal is looked into while its log is away: for clocks that are apart, and writes that take long.
const PEEK: Duration = Duration::from_secs(10);

/// What a bridge begins with.
pub(super) struct Begin {
    /// From where on the journal is read.
    pub(super) place: JournalPlace,
    /// Of the log that was followed.
    pub(super) epoch: Epoch,
    /// What was told from it.
    pub(super) told: Told,
}

/// What a bridge keeps from page to page.
pub(super) struct Bridge {
    /// Where the log goes on.
    pub(super) head: Safe,
    /// What is not told again.
    pub(super) told: FxHashSet<EventId>,
}

/// A page of a bridge.
pub(super) struct Bridged {
    pub(super) space: SpaceId,
    pub(super) on: Arc<Bridge>,
    /// Where the next page begins; `None` after the last.
    pub(super) next: Option<JournalPlace>,
    pub(super) entries: Vec<(Arc<LogEntry>, Recipients)>,
}

impl RouterLoop {
    /// The log began anew, or can not be followed: the journal fills in from before what was delivered last.
    pub(super) async fn begin_bridge(&mut self, space: SpaceId) {
        let Some(followed) = self.spaces.get_mut(&space) else {
            return;
        };
        metered::count_bridge();
        followed.filling = true;
        let begin = Begin {
            place: JournalPlace::since(followed.safe().time.minus(JOURNAL_MARGIN)),
            epoch: followed.seen.epoch,
            told: followed.told.clone(),
        };
        self.sink.take(Sent::Moving { space }).await;
        let (log, rights, clock) = (Arc::clone(&self.log), Arc::clone(&self.rights), Arc::clone(&self.clock));
        self.jobs.spawn(beside::bridge(log, rights, clock, space, begin));
    }

    pub(super) async fn on_bridged(&mut self, bridged: Bridged) {
        let Bridged {
            space,
            on,
            next,
            entries,
        } = bridged;
        for (entry, recipients) in entries {
            self.deliver(space, None, entry, recipients).await;
        }
        if let Some(place) = next {
            let rights = Arc::clone(&self.rights);
            self.jobs.spawn(beside::bridge_on(rights, space, place, on));
            return;
        }
        let Some(followed) = self.spaces.get_mut(&space) else {
            return;
        };
        followed.begin_anew(on.head);
        let safe = followed.safe();
        self.sink.take(Sent::Moved { space, safe }).await;
        self.fill(space);
    }

    /// What is revoked acts on open sockets within seconds, also while the log of the space `system` is away, or is being
    /// caught up with for as long as that takes: its journal is looked into.
    pub(super) fn peek(&mut self) {
        let (rights, since) = (Arc::clone(&self.rights), self.clock.now().minus(PEEK));
        self.jobs.spawn(beside::peek(rights, SpaceId::SYSTEM, since));
    }

    pub(super) async fn on_peeked(&mut self, space: SpaceId, entries: Vec<(Arc<LogEntry>, Recipients)>) {
        let forgotten = self.clock.now().minus(PEEK * 2);
        self.peeked.retain(|_, time| *time > forgotten);
        for (entry, recipients) in entries {
            if self.peeked.insert(entry.id, entry.time).is_none() {
                self.deliver(space, None, entry, recipients).await;
            }
        }
    }
}
