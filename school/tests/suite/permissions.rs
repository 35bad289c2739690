//! Generated schools: what the real rules answer is what the plain model says.

use samtale_protocol::messages::{EditMessage, MessageReference, Part, SendMessage};
use samtale_protocol::people::{Explain, ListPeople, Names, Role, Rule, WithheldReason};
use samtale_protocol::threads::{AddMembers, RemoveMembers, StartThread};
use samtale_protocol::{
    Audience, ClientId, ErrorCode, GroupId, MessageId, PersonId, ProfileId, Reply, Request, ThreadId, Timestamp,
};
use samtale_router::{Recipients, Rights};
use samtale_storage::directory::{ReadReceipts, RelationRecord};
use samtale_storage::threads::{
    MemberRecord, MessageRecord, ProfileThreadRecord, ThreadRecord, member_key, message_key, profile_thread_key,
    thread_key,
};

use crate::harness::{Dice, Someone, World, code, guardian_of};
use crate::model::{Member, Model, Place, Profile, Relation, Thread, To};

/// Cases of each generated school.
const CASES_PER_SCHOOL: usize = 250;

/// Times are drawn from a few, so that they meet: hours before and after now, and now itself.
const HOUR: u64 = 3_600_000;

struct Generated {
    world: World,
    model: Model,
    people: Vec<Someone>,
    groups: Vec<GroupId>,
}

#[tokio::test]
async fn generated_cases_agree_with_the_plain_model() {
    let cases = if std::env::var("SAMTALE_SOAK").is_ok_and(|value| value == "1") {
        200_000
    } else {
        10_000
    };
    let seed = std::env::var("SAMTALE_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20_260_101_u64);
    println!("SAMTALE_SEED={seed}, {cases} cases");
    let mut dice = Dice::new(seed);
    let (mut done, mut schools) = (0, 0);
    while done < cases {
        let school = generate(&mut dice).await;
        schools += 1;
        for _ in 0..CASES_PER_SCHOOL {
            let context = format!("SAMTALE_SEED={seed}, school {schools}, case {done}");
            match dice.below(5) {
                0 => check_sight(&school, &mut dice, &context).await,
                1 => check_start(&school, &mut dice, &context).await,
                _ => check_thread(&school, &mut dice, &context).await,
            }
            done += 1;
        }
    }
    println!("{done} cases in {schools} schools agree");
}

fn some_time(dice: &mut Dice, now: u64) -> Option<u64> {
    match dice.below(6) {
        0 => Some(now - HOUR),
        1 => Some(now),
        2 => Some(now + HOUR),
        _ => None,
    }
}

fn some_role(dice: &mut Dice) -> Role {
    match dice.below(10) {
        0..=3 => Role::Child,
        4..=6 => Role::Guardian,
        7 | 8 => Role::Employee,
        _ if dice.one_in(2) => Role::InstitutionAdmin,
        _ => Role::MunicipalityAdmin,
    }
}

fn some_pairs(dice: &mut Dice) -> Vec<(Role, Role)> {
    let roles = [Role::Child, Role::Guardian, Role::Employee, Role::InstitutionAdmin];
    (0..dice.below(4))
        .map(|_| (roles[dice.place(4)], roles[dice.place(4)]))
        .collect()
}

async fn generate(dice: &mut Dice) -> Generated {
    let world = World::new().await;
    let now = world.now().as_millis();
    let mut model = Model {
        profiles: Vec::new(),
        relations: Vec::new(),
        groups: Vec::new(),
        places: Vec::new(),
        forbidden_above: some_pairs(dice),
        forbidden_here: some_pairs(dice),
        now,
    };
    let at = |time: Option<u64>| time.map(Timestamp::saturating);
    let mut people = Vec::new();
    for number in 0..14 {
        let profile = Profile {
            role: some_role(dice),
            marked: dice.one_in(8),
            left_at: some_time(dice, now).filter(|_| dice.one_in(2)),
        };
        let someone = world.someone("", profile.role).await;
        let name = format!("Person {number}");
        world
            .set_profile(someone, &name, profile.role, profile.marked, at(profile.left_at))
            .await;
        people.push(someone);
        model.profiles.push(profile);
    }
    let mut groups = Vec::new();
    for number in 0..4 {
        let ended_at = some_time(dice, now).filter(|_| dice.one_in(2));
        model.groups.push(ended_at);
        groups.push(world.group(&format!("{number}.A"), at(ended_at)).await);
    }
    for guardian in 0..people.len() {
        for child in 0..people.len() {
            let fits = model.profiles[guardian].role == Role::Guardian && model.profiles[child].role == Role::Child;
            if !fits || !dice.one_in(2) {
                continue;
            }
            let relation = Relation {
                guardian,
                child,
                contact: !dice.one_in(3),
                from: some_time(dice, now),
                to: some_time(dice, now),
            };
            let record = RelationRecord {
                custody: dice.one_in(2),
                contact: relation.contact,
                from: at(relation.from),
                to: at(relation.to),
                ..guardian_of()
            };
            world.relate(people[guardian], people[child], record).await;
            model.relations.push(relation);
        }
    }
    for (group, id) in groups.iter().enumerate() {
        for (who, someone) in people.iter().enumerate() {
            if !dice.one_in(3) {
                continue;
            }
            let (from, to) = (some_time(dice, now), some_time(dice, now));
            world.join(*id, *someone, at(from), at(to)).await;
            model.places.push(Place { group, who, from, to });
        }
    }
    world
        .set_tables(&model.forbidden_above, &model.forbidden_here, ReadReceipts::default())
        .await;
    Generated {
        world,
        model,
        people,
        groups,
    }
}

/// Who sees whom, by name, and in the list of everyone.
async fn check_sight(school: &Generated, dice: &mut Dice, context: &str) {
    let Generated {
        world, model, people, ..
    } = school;
    let (viewer, target) = (dice.place(people.len()), dice.place(people.len()));
    let names = Names {
        space: world.space,
        profiles: vec![people[target].profile],
    };
    let answer = world.ask(people[viewer], Request::Names(names)).await;
    if model.role(viewer).is_none() {
        let refused = code(answer);
        assert!(
            matches!(refused, ErrorCode::NotPermitted | ErrorCode::NotFound),
            "{context}: {refused:?}"
        );
        return;
    }
    let Ok(Reply::People(page)) = answer else {
        panic!("{context}: {answer:?}")
    };
    let hidden = model.hidden(viewer, target);
    assert_eq!(
        page.people.len(),
        usize::from(hidden.is_none()),
        "{context}: {viewer} sees {target}: {hidden:?}"
    );
    assert_eq!(
        page.withheld.first().map(|withheld| withheld.reason),
        hidden,
        "{context}: {viewer}, {target}"
    );
    let list = ListPeople {
        space: world.space,
        group: None,
        search: None,
        after: None,
        limit: 100,
        as_profile: None,
    };
    let answer = world.ask(people[viewer], Request::ListPeople(list)).await;
    let Ok(Reply::People(page)) = answer else {
        panic!("{context}: {answer:?}")
    };
    let here = (0..people.len()).filter(|who| model.role(*who).is_some());
    let (mut seen, mut protected, mut others) = (Vec::new(), 0, 0);
    for who in here {
        match model.hidden(viewer, who) {
            None => seen.push(people[who].profile),
            Some(WithheldReason::NameProtected) => protected += 1,
            Some(_) => others += 1,
        }
    }
    let mut listed: Vec<_> = page.people.iter().map(|person| person.profile).collect();
    listed.sort_unstable();
    seen.sort_unstable();
    assert_eq!(listed, seen, "{context}: the list of {viewer}");
    let count = |reason| {
        page.withheld
            .iter()
            .find(|it| it.reason == reason)
            .map_or(0, |it| it.count)
    };
    assert_eq!(count(WithheldReason::NameProtected), protected, "{context}");
    assert_eq!(count(WithheldReason::NotPermitted), others, "{context}");
    for person in &page.people {
        for child in &person.children {
            assert!(
                seen.contains(child) || left_but_seen(school, viewer, *child),
                "{context}: a child of a listed one"
            );
        }
    }
}

fn left_but_seen(school: &Generated, viewer: usize, child: ProfileId) -> bool {
    let place = school.people.iter().position(|someone| someone.profile == child);
    place.is_some_and(|child| school.model.hidden(viewer, child).is_none())
}

fn some_recipient(dice: &mut Dice, people: usize, groups: usize) -> To {
    let group = dice.place(groups);
    match dice.below(6) {
        0..=2 => To::One(dice.place(people)),
        3 => To::Group(group),
        4 => To::RoleOf(group, some_role(dice)),
        _ => To::Guardians(group),
    }
}

/// Who may start a thread with whom, and what `explain` says of it.
async fn check_start(school: &Generated, dice: &mut Dice, context: &str) {
    let Generated {
        world,
        model,
        people,
        groups,
    } = school;
    let sender = dice.place(people.len());
    let to = some_recipient(dice, people.len(), groups.len());
    let recipient = to.recipient(people, groups);
    let explain = Explain {
        space: world.space,
        to: recipient.clone(),
        as_profile: None,
    };
    let answer = world.ask(people[sender], Request::Explain(explain)).await;
    let start = StartThread {
        space: world.space,
        client_id: ClientId::from_bytes(world.id()),
        sent_at: world.now(),
        to: vec![recipient],
        subject: "Emne".to_owned(),
        regarding: Vec::new(),
        parts: vec![Part::text("Hej")],
        as_profile: None,
    };
    let started = world.ask(people[sender], Request::StartThread(start)).await;
    if model.role(sender).is_none() {
        assert!(answer.is_err() && started.is_err(), "{context}: {sender} has no rights");
        return;
    }
    let Ok(Reply::Explanation(explanation)) = answer else {
        panic!("{context}: {answer:?}")
    };
    let rules = model.rules(sender, to);
    assert!(
        rules.contains(&explanation.rule),
        "{context}: {sender} to {to:?}: {explanation:?}, not {rules:?}"
    );
    assert_eq!(
        explanation.allowed,
        rules == [Rule::TableAllows],
        "{context}: {sender} to {to:?}"
    );
    assert_eq!(
        started.is_ok(),
        explanation.allowed,
        "{context}: {sender} to {to:?}: {started:?}"
    );
    let Ok(Reply::Sent(sent)) = started else { return };
    let mut reached: Vec<PersonId> = model.behind(to).into_iter().map(|who| people[who].person).collect();
    reached.push(people[sender].person);
    reached.sort_unstable();
    reached.dedup();
    let audience = Audience::thread(sent.thread, 1).who_may_read(sent.message.sent_at());
    assert_eq!(behind(world, &audience).await, reached, "{context}: {sender} to {to:?}");
}

async fn behind(world: &World, audience: &Audience) -> Vec<PersonId> {
    let Recipients::People(loaded) = world.school.recipients(world.space, audience).await.unwrap() else {
        panic!("a thread is not everyone");
    };
    if let Some(Recipients::People(known)) = world.school.recipients_in_memory(world.space, audience) {
        assert_eq!(known, loaded);
    }
    loaded.to_vec()
}

struct Written {
    thread: ThreadId,
    model: Thread,
    /// Author and time of each message.
    messages: Vec<(usize, MessageId)>,
}

/// A thread of random members, each with a time of their own in it, written as rows.
async fn write_thread(school: &Generated, dice: &mut Dice) -> Written {
    let Generated {
        world,
        model,
        people,
        groups,
    } = school;
    let started_at = model.now - 10 * HOUR;
    let mut thread = Thread {
        starter: dice.place(people.len()),
        regarding: Vec::new(),
        members: Vec::new(),
    };
    for who in 0..people.len() {
        if who == thread.starter || dice.one_in(2) {
            let joined_at = started_at + HOUR * dice.below(5);
            thread.members.push(Member {
                who,
                joined_at,
                left_at: dice.one_in(3).then(|| joined_at + HOUR * dice.below(5)),
                visible_from: if dice.one_in(3) { started_at } else { joined_at },
                through: dice.one_in(3).then(|| dice.place(groups.len())),
                closed: dice.one_in(10),
            });
        }
        if model.profiles[who].role == Role::Child && dice.one_in(6) {
            thread.regarding.push(who);
        }
    }
    let id = ThreadId::from_bytes(world.id());
    let at = Timestamp::saturating;
    let record = ThreadRecord {
        subject: "Emne".to_owned(),
        starter: people[thread.starter].profile,
        started_at: at(started_at),
        regarding: thread.regarding.iter().map(|child| people[*child].profile).collect(),
        linked_to: None,
        follows: Vec::new(),
        membership_version: 1,
        change: [0; 16],
        members_begun: 0,
        members_unfinished: Vec::new(),
    };
    world
        .store
        .compare_and_set(&thread_key(world.space, id), None, &record)
        .await
        .unwrap();
    for member in &thread.members {
        let record = MemberRecord {
            joined_at: at(member.joined_at),
            left_at: member.left_at.map(at),
            visible_from: at(member.visible_from),
            through: member.through.map(|group| groups[group]),
            closed: member.closed,
            stays_out: false,
            asked_at: Timestamp::default(),
            before: None,
        };
        let profile = people[member.who].profile;
        world.put(member_key(world.space, id, profile), &record).await;
        let record = ProfileThreadRecord { member: record };
        world.put(profile_thread_key(world.space, profile, id), &record).await;
    }
    let mut messages = Vec::new();
    for hour in 0..10 {
        let author = thread.members[dice.place(thread.members.len())].who;
        let message = MessageId::at(at(started_at + HOUR * hour), &[3; 10]);
        let record = MessageRecord::Sent {
            author: people[author].profile,
            client_id: ClientId::from_bytes(world.id()),
            content_hash: [0; 32],
            version: message.sent_at().as_micros(),
            parts: vec![Part::text(format!("Time {hour}"))],
            reply_to: None,
            edited_at: None,
            recalled_at: None,
        };
        world.put(message_key(world.space, id, message), &record).await;
        messages.push((author, message));
    }
    Written {
        thread: id,
        model: thread,
        messages,
    }
}

/// What someone may do in a thread, and who hears of it.
async fn check_thread(school: &Generated, dice: &mut Dice, context: &str) {
    let Generated {
        world,
        model,
        people,
        groups,
    } = school;
    let Written {
        thread: id,
        model: thread,
        messages,
    } = write_thread(school, dice).await;
    let who = dice.place(people.len());
    let (is_open, is_active) = (model.is_open(&thread, who), model.is_active(&thread, who));
    let context = format!(
        "{context}: {who} in {:?} regarding {:?}",
        thread.members, thread.regarding
    );

    // Who is told, live and later.
    let (_, message) = messages[dice.place(messages.len())];
    let sent_at = message.sent_at();
    let audience = Audience::thread(id, 1).who_may_read(sent_at);
    let hears = |member: &&Member| model.is_active(&thread, member.who) && member.visible_from <= sent_at.as_millis();
    let mut told: Vec<PersonId> = thread
        .members
        .iter()
        .filter(hears)
        .map(|it| people[it.who].person)
        .collect();
    told.sort_unstable();
    assert_eq!(behind(world, &audience).await, told, "{context}: told of {sent_at}");
    let permitted = world
        .school
        .permits(world.space, people[who].person, &audience, sent_at)
        .await
        .unwrap();
    // Of a message its own time counts, as for a page of the thread: the clocks of two nodes differ.
    let expected = model.may_read(&thread, who, sent_at.as_millis());
    assert_eq!(permitted, expected, "{context}: a replay of {sent_at}");

    // What they read.
    let history = world.history(people[who], id).await;
    if is_open {
        let page = history.unwrap();
        let read: Vec<MessageId> = page.messages.iter().map(|message| message.message).collect();
        let may = |(_, message): &&(usize, MessageId)| model.may_read(&thread, who, message.sent_at().as_millis());
        let expected: Vec<MessageId> = messages.iter().filter(may).map(|(_, message)| *message).collect();
        assert_eq!(read, expected, "{context}");
    } else {
        assert_eq!(history.unwrap_err(), ErrorCode::NotFound, "{context}");
    }
    let details = world.open(people[who], id).await;
    assert_eq!(details.is_ok(), is_open, "{context}");
    if let Ok(details) = details {
        assert_eq!(details.may_write, is_active, "{context}");
        for member in &details.members {
            let other = people
                .iter()
                .position(|someone| someone.profile == member.profile)
                .unwrap();
            assert!(model.may_name(who, other), "{context}: told the name of {other}");
        }
    }

    // What they do.
    let outsider = if is_open {
        ErrorCode::NotPermitted
    } else {
        ErrorCode::NotFound
    };
    let (author, message) = messages[dice.place(messages.len())];
    let which = MessageReference { thread: id, message };
    match dice.below(5) {
        0 => {
            let send = SendMessage {
                thread: id,
                client_id: ClientId::from_bytes(world.id()),
                sent_at: world.now(),
                parts: vec![Part::text("Hej")],
                reply_to: None,
                membership_version: None,
            };
            let answer = world.ask(people[who], Request::SendMessage(send)).await;
            if is_active {
                assert!(answer.is_ok(), "{context}: {answer:?}");
            } else {
                assert_eq!(code(answer), outsider, "{context}");
            }
        }
        1 | 2 => {
            let edit = EditMessage {
                thread: id,
                message,
                parts: vec![Part::text("Rettet")],
            };
            let request = if dice.one_in(2) {
                Request::EditMessage(edit)
            } else {
                Request::RecallMessage(which)
            };
            let answer = world.ask(people[who], request).await;
            let may_read = model.may_read(&thread, who, message.sent_at().as_millis());
            match (is_active, may_read, author == who) {
                (true, true, true) => assert!(answer.is_ok(), "{context}: {answer:?}"),
                (true, true, false) => assert_eq!(code(answer), ErrorCode::NotPermitted, "{context}"),
                (true, false, _) => assert_eq!(code(answer), ErrorCode::NotFound, "{context}"),
                (false, _, _) => assert_eq!(code(answer), outsider, "{context}"),
            }
        }
        3 => {
            let to = some_recipient(dice, people.len(), groups.len());
            let add = AddMembers {
                thread: id,
                to: vec![to.recipient(people, groups)],
                from_the_beginning: dice.one_in(2),
            };
            let answer = world.ask(people[who], Request::AddMembers(add)).await;
            let allowed = model.rules(who, to) == [Rule::TableAllows];
            match (is_active, model.may_steer(&thread, who)) {
                (true, true) => assert_eq!(answer.is_ok(), allowed, "{context}: {to:?} {answer:?}"),
                (true, false) => assert_eq!(code(answer), ErrorCode::NotPermitted, "{context}"),
                (false, _) => assert_eq!(code(answer), outsider, "{context}"),
            }
        }
        _ => {
            let profiles = vec![people[dice.place(people.len())].profile];
            let answer = world
                .ask(
                    people[who],
                    Request::RemoveMembers(RemoveMembers { thread: id, profiles }),
                )
                .await;
            match (is_active, model.may_steer(&thread, who)) {
                (true, true) => assert!(answer.is_ok(), "{context}: {answer:?}"),
                (true, false) => assert_eq!(code(answer), ErrorCode::NotPermitted, "{context}"),
                (false, _) => assert_eq!(code(answer), outsider, "{context}"),
            }
        }
    }
}
