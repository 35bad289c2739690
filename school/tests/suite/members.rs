//! Members who come and go, and what each of them reads.

use std::time::Duration;

use samtale_protocol::messages::{EditMessage, Part};
use samtale_protocol::people::WithheldReason;
use samtale_protocol::threads::{OpenThread, RemoveMembers, ThreadReference};
use samtale_protocol::{Audience, ErrorCode, Event, EventId, Reply, Request};
use samtale_router::{LogEntry, Rights as _};
use samtale_storage::journal::Fact;

use crate::harness::{Class, Someone};

fn remove(thread: samtale_protocol::ThreadId, who: Someone) -> Request {
    Request::RemoveMembers(RemoveMembers {
        thread,
        profiles: vec![who.profile],
    })
}

#[tokio::test]
async fn a_newcomer_reads_from_now_on_or_from_the_beginning() {
    let class = Class::new().await;
    let world = &class.world;
    let thread = world
        .start(class.teacher, vec![class.anna.to()], "et")
        .await
        .unwrap()
        .thread;
    world.send(class.anna, thread, "to").await.unwrap();
    world
        .add(class.teacher, thread, vec![class.carl.to()], false)
        .await
        .unwrap();
    world
        .add(class.teacher, thread, vec![class.bo.to()], true)
        .await
        .unwrap();
    world.send(class.teacher, thread, "tre").await.unwrap();
    assert_eq!(world.texts(class.carl, thread).await, ["tre"]);
    assert_eq!(world.texts(class.bo, thread).await, ["et", "to", "tre"]);
    let withheld = world.history(class.carl, thread).await.unwrap().withheld;
    assert_eq!(
        (withheld[0].count, withheld[0].reason),
        (2, WithheldReason::OutsideMembership)
    );
    assert!(world.history(class.bo, thread).await.unwrap().withheld.is_empty());
    let joined = |event: &Event| matches!(event, Event::Membership { profile, left_at: None, .. } if *profile == class.carl.profile);
    assert!(world.events_of(class.anna).await.iter().any(joined), "all see who came");
    assert_eq!(
        world.add(class.anna, thread, vec![class.carl.to()], true).await,
        Err(ErrorCode::NotPermitted)
    );
}

#[tokio::test]
async fn two_changes_of_the_members_at_a_time_are_two_even_if_a_node_does_not_hear_that_it_was_second() {
    let class = Class::new().await;
    let world = &class.world;
    let to = vec![class.anna.to(), class.bo.to()];
    let thread = world.start(class.teacher, to, "Hej").await.unwrap().thread;
    let (node, teacher) = (world.deaf_node(), class.teacher.caller());
    // Both know all that they need, so that they get to the change at the same moment.
    let open = Request::OpenThread(OpenThread { thread, after: None });
    node.handle(&teacher, open).await.unwrap();
    world.engine.be_unsure();
    let before = world.engine.calls().compares;
    let (one, other) = futures_util::join!(
        world.ask(class.teacher, remove(thread, class.anna)),
        node.handle(&teacher, remove(thread, class.bo)),
    );
    let version = |reply| match reply {
        Ok(Reply::MembershipChanged(changed)) => changed.membership_version,
        other => panic!("{other:?}"),
    };
    assert_ne!(
        version(one),
        version(other),
        "other nodes would keep the list from between the two"
    );
    let tries = world.engine.calls().compares - before;
    assert!(tries > 4, "one of the two was second, and began again: {tries}");
}

#[tokio::test]
async fn a_thread_that_is_read_while_its_members_change_is_not_kept_as_the_newest() {
    let class = Class::new().await;
    let world = &class.world;
    let to = vec![class.anna.to(), class.bo.to()];
    let thread = world.start(class.teacher, to, "Hej").await.unwrap().thread;
    let (node, teacher) = (world.deaf_node(), class.teacher.caller());
    let open = Request::OpenThread(OpenThread { thread, after: None });
    world.engine.hold_next_scan("members");
    let change_meanwhile = async {
        while !world.engine.holds() {
            tokio::task::yield_now().await;
        }
        world.must(class.teacher, remove(thread, class.anna)).await;
        let is_change = |event: &Event| matches!(event, Event::Membership { left_at: Some(_), .. });
        let event = world.events_of(class.bo).await.into_iter().find(is_change);
        let heard = LogEntry {
            id: EventId::at(world.now(), &[3; 10]),
            time: world.now(),
            audience: Audience::default(),
            fact: Fact::Membership {
                thread,
                profile: class.anna.profile,
            },
            event,
        };
        node.observe(world.space, &heard);
        world.engine.let_go();
    };
    let (opened, ()) = futures_util::join!(node.handle(&teacher, open), change_meanwhile);
    opened.unwrap();
    let send = Request::SendMessage(world.a_send(thread, "nej"));
    let sent = node.handle(&class.anna.caller(), send).await;
    assert_eq!(sent.map_err(|refusal| refusal.code), Err(ErrorCode::NotPermitted));
}

#[tokio::test]
async fn an_edit_of_an_old_message_does_not_reach_who_may_not_read_it() {
    let class = Class::new().await;
    let world = &class.world;
    let first = world
        .start(class.teacher, vec![class.anna.to()], "hemmelig")
        .await
        .unwrap();
    world
        .add(class.teacher, first.thread, vec![class.carl.to()], false)
        .await
        .unwrap();
    let edit = EditMessage {
        thread: first.thread,
        message: first.message,
        parts: vec![Part::text("stadig hemmelig")],
    };
    world.must(class.teacher, Request::EditMessage(edit)).await;
    assert_eq!(world.told(class.anna).await, ["hemmelig", "stadig hemmelig"]);
    assert!(world.told(class.carl).await.is_empty());
    let replayed = world.replayed(class.carl).await;
    assert!(
        !replayed.iter().any(|event| matches!(event, Event::Message(_))),
        "{replayed:?}"
    );
    let replayed = world.replayed_from_journal(class.carl).await;
    assert!(
        !replayed.iter().any(|event| matches!(event, Event::Message(_))),
        "{replayed:?}"
    );
    assert!(world.texts(class.carl, first.thread).await.is_empty());
    let entry = world.inbox(class.carl, None, 10).await.entries.remove(0);
    assert_eq!((entry.preview.as_str(), entry.unread), ("", 0));
}

#[tokio::test]
async fn who_is_taken_out_or_leaves_reads_up_to_then() {
    let class = Class::new().await;
    let world = &class.world;
    let to = vec![class.anna.to(), class.carl.to()];
    let thread = world.start(class.teacher, to, "et").await.unwrap().thread;
    world.must(class.teacher, remove(thread, class.anna)).await;
    world
        .must(class.carl, Request::LeaveThread(ThreadReference { thread }))
        .await;
    world.send(class.teacher, thread, "to").await.unwrap();
    world
        .add(class.teacher, thread, vec![class.bo.to()], false)
        .await
        .unwrap();
    for who in [class.anna, class.carl] {
        assert_eq!(world.texts(who, thread).await, ["et"]);
        assert_eq!(world.told(who).await, ["et"]);
        assert_eq!(world.send(who, thread, "nej").await, Err(ErrorCode::NotPermitted));
        let left = |event: &Event| matches!(event, Event::Membership { profile, left_at: Some(_), .. } if *profile == who.profile);
        assert!(
            world.events_of(who).await.iter().any(left),
            "they are told that they left"
        );
        let replayed = world.replayed(who).await;
        assert_eq!(
            replayed
                .iter()
                .filter(|event| matches!(event, Event::Message(_)))
                .count(),
            1
        );
        let details = world.open(who, thread).await.unwrap();
        assert!(!details.may_write);
        assert!(
            details.members.iter().all(|member| member.profile != class.bo.profile),
            "he came later"
        );
        let entry = world.inbox(who, None, 10).await.entries.remove(0);
        assert!(entry.left_at.is_some() && entry.unread == 1);
    }
    assert_eq!(world.texts(class.teacher, thread).await, ["et", "to"]);
}

#[tokio::test]
async fn a_change_of_members_outlives_a_start_whose_clock_was_ahead() {
    let class = Class::new().await;
    let world = &class.world;
    let mut start = world.a_start(vec![class.anna.to()], "Emne", "et");
    start.sent_at = start.sent_at.plus(std::time::Duration::from_millis(1_900));
    let first = crate::harness::sent(world.ask(class.teacher, Request::StartThread(start)).await).unwrap();
    let replayed = world.replayed(class.anna).await;
    assert!(
        replayed.iter().any(|event| matches!(event, Event::Message(_))),
        "a founder's replay has the first message"
    );
    world.must(class.teacher, remove(first.thread, class.anna)).await;
    assert_eq!(
        world.send(class.anna, first.thread, "to").await,
        Err(ErrorCode::NotPermitted)
    );
    assert_eq!(world.texts(class.anna, first.thread).await, ["et"]);
}

#[tokio::test]
async fn to_take_out_once_more_who_is_out_opens_nothing_that_was_said_since() {
    let class = Class::new().await;
    let world = &class.world;
    let to = vec![class.anna.to(), class.carl.to()];
    let thread = world.start(class.teacher, to, "et").await.unwrap().thread;
    let deaf = world.deaf_node();
    let history = Request::OpenThread(OpenThread { thread, after: None });
    deaf.handle(&class.teacher.caller(), history).await.unwrap();

    world.must(class.teacher, remove(thread, class.carl)).await;
    world.advance(Duration::from_secs(60));
    world.send(class.teacher, thread, "uden Carl").await.unwrap();
    world.advance(Duration::from_secs(60));
    deaf.handle(&class.teacher.caller(), remove(thread, class.carl))
        .await
        .unwrap();
    world.changed().await;
    assert_eq!(world.texts(class.carl, thread).await, ["et"]);

    // And who was brought back elsewhere is brought back for good.
    world
        .add(class.teacher, thread, vec![class.carl.to()], false)
        .await
        .unwrap();
    world.advance(Duration::from_secs(60));
    deaf.handle(&class.teacher.caller(), remove(thread, class.carl))
        .await
        .unwrap();
    assert_eq!(
        world
            .deaf_node()
            .handle(&class.carl.caller(), Request::SendMessage(world.a_send(thread, "nej")))
            .await
            .map_err(|refusal| refusal.code),
        Err(ErrorCode::NotPermitted)
    );
}
