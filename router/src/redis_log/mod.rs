//! The log over Redis (or Valkey): for several nodes. A stream per space, appended to and published in one atomic step; one
//! channel per space; several independent servers, each with its share of the spaces.
//!
//! Redis is never the truth. Its entries have offsets of our own, so a node sees what it missed. An epoch belongs to one run
//! of one server: a server that restarted, or a replica that was promoted, begins every log anew, and the nodes fill in from
//! the journal.

mod encoding;
mod names;
mod presence;
mod scripts;
mod server;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use rustc_hash::FxHashMap;
use samtale_protocol::time::Clock;
use samtale_protocol::{Event, SpaceId, Timestamp};
use samtale_storage::InTransit;
use samtale_storage::journal::Fact;
use thiserror::Error;
use tokio::sync::mpsc;
use tracing::warn;

use self::encoding::{Encoding, write_epoch};
use self::names::Names;
use self::scripts::Scripts;
use self::server::{Back, Ear, Heard, Server};
use crate::log::{AddressedSignal, Epoch, Log, LogEntry, LogError, Position, Published, Slice};
use crate::placement::place_of;
use crate::publisher::Publisher;

/// How many entries of a space are kept: the busiest school day's morning, and some 3 MB.
const ENTRIES: usize = 4_096;

/// How long an entry is kept, at most. Who was away for longer is answered from the journal.
const AGE: Duration = Duration::from_secs(6 * 60 * 60);

/// How many heads are asked for in one step.
const HEADS: usize = 128;

/// How many published entries may wait for the router.
const FEED: usize = 4_096;

/// How far the clocks of nodes and servers may be apart.
const CLOCKS_APART: Duration = Duration::from_secs(1);

/// How many heads are looked at in one step when a server came back as another run.
const LOOKED_AT: usize = 256;

/// Which Redis servers, and how.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// Their URLs. The spaces are divided among them by their addresses, so all nodes must have the same list.
    pub servers: Vec<String>,
    /// What names of keys and channels begin with.
    pub prefix: String,
    /// How many entries of a space are kept.
    pub entries: usize,
}

impl RedisOptions {
    /// These servers, and the defaults.
    pub fn new(servers: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            servers: servers.into_iter().map(Into::into).collect(),
            prefix: "samtale".to_owned(),
            entries: ENTRIES,
        }
    }

    /// Whether the servers' URLs can be used. Whether the servers are there is not asked.
    ///
    /// # Errors
    ///
    /// When one can not.
    pub fn check(&self) -> Result<(), RedisSettingsError> {
        self.open().map(drop)
    }

    fn open(&self) -> Result<Vec<Server>, RedisSettingsError> {
        if self.servers.is_empty() {
            return Err(RedisSettingsError::None);
        }
        let names = Names::new(&self.prefix);
        let server = |(place, url): (usize, &String)| {
            Server::new(url, names.clone()).map_err(|error| RedisSettingsError::Url {
                number: place + 1,
                reason: error.to_string(),
            })
        };
        self.servers.iter().enumerate().map(server).collect()
    }
}

/// The log can not be used as it is configured.
#[derive(Debug, Error)]
pub enum RedisSettingsError {
    /// No server is named.
    #[error("no Redis server is named")]
    None,
    /// The operating system gives no randomness.
    #[error("the operating system gives no randomness")]
    Random,
    /// A URL is none. It is not repeated, since it may hold a password.
    #[error("Redis server number {number} of the list: {reason}")]
    Url {
        /// Which of them, from 1 on.
        number: usize,
        /// What is wrong.
        reason: String,
    },
}

/// The logs of all spaces, on Redis servers.
pub struct RedisLog {
    servers: Vec<Server>,
    addresses: Vec<String>,
    names: Names,
    encoding: Encoding,
    scripts: Scripts,
    clock: Arc<dyn Clock>,
    entries: usize,
    /// Where each space's log was last seen.
    seen: Mutex<FxHashMap<SpaceId, Position>>,
    feed: mpsc::Sender<Published>,
    /// What this process is called there.
    node: String,
}

impl RedisLog {
    /// The logs, and what is published to this node. [`RedisLog::run`] does the work.
    ///
    /// # Errors
    ///
    /// When the servers' URLs can not be used. Whether the servers are there is not asked.
    pub fn new(
        options: &RedisOptions,
        transit: InTransit,
        clock: Arc<dyn Clock>,
    ) -> Result<(Arc<Self>, mpsc::Receiver<Published>), RedisSettingsError> {
        let servers = options.open()?;
        let (feed, receiver) = mpsc::channel(FEED);
        let log = Self {
            addresses: servers.iter().map(|server| server.address().to_owned()).collect(),
            servers,
            names: Names::new(&options.prefix),
            encoding: Encoding(transit),
            scripts: Scripts::new(),
            clock,
            entries: options.entries,
            seen: Mutex::default(),
            feed,
            node: random().map(write_epoch).map_err(|_| RedisSettingsError::Random)?,
        };
        Ok((Arc::new(log), receiver))
    }

    /// Keeps the servers connected and hands on what they publish, for as long as it is polled.
    pub async fn run(&self, publisher: &Publisher) {
        let mut running = Vec::new();
        for server in &self.servers {
            running.push(self.run_one(server, publisher));
        }
        join_all(running).await;
    }

    async fn run_one(&self, server: &Server, publisher: &Publisher) {
        let (ear, heard) = server::hearing();
        let (come_back, mut back) = mpsc::channel(1);
        let on_back = async {
            while let Some(back) = back.recv().await {
                self.on_back(server, back, publisher).await;
            }
        };
        tokio::join!(server.run(ear.clone(), come_back), self.hand_on(ear, heard), on_back);
    }

    async fn on_back(&self, server: &Server, back: Back, publisher: &Publisher) {
        let spaces = back.spaces;
        if !spaces.is_empty() {
            let _ = self.feed.send(Published::Doubtful { spaces }).await;
        }
        for appended in back.appended.chunks(LOOKED_AT) {
            self.look_for_strays(server, appended, publisher).await;
        }
    }

    /// A server is another run now than the one that this node appended to: perhaps a replica that others have used for a
    /// while already. What this node gave the old one meanwhile, no other node has heard of: it is published again.
    async fn look_for_strays(&self, server: &Server, appended: &[(SpaceId, Timestamp)], publisher: &Publisher) {
        // If it can not be known now since when the new log is used, it is published again: harmless.
        let spaces: Vec<SpaceId> = appended.iter().map(|(space, _)| *space).collect();
        let begun = self.all_begun(server, &spaces).await.unwrap_or_default();
        for (place, (space, last)) in appended.iter().enumerate() {
            let begun = begun.get(place).copied().flatten().map_or(*last, Timestamp::saturating);
            if last.plus(CLOCKS_APART) >= begun {
                publisher.republish(*space, begun.minus(CLOCKS_APART));
            }
        }
    }

    /// Since when the logs of these spaces are what they are.
    async fn all_begun(&self, server: &Server, spaces: &[SpaceId]) -> Result<Vec<Option<u64>>, LogError> {
        self.heads_of(server, spaces).await?;
        let mut commands = redis::pipe();
        for space in spaces {
            commands.hget(self.names.head(*space), "begun");
        }
        server.query(&server.live()?, &commands).await
    }

    async fn hand_on(&self, ear: Ear, mut heard: mpsc::Receiver<Heard>) {
        while let Some(Heard { space, payload }) = heard.recv().await {
            ear.taken(payload.len());
            match self.encoding.published(space, &payload).await {
                Ok(all) => {
                    for published in all {
                        if let Published::Entry { position, .. } = &published {
                            self.saw(space, *position);
                        }
                        if self.feed.send(published).await.is_err() {
                            return;
                        }
                    }
                }
                // It will be missed by its offset, and read.
                Err(error) => warn!(%error, "something published can not be read now"),
            }
        }
    }

    fn server(&self, space: SpaceId) -> &Server {
        &self.servers[place_of(space, &self.addresses)]
    }

    fn seen(&self, space: SpaceId) -> (String, u64) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let position = seen.get(&space).copied().unwrap_or(Position::UNKNOWN);
        (write_epoch(position.epoch), position.offset)
    }

    /// Notes where a log stands. Answers come in any order, so within an epoch it only moves on.
    fn saw(&self, space: SpaceId, position: Position) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let known = seen.entry(space).or_insert(position);
        if known.epoch != position.epoch || known.offset < position.offset {
            *known = position;
        }
    }

    async fn heads_of(&self, server: &Server, spaces: &[SpaceId]) -> Result<Vec<Position>, LogError> {
        let live = server.live()?;
        let mut call = self.scripts.heads.prepare_invoke();
        call.arg(&*live.run).arg(fresh_epoch()?);
        for space in spaces {
            let (epoch, offset) = self.seen(*space);
            call.key(self.names.head(*space))
                .key(self.names.log(*space))
                .arg(epoch)
                .arg(offset);
        }
        let answer: Vec<redis::Value> = server.invoke(&live, &call).await?;
        let heads: Option<Vec<Position>> = answer.chunks(2).map(scripts::position).collect();
        let heads = heads.filter(|heads| heads.len() == spaces.len()).ok_or_else(odd)?;
        for (space, head) in spaces.iter().zip(&heads) {
            self.saw(*space, *head);
        }
        Ok(heads)
    }

    /// The heads of those of the spaces that stand in these places of the list.
    async fn heads_at(
        &self,
        server: &Server,
        spaces: &[SpaceId],
        places: &[usize],
    ) -> Result<Vec<(usize, Position)>, LogError> {
        let wanted: Vec<SpaceId> = places.iter().map(|place| spaces[*place]).collect();
        let heads = self.heads_of(server, &wanted).await?;
        Ok(places.iter().copied().zip(heads).collect())
    }
}

fn is_recalled(event: &Event) -> bool {
    matches!(event, Event::Message(message) if message.recalled_at.is_some())
}

/// The epoch that a log would begin, should it have to.
fn fresh_epoch() -> Result<String, LogError> {
    let epoch = random().map_err(|error| encoding::failed(&error))?;
    Ok(write_epoch(epoch))
}

/// A number that no other process draws. Never 0, which is no epoch.
fn random() -> Result<Epoch, getrandom::Error> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)?;
    Ok(Epoch(u64::from_be_bytes(bytes).max(1)))
}

fn odd() -> LogError {
    LogError {
        reason: "Redis answered with something else than was asked".to_owned(),
    }
}

#[async_trait]
impl Log for RedisLog {
    async fn append(&self, space: SpaceId, entries: &[Arc<LogEntry>]) -> Result<(), LogError> {
        let server = self.server(space);
        let live = server.live()?;
        let now = self.clock.now();
        let (epoch, offset) = self.seen(space);
        let mut call = self.scripts.append.prepare_invoke();
        call.key(self.names.head(space)).key(self.names.log(space));
        call.arg(&*live.run).arg(fresh_epoch()?).arg(epoch).arg(offset);
        call.arg(self.entries).arg(now.minus(AGE).as_millis());
        call.arg(u64::try_from(AGE.as_millis()).unwrap_or(u64::MAX))
            .arg(self.names.channel(space));
        for entry in entries {
            let message = match entry.fact {
                Fact::Message { message, .. } => message.to_string(),
                _ => String::new(),
            };
            let recalls = entry.event.as_ref().is_some_and(is_recalled);
            let body = self.encoding.entry(space, entry).await?;
            call.arg(entry.time.as_millis())
                .arg(message)
                .arg(u8::from(recalls))
                .arg(body);
        }
        let answer: Vec<redis::Value> = server.invoke(&live, &call).await?;
        self.saw(space, scripts::position(&answer).ok_or_else(odd)?);
        server.appended(space, now);
        Ok(())
    }

    async fn read(&self, space: SpaceId, after: Position, limit: usize) -> Result<Slice, LogError> {
        let server = self.server(space);
        let live = server.live()?;
        let (epoch, offset) = self.seen(space);
        let mut call = self.scripts.read.prepare_invoke();
        call.key(self.names.head(space)).key(self.names.log(space));
        call.arg(&*live.run).arg(fresh_epoch()?).arg(epoch).arg(offset);
        call.arg(write_epoch(after.epoch)).arg(after.offset).arg(limit);
        let answer: Vec<redis::Value> = server.invoke(&live, &call).await?;
        let read = scripts::Read::of(&answer).ok_or_else(odd)?;
        self.saw(space, read.head);
        if let Some(trimmed) = read.trimmed {
            let head = read.head;
            return Ok(Slice::Gone { head, trimmed });
        }
        let mut entries = Vec::with_capacity(read.entries.len());
        for (offset, body) in read.entries {
            // One that can not be read leaves a hole.
            if let Some(entry) = self.encoding.read_entry(space, body).await? {
                entries.push((offset, entry));
            }
        }
        Ok(Slice::Entries(entries))
    }

    async fn heads(&self, spaces: &[SpaceId]) -> Result<Vec<Position>, LogError> {
        let mut shares: Vec<Vec<usize>> = vec![Vec::new(); self.servers.len()];
        for (place, space) in spaces.iter().enumerate() {
            shares[place_of(*space, &self.addresses)].push(place);
        }
        let mut asked = Vec::new();
        for (server, share) in self.servers.iter().zip(&shares) {
            for places in share.chunks(HEADS) {
                asked.push(self.heads_at(server, spaces, places));
            }
        }
        let mut heads = vec![Position::UNKNOWN; spaces.len()];
        let mut failed = None;
        for answer in join_all(asked).await {
            match answer {
                Ok(answer) => answer.into_iter().for_each(|(place, head)| heads[place] = head),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) if heads.iter().all(|head| !head.is_known()) => Err(error),
            _ => Ok(heads),
        }
    }

    async fn begun(&self, space: SpaceId) -> Result<Option<Timestamp>, LogError> {
        let begun = self.all_begun(self.server(space), &[space]).await?;
        Ok(begun.first().copied().flatten().map(Timestamp::saturating))
    }

    async fn subscribe(&self, space: SpaceId) -> Result<Position, LogError> {
        let server = self.server(space);
        server.subscribe(space).await?;
        self.heads_of(server, &[space]).await?.pop().ok_or_else(odd)
    }

    async fn unsubscribe(&self, space: SpaceId) {
        self.server(space).unsubscribe(space).await;
    }

    async fn signal(&self, space: SpaceId, signal: Arc<AddressedSignal>) -> Result<(), LogError> {
        let payload = self.encoding.signal(space, &signal).await?;
        self.server(space).publish(space, &payload).await
    }
}
