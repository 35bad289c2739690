//! A node: its shards, one thread each, and what they stand on.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use samtale_protocol::{Encoding, SpaceId};
use samtale_router::{Sent, Sink};
use tokio::sync::{mpsc, watch};
use tracing::warn;

use crate::handshake::Unidentified;
use crate::metrics;
use crate::shard::{Shard, ShardParts};
use crate::socket::Detached;
use crate::upgrade::{Accepted, Sockets};

/// Entries that may wait for a shard; beyond it the router waits, and finds by their offsets what it missed meanwhile.
const ENTRIES: usize = 4_096;

/// Sockets that may wait for a shard: a burst of logins between two turns of its loop.
const SOCKETS: usize = 4_096;

struct NewSocket {
    stream: Detached,
    read: Bytes,
    encoding: Encoding,
}

/// What a shard's thread is sent.
struct ShardHandle {
    entries: mpsc::Sender<Sent>,
    sockets: mpsc::Sender<NewSocket>,
    sessions: Arc<AtomicUsize>,
}

/// The shards of a node.
pub struct Shards {
    handles: Vec<ShardHandle>,
    next: AtomicUsize,
    phase: watch::Sender<Phase>,
}

/// What a node is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It serves.
    Serving,
    /// Its clients are told when to come back.
    Draining,
    /// Its threads end.
    Stopped,
}

/// The receiving ends of a shard.
pub struct ShardInputs {
    entries: mpsc::Receiver<Sent>,
    sockets: mpsc::Receiver<NewSocket>,
    sessions: Arc<AtomicUsize>,
    phase: watch::Receiver<Phase>,
}

impl Shards {
    /// `count` shards, and what each of their threads is to be started with.
    pub fn new(count: usize) -> (Arc<Self>, Vec<ShardInputs>) {
        let (phase, watched) = watch::channel(Phase::Serving);
        let (mut handles, mut inputs) = (Vec::new(), Vec::new());
        for _ in 0..count.max(1) {
            let (entries, received_entries) = mpsc::channel(ENTRIES);
            let (sockets, received_sockets) = mpsc::channel(SOCKETS);
            let sessions = Arc::new(AtomicUsize::new(0));
            handles.push(ShardHandle {
                entries,
                sockets,
                sessions: Arc::clone(&sessions),
            });
            inputs.push(ShardInputs {
                entries: received_entries,
                sockets: received_sockets,
                sessions,
                phase: watched.clone(),
            });
        }
        (
            Arc::new(Self {
                handles,
                next: AtomicUsize::new(0),
                phase,
            }),
            inputs,
        )
    }

    /// Tells every client when to come back.
    pub fn drain(&self) {
        self.phase.send_replace(Phase::Draining);
    }

    /// Ends the shards' threads.
    pub fn stop(&self) {
        self.phase.send_replace(Phase::Stopped);
    }
}

#[async_trait]
impl Sink for Shards {
    async fn take(&self, sent: Sent) {
        for handle in &self.handles {
            // A shard that has stopped takes nothing more.
            let _ = handle.entries.send(sent.clone()).await;
        }
    }
}

impl Sockets for Shards {
    fn accept(&self, accepted: Accepted) {
        let Accepted {
            stream, read, encoding, ..
        } = accepted;
        let stream = match stream.detach() {
            Ok(stream) => stream,
            Err(error) => {
                warn!(%error, "a socket could not be handed to its shard");
                return;
            }
        };
        let place = self.next.fetch_add(1, Ordering::Relaxed) % self.handles.len();
        if self.handles[place]
            .sockets
            .try_send(NewSocket { stream, read, encoding })
            .is_err()
        {
            // Dropped: the client sees the connection end, and comes back with jitter.
            warn!("a shard has more new sockets waiting than it can take");
        }
    }

    fn sessions(&self) -> usize {
        self.handles
            .iter()
            .map(|handle| handle.sessions.load(Ordering::Relaxed))
            .sum()
    }
}

/// Starts the thread of a shard; it ends when the shards are dropped.
pub fn start_shard(parts: ShardParts, inputs: ShardInputs, number: usize) -> std::io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new()
        .name(format!("shard-{number}"))
        .spawn(move || {
            let local = tokio::task::LocalSet::new();
            local.block_on(&runtime, run(Shard::new(parts), inputs, number));
        })
}

async fn run(shard: Rc<Shard>, mut inputs: ShardInputs, number: usize) {
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            changed = inputs.phase.changed() => match *inputs.phase.borrow_and_update() {
                Phase::Draining if changed.is_ok() => shard.drain(),
                Phase::Serving if changed.is_ok() => {}
                _ => {
                    // A close frame is written before this returns, if the socket takes it.
                    shard.cut();
                    return;
                }
            },
            socket = inputs.sockets.recv() => match socket {
                Some(socket) => accept(&shard, socket),
                None => return,
            },
            sent = inputs.entries.recv() => match sent {
                Some(sent) => shard.take(&sent),
                None => return,
            },
            _ = second.tick() => {
                shard.on_second();
                metrics::publish_tally();
                metrics::set_sessions(number, shard.len());
            }
        }
        inputs.sessions.store(shard.len(), Ordering::Relaxed);
    }
}

fn accept(shard: &Rc<Shard>, socket: NewSocket) {
    match socket.stream.attach() {
        Ok(wire) => {
            shard.serve(Unidentified {
                wire,
                read: socket.read,
                encoding: socket.encoding,
            });
        }
        Err(error) => warn!(%error, "a socket could not be taken over"),
    }
}

/// The spaces that a node follows whoever is connected.
pub const ALWAYS_FOLLOWED: [SpaceId; 1] = [SpaceId::SYSTEM];
