//! Where each record will stand once the roster is written: on the line after the one before it, below one line of headings.

use crate::roster::{Place, Roster};

/// The first line below the headings.
const FIRST: u64 = 2;

/// Puts relations in the order they are read in, and gives every record its place.
pub(super) fn number(roster: &mut Roster) {
    roster
        .relations
        .sort_by(|a, b| (&a.child, &a.guardian).cmp(&(&b.child, &b.guardian)));
    give(
        "orgs.csv",
        roster.organisations.iter_mut().map(|record| &mut record.place),
    );
    give(
        "academicSessions.csv",
        roster.sessions.iter_mut().map(|record| &mut record.place),
    );
    give("courses.csv", roster.courses.iter_mut().map(|record| &mut record.place));
    give("classes.csv", roster.classes.iter_mut().map(|record| &mut record.place));
    give("users.csv", roster.people.iter_mut().map(|record| &mut record.place));
    let roles = roster.people.iter_mut().flat_map(|person| person.roles.iter_mut());
    give("roles.csv", roles.map(|record| &mut record.place));
    give(
        "enrollments.csv",
        roster.enrollments.iter_mut().map(|record| &mut record.place),
    );
    give(
        "samtaleRelations.csv",
        roster.relations.iter_mut().map(|record| &mut record.place),
    );
}

fn give<'r>(file: &str, places: impl Iterator<Item = &'r mut Place>) {
    let start = Place::new(file, FIRST);
    for (number, place) in places.enumerate() {
        *place = Place {
            file: start.file.clone(),
            line: FIRST + number as u64,
        };
    }
}
