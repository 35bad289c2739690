//! TLS from outside: logins and sockets over it, certificates that are replaced, and what is no TLS.

#![expect(clippy::expect_used, reason = "a test that can not go on has failed")]

#[path = "support/authority.rs"]
mod authority;
mod support;

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use authority::{Authority, shown};
use bytes::Bytes;
use rustls::pki_types::CertificateDer;
use samtale_gateway::accounts::IfTaken;
use samtale_gateway::outbox::{Outbox, Outcome};
use samtale_gateway::socket::Socket;
use samtale_gateway::tls::{Tls, TlsFiles};
use samtale_storage::engine::chain;
use serde_json::{Value, json};
use support::{Raw, Running, SOON};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::process::Command;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

const HTTP: &[&[u8]] = &[b"http/1.1"];
/// How often the files are looked at here, where nobody can wait for as long as a server does.
const LOOK: Duration = Duration::from_millis(20);

async fn start(folder: &Path, tls: &Arc<Tls>) -> Running {
    Running::start(folder, 2, |options| options.tls = Some(Arc::clone(tls))).await
}

fn open(files: &TlsFiles) -> Arc<Tls> {
    Arc::new(Tls::open(files.clone()).expect("a good certificate"))
}

async fn connect(authority: &Authority, server: &Running) -> TlsStream<TcpStream> {
    let stream = authority.connect(server.connect().await, HTTP).await;
    stream.expect("a handshake")
}

/// Sends a request and reads the answer until the server closes.
async fn exchange(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let _ = tokio::time::timeout(SOON, read).await.expect("it answers");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_and_a_session_go_over_tls_with_cookies_and_origins_to_match() {
    let (folder, authority) = (tempfile::tempdir().expect("a folder"), Authority::new());
    let server = start(folder.path(), &open(&authority.issue(folder.path(), "first"))).await;
    let accounts = &server.office.accounts;
    let (person, username) = accounts.create_person("anne", IfTaken::Number).await.expect("a person");
    let password = "en lang adgangskode";
    let set = accounts.set_password(person, Zeroizing::new(password.to_owned())).await;
    set.expect("a password");

    let log_in = |origin: &str| {
        let body = json!({"username": username, "password": password, "cookie": "device"}).to_string();
        format!(
            "POST /v1/login HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let answer = exchange(connect(&authority, &server).await, &log_in("https://localhost")).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let cookie = answer
        .lines()
        .find(|line| line.starts_with("set-cookie: "))
        .expect("a cookie");
    assert!(
        cookie.contains("__Host-samtale=") && cookie.contains("; Secure"),
        "{cookie}"
    );
    let body = answer.split_once("\r\n\r\n").expect("a body").1;
    let login: Value = serde_json::from_str(body).expect("JSON");
    let token = login["access_token"].as_str().expect("a token");

    // A page of the same host that came without TLS is somebody else's.
    let answer = exchange(connect(&authority, &server).await, &log_in("http://localhost")).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");

    let stream = connect(&authority, &server).await;
    let mut session = Raw::upgrade(stream, "Origin: https://chat.example\r\n").await;
    session.log_in(token).await;
    for id in 1..100 {
        session.ask(id).await;
        session.answered(id).await;
    }
    session.send(0x88, &1000_u16.to_be_bytes()).await;
    assert_eq!(session.closed().await.map(|(code, _)| code), Some(1000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_certificate_holds_for_new_connections_and_a_bad_one_changes_nothing() {
    let (folder, authority) = (tempfile::tempdir().expect("a folder"), Authority::new());
    let files = authority.issue(folder.path(), "live");
    let tls = open(&files);
    let server = start(folder.path(), &tls).await;
    let stream = connect(&authority, &server).await;
    let first = shown(&stream);
    let mut session = Raw::upgrade(stream, "").await;
    session.log_in(&server.tokens[0]).await;

    authority.issue(folder.path(), "live");
    tls.reload().expect("a good certificate");
    let second = shown(&connect(&authority, &server).await);
    assert_ne!(first, second);

    std::fs::write(&files.certificate, "not a certificate").expect("it is written");
    let said = chain(&tls.reload().expect_err("it is none"));
    assert!(said.contains("live.pem"), "{said}");
    assert_eq!(shown(&connect(&authority, &server).await), second);
    session.ask(1).await;
    session.answered(1).await;
}

/// Waits until new connections are shown another certificate than `old`.
async fn shown_after(
    authority: &Authority,
    server: &Running,
    old: &CertificateDer<'static>,
) -> CertificateDer<'static> {
    let another = async {
        loop {
            let now = shown(&connect(authority, server).await);
            if now != *old {
                return now;
            }
            // tidy: waits because the server is asked again and again, within a bound
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(SOON, another).await.expect("the old one stays")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_whose_files_change_is_read_again_and_what_can_not_be_used_changes_nothing() {
    let (folder, authority) = (tempfile::tempdir().expect("a folder"), Authority::new());
    let files = authority.issue(folder.path(), "live");
    let tls = open(&files);
    let server = start(folder.path(), &tls).await;
    let stream = connect(&authority, &server).await;
    let first = shown(&stream);
    let mut session = Raw::upgrade(stream, "").await;
    session.log_in(&server.tokens[0]).await;

    // While the server starts: between its first read and the first look.
    authority.issue(folder.path(), "live");
    let (nobody_asks, shutdown) = (Arc::default(), CancellationToken::new());
    let following = tokio::spawn(Arc::clone(&tls).follow(LOOK, nobody_asks, shutdown.clone()));
    let second = shown_after(&authority, &server, &first).await;
    authority.issue(folder.path(), "live");
    let third = shown_after(&authority, &server, &second).await;

    std::fs::write(&files.certificate, "not a certificate").expect("it is written");
    for _ in 0..10 {
        assert_eq!(shown(&connect(&authority, &server).await), third);
        // tidy: waits because that nothing changes shows only over several looks
        tokio::time::sleep(LOOK).await;
    }
    // A bad one ends neither the looks nor a session.
    authority.issue(folder.path(), "live");
    shown_after(&authority, &server, &third).await;
    session.ask(1).await;
    session.answered(1).await;
    shutdown.cancel();
    let ended = tokio::time::timeout(SOON, following).await;
    ended.expect("it goes on looking").expect("it does not panic");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_tls_or_no_http_is_ended() {
    let (folder, authority) = (tempfile::tempdir().expect("a folder"), Authority::new());
    let server = start(folder.path(), &open(&authority.issue(folder.path(), "a"))).await;
    let plain = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let answer = exchange(server.connect().await, plain).await;
    assert!(
        answer.starts_with("HTTP/1.1 400 ") && answer.contains("https"),
        "{answer}"
    );
    let length = answer.split_once("\r\n\r\n").expect("a body").1.len();
    assert!(answer.contains(&format!("Content-Length: {length}\r\n")), "{answer}");
    let refused = authority.connect(server.connect().await, &[b"h2"]).await;
    assert!(refused.is_err(), "only HTTP/1.1 is spoken");
    // Half a handshake, a silent one and nonsense under TLS are ended, and nobody else waits for them.
    let half = async {
        let mut stream = server.connect().await;
        stream.write_all(&[0x16, 3, 1, 2, 0, 1]).await.expect("it reads");
        stream
    };
    let nonsense = exchange(server.connect().await, "\u{16}\u{3}\u{1}\u{0}\u{4}nonsense");
    let (mut half, mut silent) = (half.await, server.connect().await);
    connect(&authority, &server).await;
    nonsense.await;
    for stream in [&mut half, &mut silent] {
        let mut rest = Vec::new();
        let read = tokio::time::timeout(SOON, stream.read_to_end(&mut rest)).await;
        let _ = read.expect("it is not ended");
    }
}

#[test]
fn what_is_wrong_with_the_files_is_said_with_their_names() {
    let (folder, authority) = (tempfile::tempdir().expect("a folder"), Authority::new());
    let (good, other) = (
        authority.issue(folder.path(), "good"),
        authority.issue(folder.path(), "other"),
    );
    good.check().expect("it is good");
    let said = |certificate: &Path, key: &Path| {
        let files = TlsFiles {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        };
        chain(&files.check().expect_err("it is wrong"))
    };
    let missing = said(&good.certificate, &folder.path().join("nowhere.key"));
    assert!(
        missing.contains("private key") && missing.contains("nowhere.key"),
        "{missing}"
    );
    let swapped = said(&good.certificate, &other.key);
    assert!(swapped.contains("do not work together"), "{swapped}");
    let empty = said(&good.key, &good.key);
    assert!(empty.contains("no certificate in"), "{empty}");
}

/// A wire of the server and the stream of its client, whose socket takes little at once.
async fn narrow(authority: &Authority, tls: &Tls) -> (Socket, TlsStream<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4 * 1024).expect("a small buffer");
    let connecting = socket.connect(listener.local_addr().expect("an address"));
    let (accepted, connected) = tokio::join!(listener.accept(), connecting);
    let accepting = tls.accept(accepted.expect("a connection").0);
    let connecting = authority.connect(connected.expect("a connection"), HTTP);
    let (accepted, connected) = tokio::join!(accepting, connecting);
    let accepted = Socket::Tls(Box::new(accepted.expect("a handshake")));
    (accepted, connected.expect("a handshake"))
}

#[tokio::test]
async fn under_tls_frames_stay_whole_and_in_order_for_a_slow_reader() {
    let (folder, authority) = (tempfile::tempdir().expect("a folder"), Authority::new());
    let tls = open(&authority.issue(folder.path(), "a"));
    let (accepted, mut client) = narrow(&authority, &tls).await;
    let wire = accepted
        .detach()
        .expect("it is detached")
        .attach()
        .expect("it is attached");
    let mut outbox = Outbox::default();
    let frame = |number: u32| Bytes::from(number.to_be_bytes().repeat(5_000));
    let mut written = Vec::new();
    // As many frames as the socket and the queue take.
    for number in 0.. {
        match outbox.write(&*wire, &frame(number)) {
            Outcome::Full => break,
            Outcome::Gone => panic!("the socket is broken"),
            Outcome::Written | Outcome::Queued => written.extend_from_slice(&frame(number)),
        }
    }
    assert!(outbox.waiting() > 0 && wire.has_unsent(), "the socket takes everything");
    let flushing = std::future::poll_fn(|context| {
        loop {
            match outbox.flush(&*wire) {
                Outcome::Written => return std::task::Poll::Ready(()),
                Outcome::Gone => panic!("the socket is broken"),
                Outcome::Queued | Outcome::Full => {
                    std::task::ready!(wire.poll_writable(context)).expect("the socket is broken");
                }
            }
        }
    });
    let mut read = vec![0; written.len()];
    let reading = client.read_exact(&mut read);
    let both = tokio::time::timeout(SOON, async { tokio::join!(flushing, reading) });
    both.await.expect("it stalls").1.expect("it is read");
    assert!(read == written, "what was read is not what was written");
    assert_eq!(outbox.waiting(), 0);
    wire.end_writing();
    let end = tokio::time::timeout(SOON, client.read(&mut read)).await;
    assert_eq!(
        end.expect("no end").expect("a clean end"),
        0,
        "the end is said under TLS too"
    );
}

async fn shown_at(authority: &Authority, address: &str) -> CertificateDer<'static> {
    let stream = TcpStream::connect(address).await.expect("it listens");
    shown(&authority.connect(stream, HTTP).await.expect("a handshake"))
}

#[tokio::test]
async fn a_running_server_reads_its_certificate_again_when_it_is_told() {
    let (folder, authority) = (tempfile::tempdir().expect("a folder"), Authority::new());
    let files = authority.issue(folder.path(), "live");
    let set = |key: &str, path: &Path| format!("{key}={}", path.display());
    let mut child = Command::new(env!("CARGO_BIN_EXE_samtale"))
        .env_clear()
        .args(["serve", "--listen", "127.0.0.1:0", "--set", "log.format=json", "--data"])
        .arg(folder.path().join("data"))
        .args(["--set", &set("tls.certificate", &files.certificate)])
        .args(["--set", &set("tls.key", &files.key)])
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    let mut said = BufReader::new(child.stderr.take().expect("it says something")).lines();
    let mut hear = async |message: &str| {
        let heard = async {
            loop {
                let line = said.next_line().await.expect("text").expect("it still runs");
                let line: Value = serde_json::from_str(&line).expect("JSON");
                if line["message"].as_str().is_some_and(|said| said.contains(message)) {
                    return line;
                }
            }
        };
        tokio::time::timeout(SOON, heard).await.expect("it does not say so")
    };
    let serving = hear("serving").await;
    let address = serving["address"].as_str().expect("an address").to_owned();
    let hang_up = || {
        let process = rustix::process::Pid::from_raw(child.id().expect("it runs").cast_signed()).expect("a process");
        rustix::process::kill_process(process, rustix::process::Signal::HUP).expect("it hears");
    };
    let first = shown_at(&authority, &address).await;
    authority.issue(folder.path(), "live");
    hang_up();
    hear("read again").await;
    let second = shown_at(&authority, &address).await;
    assert_ne!(first, second);
    std::fs::write(&files.key, "").expect("it is written");
    hang_up();
    let line = hear("the old one stays").await;
    assert_eq!(line["level"], "ERROR");
    assert_eq!(shown_at(&authority, &address).await, second);
}
