//! Who is online, as several nodes tell each other over a real Redis.

use std::sync::Arc;

use samtale_protocol::PersonId;
use samtale_protocol::time::Clock;
use samtale_router::{Presence, Publisher, RedisLog, RedisOptions};
use samtale_storage::{InTransit, Keyring};
use tokio::task::JoinHandle;

use crate::redis_server::RedisServer;
use crate::rig::{ANNA, SystemClock, keyring, until};

const BO: PersonId = PersonId::from_bytes([11; 16]);

struct Node {
    presence: Arc<Presence>,
    running: JoinHandle<()>,
}

impl Node {
    async fn new(server: &RedisServer, keyring: &Arc<Keyring>) -> Self {
        let transit = InTransit::new(Arc::clone(keyring));
        let (log, _) = RedisLog::new(&RedisOptions::new([server.url()]), transit, Arc::new(SystemClock)).unwrap();
        let presence = Arc::new(Presence::shared_by(Arc::clone(&log) as _));
        let publisher = Publisher::new(Arc::clone(&log) as _, Arc::new(SystemClock));
        let told = Arc::clone(&presence);
        let running = tokio::spawn(async move {
            tokio::join!(log.run(&publisher), log.run_presence(&told));
        });
        let node = Self { presence, running };
        until("Redis is there", async || {
            node.presence.online(&[ANNA], SystemClock.now()).await.is_some()
        })
        .await;
        node
    }

    async fn sees(&self) -> Option<Vec<bool>> {
        self.presence.online(&[ANNA, BO], SystemClock.now()).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_of_a_node_are_seen_by_the_others_for_as_long_as_it_lives() {
    let Some(mut server) = RedisServer::start(&[]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let keyring = keyring(folder.path()).await;
    let (one, other) = (Node::new(&server, &keyring).await, Node::new(&server, &keyring).await);
    one.presence.connected(ANNA, false);
    assert!(one.presence.settle(ANNA).await);
    until("she is seen", async || other.sees().await == Some(vec![true, false])).await;
    // On two nodes, then on one of them no longer.
    other.presence.connected(ANNA, false);
    assert!(other.presence.settle(ANNA).await);
    one.presence.disconnected(ANNA);
    until("they are there on another device", async || {
        one.presence.settle(ANNA).await
    })
    .await;
    other.presence.set_hidden(ANNA, true);
    assert!(!other.presence.settle(ANNA).await, "who hides is seen by nobody");
    assert_eq!(one.sees().await, Some(vec![false, false]));
    // Redis forgets, and is told again.
    one.presence.connected(BO, false);
    one.presence.settle(BO).await;
    server.kill();
    until("Redis is away", async || other.sees().await.is_none()).await;
    server.begin();
    until("it is told again", async || {
        other.sees().await == Some(vec![false, true])
    })
    .await;
    // A node that dies says nothing any more.
    one.running.abort();
    until("its people are offline", async || {
        other.sees().await == Some(vec![false, false])
    })
    .await;
}
