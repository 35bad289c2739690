//! Rosters that go in, again and again, and what becomes of people, their rights and their threads.

#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

mod crash;
mod real_file;
mod rosters;
mod world;

use jiff::civil::date;
use samtale_protocol::messages::{History, Part, Sent};
use samtale_protocol::people::Role;
use samtale_protocol::threads::{Inbox, Recipient, StartThread};
use samtale_protocol::time::Clock;
use samtale_protocol::{ClientId, ErrorCode, ProfileId, Reply, Request, ThreadId};
use samtale_school::demo;
use samtale_school::directory::Directory;
use samtale_school::import::{AccountState, Counts, ImportOptions};
use samtale_school::roster::{self, Roster, Status};
use samtale_school::talk_table::DEFAULT_FORBIDDEN;
use samtale_storage::directory::SpaceKind;

use rosters::{cast, class, class_3a, family_of_two, without};
use world::{World, caller, group, profile, reading};

/// The teacher of 3.A writes to these.
async fn write_to(world: &World, directory: &Directory, to: Vec<Recipient>, subject: &str) -> ThreadId {
    let teacher = profile(directory, &cast().teacher.sourced_id, Role::Employee);
    let mut id = [0; 16];
    id[..subject.len().min(16)].copy_from_slice(&subject.as_bytes()[..subject.len().min(16)]);
    let request = StartThread {
        space: directory.space,
        client_id: ClientId::from_bytes(id),
        sent_at: world.clock.now(),
        to,
        subject: subject.to_owned(),
        regarding: Vec::new(),
        parts: vec![Part::text(subject)],
        as_profile: None,
    };
    let reply = world
        .school
        .handle(&caller(directory, teacher), Request::StartThread(request))
        .await;
    let Reply::Sent(Sent { thread, .. }) = reply.unwrap() else {
        panic!("not a sent message")
    };
    thread
}

/// How many threads someone has in their list.
async fn threads_of(world: &World, directory: &Directory, who: ProfileId) -> Result<usize, ErrorCode> {
    let inbox = Inbox {
        search: None,
        space: None,
        before: None,
        limit: 50,
    };
    match world
        .school
        .handle(&caller(directory, who), Request::Inbox(inbox))
        .await
    {
        Ok(Reply::Inbox(page)) => Ok(page.entries.len()),
        Ok(other) => panic!("{other:?}"),
        Err(refusal) => Err(refusal.code),
    }
}

async fn messages_of(
    world: &World,
    directory: &Directory,
    who: ProfileId,
    thread: ThreadId,
) -> Result<usize, ErrorCode> {
    let history = History {
        thread,
        before: None,
        after: None,
        limit: 50,
    };
    match world
        .school
        .handle(&caller(directory, who), Request::History(history))
        .await
    {
        Ok(Reply::History(page)) => Ok(page.messages.len()),
        Ok(other) => panic!("{other:?}"),
        Err(refusal) => Err(refusal.code),
    }
}

fn person<'r>(roster: &'r mut Roster, id: &str) -> &'r mut roster::Person {
    roster.people.iter_mut().find(|person| person.sourced_id == id).unwrap()
}

#[tokio::test]
async fn the_demo_school_comes_in_through_its_files_and_a_second_time_changes_nothing() {
    let world = World::new();
    let demo = rosters::demo();
    let files = roster::read(&demo::files(&demo));
    let report = world.import_with(&files, ImportOptions::default()).await.unwrap();
    assert_eq!((report.refused.as_deref(), report.problems.len()), (None, 0));
    assert!(
        report.added.profiles >= 550 && report.added.groups >= 20,
        "{:?}",
        report.added
    );
    assert!(
        report.added.relations >= 300 && report.added.group_members >= 300,
        "{:?}",
        report.added
    );
    assert_eq!((report.changed, report.removed, report.unchanged), Default::default());

    let directory = world.institution().await;
    let parent = directory.municipality.clone().unwrap();
    assert_eq!(
        (parent.kind, parent.forbidden.as_slice()),
        (SpaceKind::Municipality, &DEFAULT_FORBIDDEN[..])
    );
    assert!(directory.record.forbidden.is_empty(), "the municipality sets the table");
    let now = world.clock.now();
    for (login, role) in [
        (cast().teacher, Role::Employee),
        (cast().guardian, Role::Guardian),
        (cast().child, Role::Child),
    ] {
        let profile = profile(&directory, &login.sourced_id, role);
        assert_eq!(directory.role_now(profile, now), Some(role));
        assert_eq!(directory.name_of(profile), login.name);
        let account = world.accounts.rows.lock().unwrap()[&directory.profiles[&profile].person].clone();
        assert_eq!(account, (login.username, AccountState::Open));
        let own = world
            .school
            .own_profiles(directory.profiles[&profile].person)
            .await
            .unwrap();
        assert!(own.iter().any(|own| own.profile == profile && own.role == role));
    }

    let writes = world.writes();
    let again = world.import_with(&files, ImportOptions::default()).await.unwrap();
    assert_eq!((again.added, again.changed, again.removed), Default::default());
    assert_eq!(again.unchanged, report.added);
    assert_eq!(world.writes(), writes);
}

#[tokio::test]
async fn a_dry_run_tells_the_same_and_writes_nothing() {
    let world = World::new();
    let options = ImportOptions {
        dry_run: true,
        ..ImportOptions::default()
    };
    let dry = world.import_with(&reading(&class_3a()), options).await.unwrap();
    assert_eq!(world.writes(), 0);
    assert_eq!(dry, world.import(&class_3a()).await);
}

#[tokio::test]
async fn who_vanishes_loses_access_at_once_and_their_words_stay_and_they_can_come_back() {
    let mut world = World::new();
    let roster = class_3a();
    world.import(&roster).await;
    let directory = world.institution().await;
    let (child, mother, _) = family_of_two(&roster, &class(&roster, "3.A"));
    let (child, guardian) = (
        profile(&directory, &child, Role::Child),
        profile(&directory, &mother, Role::Guardian),
    );
    let to = vec![Recipient::Guardians {
        group: group(&directory, "3.A"),
    }];
    let thread = write_to(&world, &directory, to, "Skovtur").await;
    assert_eq!(threads_of(&world, &directory, guardian).await, Ok(1));

    world.clock.advance(60_000);
    let report = world.import(&without(&roster, &[&mother])).await;
    assert_eq!((report.removed.profiles, report.removed.relations), (1, 1));
    assert_eq!((report.added, report.changed), Default::default());
    assert_ne!(threads_of(&world, &directory, guardian).await, Ok(1));
    assert!(messages_of(&world, &directory, guardian, thread).await.is_err());
    assert!(
        world
            .school
            .own_profiles(directory.profiles[&guardian].person)
            .await
            .unwrap()
            .is_empty()
    );
    let after = world.institution().await;
    assert_eq!(after.guardians_now(child, world.clock.now()).count(), 1);
    assert_eq!(
        after.name_of(guardian),
        directory.name_of(guardian),
        "their name stays with their words"
    );
    let members = world.state(&[thread]).await;
    assert!(
        members.contains(&format!("thread 0 {:?} Guardian left true", Some(&mother))),
        "{members:#?}"
    );

    world.clock.advance(60_000);
    world.restart();
    let report = world.import(&roster).await;
    assert_eq!(
        (report.added.profiles, report.added.relations, report.removed),
        (1, 1, Counts::default())
    );
    assert_eq!(threads_of(&world, &directory, guardian).await, Ok(1));
    let teacher = profile(&directory, &cast().teacher.sourced_id, Role::Employee);
    assert_eq!(messages_of(&world, &directory, teacher, thread).await, Ok(1));
}

#[tokio::test]
async fn a_child_that_moves_class_takes_its_guardians_along() {
    let world = World::new();
    let mut roster = class_3a();
    world.import(&roster).await;
    let directory = world.institution().await;
    let (from, to) = (class(&roster, "3.A"), class(&roster, "3.B"));
    let (child, mother, _) = family_of_two(&roster, &from);
    let guardian = profile(&directory, &mother, Role::Guardian);
    let thread = write_to(
        &world,
        &directory,
        vec![Recipient::Guardians {
            group: group(&directory, "3.A"),
        }],
        "Lus",
    )
    .await;
    for enrollment in roster
        .enrollments
        .iter_mut()
        .filter(|enrollment| enrollment.person == child)
    {
        enrollment.class.clone_from(&to);
    }
    world.clock.advance(60_000);
    let report = world.import(&roster).await;
    assert_eq!((report.added.group_members, report.removed.group_members), (1, 1));
    assert_eq!((report.removed.profiles, report.changed), (0, Counts::default()));
    let now = world.institution().await;
    let child = profile(&now, &child, Role::Child);
    let groups: Vec<_> = now.groups_now(child, world.clock.now()).collect();
    assert_eq!(groups, [group(&now, "3.B")]);
    let state = world.state(&[thread]).await;
    assert!(state.contains(&format!("thread 0 {:?} Guardian left true", Some(&mother))));
    assert_eq!(
        messages_of(&world, &directory, guardian, thread).await,
        Ok(1),
        "what was read stays readable"
    );
}

#[tokio::test]
async fn names_protection_and_accounts_follow_the_roster() {
    let world = World::new();
    let mut roster = class_3a();
    world.import(&roster).await;
    let (child, mother, _) = family_of_two(&roster, &class(&roster, "3.A"));
    person(&mut roster, &mother).family_name = "Nygård".to_owned();
    person(&mut roster, &child).name_protected = true;
    person(&mut roster, &cast().child.sourced_id).enabled = false;
    let report = world.import(&roster).await;
    assert_eq!(
        (report.changed.profiles, report.added, report.removed),
        (3, Counts::default(), Counts::default())
    );
    let directory = world.institution().await;
    assert!(
        directory
            .name_of(profile(&directory, &mother, Role::Guardian))
            .ends_with(" Nygård")
    );
    assert!(directory.profiles[&profile(&directory, &child, Role::Child)].name_protected);
    let freja = directory.profiles[&profile(&directory, &cast().child.sourced_id, Role::Child)].person;
    let state = || world.accounts.rows.lock().unwrap()[&freja].1;
    assert_eq!(state(), AccountState::ClosedByRoster);
    person(&mut roster, &cast().child.sourced_id).enabled = true;
    assert_eq!(world.import(&roster).await.changed.profiles, 1);
    assert_eq!(state(), AccountState::Open);
    world.accounts.rows.lock().unwrap().get_mut(&freja).unwrap().1 = AccountState::ClosedByHand;
    assert_eq!(world.import(&roster).await.changed, Counts::default());
    assert_eq!(
        state(),
        AccountState::ClosedByHand,
        "what was closed by hand stays closed"
    );
}

#[tokio::test]
async fn a_guardian_whose_custody_ends_keeps_nothing_that_is_about_the_child() {
    let world = World::new();
    let mut roster = class_3a();
    world.import(&roster).await;
    let (child, mother, father) = family_of_two(&roster, &class(&roster, "3.A"));
    let directory = world.institution().await;
    let (child_here, guardian) = (
        profile(&directory, &child, Role::Child),
        profile(&directory, &mother, Role::Guardian),
    );
    let thread = write_to(
        &world,
        &directory,
        vec![Recipient::Profile { profile: guardian }],
        "Om jeres barn",
    )
    .await;
    let relation = roster
        .relations
        .iter_mut()
        .find(|it| it.guardian == mother && it.child == child)
        .unwrap();
    relation.custody = false;
    relation.end_date = Some(date(2026, 3, 1));
    let report = world.import(&roster).await;
    assert_eq!((report.changed.relations, report.removed), (1, Counts::default()));
    let directory = world.institution().await;
    assert_eq!(
        directory.role_now(guardian, world.clock.now()),
        None,
        "no child, no rights"
    );
    assert!(messages_of(&world, &directory, guardian, thread).await.is_err());
    let left: Vec<_> = directory
        .guardians_now(child_here, world.clock.now())
        .map(|(guardian, _)| guardian)
        .collect();
    assert_eq!(left, [profile(&directory, &father, Role::Guardian)]);
}

#[tokio::test]
async fn someone_with_two_roles_is_one_person_with_two_profiles() {
    let world = World::new();
    let mut roster = class_3a();
    let (child, _, father) = family_of_two(&roster, &class(&roster, "3.A"));
    let teacher = cast().teacher.sourced_id;
    for relation in roster
        .relations
        .iter_mut()
        .filter(|it| it.guardian == father && it.child == child)
    {
        relation.guardian.clone_from(&teacher);
    }
    let roster = without(&roster, &[&father]);
    world.import(&roster).await;
    let directory = world.institution().await;
    let (employee, guardian) = (
        profile(&directory, &teacher, Role::Employee),
        profile(&directory, &teacher, Role::Guardian),
    );
    let persons = [employee, guardian].map(|profile| directory.profiles[&profile].person);
    assert_eq!(persons[0], persons[1]);
    assert_eq!(world.school.own_profiles(persons[0]).await.unwrap().len(), 2);
}

#[tokio::test]
async fn staff_who_get_another_office_keep_their_profile() {
    let world = World::new();
    let mut roster = class_3a();
    world.import(&roster).await;
    let teacher = cast().teacher.sourced_id;
    let before = profile(&world.institution().await, &teacher, Role::Employee);
    for held in &mut person(&mut roster, &teacher).roles {
        held.role = roster::Role::Principal;
    }
    let report = world.import(&roster).await;
    assert_eq!(
        (report.changed.profiles, report.added.profiles, report.removed.profiles),
        (1, 0, 0)
    );
    let directory = world.institution().await;
    assert_eq!(profile(&directory, &teacher, Role::InstitutionAdmin), before);
    let own = world
        .school
        .own_profiles(directory.profiles[&before].person)
        .await
        .unwrap();
    assert_eq!(
        own.iter().map(|own| own.role).collect::<Vec<_>>(),
        [Role::InstitutionAdmin]
    );
}

#[tokio::test]
async fn a_family_in_two_schools_is_the_same_persons_in_both() {
    let world = World::new();
    let mut roster = class_3a();
    let school = roster
        .organisations
        .iter()
        .find(|it| it.kind == roster::OrganisationType::School)
        .unwrap();
    let mut other = school.clone();
    (other.sourced_id, other.name) = ("other-school".to_owned(), "Den Anden Skole".to_owned());
    roster.organisations.push(other);
    let (child, mother, _) = family_of_two(&roster, &class(&roster, "3.A"));
    let row = person(&mut roster, &child);
    let mut held = row.roles[0].clone();
    held.organisation = Some("other-school".to_owned());
    row.roles.push(held);
    world.import(&roster).await;
    let mut persons = Vec::new();
    for (space, record) in world.spaces().await {
        if record.kind == SpaceKind::Institution {
            let directory = Directory::load(&world.store, space).await.unwrap().unwrap();
            let guardian = profile(&directory, &mother, Role::Guardian);
            assert_eq!(directory.role_now(guardian, world.clock.now()), Some(Role::Guardian));
            persons.push(directory.profiles[&guardian].person);
        }
    }
    assert_eq!(persons.len(), 2);
    assert_eq!(persons[0], persons[1]);
    assert_eq!(world.school.own_profiles(persons[0]).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_roster_that_removes_many_stops_unless_it_is_forced() {
    let world = World::new();
    let roster = class_3a();
    world.import(&roster).await;
    let children: Vec<&str> = {
        let of_class = roster.people.iter().filter(|person| person.is_child());
        of_class
            .take(roster.people.len() / 20 + 1)
            .map(|person| person.sourced_id.as_str())
            .collect()
    };
    let writes = world.writes();
    let smaller = without(&roster, &children);
    let report = world.import(&smaller).await;
    assert!(report.refused.unwrap().contains("5 %"));
    assert_eq!(report.removed.profiles, children.len() as u64);
    assert_eq!(world.writes(), writes);
    assert_eq!(world.force(&smaller).await.refused, None);
    let directory = world.institution().await;
    let left = profile(&directory, children[0], Role::Child);
    assert_eq!(directory.role_now(left, world.clock.now()), None);
}

#[tokio::test]
async fn what_is_to_be_deleted_goes_a_whole_institution_only_when_forced() {
    let world = World::new();
    let mut roster = class_3a();
    world.import(&roster).await;
    let (_, mother, _) = family_of_two(&roster, &class(&roster, "3.A"));
    person(&mut roster, &mother).status = Status::ToBeDeleted;
    let gone = |it: &roster::Relation| it.guardian == mother;
    roster
        .relations
        .iter_mut()
        .filter(|it| gone(it))
        .for_each(|it| it.status = Status::ToBeDeleted);
    assert_eq!(world.import(&roster).await.removed.profiles, 1);
    for organisation in &mut roster.organisations {
        organisation.status = Status::ToBeDeleted;
    }
    assert!(world.import(&roster).await.refused.is_some());
    assert_eq!(world.force(&roster).await.refused, None);
    let directory = world.institution().await;
    assert!(
        directory
            .profiles
            .keys()
            .all(|profile| directory.role_now(*profile, world.clock.now()).is_none())
    );
    assert!(directory.groups.values().all(|group| group.ended_at.is_some()));
}

#[tokio::test]
async fn what_cannot_be_applied_is_refused_with_its_reason() {
    let world = World::new();
    let mut strict = reading(&class_3a());
    strict.errors = 1;
    let options = ImportOptions {
        strict: true,
        ..ImportOptions::default()
    };
    assert!(
        world
            .import_with(&strict, options)
            .await
            .unwrap()
            .refused
            .unwrap()
            .contains("1 errors")
    );
    let mut delta = reading(&class_3a());
    delta.roster.delta = true;
    assert!(
        world
            .import_with(&delta, ImportOptions::default())
            .await
            .unwrap()
            .refused
            .is_some()
    );
    assert!(
        world
            .import(&Roster::default())
            .await
            .refused
            .unwrap()
            .contains("no institution")
    );
    assert_eq!(world.writes(), 0);
    assert_eq!(
        world
            .import_with(&strict, ImportOptions::default())
            .await
            .unwrap()
            .refused,
        None
    );
}

#[tokio::test]
async fn a_roster_of_another_school_leaves_this_one_alone() {
    let world = World::new();
    let roster = class_3a();
    world.import(&roster).await;
    let before = world.state(&[]).await;
    let mut other = class_3a();
    let rename = |id: &mut String| id.insert_str(0, "other-");
    other.organisations.iter_mut().for_each(|it| {
        rename(&mut it.sourced_id);
        it.parent.as_mut().map(rename);
    });
    other.classes.iter_mut().for_each(|it| rename(&mut it.organisation));
    other.people.iter_mut().flat_map(|it| &mut it.roles).for_each(|it| {
        it.organisation.as_mut().map(rename);
    });
    assert_eq!(world.import(&other).await.refused, None);
    assert!(world.state(&[]).await.is_superset(&before));
    assert_eq!(world.import(&roster).await.changed, Counts::default());
}
