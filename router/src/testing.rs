//! What the router's tests stand on: a clock that stands, rules that answer as they are told, a log that can be away.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use samtale_protocol::time::Clock;
use samtale_protocol::{Audience, Event, EventId, PersonId, SpaceId, ThreadId, Timestamp};
use samtale_storage::journal::{Fact, JournalRecord};

use crate::delivery::{Recipients, Sent, Sink};
use crate::log::{AddressedSignal, Log, LogEntry, LogError, Position, Slice};
use crate::memory_log::MemoryLog;
use crate::rights::{JournalPage, JournalPlace, Rights, RightsError};

pub const SPACE: SpaceId = SpaceId::from_bytes([1; 16]);
pub const ANNA: PersonId = PersonId::from_bytes([10; 16]);
pub const FAST: ThreadId = ThreadId::from_bytes([20; 16]);
pub const SLOW: ThreadId = ThreadId::from_bytes([21; 16]);

/// When the first entry happened.
pub const BEGIN: u64 = 1_700_000_000_000;

/// Rows of the journal that make a page.
const PAGE: usize = 3;

pub struct TestClock(pub AtomicU64);

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(BEGIN)))
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::saturating(self.0.load(Ordering::SeqCst))
    }
}

/// The entry with this number, a second after the one before, for Anna alone or for a thread's members.
pub fn entry(number: u64, thread: Option<ThreadId>) -> Arc<LogEntry> {
    let time = Timestamp::saturating(BEGIN + number * 1_000);
    let audience = thread.map_or_else(|| Audience::people([ANNA]), |thread| Audience::thread(thread, 1));
    Arc::new(LogEntry {
        id: EventId::at(time, &[0; 10]),
        time,
        audience,
        fact: Fact::Directory { version: number },
        event: Some(Event::Directory { version: number }),
    })
}

/// Rules that know a journal, and everyone's threads but the slow one's.
#[derive(Default)]
pub struct FakeRights {
    pub journal: Mutex<BTreeMap<EventId, JournalRecord>>,
    /// Whether the slow thread's members are known by now.
    pub knows_slow: AtomicBool,
    /// Whether Anna was where the entries went, and still is.
    pub forbids: AtomicBool,
    pub journal_away: AtomicBool,
    pub journal_asked: AtomicUsize,
    /// Every how many rows of the journal one can not be told; 0 for none.
    pub fails_every: AtomicUsize,
    told: AtomicUsize,
    /// The directory whose fact is journalled, and which is not stored yet.
    pub unstored: AtomicU64,
    /// What was noted as late.
    pub late: Mutex<Vec<Timestamp>>,
    pub followed: AtomicUsize,
    pub unfollowed: AtomicUsize,
    /// The newest directory that was heard of.
    pub directory: AtomicU64,
    /// Whose members were asked for, also where they are not known.
    pub members_asked: Mutex<Vec<Audience>>,
    pub members_away: AtomicBool,
}

impl FakeRights {
    pub fn write(&self, entry: &LogEntry) {
        let record = JournalRecord {
            time: entry.time,
            audience: entry.audience.clone(),
            fact: entry.fact.clone(),
        };
        self.journal.lock().unwrap().insert(entry.id, record);
    }
}

#[async_trait]
impl Rights for FakeRights {
    fn observe(&self, _: SpaceId, entry: &LogEntry) {
        if let Fact::Directory { version } = entry.fact {
            self.directory.fetch_max(version, Ordering::SeqCst);
        }
    }

    fn followed(&self, _: SpaceId) {
        self.followed.fetch_add(1, Ordering::SeqCst);
    }

    fn unfollowed(&self, _: SpaceId) {
        self.unfollowed.fetch_add(1, Ordering::SeqCst);
    }

    fn recipients_in_memory(&self, _: SpaceId, audience: &Audience) -> Option<Recipients> {
        let is_slow = audience.thread.is_some_and(|thread| thread.thread == SLOW);
        (!is_slow).then(|| Recipients::People(Arc::from([ANNA])))
    }

    async fn recipients(&self, _: SpaceId, audience: &Audience) -> Result<Recipients, RightsError> {
        self.members_asked.lock().unwrap().push(audience.clone());
        if self.members_away.load(Ordering::SeqCst) {
            let reason = "away".to_owned();
            return Err(RightsError { reason });
        }
        let is_slow = audience.thread.is_some_and(|thread| thread.thread == SLOW);
        while is_slow && !self.knows_slow.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(Recipients::People(Arc::from([ANNA])))
    }

    async fn permits(&self, _: SpaceId, _: PersonId, _: &Audience, _: Timestamp) -> Result<bool, RightsError> {
        Ok(!self.forbids.load(Ordering::SeqCst))
    }

    async fn events_of(&self, _: SpaceId, facts: &[&Fact]) -> Result<Vec<Option<Event>>, RightsError> {
        let every = self.fails_every.load(Ordering::SeqCst);
        let mut events = Vec::new();
        for fact in facts {
            if every > 0 && self.told.fetch_add(1, Ordering::SeqCst) % every == every - 1 {
                break;
            }
            events.push(match fact {
                Fact::Directory { version } if *version != self.unstored.load(Ordering::SeqCst) => {
                    Some(Event::Directory { version: *version })
                }
                _ => None,
            });
        }
        if events.is_empty() && !facts.is_empty() {
            let reason = "not now".to_owned();
            return Err(RightsError { reason });
        }
        Ok(events)
    }

    async fn note_late(&self, _: SpaceId, since: Timestamp) -> Result<(), RightsError> {
        self.late.lock().unwrap().push(since);
        Ok(())
    }

    async fn journal(&self, _: SpaceId, from: JournalPlace) -> Result<JournalPage, RightsError> {
        self.journal_asked.fetch_add(1, Ordering::SeqCst);
        if self.journal_away.load(Ordering::SeqCst) {
            let reason = "away".to_owned();
            return Err(RightsError { reason });
        }
        let journal = self.journal.lock().unwrap();
        let after = |id: &EventId| from.after.is_none_or(|after| *id > after);
        let mut rows: Vec<_> = journal
            .iter()
            .filter(|(id, record)| record.time >= from.time && after(id))
            .map(|(id, record)| (*id, record.clone()))
            .collect();
        let more = rows.len() > PAGE;
        rows.truncate(PAGE);
        let last = rows.last().filter(|_| more);
        let next = last.map(|(id, record)| from.behind(*id, record.time));
        Ok(JournalPage { rows, next })
    }
}

/// A log that can be away, and can go away after so many appends.
pub struct AwayLog {
    pub log: MemoryLog,
    pub away: AtomicBool,
    pub appends_left: AtomicUsize,
    /// Of so many appends the answer is lost.
    pub answers_lost: AtomicUsize,
    pub refused: AtomicUsize,
}

impl AwayLog {
    pub fn new(log: MemoryLog) -> Arc<Self> {
        Arc::new(Self {
            log,
            away: AtomicBool::new(false),
            appends_left: AtomicUsize::new(usize::MAX),
            answers_lost: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
        })
    }

    fn ask(&self) -> Result<(), LogError> {
        let reason = "away".to_owned();
        if self.away.load(Ordering::SeqCst) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            Err(LogError { reason })
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl Log for AwayLog {
    async fn append(&self, space: SpaceId, entries: &[Arc<LogEntry>]) -> Result<(), LogError> {
        if self.appends_left.load(Ordering::SeqCst) == 0 {
            self.away.store(true, Ordering::SeqCst);
        }
        self.ask()?;
        self.appends_left.fetch_sub(1, Ordering::SeqCst);
        self.log.append(space, entries).await?;
        let less = |lost: usize| lost.checked_sub(1);
        match self.answers_lost.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less) {
            Ok(_) => Err(LogError {
                reason: "no answer".to_owned(),
            }),
            Err(_) => Ok(()),
        }
    }

    async fn read(&self, space: SpaceId, after: Position, limit: usize) -> Result<Slice, LogError> {
        self.ask()?;
        self.log.read(space, after, limit).await
    }

    async fn heads(&self, spaces: &[SpaceId]) -> Result<Vec<Position>, LogError> {
        self.ask()?;
        self.log.heads(spaces).await
    }

    async fn subscribe(&self, space: SpaceId) -> Result<Position, LogError> {
        self.ask()?;
        self.log.subscribe(space).await
    }

    async fn unsubscribe(&self, space: SpaceId) {
        self.log.unsubscribe(space).await;
    }

    async fn signal(&self, space: SpaceId, signal: Arc<AddressedSignal>) -> Result<(), LogError> {
        self.log.signal(space, signal).await
    }
}

/// What was handed over.
#[derive(Default)]
pub struct Taken(Mutex<Vec<Sent>>);

#[async_trait]
impl Sink for Taken {
    async fn take(&self, sent: Sent) {
        self.0.lock().unwrap().push(sent);
    }
}

impl Taken {
    /// The numbers of the entries that were delivered, in order.
    pub fn numbers(&self) -> Vec<u64> {
        let taken = self.0.lock().unwrap();
        let number = |sent: &Sent| match sent {
            Sent::Delivery(delivery) => match delivery.entry.fact {
                Fact::Directory { version } => Some(version),
                _ => None,
            },
            _ => None,
        };
        taken.iter().filter_map(number).collect()
    }

    /// What was handed over, in order: `log` of an entry of the log, `beside` of another one, `moving` and `moved`.
    pub fn kinds(&self) -> Vec<&'static str> {
        let taken = self.0.lock().unwrap();
        let kind = |sent: &Sent| match sent {
            Sent::Delivery(delivery) if delivery.position.is_some() => "log",
            Sent::Delivery(_) => "beside",
            Sent::Moving { .. } => "moving",
            Sent::Moved { .. } => "moved",
            Sent::Signal { .. } => "signal",
        };
        taken.iter().map(kind).collect()
    }

    /// The last place up to which everything was delivered.
    pub fn safe(&self) -> Option<Position> {
        let taken = self.0.lock().unwrap();
        taken.iter().rev().find_map(|sent| match sent {
            Sent::Delivery(delivery) => Some(delivery.safe.position),
            Sent::Moved { safe, .. } => Some(safe.position),
            Sent::Signal { .. } | Sent::Moving { .. } => None,
        })
    }
}

/// Waits for a state, up to ten seconds.
pub async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("waited in vain until {what}");
}

/// Waits until the space's log holds these entries; returns the numbers of all that it holds.
pub async fn until_log_holds(log: &dyn Log, wanted: &[u64]) -> Vec<u64> {
    for _ in 0..2_000 {
        let found = numbers_in(log).await;
        let known: BTreeSet<u64> = found.iter().copied().collect();
        if wanted.iter().all(|number| known.contains(number)) {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the log never held {wanted:?}");
}

/// The numbers of the entries of a space's log.
pub async fn numbers_in(log: &dyn Log) -> Vec<u64> {
    let epoch = log.heads(&[SPACE]).await.unwrap()[0].epoch;
    match log.read(SPACE, Position { epoch, offset: 0 }, 100_000).await.unwrap() {
        Slice::Entries(entries) => entries
            .iter()
            .map(|(_, entry)| match entry.fact {
                Fact::Directory { version } => version,
                _ => 0,
            })
            .collect(),
        Slice::Gone { .. } => panic!("the log is trimmed"),
    }
}
