//! The binary from outside: what it prints, its exit codes, and a server that commands reach while it runs.

#![expect(clippy::expect_used, reason = "a test that can not go on has failed")]

mod support;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, Command};

/// The bound on every wait; opening a store in an unoptimised build takes a second.
const SOON: Duration = Duration::from_secs(60);

struct Ran {
    exit_code: i32,
    out: String,
    error: String,
}

fn samtale(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_samtale"));
    // Whoever runs the tests may have settings of their own.
    command.env_clear().args(arguments).kill_on_drop(true);
    command
}

async fn run(arguments: &[&str], input: &str) -> Ran {
    let mut command = samtale(arguments);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("it has an input");
    // A command that reads nothing may have ended already.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let ran = tokio::time::timeout(SOON, child.wait_with_output())
        .await
        .expect("it ends")
        .expect("it ran");
    Ran {
        exit_code: ran.status.code().expect("it ends by itself"),
        out: String::from_utf8(ran.stdout).expect("text"),
        error: String::from_utf8(ran.stderr).expect("text"),
    }
}

/// A server on a free port, and what it says.
struct Running {
    child: Child,
    said: Lines<BufReader<ChildStderr>>,
    address: String,
    /// Where its metrics are, if it counts.
    metrics: Option<String>,
}

async fn serve(data: &Path) -> Running {
    serve_with(data, &[]).await
}

async fn serve_with(data: &Path, more: &[&str]) -> Running {
    let data = data.to_str().expect("text");
    let mut command = samtale(&[
        "serve",
        "--data",
        data,
        "--listen",
        "127.0.0.1:0",
        "--set",
        "log.format=json",
    ]);
    let mut child = command.args(more).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut said = BufReader::new(child.stderr.take().expect("it says something")).lines();
    let mut metrics = None;
    loop {
        let line = tokio::time::timeout(SOON, said.next_line())
            .await
            .expect("it starts in time")
            .expect("text");
        let line: Value = serde_json::from_str(&line.expect("it serves before it ends")).expect("JSON");
        if line["message"] == "serving" {
            let address = line["address"].as_str().expect("an address").to_owned();
            return Running {
                child,
                said,
                address,
                metrics,
            };
        }
        if line["message"] == "metrics are at /metrics" {
            metrics = line["address"].as_str().map(str::to_owned);
        }
    }
}

/// Sends a request and reads the answer until the server closes.
async fn send(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    tokio::time::timeout(SOON, read)
        .await
        .expect("it answers")
        .expect("text");
    answer
}

impl Running {
    async fn get(&self, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        self.send(&request).await
    }

    async fn post(&self, path: &str, body: &str) -> String {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.send(&request).await
    }

    async fn send(&self, request: &str) -> String {
        send(&self.address, request).await
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = self
            .child
            .id()
            .and_then(|id| rustix::process::Pid::from_raw(id.try_into().ok()?));
        rustix::process::kill_process(pid.expect("it runs"), signal).expect("it is ours");
    }

    async fn ends(mut self) -> Option<i32> {
        let status = tokio::time::timeout(SOON, self.child.wait())
            .await
            .expect("it ends")
            .expect("it ran");
        while let Ok(Some(line)) = self.said.next_line().await {
            assert!(!line.contains("ERROR"), "{line}");
        }
        status.code()
    }
}

#[tokio::test]
async fn the_version_and_the_reference_are_printed() {
    let ran = run(&["version", "--json"], "").await;
    let version: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(
        (ran.exit_code, version["version"].as_str()),
        (0, Some(env!("CARGO_PKG_VERSION")))
    );
    let ran = run(&["check-config", "--reference"], "").await;
    assert!(ran.out.starts_with("# Configuration\n"));
    assert!(run(&["completions", "bash"], "").await.out.contains("check-config"));
    let help = run(&["people", "codes", "--help"], "").await;
    assert_eq!(help.exit_code, 0);
    assert!(
        help.out.contains("samtale people codes --data data --class 3.A"),
        "{}",
        help.out
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_call_or_a_configuration_is_said_and_refused() {
    let ran = run(&["dance"], "").await;
    assert_eq!((ran.exit_code, ran.out.as_str()), (2, ""));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("samtale.toml");
    std::fs::write(&file, "lisen = \"127.0.0.1:0\"\n[limits]\nsessions = \"many\"\n").expect("it is written");
    let ran = run(&["check-config", "--config", file.to_str().expect("text")], "").await;
    assert_eq!(ran.exit_code, 2);
    assert!(ran.error.contains("did you mean `listen`?"), "{}", ran.error);
    assert!(ran.error.contains("limits.sessions"), "{}", ran.error);
    let ran = run(&["people", "list", "--data", "/nowhere/at/all"], "").await;
    assert_eq!((ran.exit_code, ran.out.as_str()), (1, ""));
    assert!(ran.error.contains("no data folder"), "{}", ran.error);
}

#[tokio::test]
async fn a_server_serves_takes_commands_and_stops_when_it_is_told_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let server = serve(&data).await;
    assert!(server.get("/readyz").await.starts_with("HTTP/1.1 200 "));
    let of_data = ["--data", data.to_str().expect("text")];
    let list = run(&["people", "list", "--json", of_data[0], of_data[1]], "").await;
    assert_eq!(
        (list.exit_code, list.out.as_str()),
        (0, "{\"people\":[]}\n"),
        "{}",
        list.error
    );
    let set = ["people", "set-password", "anne.holm", of_data[0], of_data[1]];
    let ran = run(&set, "en lang adgangskode\n").await;
    assert_eq!((ran.exit_code, ran.error.as_str()), (2, "samtale: no such user name\n"));

    server.signal(rustix::process::Signal::TERM);
    assert_eq!(server.ends().await, Some(0));
    assert!(!data.join("samtale.sock").exists());
    let list = run(&["people", "list", "--json", of_data[0], of_data[1]], "").await;
    assert_eq!(
        (list.exit_code, list.out.as_str()),
        (0, "{\"people\":[]}\n"),
        "{}",
        list.error
    );
}

#[tokio::test]
async fn after_a_server_was_killed_commands_and_the_next_server_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let server = serve(&data).await;
    server.signal(rustix::process::Signal::KILL);
    assert_eq!(server.ends().await, None);
    assert!(data.join("samtale.sock").exists());
    let of_data = ["--data", data.to_str().expect("text")];
    let list = run(&["people", "list", of_data[0], of_data[1]], "").await;
    assert_eq!(list.exit_code, 0, "{}", list.error);
    let server = serve(&data).await;
    let list = run(&["people", "list", of_data[0], of_data[1]], "").await;
    assert_eq!(list.exit_code, 0, "{}", list.error);
    server.signal(rustix::process::Signal::INT);
    assert_eq!(server.ends().await, Some(0));
}

#[tokio::test]
async fn a_second_signal_does_not_wait_for_requests_under_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = serve(&folder.path().join("data")).await;
    let mut stream = TcpStream::connect(&server.address).await.expect("it listens");
    let head = b"POST /v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{";
    stream.write_all(head).await.expect("it reads");
    // A later request that is answered shows that the first one has arrived.
    server.get("/healthz").await;
    server.signal(rustix::process::Signal::TERM);
    let said = async {
        while let Ok(Some(line)) = server.said.next_line().await {
            if line.contains("another one stops at once") {
                return;
            }
        }
    };
    tokio::time::timeout(SOON, said).await.expect("it hears the signal");
    server.signal(rustix::process::Signal::TERM);
    // Less than the ten seconds that the request would have had.
    let ended = tokio::time::timeout(Duration::from_secs(5), server.ends()).await;
    assert_eq!(ended.expect("it ends at once"), Some(1));
}

#[tokio::test]
async fn what_the_server_says_of_itself_holds_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let tokens = folder.path().join("tokens");
    let (data_text, tokens_text) = (data.to_str().expect("text"), tokens.to_str().expect("text"));
    let made = run(
        &[
            "populate",
            "--data",
            data_text,
            "--people",
            "2",
            "--tokens",
            tokens_text,
        ],
        "",
    )
    .await;
    assert_eq!(made.exit_code, 0, "{}", made.error);
    let mut server = serve_with(&data, &["--log-level", "trace"]).await;
    let file = std::fs::read_to_string(&tokens).expect("tokens");
    let person: Value = serde_json::from_str(file.lines().nth(1).expect("a person")).expect("JSON");
    let token = person["access_token"].as_str().expect("a token").to_owned();

    let password = "hemmelig-grød-7";
    let body = serde_json::json!({"username": "person-0", "password": password}).to_string();
    let refused = server.post("/v1/login", &body).await;
    assert!(refused.starts_with("HTTP/1.1 401 "), "no such password");
    let body = serde_json::json!({"refresh_token": "v1.refresh-me-not"}).to_string();
    let refused = server.post("/v1/refresh", &body).await;
    assert!(refused.starts_with("HTTP/1.1 401 "), "no such token");
    let stream = TcpStream::connect(&server.address).await.expect("it listens");
    let mut session = support::Raw::upgrade(stream, "Cookie: samtale=s.v1.refresh-me-not\r\n").await;
    session.log_in(&token).await;
    session.ask(1).await;
    session.answered(1).await;

    server.signal(rustix::process::Signal::TERM);
    let mut lines = 0;
    while let Some(line) = tokio::time::timeout(SOON, server.said.next_line())
        .await
        .expect("it ends")
        .expect("text")
    {
        serde_json::from_str::<Value>(&line).expect("every line is JSON");
        for secret in [token.as_str(), password, "refresh-me-not"] {
            assert!(!line.contains(secret), "a secret is in the log: {line}");
        }
        lines += 1;
    }
    assert!(lines > 0, "a server that goes down says so");
}

/// The memory of a process that is not shared with files, in KiB.
fn memory_kib(child: &Child) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id().expect("it runs"))).expect("a status");
    let line = status
        .lines()
        .find(|line| line.starts_with("RssAnon:"))
        .expect("a figure");
    line.split_whitespace()
        .nth(1)
        .expect("a figure")
        .parse()
        .expect("a number")
}

#[tokio::test]
async fn sessions_that_claim_much_and_send_little_cost_little() {
    const SESSIONS: usize = 300;
    let folder = tempfile::tempdir().expect("a folder");
    let (data, tokens) = (folder.path().join("data"), folder.path().join("tokens"));
    let (data_text, tokens_text) = (data.to_str().expect("text"), tokens.to_str().expect("text"));
    let people = SESSIONS.to_string();
    let populate = [
        "populate",
        "--data",
        data_text,
        "--people",
        &people,
        "--tokens",
        tokens_text,
    ];
    assert_eq!(run(&populate, "").await.exit_code, 0);
    let server = serve(&data).await;
    let file = std::fs::read_to_string(&tokens).expect("tokens");
    let mut sessions = Vec::new();
    for line in file.lines().skip(1) {
        let person: Value = serde_json::from_str(line).expect("JSON");
        let stream = TcpStream::connect(&server.address).await.expect("it listens");
        let mut session = support::Raw::upgrade(stream, "").await;
        session.log_in(person["access_token"].as_str().expect("a token")).await;
        sessions.push(session);
    }
    let before = memory_kib(&server.child);
    for session in &mut sessions {
        session.send_bytes(&support::header(0x81, 65_000)).await;
        session.send_bytes(&[b' '; 1_000]).await;
    }
    // A session that answers has read what came before; these have nothing to answer, so an honest one shows the time.
    let mut honest = sessions.pop().expect("a session");
    honest.send_bytes(&[b' '; 64_000]).await;
    assert_eq!(
        honest.closed().await.map(|(code, _)| code),
        Some(4500),
        "spaces are no frame"
    );
    let each = memory_kib(&server.child).saturating_sub(before) / SESSIONS;
    println!("a session that claims 65,000 bytes and sends 1,000 costs {each} KiB");
    assert!(each <= 16, "{each} KiB each");
}

#[tokio::test]
async fn what_a_server_does_is_counted_on_a_port_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, tokens) = (folder.path().join("data"), folder.path().join("tokens"));
    let (data_text, tokens_text) = (data.to_str().expect("text"), tokens.to_str().expect("text"));
    let populate = [
        "populate",
        "--data",
        data_text,
        "--people",
        "2",
        "--tokens",
        tokens_text,
    ];
    assert_eq!(run(&populate, "").await.exit_code, 0);
    let server = serve_with(&data, &["--set", "metrics.listen=127.0.0.1:0"]).await;
    let metrics = server.metrics.clone().expect("it says where");
    let file = std::fs::read_to_string(&tokens).expect("tokens");
    let person: Value = serde_json::from_str(file.lines().nth(1).expect("a person")).expect("JSON");
    let stream = TcpStream::connect(&server.address).await.expect("it listens");
    let mut session = support::Raw::upgrade(stream, "").await;
    session.log_in(person["access_token"].as_str().expect("a token")).await;
    session.ask(1).await;
    session.answered(1).await;
    let scrape = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    // What is counted per frame is told once a second.
    let counted = async {
        loop {
            let page = send(&metrics, scrape).await;
            let frames = page
                .lines()
                .find_map(|line| line.strip_prefix("samtale_frames_sent_total "));
            if frames.is_some_and(|frames| frames.parse::<u64>().is_ok_and(|frames| frames >= 3)) {
                return page;
            }
            // tidy: waits because a scraper asks now and then, and the server tells once a second
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let page = tokio::time::timeout(SOON, counted).await.expect("nothing is counted");
    for line in [
        "samtale_requests_total{op=\"list_logins\",outcome=\"done\"} 1",
        "samtale_request_seconds_count{op=\"list_logins\"} 1",
        "samtale_handshakes_total{outcome=\"done\"} 1",
        "samtale_connections_accepted_total 1",
        "samtale_storage_calls_total{call=\"get\",outcome=\"done\"} ",
        "samtale_storage_call_seconds_bucket{call=\"scan\",",
    ] {
        assert!(page.contains(line), "{line} is missing in {page}");
    }
    let sessions = page.lines().filter_map(|line| line.strip_prefix("samtale_sessions{"));
    let sessions: Vec<&str> = sessions.filter_map(|line| line.rsplit(' ').next()).collect();
    assert_eq!(sessions.iter().filter(|count| **count == "1").count(), 1, "{page}");
    assert!(
        !server.get("/metrics").await.contains("samtale_requests_total"),
        "clients' port"
    );
    let leaked = [
        person["person"].as_str(),
        person["profile"].as_str(),
        person["access_token"].as_str(),
    ];
    assert!(
        leaked.into_iter().flatten().all(|secret| !page.contains(secret)),
        "{page}"
    );
}
