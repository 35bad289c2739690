//! `samtale-chat` as a process, against a small school in the test: the forms for scripts, and a talk through a pipe.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test, what must not fail may end it"
)]

mod school;
mod support;

use std::process::Stdio;

use samtale_protocol::threads::Recipient;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use school::{ANDERS, CLASS, School, THREAD};
use support::BOUND;

struct Chat {
    school: School,
    state: TempDir,
}

struct Output {
    code: i32,
    lines: Vec<Value>,
    text: String,
    errors: String,
}

impl Chat {
    async fn start() -> Self {
        Self {
            school: School::start().await,
            state: tempfile::tempdir().unwrap(),
        }
    }

    fn command(&self) -> Command {
        self.command_as("mette")
    }

    fn command_as(&self, username: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_samtale-chat"));
        command
            .args(["--server", &self.school.url, "--username", username])
            .env("SAMTALE_STATE", self.state.path())
            .env_remove("SAMTALE_PASSWORD")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// A script form, with the password and `--json`.
    async fn script(&self, line: &[&str]) -> Output {
        let output = self
            .command()
            .args(["--password", "hemmelig", "--json"])
            .args(line)
            .output();
        Output::of(timeout(BOUND, output).await.expect("an end in time").unwrap())
    }
}

impl Output {
    fn of(output: std::process::Output) -> Self {
        let text = String::from_utf8(output.stdout).unwrap();
        Self {
            code: output.status.code().unwrap(),
            lines: text
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect(),
            text,
            errors: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn one(&self) -> &Value {
        assert_eq!((self.code, self.lines.len()), (0, 1), "{}{}", self.text, self.errors);
        &self.lines[0]
    }
}

#[tokio::test]
async fn lists_are_a_line_per_thing() {
    let chat = Chat::start().await;
    chat.school.add("Hej Mette 👋");
    let threads = chat.script(&["threads"]).await;
    assert_eq!(threads.one()["thread"]["thread"], THREAD.to_string());
    assert_eq!(threads.one()["unread"], 1);
    let history = chat.script(&["history", &THREAD.to_string(), "--limit", "5"]).await;
    assert_eq!(history.one()["parts"][0]["text"], "Hej Mette 👋");
    let people = chat.script(&["people", "holm"]).await;
    assert_eq!(people.lines[0]["name"], "Anders Holm");
    assert_eq!(people.lines.last().unwrap()["withheld"][0]["count"], 2);
    let groups = chat.script(&["groups"]).await;
    assert_eq!(groups.one()["name"], "3.A");
    let members = chat.script(&["members", &THREAD.to_string()]).await;
    assert_eq!(members.lines.len(), 2);
}

#[tokio::test]
async fn start_finds_people_groups_and_guardians_by_name() {
    let chat = Chat::start().await;
    let to = [
        "start",
        "--to",
        "anders HOLM",
        "3.a",
        "Forældre i 3.A",
        "--subject",
        "Lejr",
        "Kære alle",
    ];
    let sent = chat.script(&to).await;
    assert!(sent.one()["thread"].is_string() && sent.one()["message"].is_string());
    let start = chat.school.started().remove(0);
    let expected = [
        Recipient::Profile { profile: ANDERS },
        Recipient::Group { group: CLASS },
        Recipient::Guardians { group: CLASS },
    ];
    assert_eq!((start.to, start.subject.as_str()), (expected.to_vec(), "Lejr"));

    let unknown = chat
        .script(&["start", "--to", "Ukendt Person", "--subject", "x", "y"])
        .await;
    assert_eq!(
        (unknown.code, &unknown.lines[0]["error"]["code"]),
        (2, &Value::from("usage"))
    );
    assert!(unknown.errors.contains("Ukendt Person"));
    let ambiguous = chat
        .script(&["start", "--to", "Jens Jensen", "--subject", "x", "y"])
        .await;
    assert_eq!(ambiguous.code, 2);
    assert_eq!(
        ambiguous.errors.matches("Jens Jensen, guardian").count(),
        2,
        "{}",
        ambiguous.errors
    );
    assert_eq!(chat.school.started().len(), 1);
}

#[tokio::test]
async fn a_send_repeated_with_its_id_is_one_message_and_the_same_answer() {
    let chat = Chat::start().await;
    let thread = THREAD.to_string();
    let id = "0b7e6f0e-33a9-4c8e-9d50-0f6f2d6f7a11";
    let first = chat.script(&["send", &thread, "Vi ses kl. 8 æøå", "--id", id]).await;
    assert_eq!(first.one()["client_id"], id);
    // From another installation, too: nothing but the thread itself is needed.
    std::fs::remove_dir_all(chat.state.path()).unwrap();
    let second = chat.script(&["send", &thread, "Vi ses kl. 8 æøå", "--id", id]).await;
    assert_eq!(first.one(), second.one());
    assert_eq!(chat.school.texts(), ["Vi ses kl. 8 æøå"]);
    let other = chat.script(&["send", &thread, "Noget andet", "--id", id]).await;
    assert_eq!(
        (other.code, &other.lines[0]["error"]["code"]),
        (1, &Value::from("client_id_reused"))
    );
    chat.script(&["send", &thread, "-x"]).await.one();
    assert_eq!(chat.school.texts(), ["Vi ses kl. 8 æøå", "-x"]);
}

#[tokio::test]
async fn a_send_outlives_connections_that_break_and_commands_that_give_up() {
    let chat = Chat::start().await;
    let thread = THREAD.to_string();
    // Stored, and the answer is lost.
    chat.school.break_after_sends(1);
    chat.script(&["send", &thread, "1"]).await.one();
    assert_eq!(chat.school.texts(), ["1"]);
    // Never answered: it waits in the outbox, and goes out with the next command, first.
    chat.school.ignore_sends(true);
    let queued = chat.script(&["--wait", "1", "send", &thread, "2"]).await;
    assert_eq!(
        (queued.code, &queued.lines[0]["error"]["code"]),
        (1, &Value::from("queued")),
        "{}",
        queued.errors
    );
    chat.school.ignore_sends(false);
    chat.script(&["send", &thread, "3"]).await.one();
    assert_eq!(chat.school.texts(), ["1", "2", "3"]);
}

#[tokio::test]
async fn tail_shows_each_event_once() {
    let chat = Chat::start().await;
    chat.school.add("Før");
    chat.school.tell_on_connect("Nu 🎉", 2);
    let tail = chat.script(&["tail", "--seconds", "1"]).await;
    assert_eq!(tail.one()["t"], "event");
    assert_eq!(tail.one()["event"]["kind"], "message");
    assert_eq!(tail.one()["event"]["parts"][0]["text"], "Nu 🎉");
}

#[tokio::test]
async fn errors_are_words_for_people_and_json_for_scripts() {
    let chat = Chat::start().await;
    let mut command = chat.command_as("nobody");
    command.args(["--password", "x", "--json", "threads"]);
    let refused = Output::of(command.output().await.unwrap());
    assert_eq!(
        (refused.code, &refused.lines[0]["error"]["code"]),
        (1, &Value::from("wrong_credentials"))
    );
    assert!(refused.errors.contains("Brugernavn eller adgangskode er forkert."));
    let misused = chat.script(&["history", "no-id"]).await;
    assert_eq!(
        (misused.code, &misused.lines[0]["error"]["code"]),
        (2, &Value::from("usage"))
    );
    let tls = Output::of(
        chat.command()
            .args(["--password", "x", "--server", "https://a", "threads"])
            .output()
            .await
            .unwrap(),
    );
    assert_eq!(tls.code, 2);
    assert!(tls.text.is_empty() && tls.errors.contains("TLS arrives with a later version"));
    let help = Output::of(chat.command().arg("--help").output().await.unwrap());
    assert!(help.code == 0 && help.text.contains("Examples:"));
}

#[tokio::test]
async fn a_talk_goes_through_a_pipe() {
    let chat = Chat::start().await;
    chat.school.add("Hej\x1b[2J Mette");
    let mut command = chat.command();
    command
        .env("SAMTALE_PASSWORD", "hemmelig")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let lines = "/hjælp\n/åbn 1\nHej Anders, æøå 👋\n/ny Anders Holm | Lejr | Kl. 8?\n/personer\n/dans\n/åbn 9\n";
    child.stdin.take().unwrap().write_all(lines.as_bytes()).await.unwrap();
    let output = timeout(BOUND, child.wait_with_output())
        .await
        .expect("an end in time")
        .unwrap();
    let output = Output::of(output);
    assert_eq!(output.code, 0, "{}", output.errors);
    for expected in [
        "Velkommen, Mette",
        "  1  Tur i skoven (1 ulæste)",
        "── Tur i skoven ──",
        "Med i samtalen: Mette, Anders Holm",
        "Anders Holm: Hej\u{fffd}[2J Mette",
        "Dig: Hej Anders, æøå 👋",
        "Anders Holm (ansat)",
        "2 vises ikke",
        "Kommandoen /dans findes ikke",
        "ingen samtale nummer 9",
    ] {
        assert!(
            output.text.contains(expected),
            "{expected:?} is not in\n{}",
            output.text
        );
    }
    assert_eq!(output.text.matches("Dig: Hej Anders").count(), 1, "{}", output.text);
    assert_eq!(chat.school.texts()[1], "Hej Anders, æøå 👋");
    assert_eq!(chat.school.started()[0].subject, "Lejr");
}
