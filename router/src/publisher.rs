//! The way from a stored fact into the space's log: a bounded backlog that never loses a fact in silence.
//!
//! A fact is in the journal before it comes here. So when the log is away for longer than the backlog can hold, what is
//! dropped becomes one mark per space, "republish from the journal since", and nothing is lost.

mod in_log;
mod republishing;

use std::iter;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use rustc_hash::FxHashMap;
use samtale_protocol::time::Clock;
use samtale_protocol::{SpaceId, Timestamp};
use tokio::sync::Notify;
use tracing::{info, warn};

use self::in_log::InLog;
use self::republishing::Republish;
use crate::fan_out::Router;
use crate::log::{AddressedSignal, Log, LogEntry, LogError};
use crate::metered;
use crate::rights::{LATE, Rights};

/// How many entries may wait for the log, over all spaces: some 20 MB.
const BACKLOG: usize = 20_000;

/// How many spaces are appended to at once: enough to keep a log over the network busy.
const APPENDS: usize = 32;

/// How many entries of a space are appended in one step: more would hold up the log's other work, and what is appended
/// stays so when a later step fails.
const AT_ONCE: usize = 256;

/// How long to wait after the log failed.
const RETRY: Duration = Duration::from_millis(200);

/// Where `school` hands over what it has stored.
#[derive(Clone)]
pub struct Publisher {
    shared: Arc<PublisherShared>,
}

struct PublisherShared {
    log: Arc<dyn Log>,
    clock: Arc<dyn Clock>,
    backlog: Mutex<Backlog>,
    wake: Notify,
    wake_republishing: Notify,
}

/// How many of the first entries are in the log, and why the others are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NotAppended {
    appended: usize,
    /// Of the others, how many of the first may be in the log after all: the answer did not come.
    doubtful: usize,
    reason: Reason,
}

/// Why entries are not in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    /// They are late, and the journal of their space can not be written to say so.
    NotNoted,
    /// The log does not answer.
    LogIsAway,
}

/// What is known of the first of the entries that wait in a space because the log failed.
#[derive(Clone, Copy, Default)]
struct Stuck {
    /// So many were told to this node's sessions.
    told: usize,
    /// So many may be in the log.
    doubtful: usize,
}

#[derive(Default)]
struct Backlog {
    waiting: FxHashMap<SpaceId, Vec<Arc<LogEntry>>>,
    count: usize,
    /// The time of the oldest entry that was taken out to be appended.
    taken_since: Option<Timestamp>,
    /// Spaces that lack something in their logs.
    republish: FxHashMap<SpaceId, Republish>,
}

impl Publisher {
    /// A publisher to `log`; [`Publisher::run`] does the work.
    pub fn new(log: Arc<dyn Log>, clock: Arc<dyn Clock>) -> Self {
        Self {
            shared: Arc::new(PublisherShared {
                log,
                clock,
                backlog: Mutex::default(),
                wake: Notify::new(),
                wake_republishing: Notify::new(),
            }),
        }
    }

    /// Hands over a fact that is in the journal. Never waits.
    pub fn publish(&self, space: SpaceId, entry: LogEntry) {
        let mut backlog = self.lock();
        if backlog.count >= BACKLOG {
            self.mark(&mut backlog, space, entry.time);
        } else {
            backlog.count += 1;
            backlog.waiting.entry(space).or_default().push(Arc::new(entry));
        }
        drop(backlog);
        self.shared.wake.notify_one();
    }

    /// Asks that everything in the space's journal since `since` is published again, as when a node died between the
    /// journal and the log.
    pub fn republish(&self, space: SpaceId, since: Timestamp) {
        self.mark(&mut self.lock(), space, since);
    }

    /// Since when facts that are in the journal may not be in the log yet; `None` when all are. If this node dies, another
    /// one has to publish them.
    pub fn unpublished_since(&self) -> Option<Timestamp> {
        let backlog = self.lock();
        let waiting = backlog.waiting.values().flatten().map(|entry| entry.time).min();
        let republished = backlog.republish.values().map(Republish::since).min();
        let since = waiting.into_iter().chain(republished).chain(backlog.taken_since);
        since.min()
    }

    /// Publishes something that is not kept; if the log is away, it is gone.
    pub async fn signal(&self, space: SpaceId, signal: AddressedSignal) {
        let _ = self.shared.log.signal(space, Arc::new(signal)).await;
    }

    /// Appends what is handed over, for as long as it is polled. What is published again takes many reads of storage, so
    /// it runs beside: what is new does not wait for it. What waits because its log is away is told to the sessions of
    /// this node at once, through `local`.
    pub async fn run(&self, rights: Arc<dyn Rights>, local: Router) {
        tokio::join!(
            self.append_all(rights.as_ref(), &local),
            self.republish_all(rights.as_ref())
        );
    }

    async fn append_all(&self, rights: &dyn Rights, local: &Router) {
        let mut all_stuck: FxHashMap<SpaceId, Stuck> = FxHashMap::default();
        let mut was_away = false;
        loop {
            let waiting = self.take();
            if waiting.is_empty() {
                self.shared.wake.notified().await;
                continue;
            }
            let with_stuck = |(space, entries)| (space, entries, all_stuck.remove(&space).unwrap_or_default());
            let waiting: Vec<(SpaceId, Vec<Arc<LogEntry>>, Stuck)> = waiting.into_iter().map(with_stuck).collect();
            let (mut is_away, mut is_any_put_back) = (false, false);
            // One space whose log is away, or whose journal can not be written, does not hold back the others.
            let mut outcomes = stream::iter(waiting)
                .map(|(space, entries, stuck)| async move {
                    let appended = self.append(space, &entries, stuck.doubtful, rights).await;
                    (space, entries, stuck.told, appended)
                })
                .buffer_unordered(APPENDS);
            while let Some((space, mut entries, told, appended)) = outcomes.next().await {
                let Err(failed) = appended else { continue };
                entries.drain(..failed.appended);
                let mut told = told.saturating_sub(failed.appended);
                if failed.reason == Reason::LogIsAway {
                    is_away = true;
                    entries.iter().skip(told).for_each(|entry| local.tell(space, entry));
                    told = entries.len();
                }
                is_any_put_back = true;
                if self.put_back(space, entries) {
                    let doubtful = failed.doubtful;
                    all_stuck.insert(space, Stuck { told, doubtful });
                }
            }
            match (was_away, is_away) {
                (false, true) => warn!("the log of events is away; facts wait"),
                (true, false) => info!("the log of events is back"),
                _ => {}
            }
            was_away = is_away;
            metered::show_waiting(self.lock().count);
            if is_any_put_back {
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    /// Appends entries to a space's log, and sees to it that whoever comes back later with a cursor of a log that is gone
    /// finds them in the journal: near the time of this append, as themselves or by a note that they are late. The first
    /// `doubtful` of them were given to it before, and the answer did not come: those that it has are left out.
    async fn append(
        &self,
        space: SpaceId,
        entries: &[Arc<LogEntry>],
        doubtful: usize,
        rights: &dyn Rights,
    ) -> Result<(), NotAppended> {
        let (given, rest) = entries.split_at(doubtful.min(entries.len()));
        let missing = self.missing(space, given).await.map_err(|_| NotAppended {
            appended: 0,
            doubtful,
            reason: Reason::LogIsAway,
        })?;
        let Some(oldest) = missing.iter().chain(rest).map(|entry| entry.time).min() else {
            return Ok(());
        };
        let (mut noted, mut appended) = (oldest, 0);
        let again = iter::once((given.len(), missing.as_slice()));
        for (count, some) in again.chain(rest.chunks(AT_ONCE).map(|some| (some.len(), some))) {
            while !some.is_empty() && self.shared.clock.now().since(noted) > LATE {
                noted = self.shared.clock.now();
                let late = rights.note_late(space, oldest).await;
                late.map_err(|_| NotAppended {
                    appended,
                    doubtful: doubtful.saturating_sub(appended),
                    reason: Reason::NotNoted,
                })?;
            }
            if !some.is_empty() {
                let began = self.shared.clock.now();
                let outcome = self.shared.log.append(space, some).await;
                outcome.map_err(|_| NotAppended {
                    appended,
                    doubtful: count,
                    reason: Reason::LogIsAway,
                })?;
                metered::count_appended(some.len(), self.shared.clock.now().since(began));
            }
            appended += count;
        }
        Ok(())
    }

    /// Those of the entries that a space's log does not have. Each is looked for: another one may have come there by
    /// another way, as what is published again does.
    async fn missing(&self, space: SpaceId, entries: &[Arc<LogEntry>]) -> Result<Vec<Arc<LogEntry>>, LogError> {
        let Some(oldest) = entries.iter().map(|entry| entry.time).min() else {
            return Ok(Vec::new());
        };
        let mut in_log = InLog::default();
        in_log.read(self.shared.log.as_ref(), space, oldest).await?;
        let missing = entries.iter().filter(|entry| !in_log.contains(&entry.id));
        Ok(missing.map(Arc::clone).collect())
    }

    fn take(&self) -> Vec<(SpaceId, Vec<Arc<LogEntry>>)> {
        let mut backlog = self.lock();
        backlog.count = 0;
        backlog.taken_since = backlog.waiting.values().flatten().map(|entry| entry.time).min();
        backlog.waiting.drain().collect()
    }

    /// Lets entries wait on, before those that came meanwhile. `false` if there are too many: then they are dropped, and
    /// published again from the journal.
    fn put_back(&self, space: SpaceId, mut entries: Vec<Arc<LogEntry>>) -> bool {
        let mut backlog = self.lock();
        let newer = backlog.waiting.remove(&space).unwrap_or_default();
        if backlog.count + entries.len() > BACKLOG {
            if let Some(first) = entries.first() {
                self.mark(&mut backlog, space, first.time);
            }
            backlog.count -= newer.len().min(backlog.count);
            return false;
        }
        backlog.count += entries.len();
        entries.extend(newer);
        backlog.waiting.insert(space, entries);
        true
    }

    fn lock(&self) -> MutexGuard<'_, Backlog> {
        self.shared.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::fan_out::RouterOptions;
    use crate::log::Epoch;
    use crate::memory_log::MemoryLog;
    use crate::rights::JOURNAL_MARGIN;
    use crate::testing::{AwayLog, BEGIN, FakeRights, SPACE, Taken, TestClock, entry, until, until_log_holds};

    struct Rig {
        log: Arc<AwayLog>,
        rights: Arc<FakeRights>,
        clock: Arc<TestClock>,
        publisher: Publisher,
        router: Router,
        sink: Arc<Taken>,
    }

    fn rig() -> Rig {
        let (log, feed) = MemoryLog::new(Epoch(1));
        log.keep(100_000);
        let log = AwayLog::new(log);
        let rights = Arc::new(FakeRights::default());
        let clock = TestClock::new();
        let publisher = Publisher::new(Arc::clone(&log) as _, Arc::clone(&clock) as _);
        let (running, rules) = (publisher.clone(), Arc::clone(&rights) as Arc<dyn Rights>);
        let sink = Arc::new(Taken::default());
        let (router, routing) = Router::new(
            Arc::clone(&log) as _,
            feed,
            Arc::clone(&rules),
            sink.clone(),
            Arc::clone(&clock) as _,
            RouterOptions::default(),
        );
        tokio::spawn(routing.run());
        let local = router.clone();
        tokio::spawn(async move { running.run(rules, local).await });
        Rig {
            log,
            rights,
            clock,
            publisher,
            router,
            sink,
        }
    }

    impl Rig {
        fn publish(&self, number: u64) {
            let entry = entry(number, None);
            self.rights.write(&entry);
            self.publisher.publish(SPACE, LogEntry::clone(&entry));
        }

        /// Waits until the log holds these, and returns all that it holds.
        async fn holds(&self, numbers: impl IntoIterator<Item = u64>) -> Vec<u64> {
            until_log_holds(self.log.as_ref(), &Vec::from_iter(numbers)).await
        }
    }

    #[tokio::test]
    async fn while_the_log_is_away_entries_wait_in_order() {
        let rig = rig();
        rig.log.away.store(true, Ordering::SeqCst);
        rig.publish(1);
        until("the log was asked", || rig.log.refused.load(Ordering::SeqCst) > 0).await;
        rig.publish(2);
        rig.publish(3);
        rig.log.away.store(false, Ordering::SeqCst);
        assert_eq!(rig.holds(1..=3).await, [1, 2, 3]);
    }

    #[tokio::test]
    async fn what_was_appended_before_the_log_failed_is_not_appended_again() {
        let rig = rig();
        rig.log.away.store(true, Ordering::SeqCst);
        let last = 2 * AT_ONCE as u64 + 50;
        (1..=last).for_each(|number| rig.publish(number));
        until("the log was asked", || rig.log.refused.load(Ordering::SeqCst) > 0).await;
        rig.log.appends_left.store(1, Ordering::SeqCst);
        rig.log.away.store(false, Ordering::SeqCst);
        until("it went away again", || rig.log.away.load(Ordering::SeqCst)).await;
        rig.log.appends_left.store(usize::MAX, Ordering::SeqCst);
        rig.log.away.store(false, Ordering::SeqCst);
        assert_eq!(rig.holds(1..=last).await, Vec::from_iter(1..=last));
    }

    #[tokio::test]
    async fn what_is_in_the_log_although_its_answer_was_lost_is_not_appended_again() {
        let rig = rig();
        rig.log.answers_lost.store(2, Ordering::SeqCst);
        let last = AT_ONCE as u64 + 50;
        (1..=last).for_each(|number| rig.publish(number));
        rig.holds([last]).await;
        rig.publish(last + 1);
        rig.publish(last + 2);
        assert_eq!(rig.holds([last + 2]).await, Vec::from_iter(1..=last + 2));
        assert_eq!(rig.log.answers_lost.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn of_what_may_be_in_the_log_each_is_looked_for() {
        let rig = rig();
        rig.log.away.store(true, Ordering::SeqCst);
        rig.publish(1);
        rig.publish(2);
        until("the log was asked", || rig.log.refused.load(Ordering::SeqCst) > 0).await;
        rig.log.log.append(SPACE, &[entry(1, None)]).await.unwrap();
        rig.log.away.store(false, Ordering::SeqCst);
        assert_eq!(rig.holds([2]).await, [1, 2]);
    }

    #[tokio::test]
    async fn while_the_log_is_away_the_sessions_of_this_node_are_told_once() {
        let rig = rig();
        rig.router.join(SPACE).await.unwrap();
        rig.log.away.store(true, Ordering::SeqCst);
        rig.publish(1);
        until("it is told", || rig.sink.numbers() == [1]).await;
        rig.publish(2);
        until("both are told", || rig.sink.numbers() == [1, 2]).await;
        let refused = rig.log.refused.load(Ordering::SeqCst);
        until("it was tried again", || {
            rig.log.refused.load(Ordering::SeqCst) > refused + 1
        })
        .await;
        assert_eq!(rig.sink.numbers(), [1, 2]);
        assert_eq!(
            rig.sink.safe().unwrap().offset,
            0,
            "no cursor goes beyond what is in the log"
        );
        rig.log.away.store(false, Ordering::SeqCst);
        until("the log tells too", || rig.sink.numbers() == [1, 2, 1, 2]).await;
    }

    #[tokio::test]
    async fn what_gets_into_the_log_late_is_noted_in_the_journal() {
        let rig = rig();
        rig.clock.0.store(BEGIN + 12_000, Ordering::SeqCst);
        rig.publish(5);
        rig.holds([5]).await;
        assert!(rig.rights.late.lock().unwrap().is_empty(), "seven seconds are not late");
        rig.clock.0.store(BEGIN + 20_000, Ordering::SeqCst);
        rig.publish(6);
        rig.holds([5, 6]).await;
        assert_eq!(*rig.rights.late.lock().unwrap(), [entry(6, None).time]);
    }

    #[tokio::test]
    async fn what_the_backlog_can_not_hold_is_published_again_from_the_journal() {
        let rig = rig();
        rig.log.away.store(true, Ordering::SeqCst);
        let last = BACKLOG as u64 + 50;
        for number in 1..=last {
            rig.publish(number);
        }
        until("the log was asked", || rig.log.refused.load(Ordering::SeqCst) > 0).await;
        rig.publish(last + 1);
        {
            let backlog = rig.publisher.lock();
            assert!(backlog.count <= BACKLOG, "{} wait", backlog.count);
        }
        // The fake journal's pages are small: only its last rows are worth reading here.
        rig.rights
            .journal
            .lock()
            .unwrap()
            .retain(|id, _| *id >= entry(last - 60, None).id);
        rig.log.away.store(false, Ordering::SeqCst);
        rig.holds(last - 60..=last + 1).await;
    }

    #[tokio::test]
    async fn what_is_not_stored_yet_is_published_again_once_it_is() {
        let rig = rig();
        (1..=3).for_each(|number| rig.rights.write(&entry(number, None)));
        rig.rights.unstored.store(2, Ordering::SeqCst);
        rig.publisher.republish(SPACE, entry(1, None).time);
        assert_eq!(rig.holds([3]).await, [1, 3]);
        rig.rights.unstored.store(0, Ordering::SeqCst);
        rig.publisher.republish(SPACE, entry(2, None).time);
        assert_eq!(rig.holds([2]).await, [1, 3, 2]);
    }

    #[tokio::test]
    async fn a_space_is_published_again_on_demand_once_its_journal_can_be_read() {
        let rig = rig();
        for number in 1..=7 {
            rig.rights.write(&entry(number, None));
        }
        rig.rights.journal_away.store(true, Ordering::SeqCst);
        rig.publisher.republish(SPACE, entry(2, None).time);
        rig.publish(8);
        rig.holds([8]).await;
        let since = rig.publisher.unpublished_since();
        assert_eq!(since, Some(entry(2, None).time.minus(JOURNAL_MARGIN)));
        rig.rights.fails_every.store(2, Ordering::SeqCst);
        rig.rights.journal_away.store(false, Ordering::SeqCst);
        rig.holds(1..=8).await;
        until("it is done", || rig.publisher.unpublished_since().is_none()).await;
    }
}
