//! A node that nobody of a space is connected to hears of nothing there. It imports, follows dates and publishes what others
//! left, all the same; and then someone comes.

use std::time::Duration;

use samtale_protocol::messages::History;
use samtale_protocol::people::Role;
use samtale_protocol::threads::RemoveMembers;
use samtale_protocol::{MessageId, Reply, Request, Timestamp};
use samtale_router::Rights;

use crate::harness::{Class, guardian_of};

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn who_was_taken_out_meanwhile_reads_nothing_through_a_node_that_knew_the_thread_before() {
    let class = Class::new().await;
    let world = &class.world;
    let to = vec![class.guardians()];
    let thread = world.start(class.teacher, to, "et").await.unwrap().thread;
    let node = world.idle_node();
    world.join(class.group, class.clara, None, Some(world.now())).await;
    world.changed().await;
    assert_eq!(node.follow_groups(world.space, &[class.group], false).await.unwrap(), 1);

    let profiles = vec![class.anna.profile];
    let remove = RemoveMembers { thread, profiles };
    world.must(class.teacher, Request::RemoveMembers(remove)).await;
    world.advance(Duration::from_secs(1));
    world.send(class.teacher, thread, "to").await.unwrap();
    node.followed(world.space);
    let history = Request::History(History {
        thread,
        before: None,
        after: Some(MessageId::first_at(Timestamp::default())),
        limit: 10,
    });
    let Ok(Reply::History(page)) = node.handle(&class.anna.caller(), history).await else {
        panic!("what she could read stays")
    };
    assert_eq!(page.messages.len(), 1, "{page:?}");
}

#[tokio::test]
async fn dates_are_followed_by_the_directory_as_it_is_and_not_as_a_node_knew_it() {
    let class = Class::new().await;
    let world = &class.world;
    let to = vec![class.guardians()];
    let thread = world.start(class.teacher, to, "et").await.unwrap().thread;
    let emma = world.someone("Emma", Role::Child).await;
    world.relate(class.anna, emma, guardian_of()).await;
    for (from, to) in [(1, 2), (2, 3)] {
        let (from, to) = (world.now().plus(DAY * from), world.now().plus(DAY * to));
        world.join(class.group, emma, Some(from), Some(to)).await;
    }
    world.changed().await;
    let node = world.idle_node();
    let begin = world.now();
    world.advance(DAY * 2);
    node.follow_dates(world.space, begin, false).await.unwrap();

    // Clara leaves, by an import on another node, and Carl the thread; then another date comes.
    world.join(class.group, class.clara, None, Some(world.now())).await;
    world.changed().await;
    let followed = world.school.follow_groups(world.space, &[class.group], false).await;
    assert_eq!(followed.unwrap(), 1);
    let since = world.now();
    world.advance(DAY * 2);
    node.follow_dates(world.space, since, false).await.unwrap();
    world.send(class.teacher, thread, "to").await.unwrap();
    assert_eq!(world.texts(class.carl, thread).await, ["et"]);
}
