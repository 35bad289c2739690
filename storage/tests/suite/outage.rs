//! A database that freezes, goes away and comes back: errors in time, and an engine that goes on by itself.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use samtale_storage::cql::{CqlEngine, Migrator};
use samtale_storage::schema::{DRAFTS, THREADS};
use samtale_storage::{Engine, Key, StorageError};

use crate::database;
use crate::rig::{TestClock, body, id, put, skip};

/// What the engine is told, and what an error may take with the work around it on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(2);
const IN_TIME: Duration = Duration::from_secs(4);
/// A server needs some ten seconds to start, and the driver waits longer between attempts the longer it was away.
const BACK: Duration = Duration::from_secs(90);

/// A server of this test's own.
struct Server {
    folder: tempfile::TempDir,
    port: u16,
}

impl Server {
    /// Starts one, if this machine has what it takes; where it has not, the tests that need any server say so.
    fn start() -> Option<Self> {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        std::env::var_os("SAMTALE_CQL")?;
        if !repository.join("target/cql/pom.xml").exists() {
            skip("a database that freezes: run scripts/set-up, for a CQL server that the test may stop");
            return None;
        }
        let free = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let server = Self {
            folder: tempfile::tempdir().unwrap(),
            port: free,
        };
        server.run("start");
        Some(server)
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn run(&self, what: &str) {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../scripts/cql-server");
        let mut command = Command::new(script);
        command.arg(what).arg(self.folder.path());
        if what == "start" {
            command.arg(self.port.to_string());
        }
        assert!(command.status().unwrap().success(), "{what}");
    }

    fn signal(&self, signal: Signal) {
        let pid = std::fs::read_to_string(self.folder.path().join("pid")).unwrap();
        kill_process(Pid::from_raw(pid.trim().parse().unwrap()).unwrap(), signal).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signal(Signal::CONT);
        self.run("stop");
    }
}

fn key(number: u8) -> Key {
    Key::new([id(1), id(1)], [id(number)])
}

/// The error of something, which comes in time.
async fn fails<T: std::fmt::Debug>(asked: impl Future<Output = Result<T, StorageError>>) -> StorageError {
    let began = Instant::now();
    let error = asked.await.unwrap_err();
    assert!(began.elapsed() < IN_TIME, "{error} after {:?}", began.elapsed());
    error
}

/// Waits until the engine reads again, and says how long it took.
async fn is_back(engine: &CqlEngine) -> Duration {
    let began = Instant::now();
    while engine.get(&DRAFTS, &key(1)).await.is_err() {
        assert!(began.elapsed() < BACK, "it never came back");
        // tidy: waits because the driver tries again by itself, now and then
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    began.elapsed()
}

async fn goes_on(engine: &CqlEngine, text: &[u8], timestamp: u64) {
    engine.write(put(&DRAFTS, &key(1), text, timestamp)).await.unwrap();
    assert_eq!(body(engine, &DRAFTS, &key(1)).await.as_deref(), Some(text));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_freezes_or_goes_away_is_an_error_in_time_and_no_more_when_it_is_back() {
    let Some(server) = Server::start() else {
        return;
    };
    let mut options = database::options(&server.address(), "outage");
    Migrator::connect(&options)
        .await
        .unwrap()
        .migrate(&|_| {})
        .await
        .unwrap();
    options.request_timeout = TIMEOUT;
    let engine = CqlEngine::open(&options, TestClock::new()).await.unwrap();
    goes_on(&engine, b"before", 1).await;

    server.signal(Signal::STOP);
    let (row, thread) = (key(1), Key::new([id(1), id(1)], []));
    let (read, write, set) = tokio::join!(
        fails(engine.get(&DRAFTS, &row)),
        fails(engine.write(put(&DRAFTS, &key(2), b"while frozen", 2))),
        fails(engine.compare_and_set(&THREADS, &thread, None, Some(vec![1]))),
    );
    assert!(
        matches!(read, StorageError::Unavailable { .. }),
        "a read changes nothing: {read}"
    );
    for unknown in [write, set] {
        assert!(
            matches!(unknown, StorageError::Timeout { .. }),
            "it may have been applied: {unknown}"
        );
    }
    server.signal(Signal::CONT);
    println!("back after a freeze: {:?}", is_back(&engine).await);
    // What was in doubt is settled by doing it again.
    engine.write(put(&DRAFTS, &key(2), b"while frozen", 2)).await.unwrap();
    let settled = engine
        .get_serial(&THREADS, &Key::new([id(1), id(1)], []))
        .await
        .unwrap();
    assert!(settled.is_none_or(|row| row.timestamp == 1));

    // Two starts of a server are more than the short form has time for.
    if std::env::var_os("SAMTALE_SOAK").is_none() {
        return;
    }
    server.run("stop");
    fails(engine.get(&DRAFTS, &key(1))).await;
    fails(engine.write(put(&DRAFTS, &key(3), b"while away", 3))).await;
    server.run("start");
    println!("back after a restart: {:?}", is_back(&engine).await);
    assert_eq!(body(&engine, &DRAFTS, &key(1)).await.as_deref(), Some(&b"before"[..]));
    goes_on(&engine, b"after", 4).await;
}
