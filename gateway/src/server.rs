//! The server put together: storage, keys, rules, router, shards and HTTP. Listener, clock and shutdown come from
//! outside, so a test starts one on any port and stops it at will.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use samtale_protocol::time::Clock;
use samtale_protocol::{SpaceId, Timestamp};
use samtale_router::log::Published;
use samtale_router::redis_log::RedisSettingsError;
use samtale_router::{
    Epoch, Log, MemoryLog, Presence, Publisher, RedisLog, RedisOptions, Replay, Rights, Router, RouterOptions, Sink,
};
use samtale_school::{Sabotage, School, SchoolParts};
use samtale_storage::cql::CqlOptions;
use samtale_storage::nodes::NodeId;
use samtale_storage::open::{OpenOptions, Opened};
use samtale_storage::{InTransit, StorageError, embedded::EmbeddedOptions};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::accounts::{AccountParts, AccountSettings, Accounts, OpenLogins, SystemRandom, TokenKey};
use crate::adapters::{AccountsForSessions, KeyringLookup, NodeHealth, SchoolForAccounts};
use crate::dates;
use crate::http::HttpParts;
use crate::leases::Leases;
use crate::limits::{AddressLimits, AddressRates};
use crate::listener;
use crate::node::{ALWAYS_FOLLOWED, ShardInputs, Shards, start_shard};
use crate::origin::{Origins, Proxies};
use crate::shard::{SessionLimits, ShardParts};
use crate::tls::Tls;
use crate::upgrade::Sockets;

/// How long open connections may take to end once they were told to.
const DRAIN: Duration = Duration::from_secs(5);

/// The time of the system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::saturating(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// What a server is started with.
#[derive(Clone)]
pub struct ServerOptions {
    /// The data folder.
    pub data: PathBuf,
    /// The key folder, apart from it.
    pub keys: PathBuf,
    /// How the embedded engine is run.
    pub embedded: EmbeddedOptions,
    /// The database, if the rows are there and not in the data folder.
    pub cql: Option<CqlOptions>,
    /// The Redis servers over which nodes hear of each other; without them this is the only node.
    pub redis: Option<RedisOptions>,
    /// How accounts behave.
    pub accounts: AccountSettings,
    /// Threads that serve sockets.
    pub shards: usize,
    /// The most sessions at once.
    pub max_sessions: usize,
    /// The folder of the web app, if it is served.
    pub web: Option<PathBuf>,
    /// Web origins that may use this server, besides its own.
    pub origins: Origins,
    /// Reverse proxies in front.
    pub proxies: Proxies,
    /// What one account and one session may use.
    pub limits: SessionLimits,
    /// What one address may do.
    pub addresses: AddressRates,
    /// TLS, unless a proxy in front speaks it or it is a developer's machine.
    pub tls: Option<Arc<Tls>>,
}

impl ServerOptions {
    /// The defaults for these two folders.
    pub fn new(data: impl Into<PathBuf>, keys: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            keys: keys.into(),
            embedded: EmbeddedOptions::default(),
            cql: None,
            redis: None,
            accounts: AccountSettings::default(),
            shards: std::thread::available_parallelism().map_or(1, usize::from),
            max_sessions: listener::most_connections(),
            web: None,
            origins: Origins::default(),
            proxies: Proxies::default(),
            limits: SessionLimits::default(),
            addresses: AddressRates::default(),
            tls: None,
        }
    }
}

impl ServerOptions {
    /// Where the rows are, in words.
    fn store(&self) -> String {
        match &self.cql {
            Some(cql) => format!("the keyspace {} at {}", cql.keyspaces.plain, cql.nodes.join(", ")),
            None => self.data.display().to_string(),
        }
    }

    fn not_opened(&self, source: StorageError) -> StartError {
        let place = self.store();
        StartError::Store { place, source }
    }
}

/// A server could not be put together.
#[derive(Debug, Error)]
pub enum StartError {
    /// The store could not be opened.
    #[error("the store in {place} could not be opened")]
    Store {
        /// The data folder, or the database.
        place: String,
        /// Why.
        #[source]
        source: StorageError,
    },
    /// Redis can not be used as it is configured.
    #[error("`redis.servers` can not be used")]
    Redis(#[from] RedisSettingsError),
    /// A thread could not be started.
    #[error("a thread could not be started")]
    Thread(#[source] std::io::Error),
    /// The operating system gives no randomness.
    #[error("the operating system gives no randomness")]
    Random,
    /// The router ended.
    #[error("the router ended while the server was started")]
    Router,
}

/// The parts of a server that need no socket: what commands work on too.
pub struct Office {
    /// The store and its keys.
    pub opened: Arc<Opened>,
    /// The rules.
    pub school: Arc<School>,
    /// Who may log in.
    pub accounts: Arc<Accounts>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// A server that is put together, and not yet listening.
pub struct Server {
    /// What needs no socket.
    pub office: Arc<Office>,
    options: ServerOptions,
    shards: Arc<Shards>,
    threads: Vec<JoinHandle<()>>,
    tasks: JoinSet<()>,
    draining: Arc<AtomicBool>,
    leases: Option<Arc<Leases>>,
}

impl Server {
    /// Opens the store and starts what works beside the listener.
    pub async fn open(options: ServerOptions, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let opened = open_store(&options, &clock).await?;
        let Logs { log, feed, redis } = logs(&options, &opened, &clock)?;
        let publisher = Publisher::new(Arc::clone(&log), Arc::clone(&clock));
        let school = Arc::new(School::new(SchoolParts {
            store: opened.store.clone(),
            clock: Arc::clone(&clock),
            random: Arc::new(system_random),
            publisher: publisher.clone(),
            sabotage: Sabotage::default(),
        }));
        let rights: Arc<dyn Rights> = school.clone();
        let (shards, inputs) = Shards::new(options.shards);
        let sink: Arc<dyn Sink> = shards.clone();
        let (router, routing) = Router::new(
            Arc::clone(&log),
            feed,
            Arc::clone(&rights),
            sink,
            Arc::clone(&clock),
            RouterOptions::default(),
        );

        let accounts = accounts(&opened, &school, &clock, &options.accounts)
            .await
            .map_err(|source| options.not_opened(source))?;
        let office = Arc::new(Office {
            opened,
            school,
            accounts,
            clock,
        });

        let mut tasks = JoinSet::new();
        tasks.spawn(routing.run());
        let (publishing, beside) = (publisher.clone(), Arc::clone(&office));
        let (for_publishing, local) = (Arc::clone(&rights), router.clone());
        tasks.spawn(async move { publishing.run(for_publishing, local).await });
        let leases = leases_of(&office, &publisher, redis.is_some())?;
        if let Some(leases) = leases.clone() {
            tasks.spawn(async move { leases.run().await });
        }
        let presence = start_presence(redis, &publisher, &mut tasks);
        tasks.spawn(async move { beside.opened.run().await });
        tasks.spawn(dates::follow(Arc::clone(&office), leases.clone()));
        for space in ALWAYS_FOLLOWED {
            router.join(space).await.ok_or(StartError::Router)?;
        }
        let replay = Replay::new(log, rights, Arc::clone(&office.clock));
        let threads = start_shards(
            &office,
            inputs,
            &router,
            &replay,
            (&publisher, &presence),
            options.limits,
        )?;
        Ok(Self {
            office,
            options,
            shards,
            threads,
            tasks,
            draining: Arc::default(),
            leases,
        })
    }

    /// The TLS that it will speak.
    pub fn tls(&self) -> Option<&Arc<Tls>> {
        self.options.tls.as_ref()
    }

    /// Serves until `shutdown`, then tells every client when to come back and ends what is open.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) {
        let sockets: Arc<dyn Sockets> = self.shards.clone();
        let parts = HttpParts {
            accounts: Arc::clone(&self.office.accounts),
            sockets: Arc::clone(&sockets),
            health: Arc::new(NodeHealth {
                store: self.office.opened.store.clone(),
                draining: Arc::clone(&self.draining),
                leases: self.leases.clone(),
            }),
            origins: self.options.origins.clone(),
            proxies: self.options.proxies.clone(),
            addresses: Arc::new(AddressLimits::new(self.options.addresses)),
            tls: self.options.tls.clone(),
            max_sessions: self.options.max_sessions,
            web: self.options.web.clone(),
        };
        let draining = (Arc::clone(&self.draining), Arc::clone(&self.shards), shutdown.clone());
        let drain = async move {
            let (draining, shards, shutdown) = draining;
            shutdown.cancelled().await;
            draining.store(true, Ordering::Relaxed);
            shards.drain();
            info!(
                sessions = shards.sessions(),
                "going down: clients are told when to come back"
            );
        };
        tokio::join!(
            listener::run(listener, parts, listener::most_connections(), shutdown),
            drain
        );
        let deadline = tokio::time::Instant::now() + DRAIN;
        while sockets.sessions() > 0 && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.close().await;
    }

    /// Stops what works beside.
    pub async fn close(mut self) {
        self.tasks.shutdown().await;
        if let Some(leases) = &self.leases {
            leases.end().await;
        }
        self.shards.stop();
        let threads = std::mem::take(&mut self.threads);
        // Waiting for a thread blocks: off the runtime's own threads.
        let _ = tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join()))).await;
    }
}

async fn open_store(options: &ServerOptions, clock: &Arc<dyn Clock>) -> Result<Arc<Opened>, StartError> {
    let mut open = OpenOptions::new(&options.data, &options.keys);
    open.embedded = options.embedded.clone();
    open.cql = options.cql.clone();
    tracing::info!(place = options.store(), "opening the store");
    let opened = samtale_storage::open(open, Arc::clone(clock)).await;
    opened.map(Arc::new).map_err(|source| options.not_opened(source))
}

/// Who is online, told to other nodes if there are any; with it begins what keeps Redis connected.
fn start_presence(redis: Option<Arc<RedisLog>>, publisher: &Publisher, tasks: &mut JoinSet<()>) -> Arc<Presence> {
    let Some(redis) = redis else {
        return Arc::default();
    };
    let presence = Arc::new(Presence::shared_by(redis.clone()));
    let (publisher, told) = (publisher.clone(), Arc::clone(&presence));
    tasks.spawn(async move {
        tokio::join!(redis.run(&publisher), redis.run_presence(&told));
    });
    presence
}

/// The lease of a node that is one of several.
fn leases_of(
    office: &Office,
    publisher: &Publisher,
    is_one_of_several: bool,
) -> Result<Option<Arc<Leases>>, StartError> {
    if !is_one_of_several {
        return Ok(None);
    }
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|_| StartError::Random)?;
    let (store, clock) = (office.opened.store.clone(), Arc::clone(&office.clock));
    let leases = Leases::new(NodeId::from_bytes(id), store, publisher.clone(), clock);
    Ok(Some(Arc::new(leases)))
}

/// The logs of all spaces, what this node hears of them, and Redis if they are there.
struct Logs {
    log: Arc<dyn Log>,
    feed: mpsc::Receiver<Published>,
    redis: Option<Arc<RedisLog>>,
}

fn logs(options: &ServerOptions, opened: &Opened, clock: &Arc<dyn Clock>) -> Result<Logs, StartError> {
    if let Some(redis) = &options.redis {
        let transit = InTransit::new(Arc::clone(&opened.keyring));
        let (log, feed) = RedisLog::new(redis, transit, Arc::clone(clock))?;
        let redis = Some(Arc::clone(&log));
        return Ok(Logs { log, feed, redis });
    }
    let mut epoch = [0; 8];
    getrandom::fill(&mut epoch).map_err(|_| StartError::Random)?;
    let (log, feed) = MemoryLog::new(Epoch(u64::from_be_bytes(epoch).max(1)));
    let log = Arc::new(log);
    Ok(Logs { log, feed, redis: None })
}

async fn accounts(
    opened: &Opened,
    school: &Arc<School>,
    clock: &Arc<dyn Clock>,
    settings: &AccountSettings,
) -> Result<Arc<Accounts>, StorageError> {
    let for_accounts = Arc::new(SchoolForAccounts(Arc::clone(school)));
    let parts = AccountParts {
        store: opened.store.clone(),
        lookup: Arc::new(KeyringLookup(Arc::clone(&opened.keyring))),
        clock: Arc::clone(clock),
        token_key: token_key(opened).await?,
        revocations: for_accounts.clone(),
        profiles: for_accounts,
        random: Arc::new(SystemRandom),
    };
    Ok(Arc::new(Accounts::new(parts, settings)))
}

fn start_shards(
    office: &Office,
    inputs: Vec<ShardInputs>,
    router: &Router,
    replay: &Replay,
    (publisher, presence): (&Publisher, &Arc<Presence>),
    limits: SessionLimits,
) -> Result<Vec<JoinHandle<()>>, StartError> {
    let for_sessions = Arc::new(AccountsForSessions {
        accounts: Arc::clone(&office.accounts),
        school: Arc::clone(&office.school),
        store: office.opened.store.clone(),
        clock: Arc::clone(&office.clock),
        open: OpenLogins::default(),
    });
    let mut threads = Vec::new();
    for (number, inputs) in inputs.into_iter().enumerate() {
        let parts = ShardParts {
            school: Arc::clone(&office.school),
            router: router.clone(),
            replay: replay.clone(),
            presence: Arc::clone(presence),
            publisher: publisher.clone(),
            clock: Arc::clone(&office.clock),
            accounts: for_sessions.clone(),
            limits,
        };
        threads.push(start_shard(parts, inputs, number).map_err(StartError::Thread)?);
    }
    Ok(threads)
}

/// The secret that signs access tokens: derived from the key of the space `system`, so it is the same on every node
/// and after a restart, and lies nowhere of its own.
async fn token_key(opened: &Opened) -> Result<TokenKey, StorageError> {
    let mut key = [0; 32];
    key[..16].copy_from_slice(
        &opened
            .keyring
            .lookup(SpaceId::SYSTEM, "access token key", "first half")
            .await?,
    );
    key[16..].copy_from_slice(
        &opened
            .keyring
            .lookup(SpaceId::SYSTEM, "access token key", "second half")
            .await?,
    );
    Ok(TokenKey::new(key))
}

#[expect(clippy::expect_used, reason = "ids without randomness would collide: better to stop")]
pub(crate) fn system_random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives randomness");
}
