//! What was missed is read from storage by the page, and says the same as if each message were asked for alone.

use std::time::Duration;

use samtale_protocol::messages::{MessageReference, Part};
use samtale_protocol::{Event, MessageId, Request, ThreadId};
use samtale_storage::schema::MESSAGES;
use samtale_storage::threads::{SettlementRecord, message_key};

use crate::harness::{Class, Someone, World};

/// Longer than a message may be undecided, so that its settlement is asked for too.
const LATER: Duration = Duration::from_secs(60);

/// The texts of one thread as the journal tells of them, each once.
async fn told(world: &World, who: Someone, thread: ThreadId) -> Vec<String> {
    let told = world.replayed_from_journal(who).await;
    let messages = told.into_iter().filter_map(|event| match event {
        Event::Message(message) if message.thread == thread => Some(message),
        _ => None,
    });
    messages.map(|message| Part::plain_text(&message.parts)).collect()
}

/// A thread of the teacher and Anna with these messages behind the first.
async fn talk(class: &Class, texts: &[&str]) -> (ThreadId, Vec<MessageId>) {
    let world = &class.world;
    let to = vec![class.anna.to()];
    let thread = world.start(class.teacher, to, "først").await.unwrap().thread;
    let mut messages = Vec::new();
    for text in texts {
        world.advance(Duration::from_secs(1));
        messages.push(world.send(class.teacher, thread, text).await.unwrap());
    }
    (thread, messages)
}

#[tokio::test]
async fn the_messages_of_an_outage_take_few_questions() {
    let class = Class::new().await;
    let world = &class.world;
    let texts: Vec<String> = (0..150).map(|number| format!("nr. {number}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (thread, _) = talk(&class, &texts).await;
    world.advance(LATER);
    let before = world.engine.calls();
    let told = told(world, class.anna, thread).await;
    assert_eq!(told[1..], texts);
    let after = world.engine.calls();
    let asked = after.gets + after.scans - before.gets - before.scans;
    assert!(
        asked < texts.len() / 4,
        "{asked} questions for {} messages",
        texts.len()
    );
}

#[tokio::test]
async fn among_many_one_that_was_recalled_or_is_decided_is_told_as_it_is() {
    let class = Class::new().await;
    let world = &class.world;
    let (thread, messages) = talk(&class, &["et", "to", "tre", "fire", "fem", "seks"]).await;
    let message = messages[0];
    world
        .must(
            class.teacher,
            Request::RecallMessage(MessageReference { thread, message }),
        )
        .await;
    let key = |number: usize| message_key(world.space, thread, messages[number]);
    for (number, settlement) in [(1, SettlementRecord::Never), (2, SettlementRecord::Closing)] {
        world
            .store
            .compare_and_set(&key(number), None, &settlement)
            .await
            .unwrap();
    }
    world.advance(LATER);
    let told = told(world, class.anna, thread).await;
    assert!(!told.iter().any(|text| text == "et" || text == "to"), "{told:?}");
    assert_eq!(told[told.len() - 5..], ["tre", "fire", "fem", "seks", ""], "{told:?}");
    let decided = world.store.get::<SettlementRecord>(&key(2)).await.unwrap();
    assert_eq!(decided.map(|row| row.record), Some(SettlementRecord::Stored));
}

#[tokio::test]
async fn one_damaged_message_does_not_take_the_others_with_it() {
    let class = Class::new().await;
    let world = &class.world;
    let (thread, messages) = talk(&class, &["et", "to", "tre", "fire"]).await;
    let key = message_key(world.space, thread, messages[1]);
    world.damage(&MESSAGES, key).await;
    world.advance(LATER);
    assert_eq!(told(world, class.anna, thread).await, ["først", "et", "tre", "fire"]);
}
