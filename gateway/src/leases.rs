//! Nodes see each other: each writes a row every second that says it lives, and since when it has facts in the journal that
//! may not be in the log. When a row is no longer renewed, the others share its spaces among them and publish from the
//! journal what it could not. Nobody has to be told which they were: every space has one survivor.

mod watch;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use samtale_protocol::time::Clock;
use samtale_protocol::{SpaceId, Timestamp};
use samtale_router::Publisher;
use samtale_router::placement::place_of;
use samtale_storage::engine::chain;
use samtale_storage::nodes::{NodeId, NodeRecord, node_key, nodes_of};
use samtale_storage::{StorageError, Store};
use tracing::{info, warn};

use self::watch::Watch;
pub use self::watch::{Death, Standing};

/// When the others have seen a death as well: until then it is looked after again whenever the living are others.
const SETTLED: Duration = Duration::from_secs(20);

/// How often a node says that it lives. Spread a little, so that the nodes' looks at each other fall at all distances.
const RENEWAL: Duration = Duration::from_millis(900);
const SPREAD_MILLIS: u64 = 250;

/// What a node knows of the others.
pub struct Leases {
    own: NodeId,
    store: Store,
    publisher: Publisher,
    clock: Arc<dyn Clock>,
    standing: RwLock<Standing>,
}

impl Leases {
    /// The lease of this node, which writes to `store`. [`Leases::run`] does the work.
    pub fn new(own: NodeId, store: Store, publisher: Publisher, clock: Arc<dyn Clock>) -> Self {
        Self {
            own,
            store,
            publisher,
            clock,
            standing: RwLock::new(Standing::alone(own)),
        }
    }

    /// Whether this node is the one that does something for a space that one node should do.
    pub fn is_for_this_node(&self, space: SpaceId) -> bool {
        let standing = self.standing.read().unwrap_or_else(PoisonError::into_inner);
        falls_to(space, &standing.live) == Some(self.own)
    }

    /// What is wrong with this node's clock, as far as the others show.
    pub fn clock_problem(&self) -> Option<String> {
        let standing = self.standing.read().unwrap_or_else(PoisonError::into_inner);
        standing.clock_problem()
    }

    /// Renews this node's lease and looks after the others, for as long as it is polled.
    pub async fn run(&self) {
        let (mut watch, mut recent) = (Watch::new(self.own), Vec::new());
        let mut failing = false;
        loop {
            match self.turn(&mut watch, &mut recent).await {
                Ok(()) => failing = false,
                Err(error) if !failing => {
                    failing = true;
                    warn!(error = %chain(&error), "the lease of this node can not be renewed");
                }
                Err(_) => {}
            }
            tokio::time::sleep(RENEWAL + Duration::from_millis(self.spread())).await;
        }
    }

    /// The node ends on purpose. If all that it journalled is in the log, nobody has to look after it.
    pub async fn end(&self) {
        if self.publisher.unpublished_since().is_none() {
            let ended = self
                .store
                .delete::<NodeRecord>(node_key(self.own), self.clock.now().as_micros())
                .await;
            if let Err(error) = ended {
                warn!(error = %chain(&error), "the lease of this node is not taken back: another one looks after it");
            }
        }
    }

    async fn turn(&self, watch: &mut Watch, recent: &mut Vec<(Instant, Death)>) -> Result<(), StorageError> {
        self.renew().await?;
        let rows = nodes_of(&self.store).await?;
        let now = Instant::now();
        let (mut deaths, standing) = watch.look(now, self.clock.now(), &rows);
        let live = standing.live.clone();
        let before = std::mem::replace(
            &mut *self.standing.write().unwrap_or_else(PoisonError::into_inner),
            standing,
        );
        if before.live != live {
            // What fell to a node that is gone now, too, falls to another one.
            deaths.extend(recent.drain(..).map(|(_, death)| death));
        }
        for death in deaths {
            match self.look_after(&death, &live).await {
                Ok(spaces) => {
                    info!(
                        node = %death.node, since = %death.since, spaces,
                        "a node died; what it may not have published is published again"
                    );
                    watch.looked_after(&death);
                    recent.push((now, death));
                }
                // It stays dead, and is looked after at the next turn.
                Err(error) => warn!(error = %chain(&error), "what a dead node left can not be published now"),
            }
        }
        while let Some((_, death)) = recent.first().filter(|(at, _)| now.duration_since(*at) >= SETTLED) {
            // Or whoever starts later would look after it again. If it can not be deleted now, it is at the next turn.
            let row = node_key(death.node);
            self.store.delete::<NodeRecord>(row, death.forgotten_at()).await?;
            recent.remove(0);
        }
        Ok(())
    }

    async fn renew(&self) -> Result<(), StorageError> {
        // In this order: what is handed over in between is in the journal after this time.
        let now = self.clock.now();
        let record = NodeRecord {
            renewed_at: now,
            unpublished_since: self.publisher.unpublished_since(),
        };
        self.store.put(node_key(self.own), &record, now.as_micros()).await
    }

    /// Publishes again what of the journals of this node's share of the spaces the dead one may have kept to itself.
    async fn look_after(&self, death: &Death, live: &[NodeId]) -> Result<usize, StorageError> {
        let mut mine = 0;
        let spaces = crate::dates::spaces(&self.store).await?;
        for space in spaces.into_iter().chain([SpaceId::SYSTEM]) {
            if falls_to(space, live) == Some(self.own) {
                self.publisher.republish(space, death.since);
                mine += 1;
            }
        }
        Ok(mine)
    }

    fn spread(&self) -> u64 {
        self.clock.now().as_millis().wrapping_mul(2_654_435_761) % SPREAD_MILLIS
    }
}

/// Which of the nodes a space falls to.
fn falls_to(space: SpaceId, live: &[NodeId]) -> Option<NodeId> {
    let names: Vec<&[u8]> = live.iter().map(|node| node.as_bytes().as_slice()).collect();
    live.get(place_of(space, &names)).copied()
}

/// The time from which on a dead node's facts may be missing.
fn missing_since(record: &NodeRecord) -> Timestamp {
    let unpublished = record.unpublished_since.unwrap_or(record.renewed_at);
    unpublished.min(record.renewed_at)
}
