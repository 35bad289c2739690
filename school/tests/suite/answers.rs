//! Answers to the sender of a message alone: one thread of the two, through every retry.

use std::time::Duration;

use samtale_protocol::messages::{Part, ReplyToSender, Sent};
use samtale_protocol::people::Caller;
use samtale_protocol::{ErrorCode, Reply, Request};
use samtale_school::School;

use crate::harness::{Class, World, sent};

#[tokio::test]
async fn an_answer_to_the_sender_opens_and_continues_one_thread_through_every_retry() {
    let class = Class::new().await;
    let world = &class.world;
    let first = world
        .start(class.teacher, vec![class.guardians()], "Til alle")
        .await
        .unwrap();
    let mut reply = ReplyToSender {
        thread: first.thread,
        message: first.message,
        client_id: world.a_send(first.thread, "").client_id,
        sent_at: world.now(),
        parts: vec![Part::text("Kun til dig")],
    };
    world.advance(Duration::from_secs(11));
    let ask = |reply: &ReplyToSender| world.ask(class.anna, Request::ReplyToSender(reply.clone()));
    assert_eq!(sent(ask(&reply).await), Err(ErrorCode::Restamp));
    assert_eq!(
        world.inbox(class.teacher, None, 10).await.entries.len(),
        1,
        "no thread without a message"
    );
    reply.sent_at = world.now();
    let answer = sent(ask(&reply).await).unwrap();
    assert_eq!(sent(ask(&reply).await), Ok(answer));
    assert_ne!(answer.thread, first.thread);
    assert_eq!(world.texts(class.teacher, answer.thread).await, ["Kun til dig"]);
    assert!(world.told(class.carl).await.iter().all(|text| text != "Kun til dig"));
    let linked = world.open(class.teacher, answer.thread).await.unwrap().thread.linked_to;
    assert_eq!(linked.map(|linked| linked.message), Some(first.message));
    reply.client_id = world.a_send(first.thread, "").client_id;
    reply.sent_at = world.now();
    let again = sent(ask(&reply).await).unwrap();
    assert_eq!(again.thread, answer.thread, "a second answer continues");

    // Whoever left comes back with the next answer.
    let leave = samtale_protocol::threads::ThreadReference { thread: answer.thread };
    let Reply::MembershipChanged(_) = world.must(class.anna, Request::LeaveThread(leave)).await else {
        panic!("not left")
    };
    reply.client_id = world.a_send(first.thread, "").client_id;
    reply.sent_at = world.now();
    reply.parts = vec![Part::text("Alligevel")];
    assert_eq!(sent(ask(&reply).await).unwrap().thread, answer.thread);
    assert_eq!(
        world.texts(class.anna, answer.thread).await,
        ["Kun til dig", "Kun til dig", "Alligevel"]
    );
    world.send(class.anna, answer.thread, "Tak").await.unwrap();
}

#[tokio::test]
async fn two_who_answer_each_other_alone_at_the_same_moment_both_read_all_of_it() {
    // Whose time is the earlier one must not matter.
    for (of_anna, of_teacher) in [(0, 700), (700, 0)] {
        let class = Class::new().await;
        let world = &class.world;
        let to = vec![class.guardians()];
        let first = world.start(class.teacher, to, "Til alle").await.unwrap();
        let question = world.send(class.anna, first.thread, "Hvornår?").await.unwrap();
        let node = world.deaf_node();
        let answer = |message, later| ReplyToSender {
            thread: first.thread,
            message,
            client_id: world.a_send(first.thread, "").client_id,
            sent_at: world.now().plus(Duration::from_millis(later)),
            parts: vec![Part::text("Kun til dig")],
        };
        let (of_anna, of_teacher) = (answer(first.message, of_anna), answer(question, of_teacher));
        // The teacher's node has seen that there is no such thread when Anna's makes it.
        world.engine.let_write_hang(1);
        let meanwhile = async {
            world.engine.hangs().await;
            let sent = until_stamped(world, &world.school, &class.anna.caller(), of_anna).await;
            world.engine.go_on();
            sent
        };
        let caller = class.teacher.caller();
        let (teacher, anna) = futures_util::join!(until_stamped(world, &node, &caller, of_teacher), meanwhile);
        assert_eq!(anna.thread, teacher.thread, "one thread of the two");
        // Whatever either wrote of the members holds from the next change of them on.
        world.advance(Duration::from_secs(1));
        let to = vec![class.colleague.to()];
        world.add(class.teacher, anna.thread, to, true).await.unwrap();
        for someone in [class.anna, class.teacher, class.colleague] {
            assert_eq!(world.texts(someone, anna.thread).await.len(), 2);
        }
    }
}

/// Asks as a client does: later when it must, and with a new time when the first was too early.
async fn until_stamped(world: &World, node: &School, caller: &Caller, mut answer: ReplyToSender) -> Sent {
    loop {
        match sent(node.handle(caller, Request::ReplyToSender(answer.clone())).await) {
            Err(ErrorCode::StorageUnavailable) => world.advance(Duration::from_secs(5)),
            Err(ErrorCode::Restamp) => answer.sent_at = world.now(),
            sent => return sent.unwrap(),
        }
    }
}
