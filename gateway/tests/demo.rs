//! The demo from outside: a new folder becomes a school that three people log in to, and the same folder goes on.

#![expect(clippy::expect_used, reason = "a test that can not go on has failed")]

#[path = "support/inbox.rs"]
mod inbox;

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use self::inbox::inbox;
use samtale_protocol::threads::InboxPage;
use samtale_school::{demo, roster};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// The bound on every wait. A school of 600 takes seconds in an unoptimised build, and machines are busy.
const SOON: Duration = Duration::from_secs(120);

fn samtale(arguments: &[&str], data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_samtale"));
    // Whoever runs the tests may have settings of their own.
    command
        .env_clear()
        .args(arguments)
        .arg("--data")
        .arg(data)
        .kill_on_drop(true);
    command
}

async fn run(arguments: &[&str], data: &Path) -> Output {
    let output = samtale(arguments, data).stdin(Stdio::null()).output();
    tokio::time::timeout(SOON, output)
        .await
        .expect("it ends")
        .expect("it ran")
}

/// A demo that is ready.
struct Running {
    child: Child,
    address: String,
    logins: Vec<Value>,
}

async fn start(data: &Path) -> Running {
    let mut command = samtale(&["demo", "--json", "--listen", "127.0.0.1:0"], data);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut out = BufReader::new(child.stdout.take().expect("it says something")).lines();
    let line = tokio::time::timeout(SOON, out.next_line())
        .await
        .expect("it is ready in time");
    let line = line.expect("text").expect("a line before it ends");
    let ready: Value = serde_json::from_str(&line).expect("JSON");
    let url = ready["url"].as_str().expect("a URL");
    let address = url.strip_prefix("http://").expect("plain HTTP").to_owned();
    let logins = ready["logins"].as_array().expect("a list").clone();
    Running { child, address, logins }
}

impl Running {
    async fn stop(mut self) {
        let pid = self
            .child
            .id()
            .and_then(|id| rustix::process::Pid::from_raw(id.try_into().ok()?));
        rustix::process::kill_process(pid.expect("it runs"), rustix::process::Signal::TERM).expect("it is ours");
        let status = tokio::time::timeout(SOON, self.child.wait()).await.expect("it ends");
        assert_eq!(status.expect("it ran").code(), Some(0));
    }

    async fn log_in(&self, login: &Value) -> Value {
        let body = serde_json::json!({ "username": login["username"], "password": login["password"] }).to_string();
        let request = format!(
            "POST /v1/login HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
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
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        serde_json::from_str(body).expect("JSON")
    }

    /// Someone's list of threads, over the socket.
    async fn inbox(&self, login: &Value) -> InboxPage {
        let token = self.log_in(login).await["access_token"]
            .as_str()
            .expect("a token")
            .to_owned();
        inbox(&self.address, token).await
    }
}

/// The files that the school of this folder came from.
fn save_roster(data: &Path, to: &Path) {
    let kept: Value = serde_json::from_slice(&std::fs::read(data.join("demo.json")).expect("a file")).expect("JSON");
    let millis = kept["started_at"].as_i64().expect("a time");
    let zone = jiff::tz::TimeZone::get("Europe/Copenhagen").expect("a zone");
    let day = jiff::Timestamp::from_millisecond(millis)
        .expect("a time")
        .to_zoned(zone)
        .date();
    let school = demo::generate(kept["seed"].as_u64().expect("a number"), day);
    roster::save(&demo::files(&school), to).expect("they are written");
}

#[tokio::test]
async fn a_new_folder_becomes_a_school_and_the_same_folder_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, files) = (folder.path().join("data"), folder.path().join("roster"));
    let began = tokio::time::Instant::now();
    let demo = start(&data).await;
    eprintln!("ready after {:?}", began.elapsed());
    let roles: Vec<_> = demo
        .logins
        .iter()
        .map(|login| login["role"].as_str().expect("a role"))
        .collect();
    assert_eq!(roles, ["teacher", "guardian", "child"]);
    let mut before = Vec::new();
    for login in &demo.logins {
        let reply = demo.log_in(login).await;
        assert_eq!(reply["profiles"][0]["name"], login["name"]);
        before.push(demo.inbox(login).await);
    }
    assert!(
        before[0].entries.len() >= 5,
        "the teacher has {} threads",
        before[0].entries.len()
    );
    assert!(
        before[1].entries.len() >= 3,
        "the guardian has {} threads",
        before[1].entries.len()
    );
    let days: Vec<u64> = before[0]
        .entries
        .iter()
        .map(|entry| entry.thread.started_at.as_millis() / 86_400_000)
        .collect();
    assert!(
        days.iter().max() > days.iter().min(),
        "the conversations are of several days: {days:?}"
    );

    // The same roster, through the running server: nothing to do.
    save_roster(&data, &files);
    let path = files.to_str().expect("text");
    let dry = run(&["import", "oneroster", path, "--dry-run", "--json"], &data).await;
    let report: Value = serde_json::from_slice(&dry.stdout).expect("JSON");
    assert_eq!(dry.status.code(), Some(0));
    for kind in ["added", "changed", "removed"] {
        let counts = report[kind].as_object().expect("counts");
        assert!(counts.values().all(|count| count == 0), "{kind}: {counts:?}");
    }
    assert!(
        report["unchanged"]["profiles"]
            .as_u64()
            .is_some_and(|profiles| profiles > 500),
        "{report}"
    );
    assert_eq!(report["problems"], serde_json::json!([]));
    let sheet = run(&["people", "codes", "--class", "3.A"], &data).await;
    let sheet = String::from_utf8(sheet.stdout).expect("text");
    assert!(sheet.lines().count() > 20, "{sheet}");
    demo.stop().await;

    let again = start(&data).await;
    for (login, page) in again.logins.iter().zip(&before) {
        let threads = |page: &InboxPage| page.entries.iter().map(|entry| entry.thread.thread).collect::<Vec<_>>();
        assert_eq!(threads(&again.inbox(login).await), threads(page));
    }
    again.stop().await;
}

#[tokio::test]
async fn rosters_are_reported_in_words_and_refused_with_a_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, files) = (folder.path().join("data"), folder.path().join("roster"));
    std::fs::create_dir(&data).expect("a folder");
    let school = demo::generate(3, jiff::civil::date(2026, 3, 2));
    let mut roster = school.roster.clone();
    let class = roster
        .classes
        .iter()
        .find(|class| class.title == "3.A")
        .expect("a class")
        .sourced_id
        .clone();
    roster.enrollments.retain(|enrollment| enrollment.class == class);
    let here: Vec<String> = roster
        .enrollments
        .iter()
        .map(|enrollment| enrollment.person.clone())
        .collect();
    roster.people.retain(|person| here.contains(&person.sourced_id));
    roster.relations.clear();
    roster::save(&roster::write(&roster), &files).expect("they are written");
    let path = files.to_str().expect("text");

    let users = files.join("users.csv");
    let good = std::fs::read_to_string(&users).expect("text");
    std::fs::write(&users, format!("{good}somebody,perhaps\n")).expect("it is written");
    let strict = run(&["import", "oneroster", path, "--strict", "--json"], &data).await;
    assert_eq!(strict.status.code(), Some(2));
    let report: Value = serde_json::from_slice(&strict.stdout).expect("JSON");
    assert!(
        report["problems"][0]["line"].as_u64().is_some_and(|line| line > 1),
        "{report}"
    );
    let said = String::from_utf8_lossy(&strict.stderr).into_owned();
    assert!(said.contains("errors"), "{said}");

    let words = run(&["import", "oneroster", path], &data).await;
    let text = String::from_utf8(words.stdout).expect("text");
    assert_eq!(words.status.code(), Some(0), "{text}");
    assert!(text.contains("users.csv:") && text.ends_with("Applied.\n"), "{text}");
    let codes = run(&["people", "codes", "--class", "3.A", "--json"], &data).await;
    assert_eq!(codes.status.code(), Some(0));

    let header = good.lines().next().expect("a header").to_owned();
    std::fs::write(&users, format!("{header}\n")).expect("it is written");
    let many = run(&["import", "oneroster", path, "--dry-run"], &data).await;
    assert_eq!(many.status.code(), Some(2), "{}", String::from_utf8_lossy(&many.stdout));
    let missing = run(&["import", "oneroster", "/nowhere/at/all", "--json"], &data).await;
    assert_eq!((missing.status.code(), missing.stdout.as_slice()), (Some(1), &b""[..]));
}
