//! What the tests of logs stand on: entries with numbers, logs of several nodes, and waiting for a state.

use std::sync::Arc;
use std::time::Duration;

use samtale_protocol::messages::{Message, Part};
use samtale_protocol::time::Clock;
use samtale_protocol::{Audience, Event, EventId, MessageId, PersonId, ProfileId, SpaceId, ThreadId, Timestamp};
use samtale_router::log::{Log, LogEntry, Position, Published, Slice};
use samtale_router::{Publisher, RedisLog, RedisOptions};
use samtale_storage::custodian::KeyFile;
use samtale_storage::journal::Fact;
use samtale_storage::{InTransit, Keyring};
use tokio::sync::mpsc;

pub const SPACE: SpaceId = SpaceId::from_bytes([1; 16]);
pub const ANNA: PersonId = PersonId::from_bytes([10; 16]);

pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp::saturating(u64::try_from(since.unwrap().as_millis()).unwrap())
    }
}

/// An entry that tells Anna a number.
pub fn entry(number: u64) -> Arc<LogEntry> {
    let time = SystemClock.now();
    Arc::new(LogEntry {
        id: EventId::at(time, &[0; 10]),
        time,
        audience: Audience::people([ANNA]),
        fact: Fact::Directory { version: number },
        event: Some(Event::Directory { version: number }),
    })
}

/// An entry that tells of a message, and what it says.
pub fn message(id: MessageId, says: &str) -> Arc<LogEntry> {
    told(id, 1, Some(says))
}

/// An entry that tells of a message that it is recalled.
pub fn recall(id: MessageId, version: u64) -> Arc<LogEntry> {
    told(id, version, None)
}

fn told(id: MessageId, version: u64, says: Option<&str>) -> Arc<LogEntry> {
    let thread = ThreadId::from_bytes([20; 16]);
    let told = Message {
        thread,
        message: id,
        author: ProfileId::from_bytes([3; 16]),
        sent_at: SystemClock.now(),
        version,
        parts: says.map(Part::text).into_iter().collect(),
        reply_to: None,
        edited_at: None,
        recalled_at: says.is_none().then(|| SystemClock.now()),
    };
    Arc::new(LogEntry {
        fact: Fact::Message { thread, message: id },
        event: Some(Event::Message(told)),
        ..LogEntry::clone(&entry(0))
    })
}

/// The number of an entry.
pub fn number(entry: &LogEntry) -> u64 {
    match entry.fact {
        Fact::Directory { version } => version,
        _ => 0,
    }
}

/// One node's log, with what is published to it.
pub struct Node {
    pub log: Arc<dyn Log>,
    pub feed: mpsc::Receiver<Published>,
}

impl Node {
    /// A node on these Redis servers.
    pub async fn on_redis(urls: &[String], keyring: &Arc<Keyring>, entries: usize) -> Self {
        let options = RedisOptions {
            entries,
            ..RedisOptions::new(urls)
        };
        let transit = InTransit::new(Arc::clone(keyring));
        let (log, feed) = RedisLog::new(&options, transit, Arc::new(SystemClock)).unwrap();
        let running = Arc::clone(&log);
        let publisher = Publisher::new(Arc::clone(&log) as _, Arc::new(SystemClock));
        tokio::spawn(async move { running.run(&publisher).await });
        let node = Self { log, feed };
        node.until_there().await;
        node
    }

    /// Waits until every log can be asked.
    pub async fn until_there(&self) {
        let spaces: Vec<SpaceId> = (0..32).map(|number| SpaceId::from_bytes([number; 16])).collect();
        until("Redis is there", async || {
            let heads = self.log.heads(&spaces).await;
            heads.is_ok_and(|heads| heads.iter().all(Position::is_known))
        })
        .await;
    }

    pub async fn append(&self, numbers: impl IntoIterator<Item = u64>) {
        let entries: Vec<Arc<LogEntry>> = numbers.into_iter().map(entry).collect();
        self.log.append(SPACE, &entries).await.unwrap();
    }

    /// Waits for the next entry that is published: its place and its number.
    pub async fn heard(&mut self) -> (Position, u64) {
        loop {
            let published = tokio::time::timeout(Duration::from_secs(20), self.feed.recv()).await;
            match published.expect("nothing is published").expect("the feed ended") {
                Published::Entry { position, entry, .. } => return (position, number(&entry)),
                Published::Signal { .. } | Published::Doubtful { .. } => {}
            }
        }
    }

    /// The numbers after a place; `None` if the log does not reach back to it.
    pub async fn after(&self, place: Position, limit: usize) -> Option<Vec<u64>> {
        match self.log.read(SPACE, place, limit).await.unwrap() {
            Slice::Entries(entries) => Some(entries.iter().map(|(_, entry)| number(entry)).collect()),
            Slice::Gone { .. } => None,
        }
    }

    pub async fn head(&self) -> Position {
        self.log.heads(&[SPACE]).await.unwrap()[0]
    }
}

/// Keys in a folder of their own, which is gone with the process.
pub async fn keyring(folder: &std::path::Path) -> Arc<Keyring> {
    let custodian = KeyFile::open_or_create(&folder.join("master.key")).unwrap();
    let keyring = Keyring::open(&folder.join("ring"), Arc::new(custodian)).await;
    Arc::new(keyring.unwrap())
}

/// Waits for a state, up to twenty seconds.
pub async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while tokio::time::Instant::now() < deadline {
        if holds().await {
            return;
        }
        // tidy: waits because this is how a state is waited for, with a bound
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain until {what}");
}
