//! Edit, recall, pages of history, read markers.

use std::time::Duration;

use samtale_protocol::messages::{EditMessage, History, HistoryPage, MarkRead, MessageReference, Part, ReadMarker};
use samtale_protocol::threads::ThreadReference;
use samtale_protocol::{ErrorCode, Event, MessageId, Reply, Request, ThreadId};
use samtale_storage::directory::ReadReceipts;
use samtale_storage::threads::{MessageRecord, head_key, message_key};

use crate::harness::{Class, Someone, World, as_text, code, sent};

#[tokio::test]
async fn an_edit_replaces_the_text_everywhere() {
    let class = Class::new().await;
    let world = &class.world;
    let first = world
        .start(class.teacher, vec![class.anna.to()], "kl. 8")
        .await
        .unwrap();
    let edit = |text: &str| {
        Request::EditMessage(EditMessage {
            thread: first.thread,
            message: first.message,
            parts: vec![Part::text(text)],
        })
    };
    assert_eq!(
        code(world.ask(class.anna, edit("kl. 7")).await),
        ErrorCode::NotPermitted
    );
    let Reply::Message(edited) = world.must(class.teacher, edit("kl. 9")).await else {
        panic!("not edited")
    };
    assert!(edited.edited_at.is_some() && edited.version > edited.sent_at.as_micros());
    assert_eq!(
        world.must(class.teacher, edit("kl. 9")).await,
        Reply::Message(edited),
        "the same again is no change"
    );
    assert_eq!(world.texts(class.anna, first.thread).await, ["kl. 9"]);
    let entry = world.inbox(class.anna, None, 10).await.entries.remove(0);
    assert_eq!((entry.preview.as_str(), entry.unread), ("kl. 9", 1));
    assert_eq!(world.told(class.anna).await.last().unwrap(), "kl. 9");
}

#[tokio::test]
async fn a_recalled_text_is_gone_from_storage_lists_and_replays() {
    let class = Class::new().await;
    let world = &class.world;
    let thread = world
        .start(class.teacher, vec![class.anna.to()], "hej")
        .await
        .unwrap()
        .thread;
    let message = world.send(class.teacher, thread, "kanarie").await.unwrap();
    let which = MessageReference { thread, message };
    assert_eq!(world.inbox(class.anna, None, 10).await.entries[0].preview, "kanarie");
    assert_eq!(
        code(world.ask(class.anna, Request::RecallMessage(which)).await),
        ErrorCode::NotPermitted
    );
    let Reply::Message(recalled) = world.must(class.teacher, Request::RecallMessage(which)).await else {
        panic!("not recalled")
    };
    assert!(recalled.recalled_at.is_some() && recalled.parts.is_empty());
    let key = message_key(world.space, thread, message);
    let row = world.store.get::<MessageRecord>(&key).await.unwrap().unwrap();
    assert!(!format!("{row:?}").contains("kanarie"));
    let head = head_key(world.space, thread);
    let head = world
        .store
        .get::<samtale_storage::threads::ThreadHeadRecord>(&head)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(head.record.preview, "");
    assert_eq!(
        world.engine.tables_that_saw("kanarie"),
        ["messages", "thread_heads"],
        "the journal never had it"
    );
    assert_eq!(world.inbox(class.anna, None, 10).await.entries[0].preview, "");
    assert_eq!(
        world.history(class.anna, thread).await.unwrap().messages.len(),
        2,
        "its place stays"
    );
    assert!(!as_text(&world.replayed(class.anna).await).contains("kanarie"));
    assert!(!as_text(&world.replayed_from_journal(class.anna).await).contains("kanarie"));
    assert_eq!(
        world.must(class.teacher, Request::RecallMessage(which)).await,
        Reply::Message(recalled)
    );
}

async fn page(world: &World, who: Someone, request: History) -> HistoryPage {
    match world.ask(who, Request::History(request)).await {
        Ok(Reply::History(page)) => page,
        other => panic!("no page: {other:?}"),
    }
}

/// The whole thread, page by page: back from the newest, or on from `after`.
async fn walk(world: &World, who: Someone, thread: ThreadId, after: Option<MessageId>, limit: u32) -> Vec<String> {
    let mut request = History {
        thread,
        before: None,
        after,
        limit,
    };
    let mut texts: Vec<String> = Vec::new();
    loop {
        let HistoryPage { messages, more, .. } = page(world, who, request.clone()).await;
        assert!(messages.len() <= limit as usize && messages.is_sorted_by_key(|message| message.message));
        assert!(
            !more || !messages.is_empty(),
            "a page that is not the last holds something"
        );
        let found: Vec<String> = messages
            .iter()
            .map(|message| Part::plain_text(&message.parts))
            .collect();
        if after.is_some() {
            texts.extend(found);
            request.after = messages.last().map(|last| last.message).or(request.after);
        } else {
            texts.splice(0..0, found);
            request.before = messages.first().map(|first| first.message);
        }
        if !more {
            return texts;
        }
    }
}

#[tokio::test]
async fn history_goes_both_ways_through_quarters_and_sizes() {
    let class = Class::new().await;
    let world = &class.world;
    let first = world.start(class.teacher, vec![class.anna.to()], "0").await.unwrap();
    let thread = first.thread;
    let mut expected = vec!["0".to_owned()];
    for number in 1..60 {
        // Nine quarters, some of them without a message, and now and then a large one.
        world.advance(Duration::from_secs(24 * 3_600 * if number % 20 == 0 { 200 } else { 4 }));
        let text = if number % 7 == 0 {
            format!("{number} {}", "æ".repeat(6_000))
        } else {
            number.to_string()
        };
        world
            .send(if number % 2 == 0 { class.anna } else { class.teacher }, thread, &text)
            .await
            .unwrap();
        expected.push(text);
    }
    for limit in [1, 3, 7, 59, 60, 100] {
        assert_eq!(
            walk(world, class.anna, thread, None, limit).await,
            expected,
            "back, {limit} at a time"
        );
        let on = walk(world, class.anna, thread, Some(first.message), limit).await;
        assert_eq!(on, expected[1..], "on, {limit} at a time");
    }
    let both = History {
        thread,
        before: Some(first.message),
        after: Some(first.message),
        limit: 10,
    };
    assert_eq!(
        code(world.ask(class.anna, Request::History(both)).await),
        ErrorCode::BadRequest
    );
}

async fn mark(world: &World, who: Someone, thread: ThreadId, messages: &[MessageId]) -> ReadMarker {
    let messages = messages.to_vec();
    match world.must(who, Request::MarkRead(MarkRead { thread, messages })).await {
        Reply::Read(read) => read,
        other => panic!("no marker: {other:?}"),
    }
}

#[tokio::test]
async fn who_has_read_is_shown_by_the_policy_of_the_space() {
    for (policy, guardian_sees, staff_sees) in [
        (ReadReceipts::Everyone, true, true),
        (ReadReceipts::Staff, false, true),
        (ReadReceipts::Nobody, false, false),
    ] {
        let class = Class::new().await;
        let world = &class.world;
        world.set_tables(&[], &[], policy).await;
        let first = world
            .start(class.teacher, vec![class.anna.to(), class.carl.to()], "et")
            .await
            .unwrap();
        world.advance(Duration::from_secs(20));
        let read = mark(world, class.anna, first.thread, &[first.message]).await;
        assert_eq!(read.up_to, Some(first.message));
        for (who, sees) in [
            (class.carl, guardian_sees),
            (class.teacher, staff_sees),
            (class.anna, true),
        ] {
            let details = world.open(who, first.thread).await.unwrap();
            let anna = details
                .members
                .iter()
                .find(|member| member.profile == class.anna.profile)
                .unwrap();
            assert_eq!(anna.read.is_some(), sees, "{policy:?}");
            let is_read =
                |event: &Event| matches!(event, Event::Read { profile, .. } if *profile == class.anna.profile);
            assert_eq!(world.events_of(who).await.iter().any(is_read), sees, "{policy:?}");
        }
    }
}

#[tokio::test]
async fn unread_counts_include_a_message_that_arrives_late_and_not_what_one_wrote() {
    let class = Class::new().await;
    let world = &class.world;
    let first = world.start(class.teacher, vec![class.anna.to()], "et").await.unwrap();
    let thread = first.thread;
    let late = world.a_send(thread, "sent på vejen");
    let third = world.send(class.teacher, thread, "tre").await.unwrap();
    let unread = || async { world.inbox(class.anna, None, 10).await.entries[0].unread };
    assert_eq!(unread().await, 2);
    mark(world, class.anna, thread, &[first.message, third]).await;
    assert_eq!(unread().await, 0);
    world.advance(Duration::from_secs(3));
    sent(world.ask(class.teacher, Request::SendMessage(late)).await).unwrap();
    assert_eq!(unread().await, 1, "it stands before what was read, and was not");
    world.send(class.anna, thread, "mit eget").await.unwrap();
    assert_eq!(unread().await, 1);
    assert_eq!(
        world.texts(class.anna, thread).await,
        ["et", "sent på vejen", "tre", "mit eget"]
    );
    for number in 0..60 {
        world.send(class.teacher, thread, &number.to_string()).await.unwrap();
    }
    assert_eq!(unread().await, 50, "fifty or more");
    world.advance(Duration::from_secs(11));
    let newest = world
        .history(class.anna, thread)
        .await
        .unwrap()
        .messages
        .pop()
        .unwrap()
        .message;
    let read = mark(world, class.anna, thread, &[newest]).await;
    assert_eq!((read.up_to, read.also.len()), (Some(newest), 0));
    assert_eq!(unread().await, 0);
}

#[tokio::test]
async fn who_left_marks_only_what_they_may_read() {
    let class = Class::new().await;
    let world = &class.world;
    let first = world.start(class.teacher, vec![class.anna.to()], "et").await.unwrap();
    let thread = first.thread;
    world
        .must(class.anna, Request::LeaveThread(ThreadReference { thread }))
        .await;
    let after = world.send(class.teacher, thread, "to").await.unwrap();
    world.advance(Duration::from_secs(11));
    assert_eq!(mark(world, class.anna, thread, &[after]).await, ReadMarker::default());
    assert_eq!(
        mark(world, class.anna, thread, &[first.message, after]).await.up_to,
        Some(first.message)
    );
}

#[tokio::test]
async fn an_answer_is_later_than_its_question() {
    let class = Class::new().await;
    let world = &class.world;
    let thread = world
        .start(class.teacher, vec![class.anna.to()], "et")
        .await
        .unwrap()
        .thread;
    let mut answer = world.a_send(thread, "svar");
    let question = world.send(class.teacher, thread, "hvad?").await.unwrap();
    answer.reply_to = Some(question);
    let refused = world.ask(class.anna, Request::SendMessage(answer.clone())).await;
    assert_eq!(sent(refused), Err(ErrorCode::Restamp));
    world.advance(Duration::from_millis(5));
    answer.sent_at = world.now();
    sent(world.ask(class.anna, Request::SendMessage(answer)).await).unwrap();
    assert_eq!(world.texts(class.teacher, thread).await, ["et", "hvad?", "svar"]);
}
