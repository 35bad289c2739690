//! The program on a real database: migrated, served by two nodes, and a school that is moved there.

#![expect(clippy::expect_used, reason = "a test that can not go on has failed")]

#[path = "support/inbox.rs"]
mod inbox;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use self::inbox::inbox;
use samtale_protocol::threads::InboxPage;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// The bound on every wait: a school of 600 is written to a database on a machine that runs other tests.
const SOON: Duration = Duration::from_secs(240);

/// A school's place: a folder for its nodes' own folders, one for its keys, and a keyspace.
struct Place {
    folder: tempfile::TempDir,
    nodes: String,
    keyspace: String,
}

struct Ran {
    exit_code: Option<i32>,
    out: String,
    error: String,
}

impl Place {
    fn new(purpose: &str) -> Option<Self> {
        let Ok(nodes) = std::env::var("SAMTALE_CQL") else {
            skip("servers on CQL: scripts/test starts a database where it can; or give one's address in SAMTALE_CQL");
            return None;
        };
        Some(Self {
            folder: tempfile::tempdir().expect("a folder"),
            nodes,
            keyspace: format!("test_{purpose}_{}", std::process::id()),
        })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.at(name).to_str().expect("text").to_owned()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_samtale"));
        // Whoever runs the tests may have settings of their own.
        command.env_clear().args(arguments).arg("--keys").arg(self.at("keys"));
        command.kill_on_drop(true);
        command
    }

    /// With the database as the place of the rows.
    fn on_database(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(arguments);
        for setting in [
            format!("cql.nodes={}", self.nodes),
            format!("cql.keyspace={}", self.keyspace),
            "cql.replicas=1".to_owned(),
            // A shared machine is slow at times; what is tested is what is answered.
            "cql.request_timeout=20s".to_owned(),
        ] {
            command.arg("--set").arg(setting);
        }
        command
    }
}

fn skip(what: &str) {
    println!("skipped: {what}");
    if let Some(path) = std::env::var_os("SAMTALE_SKIPPED") {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        writeln!(file.expect("a file"), "{what}").expect("it is written");
    }
}

async fn run(mut command: Command) -> Ran {
    let output = command.stdin(Stdio::null()).output();
    let output = tokio::time::timeout(SOON, output)
        .await
        .expect("it ends")
        .expect("it ran");
    Ran {
        exit_code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("text"),
        error: String::from_utf8(output.stderr).expect("text"),
    }
}

async fn json_of(command: Command) -> Value {
    let ran = run(command).await;
    assert_eq!(ran.exit_code, Some(0), "{}", ran.error);
    serde_json::from_str(&ran.out).expect("JSON")
}

/// A node that listens.
struct Node {
    child: Child,
    address: String,
}

async fn first(stream: impl AsyncRead + Unpin, mut is_it: impl FnMut(&Value) -> bool) -> (Value, impl Sized) {
    let mut lines = BufReader::new(stream).lines();
    loop {
        let line = tokio::time::timeout(SOON, lines.next_line())
            .await
            .expect("in time")
            .expect("text");
        let line: Value = serde_json::from_str(&line.expect("it goes on")).expect("JSON");
        if is_it(&line) {
            return (line, lines);
        }
    }
}

async fn serve(place: &Place, data: &str) -> Node {
    let data = place.text(data);
    let mut command = place.on_database(&[
        "serve",
        "--data",
        &data,
        "--listen",
        "127.0.0.1:0",
        "--set",
        "log.format=json",
    ]);
    let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
    let said = child.stderr.take().expect("it says something");
    let (line, said) = first(said, |line| line["message"] == "serving").await;
    // Closed, because a pipe that nobody reads would hold the node up once it is full.
    drop(said);
    let address = line["address"].as_str().expect("an address").to_owned();
    Node { child, address }
}

/// A demo that is ready, and who can log in.
async fn demo(mut command: Command) -> (Node, Value) {
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let (ready, said) = first(child.stdout.take().expect("it says something"), |_| true).await;
    drop(said);
    let url = ready["url"].as_str().expect("a URL");
    let address = url.strip_prefix("http://").expect("plain HTTP").to_owned();
    (Node { child, address }, ready["logins"][0].clone())
}

impl Node {
    async fn stop(mut self) {
        let pid = self
            .child
            .id()
            .and_then(|id| rustix::process::Pid::from_raw(id.try_into().ok()?));
        rustix::process::kill_process(pid.expect("it runs"), rustix::process::Signal::TERM).expect("it is ours");
        let status = tokio::time::timeout(SOON, self.child.wait()).await.expect("it ends");
        assert_eq!(status.expect("it ran").code(), Some(0));
    }

    async fn http(&self, head: &str, body: &str) -> String {
        let request = format!(
            "{head} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).await.expect("it listens");
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer);
        tokio::time::timeout(SOON, read)
            .await
            .expect("it answers")
            .expect("text");
        answer
    }

    async fn log_in(&self, login: &Value) -> String {
        let body = json!({ "username": login["username"], "password": login["password"] }).to_string();
        let answer = self.http("POST /v1/login", &body).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        let body: Value = serde_json::from_str(body).expect("JSON");
        body["access_token"].as_str().expect("a token").to_owned()
    }
}

fn threads(page: &InboxPage) -> Vec<(String, String)> {
    let entries = page.entries.iter();
    entries
        .map(|entry| (entry.thread.thread.to_string(), entry.preview.clone()))
        .collect()
}

/// Migrates as an operator does: looks, tries, does it, and does it again.
async fn migrate(place: &Place) {
    let data = place.text("none");
    let migrate = |flag: &'static str| place.on_database(&["migrate", "--data", &data, flag]);
    let status = |flags: &[&str]| place.on_database(&[&["migrate", "--data", &data, "--json"], flags].concat());
    let before = json_of(status(&["--status"])).await;
    assert_eq!(
        (&before["applied"], &before["pending"][0]["version"]),
        (&json!([]), &json!(1))
    );
    let planned = run(migrate("--dry-run")).await;
    assert!(
        planned
            .out
            .contains(&format!("CREATE TABLE IF NOT EXISTS {}.messages", place.keyspace))
    );
    assert_eq!(
        json_of(status(&["--status"])).await,
        before,
        "a dry run changes nothing"
    );
    for _ in 0..2 {
        let after = json_of(status(&[])).await;
        assert_eq!(
            (&after["applied"][0]["name"], &after["pending"]),
            (&json!("tables"), &json!([]))
        );
    }
    assert_eq!(
        run(migrate("--status")).await.out,
        "applied  0001 tables\napplied  0002 nodes\n"
    );
}

#[tokio::test]
async fn two_nodes_serve_one_school_from_a_database() {
    let Some(place) = Place::new("nodes") else { return };
    let (one, two) = (place.text("one"), place.text("two"));
    let behind = run(place.on_database(&["serve", "--data", &one, "--listen", "127.0.0.1:0"])).await;
    assert_eq!(behind.exit_code, Some(1));
    assert!(behind.error.contains("run `samtale migrate`"), "{}", behind.error);
    let nowhere = run(place.command(&["migrate", "--data", &one])).await;
    assert_eq!(nowhere.exit_code, Some(2));
    assert!(nowhere.error.contains("set cql.nodes"), "{}", nowhere.error);
    migrate(&place).await;

    let (demo, login) = demo(place.on_database(&["demo", "--json", "--data", &one, "--listen", "127.0.0.1:0"])).await;
    let second = serve(&place, "two").await;
    assert!(second.http("GET /readyz", "").await.starts_with("HTTP/1.1 200 "));
    let here = inbox(&demo.address, demo.log_in(&login).await).await;
    assert!(here.entries.len() > 3);
    // The other node knows who is who, and takes what this one signed.
    let there = inbox(&second.address, demo.log_in(&login).await).await;
    assert_eq!(threads(&there), threads(&here));
    let people = json_of(place.on_database(&["people", "list", "--data", &two, "--json"])).await;
    assert!(people.to_string().contains(login["username"].as_str().expect("a name")));
    let backup = run(place.on_database(&["backup", "--data", &two, "--to", &place.text("backup")])).await;
    assert_eq!(backup.exit_code, Some(2));
    assert!(backup.error.contains("nodetool snapshot"), "{}", backup.error);
    second.stop().await;
    demo.stop().await;
}

#[tokio::test]
async fn a_school_moves_from_its_folder_to_a_database() {
    let Some(place) = Place::new("moved") else { return };
    let data = place.text("data");
    let (folder, login) = demo(place.command(&["demo", "--json", "--data", &data, "--listen", "127.0.0.1:0"])).await;
    let before = inbox(&folder.address, folder.log_in(&login).await).await;
    let copy = |flags: &[&str]| {
        let none = place.text("none");
        let arguments = [&["copy", "--from", &data, "--data", &none, "--json"], flags].concat();
        place.on_database(&arguments)
    };
    let unready = run(copy(&[])).await;
    assert_eq!(unready.exit_code, Some(1), "its server runs: {}", unready.error);
    folder.stop().await;
    let unready = run(copy(&[])).await;
    assert!(unready.error.contains("run `samtale migrate`"), "{}", unready.error);
    let none = place.text("none");
    json_of(place.on_database(&["migrate", "--data", &none, "--json"])).await;

    let part = run(copy(&["--rows", "1000"])).await;
    assert_eq!(part.exit_code, Some(1), "{}", part.error);
    assert_eq!(part.out, "{\"complete\":false,\"moved\":1000}\n");
    let whole = json_of(copy(&[])).await;
    assert_eq!(whole["complete"], json!(true));
    let (moved, rows) = (whole["moved"].as_u64(), whole["rows"].as_u64());
    assert!(moved.expect("a number") + 1_000 >= rows.expect("a number"), "{whole}");
    assert!(whole["tables"]["messages"]["rows"].as_u64() > Some(20), "{whole}");

    let node = serve(&place, "node").await;
    let after = inbox(&node.address, node.log_in(&login).await).await;
    assert_eq!(threads(&after), threads(&before));
    node.stop().await;
    assert!(Path::new(&data).join("store").exists(), "the folder is left as it was");
}
