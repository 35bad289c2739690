//! One Redis server: two connections, one to ask and one that listens, kept up by a loop of its own.
//!
//! Every break is a gap: what was published meanwhile is gone, and the heads are compared once both are back. A listener
//! that is slower than what is published does not make Redis hold it all: what does not fit here is dropped, and found
//! again by its offset.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, FromRedisValue, IntoConnectionInfo, ProtocolVersion, PushInfo, PushKind, RedisError,
    ScriptInvocation, Value,
};
use rustc_hash::{FxHashMap, FxHashSet};
use samtale_protocol::{SpaceId, Timestamp};
use tokio::sync::{Notify, mpsc};
use tracing::{debug, info, warn};

use super::encoding::failed;
use super::names::Names;
use crate::log::LogError;
use crate::metered;

/// How long an answer may take, and a connection.
const ANSWER: Duration = Duration::from_secs(1);

/// How long it may take until a server can be used: connected, greeted, asked who it is.
const CONNECTED: Duration = Duration::from_secs(3);

/// How often it is asked whether it is there: a connection that is open at one end only is noticed by this.
const ALIVE: Duration = Duration::from_secs(1);

/// How long to wait before the next try.
const RETRY: Duration = Duration::from_millis(200);

/// How much of what was published may wait to be read: more is dropped, and read from the log.
const HEARD: usize = 4_096;
const HEARD_BYTES: usize = 2 << 20;

/// Channels in one command when listening begins again.
const CHANNELS: usize = 256;

/// What was heard on the channel of a space.
pub struct Heard {
    /// Of which space.
    pub space: SpaceId,
    /// As it was published.
    pub payload: Vec<u8>,
}

/// Where what is heard waits to be read: so many messages, and so many bytes, since many entries may come in one.
pub fn hearing() -> (Ear, mpsc::Receiver<Heard>) {
    let (sender, receiver) = mpsc::channel(HEARD);
    let waiting = Arc::new(AtomicUsize::new(0));
    (Ear { sender, waiting }, receiver)
}

/// The end into which it is spoken.
#[derive(Clone)]
pub struct Ear {
    sender: mpsc::Sender<Heard>,
    waiting: Arc<AtomicUsize>,
}

impl Ear {
    /// What does not fit is dropped: its offset will be missed.
    fn hear(&self, heard: Heard) {
        let bytes = heard.payload.len();
        if self.waiting.load(Ordering::Relaxed) + bytes > HEARD_BYTES {
            metered::count_dropped();
            return;
        }
        self.waiting.fetch_add(bytes, Ordering::Relaxed);
        if self.sender.try_send(heard).is_err() {
            self.taken(bytes);
            metered::count_dropped();
        }
    }

    /// So many bytes wait no longer.
    pub fn taken(&self, bytes: usize) {
        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// A server as it is reached now.
#[derive(Clone)]
pub struct Live {
    /// Which connection in the life of this process.
    connection: u64,
    /// The server's own name for its run: another after each start.
    pub run: Arc<str>,
    asking: MultiplexedConnection,
    listening: MultiplexedConnection,
}

/// What a server came back with.
pub struct Back {
    /// The spaces that are listened to: something of them may have been missed.
    pub spaces: Vec<SpaceId>,
    /// If it is another run: the spaces that this node appended to, and when it did last. It may not have kept that.
    pub appended: Vec<(SpaceId, Timestamp)>,
}

/// One server.
pub struct Server {
    client: Client,
    address: String,
    names: Names,
    state: Mutex<State>,
    broken: Notify,
}

#[derive(Default)]
struct State {
    live: Option<Live>,
    connections: u64,
    last_run: Option<Arc<str>>,
    wanted: FxHashSet<SpaceId>,
    appended: FxHashMap<SpaceId, Timestamp>,
}

impl Server {
    /// The server at `url`, such as `redis://:password@host:6379`.
    pub fn new(url: &str, names: Names) -> Result<Self, RedisError> {
        let information = url.into_connection_info()?;
        let settings = information
            .redis_settings()
            .clone()
            .set_protocol(ProtocolVersion::RESP3);
        let address = format!("{}/{}", information.addr(), settings.db());
        let information = information
            .set_redis_settings(settings)
            .set_tcp_settings(TcpSettings::default().set_nodelay(true));
        Ok(Self {
            client: Client::open(information)?,
            address,
            names,
            state: Mutex::default(),
            broken: Notify::new(),
        })
    }

    /// Host, port and database: what it is called, without its password.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The server as it is reached now.
    pub fn live(&self) -> Result<Live, LogError> {
        self.state().live.clone().ok_or_else(|| LogError {
            reason: format!("Redis at {} is away", self.address),
        })
    }

    /// Runs a script.
    pub async fn invoke<T: FromRedisValue>(
        &self,
        live: &Live,
        invocation: &ScriptInvocation<'_>,
    ) -> Result<T, LogError> {
        let answer = invocation.invoke_async(&mut live.asking.clone()).await;
        answer.map_err(|error| self.broke(live, &error))
    }

    /// Runs commands.
    pub async fn query<T: FromRedisValue>(&self, live: &Live, commands: &redis::Pipeline) -> Result<T, LogError> {
        let answer = commands.query_async(&mut live.asking.clone()).await;
        answer.map_err(|error| self.broke(live, &error))
    }

    /// Listens to the space's channel, from now on and after every break.
    pub async fn subscribe(&self, space: SpaceId) -> Result<(), LogError> {
        self.state().wanted.insert(space);
        let live = self.live()?;
        let heard = live.listening.clone().subscribe(self.names.channel(space)).await;
        heard.map_err(|error| self.broke(&live, &error))
    }

    /// Listens to it no longer.
    pub async fn unsubscribe(&self, space: SpaceId) {
        self.state().wanted.remove(&space);
        if let Ok(live) = self.live() {
            let ended = live.listening.clone().unsubscribe(self.names.channel(space)).await;
            let _ = ended.map_err(|error| self.broke(&live, &error));
        }
    }

    /// This node appended to the space's log.
    pub fn appended(&self, space: SpaceId, now: Timestamp) {
        self.state().appended.insert(space, now);
    }

    /// Publishes on the space's channel.
    pub async fn publish(&self, space: SpaceId, payload: &[u8]) -> Result<(), LogError> {
        let live = self.live()?;
        let mut publish = redis::pipe();
        publish
            .cmd("PUBLISH")
            .arg(self.names.channel(space))
            .arg(payload)
            .ignore();
        self.query(&live, &publish).await
    }

    /// Keeps the server connected for as long as it is polled. `back` is told whenever it is, `ear` gets what is
    /// published.
    pub async fn run(&self, ear: Ear, back: mpsc::Sender<Back>) {
        let mut is_away = false;
        loop {
            let silent = |_| LogError {
                reason: "it does not answer".to_owned(),
            };
            let connected = tokio::time::timeout(CONNECTED, self.connect(&ear)).await;
            match connected.map_err(silent).flatten() {
                Ok(live) => {
                    let with = self.begin(live.clone());
                    if self.listen_again(&live, &with.spaces).await.is_ok() {
                        info!(server = self.address, "Redis is there");
                        is_away = false;
                        let _ = back.send(with).await;
                        self.until_broken(&live).await;
                    }
                    self.state().live = None;
                }
                Err(LogError { reason }) if !is_away => {
                    is_away = true;
                    let server = &self.address;
                    warn!(server, reason, "Redis is away: events wait, and it is tried again");
                }
                Err(_) => debug!(server = self.address, "Redis is still away"),
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    async fn connect(&self, ear: &Ear) -> Result<Live, LogError> {
        let config = AsyncConnectionConfig::new()
            .set_response_timeout(Some(ANSWER))
            .set_connection_timeout(Some(ANSWER));
        let (names, ear) = (self.names.clone(), ear.clone());
        let hear = move |push: PushInfo| -> Result<(), ()> {
            if let Some(told) = read_push(&names, push) {
                ear.hear(told);
            }
            Ok(())
        };
        let connect = async {
            let asking = self
                .client
                .get_multiplexed_async_connection_with_config(&config)
                .await?;
            let config = config.clone().set_push_sender(hear);
            let listening = self
                .client
                .get_multiplexed_async_connection_with_config(&config)
                .await?;
            // Answered with an error while it still loads what it keeps.
            let _: Value = redis::cmd("PING").query_async(&mut asking.clone()).await?;
            let information: String = redis::cmd("INFO").query_async(&mut asking.clone()).await?;
            Ok::<_, RedisError>((asking, listening, information))
        };
        let (asking, listening, information) = connect.await.map_err(|error| failed(&error))?;
        let run = self.identify(&information)?;
        let mut state = self.state();
        state.connections += 1;
        Ok(Live {
            connection: state.connections,
            run,
            asking,
            listening,
        })
    }

    fn identify(&self, information: &str) -> Result<Arc<str>, LogError> {
        let of = |name: &str| {
            information
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .map(str::trim)
        };
        let refused = |reason: &str| LogError {
            reason: format!("{} {reason}", self.address),
        };
        if of("role:") == Some("slave") {
            return Err(refused("is a replica: it takes no writes"));
        }
        of("run_id:")
            .map(Arc::from)
            .ok_or_else(|| refused("does not say which run it is"))
    }

    fn begin(&self, live: Live) -> Back {
        let mut state = self.state();
        let is_other = state.last_run.as_ref().is_some_and(|last| *last != live.run);
        state.last_run = Some(Arc::clone(&live.run));
        state.live = Some(live);
        let appended = if is_other {
            std::mem::take(&mut state.appended)
        } else {
            FxHashMap::default()
        };
        Back {
            spaces: state.wanted.iter().copied().collect(),
            appended: appended.into_iter().collect(),
        }
    }

    async fn listen_again(&self, live: &Live, spaces: &[SpaceId]) -> Result<(), LogError> {
        for spaces in spaces.chunks(CHANNELS) {
            let channels: Vec<String> = spaces.iter().map(|space| self.names.channel(*space)).collect();
            let heard = live.listening.clone().subscribe(channels).await;
            heard.map_err(|error| self.broke(live, &error))?;
        }
        Ok(())
    }

    async fn until_broken(&self, live: &Live) {
        loop {
            let _ = tokio::time::timeout(ALIVE, self.broken.notified()).await;
            let is_this = |now: &Live| now.connection == live.connection;
            if !self.state().live.as_ref().is_some_and(is_this) {
                return;
            }
            for connection in [&live.asking, &live.listening] {
                let pong: Result<Value, _> = redis::cmd("PING").query_async(&mut connection.clone()).await;
                if let Err(error) = pong {
                    self.broke(live, &error);
                    return;
                }
            }
        }
    }

    /// A command failed. Unless the server only is full, both connections are made anew.
    fn broke(&self, live: &Live, error: &RedisError) -> LogError {
        let is_full = error.code() == Some("OOM");
        let mut state = self.state();
        let is_this = |now: &Live| now.connection == live.connection;
        if !is_full && state.live.as_ref().is_some_and(is_this) {
            warn!(server = self.address, %error, "Redis failed; connecting again");
            state.live = None;
            self.broken.notify_one();
        }
        failed(error)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_push(names: &Names, push: PushInfo) -> Option<Heard> {
    if push.kind != PushKind::Message {
        return None;
    }
    let [Value::BulkString(channel), Value::BulkString(payload)] = <[Value; 2]>::try_from(push.data).ok()? else {
        return None;
    };
    let space = names.space_of(&channel)?;
    Some(Heard { space, payload })
}
