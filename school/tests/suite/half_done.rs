//! Changes of a thread's members that fail half-way: whoever loads the thread finds, in each version of its membership, the
//! same members as everyone else.

use std::collections::BTreeSet;
use std::time::Duration;

use samtale_protocol::threads::{AddMembers, OpenThread, RemoveMembers};
use samtale_protocol::{ErrorCode, Event, ProfileId, Reply, Request, ThreadId};
use samtale_storage::directory::RelationRecord;
use samtale_storage::threads::{MemberRecord, member_key};

use crate::counting::CountingEngine;
use crate::harness::{Class, code, guardian_of};

/// A thread of Tove, Anna and Carl, which Carl is taken out of and Bo is taken into.
struct Stage {
    class: Class,
    thread: ThreadId,
}

impl Stage {
    async fn new() -> Self {
        let class = Class::new().await;
        let to = vec![class.anna.to(), class.carl.to()];
        let thread = class.world.start(class.teacher, to, "Hej").await.unwrap().thread;
        Self { class, thread }
    }

    fn engine(&self) -> &CountingEngine {
        &self.class.world.engine
    }

    fn taking_out(&self) -> Request {
        Request::RemoveMembers(RemoveMembers {
            thread: self.thread,
            profiles: vec![self.class.carl.profile],
        })
    }

    fn taking_in(&self) -> Request {
        Request::AddMembers(AddMembers {
            thread: self.thread,
            to: vec![self.class.bo.to(), self.class.carl.to()],
            from_the_beginning: true,
        })
    }

    /// Does this with so many writes, and then lets storage write again. Whether it was done.
    async fn with_writes(&self, writes: i64, request: Request) -> bool {
        self.class.world.advance(Duration::from_secs(1));
        self.engine().take_writes(writes);
        let done = self.class.world.ask(self.class.teacher, request).await;
        self.engine().take_writes(i64::MAX);
        done.is_ok()
    }

    /// Lets the time pass in which a change that was begun is left alone.
    fn let_it_lie(&self) {
        self.class.world.advance(Duration::from_secs(5));
    }

    /// The version of the membership and who is in it, as a node has it that has only now begun.
    async fn found(&self) -> (u64, BTreeSet<ProfileId>) {
        let open = Request::OpenThread(OpenThread {
            thread: self.thread,
            after: None,
        });
        let node = self.class.world.deaf_node();
        let Ok(Reply::Thread(details)) = node.handle(&self.class.teacher.caller(), open).await else {
            panic!("the thread is not there")
        };
        let members = details.members.iter().filter(|member| member.left_at.is_none());
        let members = members.map(|member| member.profile).collect();
        (details.thread.membership_version, members)
    }

    /// Who is in the thread before, and after the change.
    async fn finds_one_of(&self, before: &BTreeSet<ProfileId>, after: &BTreeSet<ProfileId>, version: u64) {
        let (found, members) = self.found().await;
        match found - version {
            0 => assert_eq!(&members, before, "version {found} is not finished"),
            _ => assert_eq!(&members, after, "version {found} is finished"),
        }
    }
}

/// More writes than a change makes.
const MORE_THAN_ALL: i64 = 12;

#[tokio::test]
async fn a_removal_holds_for_everybody_or_for_nobody_whatever_fails() {
    for writes in 0..MORE_THAN_ALL {
        let stage = Stage::new().await;
        let class = &stage.class;
        let (version, before) = stage.found().await;
        let mut after = before.clone();
        after.remove(&class.carl.profile);
        let done = stage.with_writes(writes, stage.taking_out()).await;
        assert!(done || writes < MORE_THAN_ALL - 1, "a removal makes fewer writes");
        stage.finds_one_of(&before, &after, version).await;
        // Asked again, it holds, whatever was left behind.
        stage.let_it_lie();
        assert!(stage.with_writes(i64::MAX, stage.taking_out()).await);
        assert_eq!(stage.found().await.1, after);
        let refused = class.world.send(class.carl, stage.thread, "nej").await;
        assert_eq!(refused, Err(ErrorCode::NotPermitted));
    }
}

#[tokio::test]
async fn who_is_taken_in_is_in_for_everybody_or_for_nobody_whatever_fails() {
    for writes in 0..MORE_THAN_ALL {
        let stage = Stage::new().await;
        let class = &stage.class;
        assert!(stage.with_writes(i64::MAX, stage.taking_out()).await);
        let (version, before) = stage.found().await;
        let mut after = before.clone();
        after.extend([class.bo.profile, class.carl.profile]);
        let done = stage.with_writes(writes, stage.taking_in()).await;
        assert!(done || writes < MORE_THAN_ALL - 1, "to take in makes fewer writes");
        stage.finds_one_of(&before, &after, version).await;
        stage.let_it_lie();
        assert!(stage.with_writes(i64::MAX, stage.taking_in()).await);
        assert_eq!(stage.found().await.1, after);
        class.world.send(class.carl, stage.thread, "ja").await.unwrap();
    }
}

#[tokio::test]
async fn a_change_that_failed_does_not_come_true_with_the_next_one() {
    for writes in 0..MORE_THAN_ALL {
        let stage = Stage::new().await;
        let class = &stage.class;
        let before = stage.found().await;
        stage.with_writes(writes, stage.taking_out()).await;
        if stage.found().await != before {
            continue;
        }
        stage.let_it_lie();
        let bo_alone = Request::AddMembers(AddMembers {
            thread: stage.thread,
            to: vec![class.bo.to()],
            from_the_beginning: false,
        });
        assert!(stage.with_writes(i64::MAX, bo_alone).await);
        let mut after = before.1;
        after.insert(class.bo.profile);
        assert_eq!(stage.found().await.1, after, "after {writes} writes");
        class.world.send(class.carl, stage.thread, "stadig her").await.unwrap();
    }
}

#[tokio::test]
async fn whoever_else_made_the_same_thread_a_little_later_takes_nobody_out() {
    let stage = Stage::new().await;
    let class = &stage.class;
    let before = stage.found().await;
    class.world.advance(Duration::from_secs(1));
    // Two who answer each other at once make one thread, each with rows of their own time; one record is the first.
    for profile in [class.teacher.profile, class.carl.profile] {
        let key = member_key(class.world.space, stage.thread, profile);
        let member = class.world.store.get::<MemberRecord>(&key).await.unwrap().unwrap();
        class.world.put(key, &member.record).await;
    }
    assert_eq!(stage.found().await, before);
    assert!(stage.with_writes(i64::MAX, stage.taking_out()).await);
    assert!(!stage.found().await.1.contains(&class.carl.profile));
}

#[tokio::test]
async fn a_removal_of_who_is_not_in_yet_keeps_them_out() {
    let stage = Stage::new().await;
    let class = &stage.class;
    assert!(stage.with_writes(i64::MAX, stage.taking_out()).await);
    let (node, teacher) = (class.world.deaf_node(), class.teacher.caller());
    // The fifth is the one that finishes it: its beginning, two rows at once, and each person's own row come before.
    stage.engine().let_write_hang(5);
    let meanwhile = async {
        stage.engine().hangs().await;
        stage.let_it_lie();
        assert!(stage.with_writes(i64::MAX, stage.taking_out()).await);
        stage.engine().go_on();
    };
    let (hung, ()) = futures_util::join!(node.handle(&teacher, stage.taking_in()), meanwhile);
    assert_eq!(code(hung), ErrorCode::StorageUnavailable);
    assert!(!stage.found().await.1.contains(&class.carl.profile));
}

#[tokio::test]
async fn two_changes_of_one_member_at_a_time_leave_what_the_last_of_them_says() {
    let stage = Stage::new().await;
    let class = &stage.class;
    let node = class.world.deaf_node();
    let teacher = class.teacher.caller();
    let (one, other) = futures_util::join!(
        class.world.ask(class.teacher, stage.taking_out()),
        node.handle(&teacher, stage.taking_out()),
    );
    let both = (one.map(|_| ()), other.map(|_| ()));
    assert_eq!(both, (Ok(()), Ok(())));
    assert!(!stage.found().await.1.contains(&class.carl.profile));
}

/// A removal hangs as it is `told` to, while the member is taken out and in again. It must not take them out once more.
async fn is_overtaken(told: impl Fn(&CountingEngine)) {
    let stage = Stage::new().await;
    let class = &stage.class;
    let (node, teacher) = (class.world.deaf_node(), class.teacher.caller());
    told(stage.engine());
    let meanwhile = async {
        stage.engine().hangs().await;
        assert!(stage.with_writes(i64::MAX, stage.taking_out()).await);
        assert!(stage.with_writes(i64::MAX, stage.taking_in()).await);
        stage.engine().go_on();
    };
    let (hung, ()) = futures_util::join!(node.handle(&teacher, stage.taking_out()), meanwhile);
    assert_eq!(code(hung), ErrorCode::StorageUnavailable);
    assert!(stage.found().await.1.contains(&class.carl.profile));
    class.world.send(class.carl, stage.thread, "her igen").await.unwrap();
}

#[tokio::test]
async fn a_removal_that_hung_before_its_first_write_does_not_undo_what_was_asked_for_after_it() {
    is_overtaken(|engine| engine.let_write_hang(1)).await;
}

#[tokio::test]
async fn a_removal_that_hung_before_it_read_does_not_undo_what_was_asked_for_after_it() {
    is_overtaken(CountingEngine::let_read_hang).await;
}

#[tokio::test]
async fn who_left_with_their_group_is_told_of_although_the_first_try_told_nobody() {
    for writes in 0..MORE_THAN_ALL {
        let stage = Stage::new().await;
        let (class, world) = (&stage.class, &stage.class.world);
        let to = vec![class.guardians()];
        let thread = world.start(class.teacher, to, "Til alle").await.unwrap().thread;
        world.advance(Duration::from_secs(1));
        let ended = RelationRecord {
            to: Some(world.now()),
            ..guardian_of()
        };
        world.relate(class.carl, class.clara, ended).await;
        world.changed().await;
        let follow = |again| {
            world
                .school
                .follow_groups(world.space, std::slice::from_ref(&class.group), again)
        };
        stage.engine().take_writes(writes);
        let followed = follow(false).await;
        stage.engine().take_writes(i64::MAX);
        stage.let_it_lie();
        if followed.is_err() {
            follow(true).await.unwrap();
        }
        let is_told = |event: &Event| {
            matches!(event, Event::Membership { thread: of, profile, left_at: Some(_), .. }
                if *of == thread && *profile == class.carl.profile)
        };
        assert!(
            world.events_of(class.anna).await.iter().any(is_told),
            "after {writes} writes"
        );
    }
}
