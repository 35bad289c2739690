//! Whatever is retried, a send is one message and the same reply.

use std::time::Duration;

use samtale_protocol::messages::{EditMessage, MessageReference, Part};
use samtale_protocol::people::{Role, Withheld, WithheldReason};
use samtale_protocol::threads::StartThread;
use samtale_protocol::{ErrorCode, Event, MessageId, Request, ThreadId};
use samtale_storage::schema::MESSAGES;
use samtale_storage::threads::{SettlementRecord, message_key};

use crate::harness::{Class, Someone, World, sent};

async fn start(
    world: &World,
    who: Someone,
    request: &StartThread,
) -> Result<samtale_protocol::messages::Sent, ErrorCode> {
    sent(world.ask(who, Request::StartThread(request.clone())).await)
}

fn threads(events: &[Event]) -> usize {
    let mut threads: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Thread(thread) => Some(thread.thread),
            _ => None,
        })
        .collect();
    threads.sort_unstable();
    threads.dedup();
    threads.len()
}

#[tokio::test]
async fn a_start_and_a_send_are_one_however_often_and_late_they_are_retried() {
    let class = Class::new().await;
    let world = &class.world;
    let request = world.a_start(vec![class.guardians()], "Emne", "et");
    let first = start(world, class.teacher, &request).await.unwrap();
    let send = world.a_send(first.thread, "to");
    let second = sent(world.ask(class.anna, Request::SendMessage(send.clone())).await).unwrap();
    for wait in [0, 1, 11, 3_600, 200 * 24 * 3_600] {
        world.advance(Duration::from_secs(wait));
        assert_eq!(start(world, class.teacher, &request).await, Ok(first), "after {wait} s");
        assert_eq!(
            sent(world.ask(class.anna, Request::SendMessage(send.clone())).await),
            Ok(second),
            "after {wait} s"
        );
    }
    assert_eq!(world.texts(class.carl, first.thread).await, ["et", "to"]);
    assert_eq!(threads(&world.events_of(class.carl).await), 1);
    assert_eq!(world.inbox(class.carl, None, 10).await.entries.len(), 1);
    // What was allowed when it was sent stays answered when it no longer is.
    world
        .set_tables(&[(Role::Employee, Role::Guardian)], &[], Default::default())
        .await;
    assert_eq!(start(world, class.teacher, &request).await, Ok(first));
}

#[tokio::test]
async fn a_start_that_came_too_late_leaves_nothing_and_is_sent_again() {
    let class = Class::new().await;
    let world = &class.world;
    let mut request = world.a_start(vec![class.anna.to()], "Emne", "sent");
    world.advance(Duration::from_secs(11));
    assert_eq!(start(world, class.teacher, &request).await, Err(ErrorCode::Restamp));
    assert_eq!(start(world, class.teacher, &request).await, Err(ErrorCode::Restamp));
    assert!(world.inbox(class.anna, None, 10).await.entries.is_empty());
    assert_eq!(threads(&world.events_of(class.anna).await), 0);
    request.sent_at = world.now();
    let first = start(world, class.teacher, &request).await.unwrap();
    assert_eq!(world.texts(class.anna, first.thread).await, ["sent"]);
    assert_eq!(world.inbox(class.teacher, None, 10).await.entries.len(), 1);
    assert_eq!(threads(&world.replayed(class.anna).await), 1);

    let mut send = world.a_send(first.thread, "for sent");
    world.advance(Duration::from_secs(11));
    for _ in 0..2 {
        assert_eq!(
            sent(world.ask(class.anna, Request::SendMessage(send.clone())).await),
            Err(ErrorCode::Restamp)
        );
    }
    send.sent_at = world.now();
    sent(world.ask(class.anna, Request::SendMessage(send)).await).unwrap();
    assert_eq!(world.texts(class.anna, first.thread).await, ["sent", "for sent"]);
}

#[tokio::test]
async fn a_client_id_says_one_thing_only() {
    let class = Class::new().await;
    let world = &class.world;
    let request = world.a_start(vec![class.anna.to()], "Emne", "et");
    let thread = start(world, class.teacher, &request).await.unwrap().thread;
    let send = world.a_send(thread, "to");
    sent(world.ask(class.anna, Request::SendMessage(send.clone())).await).unwrap();
    for wait in [0, 11] {
        world.advance(Duration::from_secs(wait));
        let mut other = request.clone();
        other.parts = vec![Part::text("andet")];
        assert_eq!(
            start(world, class.teacher, &other).await,
            Err(ErrorCode::ClientIdReused),
            "text"
        );
        let other = StartThread {
            subject: "Andet".to_owned(),
            ..request.clone()
        };
        assert_eq!(
            start(world, class.teacher, &other).await,
            Err(ErrorCode::ClientIdReused),
            "subject"
        );
        let other = StartThread {
            to: vec![class.carl.to()],
            ..request.clone()
        };
        assert_eq!(
            start(world, class.teacher, &other).await,
            Err(ErrorCode::ClientIdReused),
            "recipients"
        );
        let mut other = send.clone();
        other.parts = vec![Part::text("andet")];
        let answer = world.ask(class.anna, Request::SendMessage(other)).await;
        assert_eq!(sent(answer), Err(ErrorCode::ClientIdReused));
    }
    assert_eq!(world.texts(class.teacher, thread).await, ["et", "to"]);
}

#[tokio::test]
async fn a_clock_that_is_ahead_stores_nothing() {
    let class = Class::new().await;
    let world = &class.world;
    let thread = world
        .start(class.teacher, vec![class.anna.to()], "et")
        .await
        .unwrap()
        .thread;
    let mut request = world.a_start(vec![class.anna.to()], "Emne", "frem");
    let mut send = world.a_send(thread, "frem");
    request.sent_at = world.now().plus(Duration::from_millis(2_001));
    send.sent_at = world.now().plus(Duration::from_millis(2_001));
    let before = world.engine.calls();
    assert_eq!(start(world, class.teacher, &request).await, Err(ErrorCode::ClockAhead));
    assert_eq!(
        sent(world.ask(class.anna, Request::SendMessage(send)).await),
        Err(ErrorCode::ClockAhead)
    );
    let after = world.engine.calls();
    assert_eq!((before.writes, before.compares), (after.writes, after.compares));
}

#[tokio::test]
async fn a_retry_does_not_bring_back_what_was_edited_or_recalled() {
    let class = Class::new().await;
    let world = &class.world;
    let thread = world
        .start(class.teacher, vec![class.anna.to()], "et")
        .await
        .unwrap()
        .thread;
    let send = world.a_send(thread, "fortrudt");
    let message = sent(world.ask(class.anna, Request::SendMessage(send.clone())).await)
        .unwrap()
        .message;
    world
        .must(class.anna, Request::RecallMessage(MessageReference { thread, message }))
        .await;
    let told = world.told(class.teacher).await.len();
    sent(world.ask(class.anna, Request::SendMessage(send)).await).unwrap();
    let all = world.told(class.teacher).await;
    assert!(all[told..].iter().all(String::is_empty), "{all:?}");
    assert_eq!(world.inbox(class.teacher, None, 10).await.entries[0].preview, "");
    let edit = EditMessage {
        thread,
        message,
        parts: vec![Part::text("igen")],
    };
    let refused = world.ask(class.anna, Request::EditMessage(edit)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Recalled);
}

#[tokio::test]
async fn a_send_that_storage_refused_is_in_no_list() {
    let class = Class::new().await;
    let world = &class.world;
    let thread = world
        .start(class.teacher, vec![class.anna.to()], "et")
        .await
        .unwrap()
        .thread;
    let send = world.a_send(thread, "uden plads");
    world.engine.refuse_messages(true);
    assert_eq!(
        sent(world.ask(class.teacher, Request::SendMessage(send.clone())).await),
        Err(ErrorCode::StorageFull)
    );
    world.engine.refuse_messages(false);
    let entry = world.inbox(class.anna, None, 10).await.entries.remove(0);
    assert_eq!(entry.unread, 1);
    assert!(!entry.preview.contains("uden plads") && world.told(class.anna).await == ["et"]);
    sent(world.ask(class.teacher, Request::SendMessage(send)).await).unwrap();
    assert_eq!(world.inbox(class.anna, None, 10).await.entries[0].preview, "uden plads");
}

#[tokio::test]
async fn a_start_whose_message_was_never_stored_is_not_told_from_the_journal_either() {
    let class = Class::new().await;
    let world = &class.world;
    let mut request = world.a_start(vec![class.anna.to()], "Emne", "et");
    world.engine.refuse_messages(true);
    assert_eq!(start(world, class.teacher, &request).await, Err(ErrorCode::StorageFull));
    world.engine.refuse_messages(false);
    world.advance(Duration::from_secs(11));
    assert_eq!(start(world, class.teacher, &request).await, Err(ErrorCode::Restamp));
    assert_eq!(threads(&world.replayed_from_journal(class.anna).await), 0);
    assert!(world.inbox(class.anna, None, 10).await.entries.is_empty());
    request.sent_at = world.now();
    start(world, class.teacher, &request).await.unwrap();
    assert_eq!(threads(&world.replayed_from_journal(class.anna).await), 1);
    assert_eq!(world.inbox(class.anna, None, 10).await.entries.len(), 1);
}

/// What a node that died left half settled: a message that is stored, and what was decided of it so far.
async fn half_settled(class: &Class, settlement: SettlementRecord) -> (ThreadId, MessageId) {
    let world = &class.world;
    let thread = world
        .start(class.teacher, vec![class.anna.to()], "et")
        .await
        .unwrap()
        .thread;
    let message = world.send(class.anna, thread, "to").await.unwrap();
    let key = message_key(world.space, thread, message);
    world.store.compare_and_set(&key, None, &settlement).await.unwrap();
    (thread, message)
}

#[tokio::test]
async fn a_page_shows_no_message_that_is_about_to_become_a_void() {
    let class = Class::new().await;
    let (thread, _) = half_settled(&class, SettlementRecord::Never).await;
    class.world.advance(Duration::from_secs(11));
    assert_eq!(class.world.texts(class.teacher, thread).await, ["et"]);
    let told = class.world.replayed_from_journal(class.teacher).await;
    assert!(
        !told
            .iter()
            .any(|event| matches!(event, Event::Message(message) if Part::plain_text(&message.parts) == "to"))
    );
}

#[tokio::test]
async fn whoever_reads_a_message_that_is_being_closed_decides_that_it_stays() {
    let class = Class::new().await;
    let (thread, message) = half_settled(&class, SettlementRecord::Closing).await;
    class.world.advance(Duration::from_secs(11));
    assert_eq!(class.world.texts(class.teacher, thread).await, ["et", "to"]);
    let key = message_key(class.world.space, thread, message);
    let decided = class.world.store.get::<SettlementRecord>(&key).await.unwrap();
    assert_eq!(decided.map(|row| row.record), Some(SettlementRecord::Stored));
}

#[tokio::test]
async fn a_page_counts_what_is_damaged_and_shows_the_rest() {
    let class = Class::new().await;
    let world = &class.world;
    let thread = world
        .start(class.teacher, vec![class.anna.to()], "et")
        .await
        .unwrap()
        .thread;
    let message = world.send(class.anna, thread, "to").await.unwrap();
    world.send(class.anna, thread, "tre").await.unwrap();
    let key = message_key(world.space, thread, message);
    world.damage(&MESSAGES, key).await;
    let page = world.history(class.teacher, thread).await.unwrap();
    let texts: Vec<String> = page
        .messages
        .iter()
        .map(|message| Part::plain_text(&message.parts))
        .collect();
    assert_eq!(texts, ["et", "tre"]);
    let reason = WithheldReason::Unreadable;
    assert_eq!(page.withheld, [Withheld { count: 1, reason }]);
}
