//! `samtale-chat` as a process, against a small school in the test: the forms for scripts, and a talk through a pipe.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test, what must not fail may end it"
)]

mod school;
mod support;

use std::process::Stdio;
use std::sync::Arc;

use samtale_protocol::threads::Recipient;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
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
    let misspelt = Output::of(
        chat.command()
            .args(["--password", "x", "--server", "wss://a", "threads"])
            .output()
            .await
            .unwrap(),
    );
    assert_eq!(misspelt.code, 2);
    assert!(misspelt.text.is_empty() && misspelt.errors.contains("begins with http:// or https://"));
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

/// Puts TLS in front of a server, with a certificate for `localhost` that its own root vouches for. Returns the port and
/// the root in PEM.
async fn under_tls(server: String) -> (u16, String) {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root_key = rcgen::KeyPair::generate().unwrap();
    let root = params.self_signed(&root_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(params, root_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, server) = (acceptor.clone(), server.clone());
            tokio::spawn(async move {
                // A client that does not trust the certificate ends the handshake.
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut server = TcpStream::connect(server).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
            });
        }
    });
    (port, root)
}

#[tokio::test]
async fn under_tls_a_server_is_trusted_by_its_authority_alone() {
    let chat = Chat::start().await;
    let server = chat.school.url.strip_prefix("http://").unwrap().to_owned();
    let (port, root) = under_tls(server).await;
    let authority = chat.state.path().join("root.pem");
    std::fs::write(&authority, root).unwrap();
    let secure = format!("https://localhost:{port}");
    let trusting = ["--server", &secure, "--ca", authority.to_str().unwrap()];
    let script = |more: &[&str], line: &[&str]| {
        let arguments = [more, &["--password", "hemmelig", "--json"], line].concat();
        let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
        let output = chat.command().args(arguments).output();
        async move { Output::of(timeout(BOUND, output).await.expect("an end in time").unwrap()) }
    };
    let threads = script(&trusting, &["threads"]).await;
    assert_eq!(threads.code, 0, "{}", threads.errors);
    assert!(!threads.lines.is_empty());
    let distrusting = script(&["--server", &secure], &["--wait", "3", "threads"]).await;
    assert_eq!(distrusting.code, 1, "the system does not know this authority");
    let missing = script(&["--server", &secure, "--ca", "/nowhere.pem"], &["threads"]).await;
    assert_eq!(missing.code, 2);
    assert!(missing.errors.contains("/nowhere.pem"), "{}", missing.errors);
}
