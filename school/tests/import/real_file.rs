//! The real roster beside the repository, when it is there.

use std::path::{Path, PathBuf};

use samtale_protocol::people::Role;
use samtale_school::import::{Counts, ImportOptions};
use samtale_school::roster;

use crate::world::{World, profile};

/// The folder `shared` beside the repository, or wherever `SAMTALE_SHARED` says.
fn real_file() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = std::env::var_os("SAMTALE_SHARED").map_or_else(beside, PathBuf::from);
    Some(shared.join("data/oneroster/full-1.1.zip")).filter(|path| path.is_file())
}

#[tokio::test]
async fn the_real_file_goes_in_as_far_as_it_can_be_read() {
    let Some(path) = real_file() else {
        eprintln!("skipped: there is no real roster beside the repository; set SAMTALE_SHARED");
        return;
    };
    let reading = roster::read(&roster::open(&path).unwrap());
    let world = World::new();
    let strict = ImportOptions {
        strict: true,
        ..ImportOptions::default()
    };
    assert!(world.import_with(&reading, strict).await.unwrap().refused.is_some());
    let report = world.import_with(&reading, ImportOptions::default()).await.unwrap();
    assert_eq!(report.refused, None);
    assert_eq!(report.problems.len(), reading.problems.len());
    assert_eq!(
        (report.added.spaces, report.added.groups, report.added.relations),
        (1, 1, 1)
    );
    let directory = world.institution().await;
    let guardian = profile(&directory, "usr-222-1234561", Role::Guardian);
    assert_eq!(
        directory.role_now(guardian, samtale_protocol::time::Clock::now(&*world.clock)),
        Some(Role::Guardian)
    );
    let again = world.import_with(&reading, ImportOptions::default()).await.unwrap();
    assert_eq!(
        (again.added, again.changed, again.removed),
        (Counts::default(), Counts::default(), Counts::default())
    );
    assert_eq!(again.unchanged, report.added);
}
