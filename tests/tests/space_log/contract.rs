//! What every log promises.

use std::sync::Arc;

use samtale_protocol::time::Clock;
use samtale_protocol::{Audience, Event, MessageId, Signal, SpaceId, ThreadId};
use samtale_router::log::{AddressedSignal, Epoch, Position, Published, Slice};
use samtale_router::{Log, MemoryLog};

use crate::redis_server::RedisServer;
use crate::rig::{ANNA, Node, SPACE, SystemClock, keyring, message, recall};

/// How many entries the logs of these tests keep.
const KEPT: usize = 100;

const fn after(place: Position, offset: u64) -> Position {
    Position {
        epoch: place.epoch,
        offset,
    }
}

async fn all(one: &mut Node, other: &mut Node) {
    appended_is_read_and_heard_by_those_who_listen(one, other).await;
    it_says_when_it_does_not_reach_back(one).await;
    what_many_append_at_once_has_one_order(one, other).await;
    a_recalled_text_is_gone(one).await;
    of_two_recalls_the_newer_stays(one).await;
    a_signal_passes_and_is_not_kept(one, other).await;
}

async fn appended_is_read_and_heard_by_those_who_listen(one: &mut Node, other: &mut Node) {
    one.append([1, 2]).await;
    let head = other.log.subscribe(SPACE).await.unwrap();
    assert!(head.is_known() && head.offset == 2, "{head:?}");
    assert_eq!(other.log.subscribe(SPACE).await.unwrap(), head, "twice is once");
    one.append([3, 4]).await;
    other.append([5]).await;
    for (offset, number) in [(3, 3), (4, 4), (5, 5)] {
        assert_eq!(other.heard().await, (after(head, offset), number));
    }
    assert!(one.feed.try_recv().is_err(), "it listens to nothing");
    assert_eq!(one.after(after(head, 0), 10).await, Some(vec![1, 2, 3, 4, 5]));
    assert_eq!(one.after(after(head, 1), 2).await, Some(vec![2, 3]));
    assert_eq!(one.after(after(head, 5), 10).await, Some(Vec::new()));
    other.log.unsubscribe(SPACE).await;
    one.append([6]).await;
    assert_eq!(other.log.subscribe(SPACE).await.unwrap(), after(head, 6));
    one.append([7]).await;
    assert_eq!(other.heard().await.1, 7, "6 was not for it");
    other.log.unsubscribe(SPACE).await;
}

async fn it_says_when_it_does_not_reach_back(one: &Node) {
    let head = one.head().await;
    // Far more than are kept: a log may cut off in larger pieces.
    for hundred in 1..=20 {
        one.append(hundred * 100..(hundred + 1) * 100).await;
    }
    let now = one.head().await;
    assert_eq!(now, after(head, head.offset + 2_000));
    let reaches = |place| async move { one.after(place, 10).await.is_some() };
    assert!(!reaches(head).await, "trimmed");
    assert!(reaches(after(now, now.offset - 50)).await);
    assert!(!reaches(after(now, now.offset + 1)).await, "beyond the head");
    let elsewhere = Position {
        epoch: Epoch(now.epoch.0 ^ 1),
        offset: now.offset,
    };
    assert!(!reaches(elsewhere).await, "another epoch");
    assert!(!reaches(Position::UNKNOWN).await);
    let other = SpaceId::from_bytes([2; 16]);
    let heads = one.log.heads(&[SPACE, other]).await.unwrap();
    assert_eq!((heads[0], heads[1].offset), (now, 0));
}

async fn what_many_append_at_once_has_one_order(one: &Node, other: &Node) {
    let head = one.head().await;
    tokio::join!(
        async {
            for number in 0..20 {
                one.append([100 + number]).await;
            }
        },
        async {
            for number in 0..20 {
                other.append([200 + number]).await;
            }
        }
    );
    let numbers = one.after(head, 100).await.unwrap();
    assert_eq!(other.after(head, 100).await.unwrap(), numbers);
    let of = |from: u64| {
        Vec::from_iter(
            numbers
                .iter()
                .copied()
                .filter(|number| (from..from + 100).contains(number)),
        )
    };
    assert_eq!(of(100), Vec::from_iter(100..120));
    assert_eq!(of(200), Vec::from_iter(200..220));
}

async fn a_recalled_text_is_gone(one: &Node) {
    let head = one.head().await;
    let ids = [1, 2].map(|number| MessageId::from_bytes([number; 16]));
    let entries = [
        message(ids[0], "det skulle jeg ikke have skrevet"),
        message(ids[1], "hej"),
        recall(ids[0], 2),
    ];
    for entry in entries {
        one.log.append(SPACE, &[entry]).await.unwrap();
    }
    let Slice::Entries(entries) = one.log.read(SPACE, head, 10).await.unwrap() else {
        panic!("gone")
    };
    let texts: Vec<String> = entries.iter().map(|(_, entry)| format!("{:?}", entry.event)).collect();
    assert!(!texts.iter().any(|text| text.contains("det skulle")), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("hej")), "{texts:?}");
    let (last, entry) = entries.last().unwrap();
    assert_eq!(*last, head.offset + 3);
    assert!(matches!(&entry.event, Some(Event::Message(message)) if message.recalled_at.is_some()));
}

async fn of_two_recalls_the_newer_stays(one: &Node) {
    let head = one.head().await;
    let id = MessageId::from_bytes([3; 16]);
    let said = [
        message(id, "det skulle jeg heller ikke have skrevet"),
        recall(id, 3),
        recall(id, 2),
    ];
    for entry in said {
        one.log.append(SPACE, &[entry]).await.unwrap();
    }
    let Slice::Entries(entries) = one.log.read(SPACE, head, 10).await.unwrap() else {
        panic!("gone")
    };
    let recalls = entries.iter().map(|(_, entry)| match &entry.event {
        Some(Event::Message(message)) if message.recalled_at.is_some() => message.version,
        other => panic!("the text is still there: {other:?}"),
    });
    assert_eq!(recalls.max(), Some(3));
}

async fn a_signal_passes_and_is_not_kept(one: &Node, other: &mut Node) {
    let head = other.log.subscribe(SPACE).await.unwrap();
    let signal = Signal::Typing {
        thread: ThreadId::from_bytes([20; 16]),
        profile: samtale_protocol::ProfileId::from_bytes([3; 16]),
    };
    let addressed = AddressedSignal {
        audience: Audience::people([ANNA]),
        about: ANNA,
        signal,
    };
    one.log.signal(SPACE, Arc::new(addressed.clone())).await.unwrap();
    let Some(Published::Signal { space, signal }) = other.feed.recv().await else {
        panic!("something else")
    };
    assert_eq!((space, signal.as_ref()), (SPACE, &addressed));
    assert_eq!(one.head().await, head);
    other.log.unsubscribe(SPACE).await;
}

#[tokio::test]
async fn in_process() {
    let (log, feed) = MemoryLog::new(Epoch(SystemClock.now().as_millis()));
    log.keep(KEPT);
    let (other, other_feed) = log.another_node();
    let node = |log: MemoryLog, feed| Node {
        log: Arc::new(log) as Arc<dyn Log>,
        feed,
    };
    all(&mut node(log, feed), &mut node(other, other_feed)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_redis() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let keyring = keyring(folder.path()).await;
    let mut nodes = Vec::new();
    for _ in 0..2 {
        nodes.push(Node::on_redis(&[server.url()], &keyring, KEPT).await);
    }
    let [one, other] = nodes.as_mut_slice() else {
        unreachable!()
    };
    all(one, other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_several_redis_servers_each_with_its_share() {
    let servers: Vec<RedisServer> = std::iter::repeat_with(|| RedisServer::start(&[]))
        .map_while(|server| server)
        .take(3)
        .collect();
    if servers.is_empty() {
        return;
    }
    let urls: Vec<String> = servers.iter().map(RedisServer::url).collect();
    let folder = tempfile::tempdir().unwrap();
    let keyring = keyring(folder.path()).await;
    let one = Node::on_redis(&urls, &keyring, KEPT).await;
    let turned: Vec<String> = urls.iter().rev().cloned().collect();
    let other = Node::on_redis(&turned, &keyring, KEPT).await;
    let spaces: Vec<SpaceId> = (0..32).map(|number| SpaceId::from_bytes([number; 16])).collect();
    for space in &spaces {
        one.log.append(*space, &[crate::rig::entry(1)]).await.unwrap();
    }
    let heads = other.log.heads(&spaces).await.unwrap();
    assert!(
        heads.iter().all(|head| head.offset == 1),
        "both look in the same place: {heads:?}"
    );
    for server in &servers {
        let redis::Value::Int(keys) = server.command(&["DBSIZE"]).await else {
            panic!("no number")
        };
        assert!(keys > 0, "one has no share");
    }
}
