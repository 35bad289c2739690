//! The real roster beside the repository, when it is there.

use std::path::{Path, PathBuf};

use super::*;
use crate::roster::{EnrollmentRole, OrganisationType, Status, Version, open};

/// The folder `shared` beside the repository, or wherever `SAMTALE_SHARED` says.
fn real_file() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = std::env::var_os("SAMTALE_SHARED").map_or_else(beside, PathBuf::from);
    Some(shared.join("data/oneroster/full-1.1.zip")).filter(|path| path.is_file())
}

#[test]
fn the_real_file_is_read() {
    let Some(path) = real_file() else { return };
    let reading = read(&open(&path).expect("the real file opens"));
    let roster = &reading.roster;
    assert_eq!(roster.version, Version::V1_1);
    assert_eq!(
        (roster.organisations.len(), roster.sessions.len(), roster.classes.len()),
        (1, 5, 2)
    );
    assert_eq!((roster.people.len(), roster.enrollments.len()), (6, 6));
    let organisation = &roster.organisations[0];
    assert_eq!(
        (organisation.kind, organisation.parent.as_deref()),
        (OrganisationType::Department, None)
    );
    assert_eq!(roster.institution_of(&organisation.sourced_id), Some(organisation));
    assert_eq!(roster.classes[1].status, Status::ToBeDeleted);

    // One of five agents is a guardian's child; the others are teachers.
    let pairs: Vec<(&str, &str)> = roster
        .relations
        .iter()
        .map(|relation| (relation.guardian.as_str(), relation.child.as_str()))
        .collect();
    assert_eq!(pairs, [("usr-222-1234561", "usr-222-66778899")]);

    // A teacher who is enrolled as a student stays a teacher, and a class that ends takes its enrollments along.
    let of = |class: &str| {
        roster
            .enrollments
            .iter()
            .filter(|found| found.class == class)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("cls-222-123456")[1].role, EnrollmentRole::Teacher);
    assert!(of("cls-222-123456").iter().all(|found| found.status == Status::Active));
    assert!(
        of("cls-222-123478")
            .iter()
            .all(|found| found.status == Status::ToBeDeleted)
    );

    assert!(!format!("{reading:?}").contains("Password1-"));
    assert_eq!(
        (reading.errors, reading.problems_left_out),
        (7, 0),
        "{:#?}",
        lines(&reading)
    );
}
