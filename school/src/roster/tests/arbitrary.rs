//! Whatever the bytes, reading ends and says something.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::roster::archive::unpack;

const NAMES: &[&str] = &[
    "manifest.csv",
    "orgs.csv",
    "academicSessions.csv",
    "courses.csv",
    "classes.csv",
    "users.csv",
    "roles.csv",
    "demographics.csv",
    "enrollments.csv",
    "samtaleRelations.csv",
];

/// Pieces that rosters are made of, so that chance gets past the headings.
const PIECES: &[&str] = &[
    ",",
    ",,",
    ";",
    "\"",
    "\n",
    "\r\n",
    "sourcedId",
    "status",
    "s",
    "m",
    "anne",
    "freja",
    "mette",
    "3a",
    "year",
    "true",
    "teacher",
    "student",
    "parent",
    "tobedeleted",
    "2026-08-01",
    "31/12/2020",
    "9999-12-31",
    "æ",
    "\u{feff}",
    "role",
    "userSourcedId",
    "é",
    "delta",
    "file.users",
    "NULL",
    " ",
    "12/31/20",
    "99999999",
    "0000-00-00",
    "T",
    "Z",
];

fn pieces() -> impl Strategy<Value = String> {
    vec(prop::sample::select(PIECES), 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_read(name in prop::sample::select(NAMES), bytes in vec(any::<u8>(), 0..300)) {
        let _reading = tidy_but(name, bytes);
    }

    #[test]
    fn arbitrary_rows_below_real_headings_are_read(file in 0usize..6, rows in pieces()) {
        let (name, mut bytes) = tidy().swap_remove(file);
        bytes.extend_from_slice(rows.as_bytes());
        let reading = tidy_but(name, bytes);
        prop_assert!(reading.roster.organisations.len() <= 100);
    }

    #[test]
    fn arbitrary_damage_is_read(file in 0usize..6, at in any::<prop::sample::Index>(), pieces in pieces()) {
        let (name, mut bytes) = tidy().swap_remove(file);
        let at = at.index(bytes.len());
        bytes.splice(at..at, pieces.bytes());
        let _reading = tidy_but(name, bytes);
    }

    #[test]
    fn arbitrary_archives_are_refused_or_unpacked(bytes in vec(any::<u8>(), 0..300)) {
        let mut archive = b"PK\x03\x04".to_vec();
        archive.extend_from_slice(&bytes);
        let _files = unpack(std::io::Cursor::new(archive));
    }

    /// What was read refers to nothing that was not.
    #[test]
    fn references_lead_somewhere(file in 0usize..6, at in any::<prop::sample::Index>(), pieces in pieces()) {
        let (name, mut bytes) = tidy().swap_remove(file);
        let at = at.index(bytes.len());
        bytes.splice(at..at, pieces.bytes());
        let roster = tidy_but(name, bytes).roster;
        let has_person = |id: &String| roster.people.iter().any(|person| person.sourced_id == *id);
        for enrollment in &roster.enrollments {
            prop_assert!(has_person(&enrollment.person));
            prop_assert!(roster.classes.iter().any(|class| class.sourced_id == enrollment.class));
        }
        for relation in &roster.relations {
            prop_assert!(has_person(&relation.guardian) && has_person(&relation.child));
        }
        for class in &roster.classes {
            prop_assert!(roster.organisation(&class.organisation).is_some());
        }
    }
}
