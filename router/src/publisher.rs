//! The way from a stored fact into the space's log: a bounded backlog that never loses a fact in silence.
//!
//! A fact is in the journal before it comes here. So when the log is away for longer than the backlog can hold, what is
//! dropped becomes one mark per space, "republish from the journal since", and nothing is lost.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustc_hash::FxHashMap;
use samtale_protocol::{SpaceId, Timestamp};
use tokio::sync::Notify;
use tracing::{info, warn};

use crate::log::{AddressedSignal, Log, LogEntry};
use crate::rights::{JOURNAL_MARGIN, JournalPlace, Rights};

/// How many entries may wait for the log, over all spaces: some 20 MB.
const BACKLOG: usize = 20_000;

/// How long to wait after the log failed.
const RETRY: Duration = Duration::from_millis(200);

/// Where `school` hands over what it has stored.
#[derive(Clone)]
pub struct Publisher {
    shared: Arc<PublisherShared>,
}

struct PublisherShared {
    log: Arc<dyn Log>,
    backlog: Mutex<Backlog>,
    wake: Notify,
}

/// What kept a space from being republished.
enum Away {
    Log,
    Journal,
}

#[derive(Default)]
struct Backlog {
    waiting: FxHashMap<SpaceId, Vec<Arc<LogEntry>>>,
    count: usize,
    republish: FxHashMap<SpaceId, Timestamp>,
}

impl Publisher {
    /// A publisher to `log`; [`Publisher::run`] does the work.
    pub fn new(log: Arc<dyn Log>) -> Self {
        Self {
            shared: Arc::new(PublisherShared {
                log,
                backlog: Mutex::default(),
                wake: Notify::new(),
            }),
        }
    }

    /// Hands over a fact that is in the journal. Never waits.
    pub fn publish(&self, space: SpaceId, entry: LogEntry) {
        let mut backlog = self.lock();
        if backlog.count >= BACKLOG {
            mark(&mut backlog, space, entry.time);
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
        mark(&mut self.lock(), space, since);
        self.shared.wake.notify_one();
    }

    /// Publishes something that is not kept; if the log is away, it is gone.
    pub async fn signal(&self, space: SpaceId, signal: AddressedSignal) {
        let _ = self.shared.log.signal(space, Arc::new(signal)).await;
    }

    /// Appends what is handed over, for as long as it is polled.
    pub async fn run(&self, rights: Arc<dyn Rights>) {
        let mut away = false;
        loop {
            let Backlog { waiting, republish, .. } = self.take();
            if waiting.is_empty() && republish.is_empty() {
                self.shared.wake.notified().await;
                continue;
            }
            let mut failed = false;
            for (space, entries) in waiting {
                if failed || self.shared.log.append(space, &entries).await.is_err() {
                    failed = true;
                    self.put_back(space, entries);
                }
            }
            let mut unread = false;
            for (space, since) in republish {
                if failed {
                    mark(&mut self.lock(), space, since);
                    continue;
                }
                match self.republish_now(space, since, rights.as_ref()).await {
                    Ok(()) => continue,
                    Err(Away::Log) => failed = true,
                    // One space whose journal can not be read does not hold back the others.
                    Err(Away::Journal) => unread = true,
                }
                mark(&mut self.lock(), space, since);
            }
            if failed != away {
                away = failed;
                if away {
                    warn!("the log of events is away; facts wait")
                } else {
                    info!("the log of events is back")
                }
            }
            if failed || unread {
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    async fn republish_now(&self, space: SpaceId, since: Timestamp, rights: &dyn Rights) -> Result<(), Away> {
        let mut place = JournalPlace {
            time: since.minus(JOURNAL_MARGIN),
            after: None,
        };
        loop {
            let page = rights.journal(space, place).await.map_err(|_| Away::Journal)?;
            let mut entries = Vec::with_capacity(page.rows.len());
            for (id, record) in page.rows {
                let event = rights.event_of(space, &record).await.map_err(|_| Away::Journal)?;
                entries.push(Arc::new(LogEntry {
                    id,
                    time: record.time,
                    audience: record.audience,
                    fact: record.fact,
                    event,
                }));
            }
            let appended = self.shared.log.append(space, &entries).await;
            appended.map_err(|_| Away::Log)?;
            match page.next {
                Some(next) => place = next,
                None => return Ok(()),
            }
        }
    }

    fn take(&self) -> Backlog {
        std::mem::take(&mut self.lock())
    }

    fn put_back(&self, space: SpaceId, mut entries: Vec<Arc<LogEntry>>) {
        let mut backlog = self.lock();
        let newer = backlog.waiting.remove(&space).unwrap_or_default();
        if backlog.count + entries.len() > BACKLOG {
            if let Some(first) = entries.first() {
                mark(&mut backlog, space, first.time);
            }
            backlog.count -= newer.len().min(backlog.count);
            return;
        }
        backlog.count += entries.len();
        entries.extend(newer);
        backlog.waiting.insert(space, entries);
    }

    fn lock(&self) -> MutexGuard<'_, Backlog> {
        self.shared.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn mark(backlog: &mut Backlog, space: SpaceId, since: Timestamp) {
    let mark = backlog.republish.entry(space).or_insert(since);
    *mark = (*mark).min(since);
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::log::Epoch;
    use crate::memory_log::MemoryLog;
    use crate::testing::{AwayLog, FakeRights, SPACE, entry, until, until_log_holds};

    struct Rig {
        log: Arc<AwayLog>,
        rights: Arc<FakeRights>,
        publisher: Publisher,
    }

    fn rig() -> Rig {
        let (log, _) = MemoryLog::new(Epoch(1));
        log.keep(100_000);
        let log = AwayLog::new(log);
        let rights = Arc::new(FakeRights::default());
        let publisher = Publisher::new(Arc::clone(&log) as _);
        let (running, rules) = (publisher.clone(), Arc::clone(&rights) as Arc<dyn Rights>);
        tokio::spawn(async move { running.run(rules).await });
        Rig { log, rights, publisher }
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
    async fn a_space_is_published_again_on_demand_once_its_journal_can_be_read() {
        let rig = rig();
        for number in 1..=7 {
            rig.rights.write(&entry(number, None));
        }
        rig.rights.journal_away.store(true, Ordering::SeqCst);
        rig.publisher.republish(SPACE, entry(2, None).time);
        rig.publish(8);
        rig.holds([8]).await;
        rig.rights.journal_away.store(false, Ordering::SeqCst);
        rig.holds(1..=8).await;
    }
}
