//! The journal fills in where a log can not: after it began anew, and for what is revoked while it is away.

use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashSet;
use samtale_protocol::{EventId, SpaceId};

use super::RouterLoop;
use super::beside;
use crate::delivery::{Recipients, Safe, Sent};
use crate::log::LogEntry;
use crate::rights::JournalPlace;
use crate::space::Step;

/// How far back the journal is looked into while its log is away: for clocks that are apart, and writes that take long.
const PEEK: Duration = Duration::from_secs(10);

/// A page of a bridge.
pub(super) struct Bridged {
    pub(super) space: SpaceId,
    /// Where the log goes on.
    pub(super) head: Safe,
    /// What was told before the bridge began.
    pub(super) told: Arc<FxHashSet<EventId>>,
    /// Where the next page begins; `None` after the last.
    pub(super) next: Option<JournalPlace>,
    pub(super) entries: Vec<(Arc<LogEntry>, Recipients)>,
}

impl RouterLoop {
    /// Tells of the rows of the journal from `place` on, but for those in `told`, then goes on at the log's head.
    pub(super) fn bridge(
        &mut self,
        space: SpaceId,
        head: Option<Safe>,
        place: JournalPlace,
        told: Arc<FxHashSet<EventId>>,
    ) {
        let (log, rights, clock) = (Arc::clone(&self.log), Arc::clone(&self.rights), Arc::clone(&self.clock));
        self.jobs
            .spawn(beside::bridge(log, rights, clock, space, head, place, told));
    }

    pub(super) async fn on_bridged(&mut self, bridged: Bridged) {
        let Bridged {
            space,
            head,
            told,
            next,
            entries,
        } = bridged;
        for (entry, recipients) in entries {
            let offset = self.spaces.get(&space).map_or(0, |followed| followed.seen.offset);
            self.deliver(space, offset, entry, recipients).await;
        }
        if let Some(place) = next {
            self.bridge(space, Some(head), place, told);
            return;
        }
        let Some(followed) = self.spaces.get_mut(&space) else {
            return;
        };
        followed.begin_anew(head);
        let safe = followed.safe();
        self.sink.take(Sent::Moved { space, safe }).await;
        self.catch_up(space, Step::Fill);
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
                let offset = self.spaces.get(&space).map_or(0, |followed| followed.seen.offset);
                self.deliver(space, offset, entry, recipients).await;
            }
        }
    }
}
