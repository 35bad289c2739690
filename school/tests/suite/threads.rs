//! Starting threads, settings, names: a thread from its first message on.

use samtale_protocol::people::Role;
use samtale_protocol::threads::{Recipient, RenameThread, SetThreadSettings, ThreadReference};
use samtale_protocol::{ErrorCode, Event, Reply, Request, limits};
use samtale_storage::directory::ReadReceipts;

use crate::harness::{Class, code, sent};

#[tokio::test]
async fn a_thread_goes_to_people_a_group_a_role_of_it_and_the_guardians_of_a_class() {
    let class = Class::new().await;
    let (world, group) = (&class.world, class.group);
    let role = Role::Child;
    let cases = [
        (
            "people",
            vec![class.anna.to(), class.carl.to()],
            vec![class.anna, class.carl],
        ),
        (
            "group",
            vec![Recipient::Group { group }],
            vec![class.alma, class.clara, class.david],
        ),
        (
            "role",
            vec![Recipient::GroupRole { group, role }],
            vec![class.alma, class.clara, class.david],
        ),
        (
            "guardians",
            vec![class.guardians()],
            vec![class.anna, class.bo, class.carl, class.dina],
        ),
    ];
    for (name, to, reached) in cases {
        let thread = world.start(class.teacher, to, name).await.unwrap().thread;
        for who in [
            class.alma,
            class.clara,
            class.david,
            class.anna,
            class.bo,
            class.carl,
            class.dina,
        ] {
            let is_member = reached.iter().any(|member| member.profile == who.profile);
            assert_eq!(world.history(who, thread).await.is_ok(), is_member, "{name}");
            assert_eq!(world.told(who).await.contains(&name.to_owned()), is_member, "{name}");
            let is_told = world
                .events_of(who)
                .await
                .iter()
                .any(|event| matches!(event, Event::Thread(told) if told.thread == thread));
            assert_eq!(is_told, is_member, "{name}");
        }
    }
}

#[tokio::test]
async fn a_reply_to_all_reaches_families_and_says_how_many() {
    let class = Class::new().await;
    let world = &class.world;
    let thread = world
        .start(class.teacher, vec![class.guardians()], "Forældremøde")
        .await
        .unwrap()
        .thread;
    world.send(class.anna, thread, "Vi kommer").await.unwrap();
    for who in [class.teacher, class.bo, class.carl, class.dina] {
        assert_eq!(world.told(who).await, ["Forældremøde", "Vi kommer"]);
    }
    // Anna and Bo live apart and are the family of one child.
    assert_eq!(world.open(class.teacher, thread).await.unwrap().families, 3);
}

#[tokio::test]
async fn mute_mark_and_rename_are_told_to_whom_they_concern() {
    let class = Class::new().await;
    let world = &class.world;
    let thread = world
        .start(class.teacher, vec![class.anna.to()], "Hej")
        .await
        .unwrap()
        .thread;
    let settings = SetThreadSettings {
        thread,
        muted: Some(true),
        marked: None,
    };
    world
        .must(class.anna, Request::SetThreadSettings(settings.clone()))
        .await;
    let marked = SetThreadSettings {
        muted: None,
        marked: Some(true),
        ..settings
    };
    let Reply::ThreadSettings(now) = world.must(class.anna, Request::SetThreadSettings(marked)).await else {
        panic!("no settings")
    };
    assert!(now.muted && now.marked);
    let entry = world.inbox(class.anna, None, 10).await.entries.remove(0);
    assert!(entry.muted && entry.marked);
    let of_teacher = world.events_of(class.teacher).await;
    assert!(!of_teacher.iter().any(|event| matches!(event, Event::ThreadSettings(_))));

    let rename = |subject: &str| {
        Request::RenameThread(RenameThread {
            thread,
            subject: subject.to_owned(),
        })
    };
    assert_eq!(
        code(world.ask(class.anna, rename("Mit")).await),
        ErrorCode::NotPermitted
    );
    let Reply::Renamed(renamed) = world.must(class.teacher, rename("Udflugt")).await else {
        panic!("not renamed")
    };
    assert_eq!((renamed.subject.as_str(), renamed.version), ("Udflugt", 2));
    assert_eq!(
        world.inbox(class.anna, None, 10).await.entries[0].thread.subject,
        "Udflugt"
    );
    let told = world.events_of(class.anna).await;
    assert!(told.contains(&Event::Thread(renamed)));
    assert_eq!(
        code(world.ask(class.teacher, rename(&"å".repeat(201))).await),
        ErrorCode::TooLarge
    );
    assert_eq!(
        code(world.ask(class.teacher, rename("  ")).await),
        ErrorCode::BadRequest
    );
}

#[tokio::test]
async fn a_start_has_limits_and_regards_ones_own_children() {
    let class = Class::new().await;
    let world = &class.world;
    world
        .set_tables(&[], &[(Role::Guardian, Role::Child)], ReadReceipts::Staff)
        .await;
    let start = |to| world.a_start(to, "Emne", "Hej");
    let refused = |start| async move { code(world.ask(class.anna, Request::StartThread(start)).await) };
    assert_eq!(refused(start(vec![])).await, ErrorCode::BadRequest);
    assert_eq!(
        refused(start(vec![class.teacher.to(); limits::RECIPIENTS + 1])).await,
        ErrorCode::TooLarge
    );
    assert_eq!(refused(start(vec![class.clara.to()])).await, ErrorCode::NotPermitted);
    assert_eq!(
        refused(start(vec![class.dina.to()])).await,
        ErrorCode::NotFound,
        "she is protected"
    );
    assert_eq!(
        refused(start(vec![Recipient::Group { group: class.group }])).await,
        ErrorCode::NotPermitted
    );
    let mut regarding = start(vec![class.teacher.to()]);
    regarding.regarding = vec![class.clara.profile];
    assert_eq!(refused(regarding.clone()).await, ErrorCode::NotPermitted);
    regarding.regarding = vec![class.alma.profile; limits::REGARDING + 1];
    assert_eq!(refused(regarding.clone()).await, ErrorCode::TooLarge);
    regarding.regarding = vec![class.alma.profile];
    let thread = sent(world.ask(class.anna, Request::StartThread(regarding)).await)
        .unwrap()
        .thread;
    assert_eq!(
        world.open(class.teacher, thread).await.unwrap().thread.regarding,
        [class.alma.profile]
    );
}

#[tokio::test]
async fn a_draft_follows_its_writer_and_nobody_else() {
    let class = Class::new().await;
    let world = &class.world;
    let thread = world
        .start(class.teacher, vec![class.anna.to()], "Hej")
        .await
        .unwrap()
        .thread;
    let text = "Jeg ville skrive".to_owned();
    world
        .must(
            class.anna,
            Request::SaveDraft(samtale_protocol::threads::SaveDraft { thread, text }),
        )
        .await;
    let load = |who| async move {
        match world.must(who, Request::LoadDraft(ThreadReference { thread })).await {
            Reply::Draft(draft) => draft.text,
            other => panic!("no draft: {other:?}"),
        }
    };
    assert_eq!(load(class.anna).await, "Jeg ville skrive");
    assert_eq!(load(class.teacher).await, "");
    let drafts = |events: Vec<Event>| events.iter().filter(|event| matches!(event, Event::Draft(_))).count();
    assert_eq!(drafts(world.events_of(class.anna).await), 1);
    assert_eq!(drafts(world.events_of(class.teacher).await), 0);
}
