//! The names of a protected family are in nothing that another family gets.

use samtale_protocol::messages::ReplyToSender;
use samtale_protocol::people::{Explain, ListPeople, Names, WithheldReason};
use samtale_protocol::presence::WatchPresence;
use samtale_protocol::{ErrorCode, Reply, Request};

use crate::harness::{Class, as_text, code};

#[tokio::test]
async fn canary_names_of_a_protected_family_reach_no_other_family() {
    let class = Class::new().await;
    let world = &class.world;
    let first = world
        .start(class.teacher, vec![class.guardians()], "Til alle")
        .await
        .unwrap();
    let thread = first.thread;
    let theirs = world.send(class.dina, thread, "Fra os").await.unwrap();
    let list = |search: Option<&str>| {
        Request::ListPeople(ListPeople {
            space: world.space,
            group: Some(class.group),
            search: search.map(str::to_owned),
            after: None,
            limit: 100,
            as_profile: None,
        })
    };
    let profiles = vec![class.dina.profile, class.david.profile];
    for (who, is_other) in [
        (class.anna, true),
        (class.clara, true),
        (class.dina, false),
        (class.teacher, false),
    ] {
        let mut seen = String::new();
        let requests = [
            list(None),
            list(Some("canary")),
            Request::ListGroups { space: world.space },
            Request::Names(Names {
                space: world.space,
                profiles: profiles.clone(),
            }),
            Request::Explain(Explain {
                space: world.space,
                to: class.dina.to(),
                as_profile: None,
            }),
            Request::WatchPresence(WatchPresence {
                space: world.space,
                profiles: profiles.clone(),
            }),
        ];
        for request in requests {
            if let Ok(reply) = world.ask(who, request).await {
                seen.push_str(&as_text(&reply));
            }
        }
        if let Ok(details) = world.open(who, thread).await {
            seen.push_str(&as_text(&details));
            let hidden = details
                .withheld
                .iter()
                .any(|it| it.reason == WithheldReason::NameProtected && it.count == 1);
            assert_eq!(hidden, is_other);
        }
        seen.push_str(&as_text(&world.inbox(who, None, 100).await));
        seen.push_str(&as_text(&world.events_of(who).await));
        seen.push_str(&as_text(&world.replayed(who).await));
        assert_eq!(!seen.contains("canary"), is_other, "{seen}");
    }
    let visible = world
        .school
        .visible(&class.anna.caller(), world.space, &profiles)
        .await
        .unwrap();
    assert!(visible.is_empty());

    let reply = ReplyToSender {
        thread,
        message: theirs,
        client_id: world.a_send(thread, "").client_id,
        sent_at: world.now(),
        parts: vec![samtale_protocol::messages::Part::text("Hvem er du?")],
    };
    assert_eq!(
        code(world.ask(class.anna, Request::ReplyToSender(reply)).await),
        ErrorCode::NotPermitted
    );
    let Ok(Reply::People(page)) = world.ask(class.anna, list(None)).await else {
        panic!("no list")
    };
    let protected = page
        .withheld
        .iter()
        .find(|it| it.reason == WithheldReason::NameProtected);
    assert_eq!(protected.map(|it| it.count), Some(2), "counted, not silent");
}

#[tokio::test]
async fn the_table_stands_against_a_reply_to_the_sender() {
    let class = Class::new().await;
    let world = &class.world;
    let thread = world
        .start(class.teacher, vec![class.guardians()], "Til alle")
        .await
        .unwrap()
        .thread;
    let theirs = world.send(class.carl, thread, "Fra Carl").await.unwrap();
    use samtale_protocol::people::Role;
    world
        .set_tables(&[], &[(Role::Guardian, Role::Guardian)], Default::default())
        .await;
    let reply = |message| {
        Request::ReplyToSender(ReplyToSender {
            thread,
            message,
            client_id: world.a_send(thread, "").client_id,
            sent_at: world.now(),
            parts: vec![samtale_protocol::messages::Part::text("Kun dig")],
        })
    };
    assert_eq!(
        code(world.ask(class.anna, reply(theirs)).await),
        ErrorCode::NotPermitted
    );
    world.set_tables(&[], &[], Default::default()).await;
    assert!(world.ask(class.anna, reply(theirs)).await.is_ok());
    assert_eq!(
        code(world.ask(class.carl, reply(theirs)).await),
        ErrorCode::BadRequest,
        "it is his own"
    );
}
