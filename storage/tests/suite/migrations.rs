//! Migrations on a real database: once, one at a time, and refused when they are not this program's.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use samtale_storage::cql::{CqlEngine, MigrateError, migrations};
use samtale_storage::{StorageError, schema};

use crate::database::Database;
use crate::rig::{TestClock, reason};

async fn open(database: &Database) -> Result<CqlEngine, StorageError> {
    CqlEngine::open(&database.options, TestClock::new()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_database_gets_every_table_once() {
    let Some(database) = Database::empty("migrate") else {
        return;
    };
    let migrator = database.migrator().await;
    let planned = migrator.planned().await.unwrap();
    assert!(planned.len() > schema::ALL.len(), "the tables, and what is before them");
    assert_eq!(migrator.status().await.unwrap().applied, [], "looking changes nothing");
    let said = Mutex::new(Vec::new());
    let applied = migrator
        .migrate(&|line| said.lock().unwrap().push(line.to_owned()))
        .await;
    assert_eq!(applied.unwrap().len(), migrations::ALL.len());
    assert_eq!(said.lock().unwrap().len(), planned.len());
    open(&database).await.unwrap();
    // Twice is once.
    assert_eq!(migrator.migrate(&|_| {}).await.unwrap().len(), 0);
    assert_eq!(migrator.planned().await.unwrap(), Vec::<String>::new());
    let status = migrator.status().await.unwrap();
    assert_eq!(status.applied.len(), migrations::ALL.len());
    assert_eq!(status.applied[0].checksum, migrations::ALL[0].checksum());
    database.drop_tables().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_migrators_one_works_and_the_other_finds_it_done() {
    let Some(database) = Database::empty("two_migrators") else {
        return;
    };
    let (one, two) = (database.migrator().await, database.migrator().await);
    let (one, two) = tokio::join!(one.migrate(&|_| {}), two.migrate(&|_| {}));
    assert_eq!(one.unwrap().len() + two.unwrap().len(), migrations::ALL.len());
    open(&database).await.unwrap();
    database.drop_tables().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lock_of_a_migrator_that_died_ends_with_its_lease() {
    let Some(database) = Database::new("dead_migrator").await else {
        return;
    };
    let (session, keyspaces) = (database.session().await, &database.options.keyspaces);
    // As after a migrator that died before it had done anything.
    for statement in [
        format!("TRUNCATE {}.schema_migrations", keyspaces.plain),
        format!(
            "INSERT INTO {}.marks (name, value) VALUES ('migrator', 'who died') IF NOT EXISTS USING TTL 4",
            keyspaces.settled
        ),
    ] {
        session.query_unpaged(statement, ()).await.unwrap();
    }
    let began = Instant::now();
    let waited = Mutex::new(false);
    let migrator = database.migrator().await.with_lease(Duration::from_secs(20));
    let heard = |line: &str| *waited.lock().unwrap() |= line.contains("who died");
    assert_eq!(migrator.migrate(&heard).await.unwrap().len(), migrations::ALL.len());
    assert!(*waited.lock().unwrap() && began.elapsed() < Duration::from_secs(20));
    let held = format!("SELECT name FROM {}.marks WHERE name = 'migrator'", keyspaces.settled);
    let held = session
        .query_unpaged(held, ())
        .await
        .unwrap()
        .into_rows_result()
        .unwrap();
    assert_eq!(held.rows_num(), 0, "the lock is released");
    database.drop_tables().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_is_held_for_longer_than_its_lease_is_said_to_be_held() {
    let Some(database) = Database::new("held_lock").await else {
        return;
    };
    let (session, keyspaces) = (database.session().await, &database.options.keyspaces);
    for statement in [
        format!("TRUNCATE {}.schema_migrations", keyspaces.plain),
        format!(
            "INSERT INTO {}.marks (name, value) VALUES ('migrator', 'who works') IF NOT EXISTS USING TTL 600",
            keyspaces.settled
        ),
    ] {
        session.query_unpaged(statement, ()).await.unwrap();
    }
    let migrator = database.migrator().await.with_lease(Duration::from_secs(1));
    let error = migrator.migrate(&|_| {}).await.unwrap_err();
    assert!(matches!(&error, MigrateError::Busy { holder, .. } if holder == "who works"));
    database.drop_tables().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_of_another_version_are_refused_with_what_to_do() {
    let Some(database) = Database::new("versions").await else {
        return;
    };
    let (session, keyspace) = (database.session().await, &database.options.keyspaces.plain);
    let set = async |assignment: &str| {
        let statement = format!("UPDATE {keyspace}.schema_migrations SET {assignment} WHERE program = 'samtale'");
        let place = if assignment.contains("newer") { 999 } else { 1 };
        let statement = format!("{statement} AND version = {place}");
        session.query_unpaged(statement, ()).await.unwrap();
    };
    set("checksum = 'other'").await;
    let changed = database.migrator().await.migrate(&|_| {}).await.unwrap_err();
    assert!(matches!(changed, MigrateError::Changed { version: 1, .. }));
    let refused = open(&database).await.err().unwrap();
    assert!(reason(&refused).contains("another text"), "{refused}");
    set(&format!("checksum = '{}'", migrations::ALL[0].checksum())).await;
    open(&database).await.unwrap();
    set("checksum = 'x', name = 'newer'").await;
    let refused = open(&database).await.err().unwrap();
    assert!(
        matches!(refused, StorageError::NewerFormat { found: 999, .. }),
        "{refused}"
    );
    let refused = database.migrator().await.migrate(&|_| {}).await.unwrap_err();
    assert!(matches!(refused, MigrateError::Newer { found: 999, .. }));
    database.drop_tables().await;
}
