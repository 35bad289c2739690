//! A person with two profiles in one school: a teacher whose child goes there.

use samtale_protocol::people::{Explain, ListPeople, Role, Rule};
use samtale_protocol::{ErrorCode, PersonId, Reply, Request};

use crate::harness::{Class, code, guardian_of, sent};

#[tokio::test]
async fn when_a_school_comes_back_at_once_its_directory_is_loaded_once() {
    let class = Class::new().await;
    let world = &class.world;
    let people = [class.anna, class.clara, class.colleague].map(|someone| someone.person);
    let asked = async |people: &[PersonId]| {
        let (node, before) = (world.deaf_node(), world.engine.calls().scans);
        let all = people.iter().map(|person| node.own_profiles(*person));
        for profiles in futures_util::future::join_all(all).await {
            assert_eq!(profiles.unwrap().len(), 1);
        }
        world.engine.calls().scans - before
    };
    let (one, all) = (asked(&people[..1]).await, asked(&people).await);
    assert_eq!(all, one + 2, "each person's own rows, and the directory once");
}

#[tokio::test]
async fn a_teacher_who_is_a_parent_says_as_whom_they_act() {
    let class = Class::new().await;
    let world = &class.world;
    let as_parent = world
        .another_profile(class.colleague.person, "Karen", Role::Guardian)
        .await;
    world.relate(as_parent, class.clara, guardian_of()).await;
    world
        .set_tables(&[], &[(Role::Guardian, Role::Guardian)], Default::default())
        .await;

    let start = |as_profile| {
        let mut start = world.a_start(vec![class.anna.to()], "Emne", "Hej");
        start.as_profile = as_profile;
        Request::StartThread(start)
    };
    let explain = |as_profile| {
        Request::Explain(Explain {
            space: world.space,
            to: class.anna.to(),
            as_profile,
        })
    };
    let rule = |as_profile| async move {
        match world.ask(class.colleague, explain(as_profile)).await {
            Ok(Reply::Explanation(explanation)) => (explanation.from, explanation.rule),
            other => panic!("no explanation: {other:?}"),
        }
    };
    assert_eq!(
        rule(None).await,
        (Role::Employee, Rule::TableAllows),
        "the one with most rights"
    );
    assert_eq!(
        rule(Some(as_parent.profile)).await,
        (Role::Guardian, Rule::InstitutionForbids)
    );
    assert_eq!(
        rule(Some(class.bo.profile)).await,
        (Role::Employee, Rule::TableAllows),
        "not one's own: not chosen"
    );
    let thread = sent(world.ask(class.colleague, start(None)).await).unwrap().thread;
    assert_eq!(
        world.open(class.anna, thread).await.unwrap().thread.starter,
        class.colleague.profile
    );
    assert_eq!(
        code(world.ask(class.colleague, start(Some(as_parent.profile))).await),
        ErrorCode::NotPermitted
    );
    let list = ListPeople {
        space: world.space,
        group: None,
        search: None,
        after: None,
        limit: 100,
        as_profile: Some(as_parent.profile),
    };
    let Ok(Reply::People(page)) = world.ask(class.colleague, Request::ListPeople(list)).await else {
        panic!()
    };
    assert!(!page.withheld.is_empty(), "a parent does not see everyone");
}
