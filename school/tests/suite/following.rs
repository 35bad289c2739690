//! Threads that go to a group follow it.

use std::time::Duration;

use samtale_protocol::people::Role;
use samtale_protocol::threads::{RemoveMembers, ThreadReference};
use samtale_protocol::{ErrorCode, Request};

use crate::harness::{Class, guardian_of};

#[tokio::test]
async fn who_joins_the_class_joins_its_threads_from_that_day_and_who_leaves_it_leaves() {
    let class = Class::new().await;
    let world = &class.world;
    let thread = world
        .start(class.teacher, vec![class.guardians(), class.colleague.to()], "et")
        .await
        .unwrap()
        .thread;
    assert_eq!(
        world
            .school
            .follow_groups(world.space, &[class.group], false)
            .await
            .unwrap(),
        0,
        "nothing changed"
    );

    world.advance(Duration::from_secs(60));
    let (erik, emma) = (
        world.someone("Erik", Role::Guardian).await,
        world.someone("Emma", Role::Child).await,
    );
    world.relate(erik, emma, guardian_of()).await;
    world.join(class.group, emma, None, None).await;
    world.join(class.group, class.clara, None, Some(world.now())).await;
    world.changed().await;
    assert_eq!(
        world
            .school
            .follow_groups(world.space, &[class.group], false)
            .await
            .unwrap(),
        1
    );
    world.send(class.teacher, thread, "to").await.unwrap();
    assert_eq!(world.texts(erik, thread).await, ["to"]);
    assert_eq!(world.told(erik).await, ["to"]);
    assert_eq!(world.texts(class.carl, thread).await, ["et"]);
    assert_eq!(
        world.send(class.carl, thread, "nej").await,
        Err(ErrorCode::NotPermitted)
    );
    assert_eq!(
        world.texts(class.colleague, thread).await,
        ["et", "to"],
        "named by herself: stays"
    );

    // Clara comes back to the class, and Carl to its threads.
    world.join(class.group, class.clara, None, None).await;
    world.changed().await;
    assert_eq!(
        world
            .school
            .follow_groups(world.space, &[class.group], false)
            .await
            .unwrap(),
        1
    );
    world.send(class.carl, thread, "igen").await.unwrap();
}

#[tokio::test]
async fn who_goes_while_others_are_told_again_that_they_came_is_out() {
    let class = Class::new().await;
    let world = &class.world;
    let thread = world
        .start(class.teacher, vec![class.guardians()], "et")
        .await
        .unwrap()
        .thread;
    // The last import was cut off before: who came or went lately is told of again.
    for (leaves, again) in [(true, false), (false, false), (true, true)] {
        world.advance(Duration::from_secs(60));
        let to = leaves.then(|| world.now());
        world.join(class.group, class.clara, None, to).await;
        world.changed().await;
        let followed = world.school.follow_groups(world.space, &[class.group], again).await;
        assert_eq!(followed.unwrap(), 1);
    }
    world.send(class.teacher, thread, "to").await.unwrap();
    assert!(!world.told(class.carl).await.contains(&"to".to_owned()));
    assert_eq!(
        world.send(class.carl, thread, "nej").await,
        Err(ErrorCode::NotPermitted)
    );
}

#[tokio::test]
async fn who_left_or_was_taken_out_by_hand_stays_out() {
    let class = Class::new().await;
    let world = &class.world;
    let thread = world
        .start(class.teacher, vec![class.guardians()], "et")
        .await
        .unwrap()
        .thread;
    world
        .must(class.anna, Request::LeaveThread(ThreadReference { thread }))
        .await;
    let profiles = vec![class.carl.profile];
    world
        .must(
            class.teacher,
            Request::RemoveMembers(RemoveMembers { thread, profiles }),
        )
        .await;
    assert_eq!(
        world
            .school
            .follow_groups(world.space, &[class.group], false)
            .await
            .unwrap(),
        0
    );
    for who in [class.anna, class.carl] {
        assert_eq!(world.send(who, thread, "nej").await, Err(ErrorCode::NotPermitted));
    }
    world
        .add(class.teacher, thread, vec![class.guardians()], false)
        .await
        .unwrap();
    world.send(class.anna, thread, "tilbage").await.unwrap();
}

#[tokio::test]
async fn a_place_in_the_class_that_begins_and_ends_by_its_date_is_followed_when_the_date_comes() {
    let class = Class::new().await;
    let world = &class.world;
    let thread = world
        .start(class.teacher, vec![class.guardians()], "et")
        .await
        .unwrap()
        .thread;
    let (erik, emma) = (
        world.someone("Erik", Role::Guardian).await,
        world.someone("Emma", Role::Child).await,
    );
    world.relate(erik, emma, guardian_of()).await;
    let day = Duration::from_secs(24 * 60 * 60);
    let (comes, leaves) = (world.now().plus(day), world.now().plus(day * 3));
    world.join(class.group, emma, Some(comes), Some(leaves)).await;
    world.changed().await;
    let mut followed = Vec::new();
    for _ in 0..4 {
        let since = world.now();
        world.advance(day);
        world.advance(Duration::from_secs(1));
        followed.push(world.school.follow_dates(world.space, since, false).await.unwrap());
        let text = format!("dag {}", followed.len());
        world.send(class.teacher, thread, &text).await.unwrap();
    }
    assert_eq!(followed, [1, 0, 1, 0]);
    assert_eq!(world.texts(erik, thread).await, ["dag 1", "dag 2"]);
}
