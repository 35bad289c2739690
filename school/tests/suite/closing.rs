//! Rights that end close at once: in requests, in what is told live, and in what is told later.

use std::time::Duration;

use samtale_protocol::people::Role;
use samtale_protocol::{Audience, ErrorCode, Request, ThreadId, Timestamp};
use samtale_router::{Recipients, Rights};

use crate::harness::{Class, Someone, guardian_of, sent};

async fn hears(class: &Class, who: Someone, thread: ThreadId) -> bool {
    let audience = Audience::thread(thread, 1);
    let (school, space) = (&class.world.school, class.world.space);
    let Recipients::People(people) = school.recipients(space, &audience).await.unwrap() else {
        panic!("a thread is not everyone")
    };
    let Some(Recipients::People(known)) = school.recipients_in_memory(space, &audience) else {
        panic!("it was just loaded")
    };
    assert_eq!(people, known);
    people.contains(&who.person)
}

async fn is_permitted(class: &Class, who: Someone, thread: ThreadId, time: Timestamp) -> bool {
    let audience = Audience::thread(thread, 1);
    class
        .world
        .school
        .permits(class.world.space, who.person, &audience, time)
        .await
        .unwrap()
}

async fn is_closed(class: &Class, who: Someone, thread: ThreadId, time: Timestamp) {
    let world = &class.world;
    assert!(!hears(class, who, thread).await);
    assert!(!is_permitted(class, who, thread, time).await);
    assert_eq!(world.history(who, thread).await.unwrap_err(), ErrorCode::NotFound);
    assert_eq!(world.open(who, thread).await.unwrap_err(), ErrorCode::NotFound);
    assert_eq!(world.send(who, thread, "nej").await, Err(ErrorCode::NotFound));
    assert!(
        world
            .inbox(who, None, 100)
            .await
            .entries
            .iter()
            .all(|entry| entry.thread.thread != thread)
    );
}

#[tokio::test]
async fn custody_that_ends_by_its_date_closes_what_regards_the_child_and_what_it_brought() {
    let class = Class::new().await;
    let world = &class.world;
    // Bo has another child in another class, so he stays at the school.
    let other = world.someone("Ditte", Role::Child).await;
    world.relate(class.bo, other, guardian_of()).await;
    let ends = world.now().plus(Duration::from_secs(60));
    let mut relation = guardian_of();
    relation.to = Some(ends);
    world.relate(class.bo, class.alma, relation).await;
    world.changed().await;
    let mut regarding = world.a_start(vec![class.anna.to(), class.bo.to()], "Alma", "om Alma");
    regarding.regarding = vec![class.alma.profile];
    let regarding = sent(world.ask(class.teacher, Request::StartThread(regarding)).await)
        .unwrap()
        .thread;
    let of_class = world
        .start(class.teacher, vec![class.guardians()], "til klassen")
        .await
        .unwrap()
        .thread;
    let by_name = world
        .start(class.teacher, vec![class.bo.to()], "til Bo")
        .await
        .unwrap()
        .thread;
    let time = world.now();
    for thread in [regarding, of_class, by_name] {
        assert!(hears(&class, class.bo, thread).await && is_permitted(&class, class.bo, thread, time).await);
    }
    world.advance(ends.since(world.now()));
    for thread in [regarding, of_class] {
        is_closed(&class, class.bo, thread, time).await;
        assert!(hears(&class, class.anna, thread).await, "the other parent goes on");
    }
    assert!(
        hears(&class, class.bo, by_name).await,
        "it was to him, and regards nobody"
    );
    world.send(class.teacher, of_class, "efter").await.unwrap();
    assert!(!world.told(class.bo).await.contains(&"efter".to_owned()));
    assert!(world.told(class.anna).await.contains(&"efter".to_owned()));
}

#[tokio::test]
async fn who_left_the_school_is_shut_out_at_once_and_their_words_stay() {
    let class = Class::new().await;
    let world = &class.world;
    let thread = world
        .start(class.teacher, vec![class.guardians()], "til klassen")
        .await
        .unwrap()
        .thread;
    world.send(class.carl, thread, "fra Carl").await.unwrap();
    let time = world.now();
    let left_at = Some(world.now().plus(Duration::from_secs(30)));
    world
        .set_profile(class.carl, "Carl", Role::Guardian, false, left_at)
        .await;
    world.changed().await;
    assert!(hears(&class, class.carl, thread).await, "not yet");
    world.advance(Duration::from_secs(30));
    is_closed(&class, class.carl, thread, time).await;
    assert_eq!(world.texts(class.anna, thread).await, ["til klassen", "fra Carl"]);
}

#[tokio::test]
async fn a_child_who_leaves_takes_the_guardians_rights_along() {
    let class = Class::new().await;
    let world = &class.world;
    let thread = world
        .start(class.teacher, vec![class.carl.to()], "hej")
        .await
        .unwrap()
        .thread;
    world
        .set_profile(class.clara, "Clara", Role::Child, false, Some(world.now()))
        .await;
    world.changed().await;
    is_closed(&class, class.carl, thread, world.now()).await;
}

#[tokio::test]
async fn changed_rights_act_though_nobody_listens_to_the_space() {
    let class = Class::new().await;
    let world = &class.world;
    let thread = world
        .start(class.teacher, vec![class.carl.to()], "hej")
        .await
        .unwrap()
        .thread;
    world.history(class.carl, thread).await.unwrap();
    world.router.leave(world.space).await;
    // Joining another space answers after the leaving was done.
    world.router.join(samtale_protocol::SpaceId::SYSTEM).await.unwrap();
    world.history(class.carl, thread).await.unwrap();
    world
        .set_profile(class.carl, "Carl", Role::Guardian, false, Some(world.now()))
        .await;
    world.changed().await;
    assert_eq!(
        world.history(class.carl, thread).await.unwrap_err(),
        ErrorCode::NotFound
    );
}
