//! The list of threads, and what it and a send cost storage.

use std::time::Duration;

use samtale_protocol::people::Role;
use samtale_protocol::threads::{Inbox, Recipient};
use samtale_protocol::{Audience, ErrorCode, Event, EventId, Reply, Request, ThreadId, Timestamp};
use samtale_router::{LogEntry, Rights};
use samtale_storage::journal::Fact;

use crate::harness::{Class, Someone, World, sent};

#[tokio::test]
async fn threads_stand_by_latest_activity_and_pages_skip_none() {
    let class = Class::new().await;
    let world = &class.world;
    let mut threads = Vec::new();
    for number in 0..25 {
        threads.push(
            world
                .start(class.teacher, vec![class.anna.to()], &number.to_string())
                .await
                .unwrap()
                .thread,
        );
    }
    world.send(class.anna, threads[3], "op igen").await.unwrap();
    // Carl comes to all of them in one millisecond, and reads nothing of them yet.
    let now = world.now();
    for thread in &threads {
        let add = samtale_protocol::threads::AddMembers {
            thread: *thread,
            to: vec![class.carl.to()],
            from_the_beginning: false,
        };
        world.ask(class.teacher, Request::AddMembers(add)).await.unwrap();
    }
    assert_eq!(world.now(), now);
    let mut expected = threads.clone();
    expected.reverse();
    expected.retain(|thread| *thread != threads[3]);
    expected.insert(0, threads[3]);
    for limit in [1, 7, 24, 25, 100] {
        for who in [class.anna, class.carl] {
            let (mut listed, mut before) = (Vec::new(), None);
            loop {
                let page = world.inbox(who, before, limit).await;
                listed.extend(page.entries.iter().map(|entry| entry.thread.thread));
                before = page.entries.last().map(|entry| entry.last_message);
                if !page.more {
                    break;
                }
            }
            if who.profile == class.anna.profile {
                assert_eq!(listed, expected, "{limit} at a time");
            }
            listed.sort_unstable();
            listed.dedup();
            assert_eq!(listed.len(), 25, "{limit} at a time");
        }
    }
    let first = world.inbox(class.anna, None, 1).await.entries.remove(0);
    assert_eq!(
        (first.preview.as_str(), first.last_author),
        ("op igen", class.anna.profile)
    );
}

#[tokio::test]
async fn the_first_page_of_2000_threads_costs_a_warm_node_at_most_five_scans() {
    let class = Class::new().await;
    let world = &class.world;
    for number in 0..2_000 {
        world
            .start(class.teacher, vec![class.anna.to()], &number.to_string())
            .await
            .unwrap();
    }
    world.inbox(class.anna, None, 1).await;
    let before = world.engine.calls();
    let page = world.inbox(class.anna, None, 100).await;
    let after = world.engine.calls();
    assert!(page.more && page.entries.len() > 50);
    let scans = after.scans - before.scans;
    println!(
        "scans for the first page of 2,000 threads: {scans}, gets: {}",
        after.gets - before.gets
    );
    assert!(scans <= 5, "{scans} scans");
    assert_eq!((after.gets, after.writes), (before.gets, before.writes));
}

#[tokio::test]
async fn a_send_costs_as_many_writes_for_two_members_as_for_a_thousand() {
    let world = World::new().await;
    let (teacher, threads) = a_thread_of_two_and_one_of_a_thousand(&world).await;
    let mut costs = Vec::new();
    for thread in threads {
        let send = world.a_send(thread, "en til");
        let before = world.engine.calls();
        sent(world.ask(teacher, Request::SendMessage(send)).await).unwrap();
        let after = world.engine.calls();
        assert_eq!(
            (after.gets, after.scans, after.compares),
            (before.gets, before.scans, before.compares)
        );
        costs.push(after.writes - before.writes);
    }
    println!("writes per send: {costs:?}");
    assert_eq!(costs, [3, 3], "the message, the journal, the thread's head");
}

/// A teacher's thread with one child, and one with a thousand; in the middle of a minute, so that no new minute of the
/// journal begins with the next sends.
pub async fn a_thread_of_two_and_one_of_a_thousand(world: &World) -> (Someone, [ThreadId; 2]) {
    let teacher = world.someone("Tove", Role::Employee).await;
    let child = world.someone("Alma", Role::Child).await;
    let group = world.group("Alle", None).await;
    for number in 0..1_000 {
        let who = world.someone(&format!("Barn {number}"), Role::Child).await;
        world.join(group, who, None, None).await;
    }
    world.changed().await;
    let millis = world.now().as_millis();
    world.advance(Duration::from_millis(60_000 - millis % 60_000 + 1_000));
    assert!(world.now() > Timestamp::saturating(millis));
    let two = world.start(teacher, vec![child.to()], "hej").await.unwrap().thread;
    let all = world.start(teacher, vec![Recipient::Group { group }], "hej").await;
    (teacher, [two, all.unwrap().thread])
}

#[tokio::test]
async fn a_search_finds_subjects_and_the_names_that_one_may_see() {
    let class = Class::new().await;
    let world = &class.world;
    let start = |subject: &'static str, who: Someone, to: Someone| {
        let request = world.a_start(vec![to.to()], subject, "Hej");
        async move {
            sent(world.ask(who, Request::StartThread(request)).await)
                .unwrap()
                .thread
        }
    };
    let trip = start("Tur til Ærø", class.teacher, class.anna).await;
    let other = start("Lus i klassen", class.teacher, class.anna).await;
    let with_carl = start("Pasning", class.teacher, class.carl).await;
    world.send(class.carl, with_carl, "Det er fint").await.unwrap();
    let found = async |who: Someone, search: &str| {
        let request = Inbox {
            space: None,
            before: None,
            search: Some(search.to_owned()),
            limit: 10,
        };
        match world.must(who, Request::Inbox(request)).await {
            Reply::Inbox(page) => page.entries.iter().map(|entry| entry.thread.thread).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(found(class.anna, " ærø").await, [trip]);
    assert_eq!(found(class.anna, "LUS").await, [other]);
    assert_eq!(found(class.teacher, "carl").await, [with_carl], "who wrote in it");
    assert_eq!(found(class.anna, "carl").await, [], "nothing of other people's threads");
    assert_eq!(found(class.anna, "").await, [other, trip]);
    let too_long = Request::Inbox(Inbox {
        space: None,
        before: None,
        search: Some("å".repeat(101)),
        limit: 10,
    });
    assert_eq!(
        crate::harness::code(world.ask(class.anna, too_long).await),
        ErrorCode::TooLarge
    );
}

#[tokio::test]
async fn what_is_said_while_the_list_is_read_is_in_it() {
    let class = Class::new().await;
    let world = &class.world;
    let start = async |text| world.start(class.teacher, vec![class.anna.to()], text).await.unwrap();
    // So many that some are in the part that is read first.
    let mut threads = Vec::new();
    for _ in 0..THREADS {
        threads.push(start("før").await.thread);
    }
    let (node, anna) = (world.deaf_node(), class.anna.caller());
    let list = || Inbox {
        space: Some(world.space),
        before: None,
        search: None,
        limit: 100,
    };
    world.engine.hold_next_scan("thread_heads");
    let said_meanwhile = async {
        while !world.engine.holds() {
            tokio::task::yield_now().await;
        }
        for thread in &threads {
            world.send(class.teacher, *thread, "nyt").await.unwrap();
        }
        for _ in 0..THREADS {
            start("nyt").await;
        }
        for event in world.events_of(class.anna).await {
            node.observe(world.space, &heard(world, event));
        }
        world.engine.let_go();
    };
    let (first, ()) = futures_util::join!(node.handle(&anna, Request::Inbox(list())), said_meanwhile);
    first.unwrap();
    let Ok(Reply::Inbox(page)) = node.handle(&anna, Request::Inbox(list())).await else {
        panic!("no inbox")
    };
    assert_eq!(page.entries.len(), 2 * THREADS);
    assert!(page.entries.iter().all(|entry| entry.preview == "nyt"), "{page:?}");
}

/// Threads, of which a list shows two hundred at once.
const THREADS: usize = 48;

/// An event as another node hears of it.
fn heard(world: &World, event: Event) -> LogEntry {
    let fact = match &event {
        Event::Message(message) => Fact::Message {
            thread: message.thread,
            message: message.message,
        },
        Event::Thread(thread) => Fact::Thread { thread: thread.thread },
        _ => Fact::Directory { version: 0 },
    };
    LogEntry {
        id: EventId::at(world.now(), &[3; 10]),
        time: world.now(),
        audience: Audience::default(),
        fact,
        event: Some(event),
    }
}
