//! What happens to Redis, and that nothing of it is taken for the truth.

use std::sync::Arc;

use samtale_protocol::time::Clock;
use samtale_router::Log;
use samtale_router::log::{Position, Published};
use samtale_storage::Keyring;
use tempfile::TempDir;

use crate::redis_server::RedisServer;
use crate::rig::{Node, SPACE, SystemClock, entry, keyring, until};

struct Rig {
    server: RedisServer,
    keyring: Arc<Keyring>,
    one: Node,
    other: Node,
    _folder: TempDir,
}

/// Two nodes on a server that has these arguments, the other of which listens.
async fn rig(arguments: &[&str]) -> Option<Rig> {
    let server = RedisServer::start(arguments)?;
    let folder = tempfile::tempdir().unwrap();
    let keyring = keyring(folder.path()).await;
    let one = Node::on_redis(&[server.url()], &keyring, 1_000).await;
    let other = Node::on_redis(&[server.url()], &keyring, 1_000).await;
    other.log.subscribe(SPACE).await.unwrap();
    Some(Rig {
        server,
        keyring,
        one,
        other,
        _folder: folder,
    })
}

impl Rig {
    /// The log as it began anew, once it did.
    async fn begun_anew(&self, before: Position) -> Position {
        until("the log began anew", async || {
            let heads = self.other.log.heads(&[SPACE]).await;
            heads.is_ok_and(|heads| heads[0].is_known() && heads[0].epoch != before.epoch)
        })
        .await;
        self.other.head().await
    }

    /// Waits until the other node is told to compare heads.
    async fn doubts(&mut self) {
        loop {
            match self.other.feed.recv().await.unwrap() {
                Published::Doubtful { spaces } => return assert_eq!(spaces, [SPACE]),
                Published::Entry { .. } | Published::Signal { .. } => {}
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_killed_and_lost_everything_begins_anew_and_is_heard_again() {
    let Some(mut rig) = rig(&[]).await else { return };
    rig.one.append([1, 2, 3]).await;
    let before = rig.one.head().await;
    rig.server.kill();
    let refused = rig.one.log.append(SPACE, &[entry(4)]).await;
    assert!(refused.is_err());
    until("it is known to be away", async || {
        rig.other.log.subscribe(SPACE).await.is_err()
    })
    .await;
    let asked = std::time::Instant::now();
    assert!(rig.one.log.heads(&[SPACE]).await.is_err());
    assert!(asked.elapsed().as_millis() < 500, "what is away is not waited for");
    rig.server.begin();
    rig.doubts().await;
    let after = rig.begun_anew(before).await;
    assert_eq!(after.offset, 0);
    assert_eq!(rig.other.after(before, 10).await, None, "nothing of before is there");
    rig.one.until_there().await;
    rig.one.append([4]).await;
    while rig.other.heard().await.1 != 4 {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_restarts_with_all_it_had_begins_anew_as_well() {
    let Some(mut rig) = rig(&["--appendonly", "yes", "--appendfsync", "always"]).await else {
        return;
    };
    rig.one.append([1, 2, 3]).await;
    let before = rig.one.head().await;
    rig.server.kill();
    rig.server.begin();
    let after = rig.begun_anew(before).await;
    assert_eq!(after.offset, 0, "it can not know whether it lacks the last second");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_emptied_begins_anew() {
    let Some(mut rig) = rig(&[]).await else { return };
    rig.one.append([1, 2, 3]).await;
    let before = rig.one.head().await;
    let begun = rig.one.log.begun(SPACE).await.unwrap();
    assert_eq!(
        rig.other.log.begun(SPACE).await.unwrap(),
        begun,
        "it is the log's own clock"
    );
    let emptied = SystemClock.now();
    rig.server.command(&["FLUSHALL"]).await;
    rig.one.append([4]).await;
    let after = rig.begun_anew(before).await;
    assert_eq!(after.offset, 1);
    let begun_anew = rig.other.log.begun(SPACE).await.unwrap();
    assert!(begun.is_some() && begun <= Some(emptied) && begun_anew >= Some(emptied));
    while rig.other.heard().await.1 != 4 {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_stands_lower_than_it_was_seen_begins_anew() {
    let Some(rig) = rig(&[]).await else { return };
    rig.one.append([1, 2, 3]).await;
    let before = rig.other.head().await;
    // The same run, and an older state: as after a reload from a snapshot.
    let head = format!("samtale:{{{SPACE}}}:head");
    rig.server.command(&["HSET", &head, "offset", "1"]).await;
    let after = rig.begun_anew(before).await;
    assert_eq!(after.offset, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_replica_that_lags_begins_anew() {
    let Some(mut rig) = rig(&[]).await else { return };
    let port = rig.server.port().to_string();
    let Some(replica) = RedisServer::start(&["--replicaof", "127.0.0.1", &port]) else {
        return;
    };
    rig.one.append([1]).await;
    let head = format!("samtale:{{{SPACE}}}:head");
    until("the replica follows", async || {
        replica.command(&["HGET", &head, "offset"]).await == redis::Value::BulkString(b"1".to_vec())
    })
    .await;
    let refused = RedisLogOn::new(&replica, &rig.keyring).await;
    assert!(refused.log.heads(&[SPACE]).await.is_err(), "a replica takes no writes");
    // From here on it hears nothing of its master.
    replica.command(&["CONFIG", "SET", "masterauth", "wrong"]).await;
    rig.server.command(&["CONFIG", "SET", "requirepass", "another"]).await;
    rig.server.kill();
    replica.command(&["REPLICAOF", "NO", "ONE"]).await;
    let promoted = Node::on_redis(&[replica.url()], &rig.keyring, 1_000).await;
    assert_eq!(promoted.head().await.offset, 0);
    promoted.append([9]).await;
    assert_eq!(promoted.head().await.offset, 1);
}

/// A node on a server that it can not use yet.
struct RedisLogOn {
    log: Arc<dyn Log>,
}

impl RedisLogOn {
    async fn new(server: &RedisServer, keyring: &Arc<Keyring>) -> Self {
        let options = samtale_router::RedisOptions::new([server.url()]);
        let transit = samtale_storage::InTransit::new(Arc::clone(keyring));
        let (log, _) = samtale_router::RedisLog::new(&options, transit, Arc::new(SystemClock)).unwrap();
        let running = Arc::clone(&log);
        let publisher = samtale_router::Publisher::new(Arc::clone(&log) as _, Arc::new(SystemClock));
        tokio::spawn(async move { running.run(&publisher).await });
        Self { log }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_is_cut_off_listens_again() {
    let Some(mut rig) = rig(&[]).await else { return };
    for number in 1..=5 {
        rig.server.command(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        rig.doubts().await;
        rig.one.append([number]).await;
        while rig.other.heard().await.1 != number {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_is_too_slow_loses_what_it_does_not_take_and_sees_it_by_the_offset() {
    let Some(mut rig) = rig(&[]).await else { return };
    let many = 24_000;
    for from in (0..many).step_by(200) {
        rig.one.append(from..from + 200).await;
    }
    let head = rig.one.head().await;
    assert_eq!(head.offset, many);
    let (mut heard, mut last) = (0, 0);
    while let Ok(Some(published)) = tokio::time::timeout(std::time::Duration::from_secs(1), rig.other.feed.recv()).await
    {
        if let Published::Entry { position, .. } = published {
            assert!(position.offset > last, "in order");
            (heard, last) = (heard + 1, position.offset);
        }
    }
    assert!(heard > 0 && heard < many, "{heard} were kept for it");
    rig.one.append([1]).await;
    assert_eq!(rig.other.heard().await.0.offset, many + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_conversation_is_in_clear_in_redis() {
    let Some(rig) = rig(&["--appendonly", "yes"]).await else {
        return;
    };
    let told = crate::rig::message(samtale_protocol::MessageId::from_bytes([1; 16]), "kanariefugl");
    rig.one.log.append(SPACE, &[told]).await.unwrap();
    let key = format!("samtale:{{{SPACE}}}:log");
    let kept = format!("{:?}", rig.server.command(&["XRANGE", &key, "-", "+"]).await);
    assert!(kept.contains("message") && !kept.contains("kanariefugl"), "{kept}");
    let mut folders = vec![rig.server.folder().to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for found in std::fs::read_dir(folder).unwrap() {
            let path = found.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            files += 1;
            assert!(!bytes.windows(11).any(|window| window == b"kanariefugl"), "{path:?}");
        }
    }
    assert!(files > 0, "there is an append-only file to look into");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_given_to_a_master_that_others_had_left_is_published_again() {
    let (Some(old), Some(new)) = (RedisServer::start(&[]), RedisServer::start(&[])) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let keyring = keyring(folder.path()).await;
    let line = Line::to(old.port()).await;
    let options = samtale_router::RedisOptions::new([format!("redis://127.0.0.1:{}", line.port)]);
    let transit = samtale_storage::InTransit::new(Arc::clone(&keyring));
    let (log, _feed) = samtale_router::RedisLog::new(&options, transit, Arc::new(SystemClock)).unwrap();
    let publisher = samtale_router::Publisher::new(Arc::clone(&log) as _, Arc::new(SystemClock));
    let (running, told) = (Arc::clone(&log), publisher.clone());
    tokio::spawn(async move { running.run(&told).await });
    until("it is there", async || log.append(SPACE, &[entry(1)]).await.is_ok()).await;
    // The others go to the new one, and this node is still with the old.
    let others = Node::on_redis(&[new.url()], &keyring, 1_000).await;
    others.append([2]).await;
    let begun = SystemClock.now();
    log.append(SPACE, &[entry(3)]).await.unwrap();
    assert_eq!(publisher.unpublished_since(), None);
    line.turn_to(new.port());
    until("it asks for the journal", async || {
        publisher.unpublished_since().is_some()
    })
    .await;
    assert!(publisher.unpublished_since().unwrap() < begun);
    until("it is where the others are", async || {
        log.append(SPACE, &[entry(4)]).await.is_ok()
    })
    .await;
    assert_eq!(
        others
            .after(
                Position {
                    offset: 0,
                    ..others.head().await
                },
                10
            )
            .await,
        Some(vec![2, 4])
    );
}

/// A line to a server, which can be turned to another one: whatever is connected is cut.
struct Line {
    port: u16,
    target: tokio::sync::watch::Sender<u16>,
}

impl Line {
    async fn to(target: u16) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, targets) = tokio::sync::watch::channel(target);
        tokio::spawn(async move {
            while let Ok((mut here, _)) = listener.accept().await {
                let mut target = targets.clone();
                tokio::spawn(async move {
                    let port = *target.borrow_and_update();
                    let mut there = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
                    tokio::select! {
                        ended = tokio::io::copy_bidirectional(&mut here, &mut there) => drop(ended),
                        _ = target.changed() => {}
                    }
                    std::io::Result::Ok(())
                });
            }
        });
        Self { port, target: sender }
    }

    fn turn_to(&self, target: u16) {
        self.target.send_replace(target);
    }
}
