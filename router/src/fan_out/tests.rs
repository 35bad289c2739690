//! Gaps, lost entries, new epochs and slow threads, over the log in memory and a feed that the test holds.

use std::sync::atomic::Ordering;

use tokio::sync::mpsc;

use super::*;
use crate::log::Epoch;
use crate::memory_log::MemoryLog;
use crate::space::HELD;
use crate::testing::{AwayLog, BEGIN, FAST, FakeRights, SLOW, SPACE, Taken, TestClock, entry, until};

/// A node whose feed passes through the test's hands.
struct Node {
    log: Arc<MemoryLog>,
    published: mpsc::Receiver<Published>,
    feed: mpsc::Sender<Published>,
    rights: Arc<FakeRights>,
    taken: Arc<Taken>,
    router: Router,
    clock: Arc<TestClock>,
}

async fn node() -> Node {
    let (log, published) = MemoryLog::new(Epoch(1));
    let log = Arc::new(log);
    let (feed, fed) = mpsc::channel(100);
    let (rights, taken, clock) = (
        Arc::new(FakeRights::default()),
        Arc::new(Taken::default()),
        TestClock::new(),
    );
    let options = RouterOptions {
        compare_heads: Duration::from_millis(20),
        ..RouterOptions::default()
    };
    let (router, router_loop) = Router::new(
        Arc::clone(&log) as _,
        fed,
        Arc::clone(&rights) as _,
        Arc::clone(&taken) as _,
        Arc::clone(&clock) as _,
        options,
    );
    tokio::spawn(router_loop.run());
    router.join(SPACE).await.unwrap();
    Node {
        log,
        published,
        feed,
        rights,
        taken,
        router,
        clock,
    }
}

impl Node {
    /// Journals and appends an entry; `arrives` says whether the node is told of it.
    async fn tell(&mut self, number: u64, thread: Option<ThreadId>, arrives: bool) {
        let entry = entry(number, thread);
        self.clock.0.store(BEGIN + number * 1_000, Ordering::SeqCst);
        self.rights.write(&entry);
        self.log.append(SPACE, &[entry]).await.unwrap();
        let published = self.published.recv().await.unwrap();
        if arrives {
            self.feed.send(published).await.unwrap();
        }
    }

    async fn delivered(&self, numbers: &[u64]) {
        until(&format!("{numbers:?} are delivered"), || {
            self.taken.numbers() == numbers
        })
        .await;
    }
}

#[tokio::test]
async fn what_waits_for_a_slow_thread_is_bounded_and_comes_from_the_journal() {
    let mut node = node().await;
    let last = HELD as u64 + 200;
    for number in 1..=last {
        node.tell(number, Some(SLOW), true).await;
    }
    node.tell(last + 1, Some(FAST), true).await;
    node.rights.knows_slow.store(true, Ordering::SeqCst);
    until("all of it is delivered", || {
        let numbers = node.taken.numbers();
        (1..=last + 1).all(|number| numbers.contains(&number))
    })
    .await;
    node.tell(last + 2, Some(SLOW), true).await;
    until("it goes on", || node.taken.numbers().contains(&(last + 2))).await;
}

#[tokio::test]
async fn a_gap_is_filled_in_order() {
    let mut node = node().await;
    node.tell(1, None, true).await;
    node.tell(2, None, false).await;
    node.tell(3, Some(FAST), false).await;
    node.tell(4, None, true).await;
    node.delivered(&[1, 2, 3, 4]).await;
    node.tell(5, None, true).await;
    node.delivered(&[1, 2, 3, 4, 5]).await;
}

#[tokio::test]
async fn a_lost_last_entry_is_found_by_comparing_heads() {
    let mut node = node().await;
    node.tell(1, None, true).await;
    node.tell(2, None, false).await;
    node.delivered(&[1, 2]).await;
}

#[tokio::test]
async fn one_thread_whose_members_are_not_known_holds_back_no_other() {
    let mut node = node().await;
    node.tell(1, Some(FAST), true).await;
    node.tell(2, Some(SLOW), true).await;
    node.tell(3, Some(FAST), true).await;
    node.tell(4, Some(SLOW), true).await;
    node.tell(5, None, true).await;
    node.delivered(&[1, 3, 5]).await;
    let offset = node.taken.safe().unwrap().offset;
    assert_eq!(offset, 1, "a cursor does not pass what is still held");
    node.rights.knows_slow.store(true, Ordering::SeqCst);
    node.delivered(&[1, 3, 5, 2, 4]).await;
    assert_eq!(node.taken.safe().unwrap().offset, 5);
}

#[tokio::test]
async fn a_new_epoch_is_bridged_from_the_journal() {
    let mut node = node().await;
    node.tell(1, None, true).await;
    node.tell(2, Some(SLOW), true).await;
    node.delivered(&[1]).await;
    // The log dies with entries that the node never saw; they are in the journal.
    for number in 3..10 {
        node.rights.write(&entry(number, None));
    }
    node.log.lose(Epoch(2));
    node.rights.knows_slow.store(true, Ordering::SeqCst);
    node.tell(10, None, true).await;
    until("everything is told", || {
        let numbers = node.taken.numbers();
        (1..=10).all(|number| numbers.contains(&number))
    })
    .await;
    until("the cursor is in the new epoch", || {
        node.taken.safe().is_some_and(|safe| {
            safe == Position {
                epoch: Epoch(2),
                offset: 1,
            }
        })
    })
    .await;
    let mut kinds = node.taken.kinds();
    kinds.dedup();
    assert_eq!(kinds, ["log", "moving", "beside", "moved"]);
    let first = node.taken.numbers().iter().filter(|number| **number == 1).count();
    assert_eq!(first, 1, "what was told from the old log is not told again");
    node.tell(11, None, true).await;
    until("it goes on", || node.taken.numbers().last() == Some(&11)).await;
    assert_eq!(node.taken.safe().unwrap().offset, 2);
}

#[tokio::test]
async fn a_space_is_followed_until_the_last_listener_left() {
    let mut node = node().await;
    node.router.join(SPACE).await.unwrap();
    assert_eq!(node.rights.followed.load(Ordering::SeqCst), 1, "it begins once");
    node.router.leave(SPACE).await;
    node.tell(1, None, true).await;
    node.delivered(&[1]).await;
    assert_eq!(node.rights.unfollowed.load(Ordering::SeqCst), 0);
    node.router.leave(SPACE).await;
    until("what is kept of it is dropped", || {
        node.rights.unfollowed.load(Ordering::SeqCst) == 1
    })
    .await;
    node.log.append(SPACE, &[entry(2, None)]).await.unwrap();
    assert!(
        node.published.try_recv().is_err(),
        "nothing is published to a node that does not listen"
    );
    let safe = node.router.join(SPACE).await.unwrap();
    assert_eq!(safe.position.offset, 2, "it goes on from the head");
    node.tell(3, None, true).await;
    node.delivered(&[1, 3]).await;
}

/// A router whose log can be away; what is published reaches it.
fn away_router(rights: &Arc<FakeRights>) -> (Arc<AwayLog>, Router, Arc<Taken>) {
    let (log, feed) = MemoryLog::new(Epoch(1));
    let (log, taken, clock) = (AwayLog::new(log), Arc::new(Taken::default()), TestClock::new());
    clock.0.store(BEGIN + 5_000, Ordering::SeqCst);
    let options = RouterOptions {
        compare_heads: Duration::from_millis(20),
        ..RouterOptions::default()
    };
    let (router, router_loop) = Router::new(
        Arc::clone(&log) as _,
        feed,
        Arc::clone(rights) as _,
        Arc::clone(&taken) as _,
        clock,
        options,
    );
    tokio::spawn(router_loop.run());
    (log, router, taken)
}

#[tokio::test]
async fn a_log_that_is_away_keeps_nobody_out_and_is_caught_up_with_when_it_is_back() {
    let rights = Arc::new(FakeRights::default());
    let (log, router, taken) = away_router(&rights);
    log.away.store(true, Ordering::SeqCst);
    let safe = router.join(SPACE).await.unwrap();
    assert!(!safe.position.is_known());
    let told = entry(5, None);
    rights.write(&told);
    log.log.append(SPACE, &[told]).await.unwrap();
    log.away.store(false, Ordering::SeqCst);
    until("it is told", || taken.numbers() == [5]).await;
    until("it goes on from the log", || {
        taken.safe().is_some_and(|safe| safe.offset == 1)
    })
    .await;
    log.append(SPACE, &[entry(6, None)]).await.unwrap();
    until("what comes is told", || taken.numbers() == [5, 6]).await;
}

#[tokio::test]
async fn what_is_revoked_is_heard_of_while_the_log_is_away_and_once() {
    let rights = Arc::new(FakeRights::default());
    let (log, router, taken) = away_router(&rights);
    router.join(SpaceId::SYSTEM).await.unwrap();
    log.away.store(true, Ordering::SeqCst);
    rights.write(&entry(4, None));
    until("it is told", || taken.numbers() == [4]).await;
    rights.write(&entry(5, None));
    until("so is the next", || taken.numbers() == [4, 5]).await;
    assert_eq!(
        taken.safe().unwrap().offset,
        0,
        "no cursor goes beyond what is in the log"
    );
}

#[tokio::test]
async fn what_is_revoked_is_heard_of_while_the_log_goes_away_in_the_middle_of_a_catch_up() {
    let rights = Arc::new(FakeRights::default());
    let (log, router, taken) = away_router(&rights);
    router.join(SpaceId::SYSTEM).await.unwrap();
    rights.journal_away.store(true, Ordering::SeqCst);
    log.log.lose(Epoch(2));
    // The catching up has begun; now it wants for the journal, and then for the log.
    until("it asks the journal", || {
        rights.journal_asked.load(Ordering::SeqCst) > 0
    })
    .await;
    log.away.store(true, Ordering::SeqCst);
    rights.journal_away.store(false, Ordering::SeqCst);
    rights.write(&entry(4, None));
    until("it is told", || taken.numbers() == [4]).await;
}
