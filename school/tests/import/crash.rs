//! The power goes at every single write of an import; run again, it comes to the same end.

use jiff::civil::date;
use samtale_protocol::ThreadId;
use samtale_protocol::threads::Recipient;
use samtale_school::import::{Counts, ImportOptions};
use samtale_school::roster::{Person, Roster};

use crate::rosters::{class, class_3a, family_of_two, without};
use crate::world::{World, group, reading};
use crate::write_to;

/// A school with threads that follow 3.A.
async fn school() -> (World, Vec<ThreadId>) {
    let world = World::new();
    world.import(&class_3a()).await;
    let directory = world.institution().await;
    let class = group(&directory, "3.A");
    let mut threads = Vec::new();
    threads.push(
        write_to(
            &world,
            &directory,
            vec![Recipient::Guardians { group: class }],
            "Til hjemmene",
        )
        .await,
    );
    threads.push(
        write_to(
            &world,
            &directory,
            vec![Recipient::Group { group: class }],
            "Til klassen",
        )
        .await,
    );
    world.clock.advance(60_000);
    (world, threads)
}

/// A year's changes at once: someone new, someone gone, someone moved, a name, a custody, an account.
fn changed() -> Roster {
    let mut roster = class_3a();
    let (a, b) = (class(&roster, "3.A"), class(&roster, "3.B"));
    let (child, mother, father) = family_of_two(&roster, &a);
    let mut newcomer: Person = roster
        .people
        .iter()
        .find(|person| person.sourced_id == child)
        .unwrap()
        .clone();
    (newcomer.sourced_id, newcomer.username) = ("newcomer".to_owned(), None);
    roster.people.push(newcomer);
    let mut enrollment = roster.enrollments.iter().find(|it| it.person == child).unwrap().clone();
    (enrollment.sourced_id, enrollment.person) = ("newcomer-3a".to_owned(), "newcomer".to_owned());
    roster.enrollments.push(enrollment);
    let mut relation = roster
        .relations
        .iter()
        .find(|it| it.child == child && it.guardian == father)
        .unwrap()
        .clone();
    relation.child = "newcomer".to_owned();
    roster.relations.push(relation);
    for enrollment in roster.enrollments.iter_mut().filter(|it| it.person == child) {
        enrollment.class.clone_from(&b);
    }
    for relation in roster
        .relations
        .iter_mut()
        .filter(|it| it.child == child && it.guardian == father)
    {
        relation.end_date = Some(date(2026, 3, 1));
    }
    roster.organisations.iter_mut().for_each(|it| it.name.push_str(" Ny"));
    for person in roster.people.iter_mut().filter(|it| it.sourced_id == father) {
        (person.family_name, person.enabled) = ("Nygård".to_owned(), false);
    }
    without(&roster, &[&mother])
}

#[tokio::test]
async fn a_first_import_that_is_cut_off_anywhere_goes_on_to_the_same_end() {
    let whole = World::new();
    whole.import(&class_3a()).await;
    let (state, writes) = (whole.state(&[]).await, whole.writes());
    for cut in 0..writes {
        let mut world = World::new();
        world.power.fails_after(i64::try_from(cut).unwrap());
        let cut_off = world.import_with(&reading(&class_3a()), ImportOptions::default()).await;
        assert!(cut_off.is_err(), "{cut} of {writes} writes were enough");
        world.restart();
        world.import(&class_3a()).await;
        let differing: Vec<_> = state.symmetric_difference(&world.state(&[]).await).cloned().collect();
        assert!(differing.is_empty(), "after {cut} of {writes} writes: {differing:#?}");
        let again = world.import(&class_3a()).await;
        assert_eq!(
            (again.added, again.changed, again.removed),
            <(Counts, Counts, Counts)>::default()
        );
    }
}

// Nobody waits in real time for what was begun to be left alone no longer.
#[tokio::test(start_paused = true)]
async fn a_later_import_that_is_cut_off_anywhere_goes_on_to_the_same_end() {
    let (whole, threads) = school().await;
    let before = whole.writes();
    let report = whole.import(&changed()).await;
    assert_eq!(report.refused, None);
    let (state, writes) = (whole.state(&threads).await, whole.writes() - before);
    assert!(writes > 20);
    for cut in 0..writes {
        let (mut world, threads) = school().await;
        world.power.fails_after(i64::try_from(cut).unwrap());
        let cut_off = world.import_with(&reading(&changed()), ImportOptions::default()).await;
        assert!(cut_off.is_err(), "{cut} of {writes} writes were enough");
        world.restart();
        world.import(&changed()).await;
        let differing: Vec<_> = state
            .symmetric_difference(&world.state(&threads).await)
            .cloned()
            .collect();
        assert!(differing.is_empty(), "after {cut} of {writes} writes: {differing:#?}");
        let writes_so_far = world.writes();
        world.import(&changed()).await;
        assert_eq!(world.writes(), writes_so_far);
    }
}
