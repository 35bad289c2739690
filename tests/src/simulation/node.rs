//! A node: the real school, router, publisher and shard, in a task of its own. When the task is dropped the node is dead:
//! nothing of its memory survives, and what it had sent to storage may still arrive.

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use samtale_gateway::handshake::Unidentified;
use samtale_gateway::node::ALWAYS_FOLLOWED;
use samtale_gateway::shard::{Shard, ShardParts};
use samtale_gateway::wire::OwnedWire;
use samtale_protocol::Encoding;
use samtale_protocol::time::Clock;
use samtale_router::{MemoryLog, Presence, Published, Publisher, Replay, Rights, Router, RouterOptions, Sent, Sink};
use samtale_school::{Sabotage, School, SchoolParts};
use samtale_storage::Store;
use samtale_storage::memory::MemoryEngine;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, LocalSet};

use crate::simulation::accounts::TrustingAccounts;
use crate::simulation::faults::Faults;
use crate::simulation::faulty_engine::FaultyEngine;
use crate::simulation::faulty_log::{FaultyLog, lossy_feed};
use crate::simulation::randomness::Seeded;
use crate::simulation::wire::{self, ClientEnd, ServerEnd};
use crate::simulation::world::{SimulatedClock, World};

/// What may wait for the shard, as in a server.
const ENTRIES: usize = 4_096;

/// Sockets that may wait for the shard.
const SOCKETS: usize = 64;

/// What all nodes of a history stand on.
#[derive(Clone)]
pub struct Ground {
    /// Time and trace.
    pub world: World,
    /// Storage.
    pub engine: Arc<MemoryEngine>,
    /// What goes wrong.
    pub faults: Faults,
    /// The deliberate fault of the rules, if any.
    pub sabotage: Sabotage,
    /// The deliberate fault of the router, if any.
    pub ignore_gaps: bool,
    /// The seed.
    pub seed: u64,
}

/// A running node.
pub struct Node {
    /// Its clock.
    pub clock: Arc<SimulatedClock>,
    /// Its way into the logs.
    pub publisher: Publisher,
    /// Its rules.
    pub school: Arc<School>,
    sockets: mpsc::Sender<(ServerEnd, Encoding)>,
    task: JoinHandle<()>,
    is_dead: Arc<AtomicBool>,
}

struct ToShard(mpsc::Sender<Sent>);

#[async_trait]
impl Sink for ToShard {
    async fn take(&self, sent: Sent) {
        let _ = self.0.send(sent).await;
    }
}

impl Node {
    /// Starts a node. `life` tells its lives apart, so that no two draw the same.
    pub fn start(
        ground: &Ground,
        (log, feed): (MemoryLog, mpsc::Receiver<Published>),
        life: u64,
        clock: Arc<SimulatedClock>,
    ) -> Self {
        let stream = |part: u64| Seeded::new(ground.seed, 1_000 + life * 10 + part);
        let (world, faults) = (&ground.world, &ground.faults);
        let is_dead = Arc::new(AtomicBool::new(false));
        let engine = FaultyEngine::new(
            Arc::clone(&ground.engine),
            world.clone(),
            faults.clone(),
            stream(0),
            Arc::clone(&is_dead),
        );
        let log: Arc<dyn samtale_router::Log> = Arc::new(FaultyLog::new(log, world.clone(), faults.clone(), stream(1)));
        let (feed, passing) = lossy_feed(feed, world.clone(), faults.clone(), stream(2));
        let publisher = Publisher::new(Arc::clone(&log), clock.clone());
        let random = Mutex::new(stream(3));
        let school = Arc::new(School::new(SchoolParts {
            store: Store::new(Arc::new(engine)),
            clock: clock.clone(),
            random: Arc::new(move |bytes| random.lock().unwrap_or_else(PoisonError::into_inner).fill(bytes)),
            publisher: publisher.clone(),
            sabotage: ground.sabotage,
        }));
        let rights: Arc<dyn Rights> = school.clone();
        let (entries, received) = mpsc::channel(ENTRIES);
        let options = RouterOptions {
            broken_ignore_gaps: ground.ignore_gaps,
            ..RouterOptions::default()
        };
        let any_clock: Arc<dyn Clock> = clock.clone();
        let (router, routing) = Router::new(
            Arc::clone(&log),
            feed,
            Arc::clone(&rights),
            Arc::new(ToShard(entries)),
            Arc::clone(&any_clock),
            options,
        );
        let parts = ShardParts {
            school: Arc::clone(&school),
            router: router.clone(),
            replay: Replay::new(log, Arc::clone(&rights), Arc::clone(&any_clock)),
            presence: Arc::new(Presence::default()),
            publisher: publisher.clone(),
            clock: any_clock,
            accounts: Arc::new(TrustingAccounts),
            limits: samtale_gateway::shard::SessionLimits::default(),
        };
        let (sockets, accepted) = mpsc::channel(SOCKETS);
        let local = LocalSet::new();
        local.spawn_local(passing);
        local.spawn_local(routing.run());
        let (publishing, local_router) = (publisher.clone(), router.clone());
        local.spawn_local(async move { publishing.run(rights, local_router).await });
        local.spawn_local(async move {
            for space in ALWAYS_FOLLOWED {
                let _ = router.join(space).await;
            }
        });
        local.spawn_local(serve(Shard::new(parts), received, accepted));
        let task = tokio::task::spawn_local(local);
        Self {
            clock,
            publisher,
            school,
            sockets,
            task,
            is_dead,
        }
    }

    /// Connects a client whose socket holds `room` bytes; `None` when the node takes none.
    pub fn connect(&self, encoding: Encoding, room: usize) -> Option<ClientEnd> {
        let (server, client) = wire::socket(room);
        self.sockets.try_send((server, encoding)).ok()?;
        Some(client)
    }

    /// Kills the node at once.
    pub fn kill(self) {
        self.is_dead.store(true, Ordering::Relaxed);
        self.task.abort();
    }
}

/// The shard's loop, as a thread of a server runs it.
async fn serve(
    shard: Rc<Shard>,
    mut entries: mpsc::Receiver<Sent>,
    mut sockets: mpsc::Receiver<(ServerEnd, Encoding)>,
) {
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            socket = sockets.recv() => match socket {
                Some((wire, encoding)) => shard.serve(Unidentified {
                    wire: OwnedWire::Other(Box::new(wire)),
                    read: bytes::Bytes::new(),
                    encoding,
                }),
                None => return,
            },
            sent = entries.recv() => match sent {
                Some(sent) => shard.take(&sent),
                None => return,
            },
            _ = second.tick() => shard.on_second(),
        }
    }
}
