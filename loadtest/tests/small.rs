//! The scenarios in small, through the real programs: nothing is lost, nothing comes twice, one order.
//!
//! No figure is asserted: how fast a machine is, is not what a test is about.

#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use samtale_loadtest::clock;
use serde_json::{Value, json};

/// Runs a scenario with 20 sessions for two seconds. `samtale` must be built beside the load tester; it says so if not.
fn small(scenario: &str) -> Value {
    small_with(scenario, &[])
}

fn small_with(scenario: &str, more: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("outcome.json");
    let mut run = Command::new(env!("CARGO_BIN_EXE_samtale-loadtest"));
    run.args([scenario, "--sessions", "20", "--seconds", "2", "--json"])
        .arg(&json)
        .args(["--repeats", "2"])
        .args(more);
    let output = run.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{scenario} failed:\n{said}");
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.starts_with(scenario), "{table}");
    read(&json)
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_message_reaches_every_session_once_and_in_order() {
    let outcome = small("fanout");
    assert_eq!(outcome["sessions"], 20);
    for what in ["lost", "duplicated", "reordered", "closed"] {
        assert_eq!(outcome[what], 0, "{what} in {outcome:#}");
    }
    assert!(outcome["deliveries"].as_u64().unwrap() >= 20 * 2 * 3, "{outcome:#}");
    assert_eq!(
        outcome["repeats"]["ratio_to_floor"]["repeats"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    for what in [
        "floor_cpu_us_per_delivery",
        "cpu_us_per_delivery",
        "ratio_to_floor",
        "deliveries_per_second",
    ] {
        assert!(outcome[what].as_f64().unwrap() > 0.0, "{what} in {outcome:#}");
    }
    assert!(outcome["latency_ms"]["p50"].as_f64().unwrap() <= outcome["latency_ms"]["max"].as_f64().unwrap());
    let half = |what: &str| outcome[what]["p50"].as_f64().unwrap();
    assert!(half("first_recipient_ms") <= half("last_recipient_ms"), "{outcome:#}");
    has_curves(&outcome, &["first_recipient_latency_us", "last_recipient_latency_us"]);
}

/// The page of a run has its latencies, its rates over time, and these.
fn has_curves(outcome: &Value, histograms: &[&str]) {
    for name in ["latency_us"].iter().chain(histograms) {
        assert!(outcome["histograms"][name].is_string(), "{name} in {outcome:#}");
    }
    assert!(outcome["series"]["deliveries_per_second"].is_string(), "{outcome:#}");
}

/// A gateway of its own in the folders that `make cluster` makes; ended with the test.
struct Gateway(Child);

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_gateways_of_a_cluster_share_the_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("gateway-1").join("data");
    std::fs::create_dir_all(&data).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut serve = Command::new(Path::new(env!("CARGO_BIN_EXE_samtale-loadtest")).with_file_name("samtale"));
    serve.args(["serve", "--set", "login.access_token_lifetime=1h"]);
    serve
        .arg("--listen")
        .arg(format!("127.0.0.1:{port}"))
        .arg("--data")
        .arg(&data);
    serve.arg("--keys").arg(folder.path().join("keys"));
    let gateway = Gateway(serve.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    until_it_listens(port);
    let file = folder.path().join("cluster.json");
    // Both names of the one gateway: sessions are opened to each in turn.
    let cluster = json!({ "gateways": [
        { "url": format!("http://127.0.0.1:{port}"), "pid": gateway.0.id() },
        { "url": format!("http://localhost:{port}") },
    ] });
    std::fs::write(&file, cluster.to_string()).unwrap();
    let outcome = small_with("fanout", &["--cluster", file.to_str().unwrap()]);
    for what in ["lost", "duplicated", "reordered", "closed"] {
        assert_eq!(outcome[what], 0, "{what} in {outcome:#}");
    }
    assert_eq!(outcome["counts"]["gateways"], 2.0);
    assert!(outcome["counts"]["gateways_cpu_us_per_message"].as_f64().unwrap() > 0.0);
}

fn until_it_listens(port: u16) {
    for _ in 0..600 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return;
        }
        clock::wait(Duration::from_millis(50));
    }
    panic!("the gateway does not listen");
}

#[test]
fn idle_sessions_stay() {
    let outcome = small_with("idle", &["--threads", "2", "--tls"]);
    assert_eq!(outcome["closed"], 0, "{outcome:#}");
    assert_eq!(outcome["tls"], true);
    for what in [
        "user_kib_per_session",
        "kernel_kib_per_session",
        "user_kib_over_bare_tls",
        "idle_cpu_us_per_session_second",
        "sessions_opened_per_second",
    ] {
        assert!(outcome[what].is_number(), "{what} in {outcome:#}");
    }
}

#[test]
fn sessions_that_are_cut_come_back_and_miss_nothing() {
    for more in [&[][..], &["--tls"]] {
        let outcome = small_with("storm", more);
        for what in ["lost", "duplicated", "reordered", "closed", "resyncs"] {
            assert_eq!(outcome[what], 0, "{what} in {outcome:#}");
        }
        has_curves(&outcome, &["away_us", "silent_away_us"]);
        // What the server does by itself meanwhile is far less than a read for each who comes back.
        let reads = outcome["storage_reads_per_resume"].as_f64().unwrap();
        assert!(
            reads < 0.5,
            "{reads} reads of storage for each who comes back with a fresh cursor"
        );
        // Two storms under load, each in a round of several messages to twenty sessions.
        assert!(outcome["deliveries"].as_u64().unwrap() >= 2 * 2 * 20, "{outcome:#}");
        for what in ["back_seconds", "cpu_us_per_resume", "storage_reads_per_resume"] {
            assert_eq!(
                outcome["repeats"][what]["repeats"].as_array().unwrap().len(),
                2,
                "{outcome:#}"
            );
        }
        assert_eq!(
            outcome["resumes_per_core_second_with_tickets"].is_number(),
            !more.is_empty()
        );
    }
}

#[test]
fn readers_that_stop_are_closed_and_miss_nothing_when_they_come_back() {
    let outcome = small_with("stall", &["--stalled", "3"]);
    assert_eq!(outcome["stalled"], 3);
    for what in ["lost", "duplicated", "closed", "resyncs"] {
        assert_eq!(outcome[what], 0, "{what} in {outcome:#}");
    }
    for what in [
        "user_kib_per_stalled",
        "stalled_closed_seconds",
        "p99_ratio_to_without_stalled",
    ] {
        assert!(outcome[what].is_number(), "{what} in {outcome:#}");
    }
    has_curves(&outcome, &["without_stalled_latency_us"]);
}

/// The nation is drawn, written, loaded and played; in the evening the checker compares what was stored with what was shown.
#[test]
fn a_morning_of_a_small_nation_misses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("outcome.json");
    let mut run = Command::new(env!("CARGO_BIN_EXE_samtale-loadtest"));
    run.args([
        "day",
        "--people",
        "2000",
        "--sockets",
        "100",
        "--speed",
        "120",
        "--from",
        "7.5",
        "--to",
        "7.75",
    ]);
    let output = run.arg("--json").arg(&json).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let outcome = read(&json);
    // Twice is over a connection that had caught up: who comes back may be told again what they missed.
    for what in ["lost", "duplicated", "reordered"] {
        assert_eq!(outcome[what], 0, "{what} in {outcome:#}");
    }
    assert!(outcome["deliveries"].as_u64().unwrap() > 0, "{outcome:#}");
}

#[test]
fn people_log_in_with_their_passwords() {
    let outcome = small("login");
    for what in ["logins_per_second", "cpu_us_per_login"] {
        assert!(outcome["counts"][what].as_f64().unwrap() > 0.0, "{what} in {outcome:#}");
    }
}

#[test]
fn a_nation_is_loaded_and_given_again() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("outcome.json");
    let mut run = Command::new(env!("CARGO_BIN_EXE_samtale-loadtest"));
    run.args(["populate", "--people", "2000", "--json"]).arg(&json);
    let output = run.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let outcome = read(&json);
    for what in ["people_loaded_per_second", "seconds_when_given_again"] {
        assert!(outcome["counts"][what].as_f64().unwrap() > 0.0, "{what} in {outcome:#}");
    }
    let page = std::fs::read_to_string(json.with_extension("html")).unwrap();
    assert!(page.contains("people are loaded"), "{page}");
}

#[test]
fn the_floor_stands_alone() {
    let outcome = small("floor");
    assert!(outcome["floor_cpu_us_per_delivery"].as_f64().unwrap() > 0.0);
    assert_eq!(outcome["lost"], 0);
}

/// `samtale`, which must be built beside the load tester.
fn samtale(arguments: &[&str]) -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_samtale-loadtest")).with_file_name("samtale"));
    command.args(arguments);
    command
}

/// `samtale populate` of a nation's file into a folder.
fn loading(nation: &Path, folder: &Path) -> Command {
    let mut populate = samtale(&["populate", "--nation"]);
    populate.arg(nation).arg("--data").arg(folder.join("data"));
    populate.arg("--tokens").arg(folder.join("tokens"));
    populate.stdout(Stdio::null()).stderr(Stdio::null());
    populate
}

/// How many rows each table of a folder has, but for the logins: each command makes them anew.
fn rows(folder: &Path) -> serde_json::Map<String, Value> {
    let mut backup = samtale(&["backup", "--json", "--data"]);
    backup.arg(folder.join("data")).arg("--to").arg(folder.join("backup"));
    let output = backup.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut tables = report["tables"].as_object().unwrap().clone();
    tables.retain(|table, _| !table.contains("login"));
    tables
}

#[test]
fn a_nation_whose_loading_was_killed_is_loaded_to_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let nation = folder.path().join("nation.jsonl");
    let mut draw = Command::new(env!("CARGO_BIN_EXE_samtale-loadtest"));
    draw.args(["nation", "--people", "6000", "--logins", "50", "--to"])
        .arg(&nation);
    assert!(draw.output().unwrap().status.success());
    let (whole, cut) = (folder.path().join("whole"), folder.path().join("cut"));
    for folder in [&whole, &cut] {
        std::fs::create_dir(folder).unwrap();
    }
    let began = clock::now();
    assert!(loading(&nation, &whole).status().unwrap().success());
    let took = Duration::from_nanos(clock::now() - began);
    for _ in 0..2 {
        let mut child = loading(&nation, &cut).spawn().unwrap();
        clock::wait(took / 4);
        child.kill().unwrap();
        assert!(
            !child.wait().unwrap().success(),
            "it was faster than the whole of it before"
        );
    }
    assert!(loading(&nation, &cut).status().unwrap().success());
    let expected = rows(&whole);
    assert!(
        expected.values().any(|rows| rows.as_u64() > Some(6_000)),
        "{expected:?}"
    );
    assert_eq!(rows(&cut), expected);
}
