//! What a client claims to send takes no memory before it has come. Alone in its program, because the highest use of memory
//! is a figure of the whole process; what the clients themselves take is in it.

#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a test that can not go on has failed")]

mod support;

use samtale_protocol::limits::CLIENT_FRAME_BYTES;
use support::{Raw, Running, header};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const FRAME_TOO_LARGE: u16 = 4504;
const PEOPLE: usize = 10;
/// Of each kind, at the same time; someone may have twenty sessions.
const EACH: usize = 100;
const CLAIM: usize = 16 * 1024 * 1024;
/// What comes of it: as much of a frame as is allowed, but for the last byte.
const COMES: usize = CLIENT_FRAME_BYTES - 1;
/// None of them takes more than the largest frame that is allowed, with all that its client takes.
const MOST_KIB: usize = 4 * EACH * CLIENT_FRAME_BYTES / 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_of_sixteen_mebibytes_takes_no_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Running::start(folder.path(), PEOPLE, |_| {}).await;
    let mut holds = Vec::new();
    let mut sessions = Vec::new();
    let mut sockets = Vec::new();
    for number in 0..EACH {
        holds.push(server.session(number % PEOPLE).await);
        sessions.push(server.session(number % PEOPLE).await);
        sockets.push(server.socket().await);
    }
    let before = highest_use_kib();
    for held in &mut holds {
        assert!(
            claims(held, CLIENT_FRAME_BYTES).await,
            "a frame that is allowed is read"
        );
    }
    for socket in sessions.iter_mut().chain(&mut sockets) {
        claims(socket, CLAIM).await;
    }
    for _ in 0..EACH {
        let answer = posts(server.connect().await).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    }
    for mut socket in sessions.into_iter().chain(sockets) {
        let code = socket.closed().await.map(|(code, _)| code);
        assert_eq!(code, Some(FRAME_TOO_LARGE));
    }
    let grown = highest_use_kib() - before;
    println!("{EACH} half frames and {} claims took {grown} KiB", 3 * EACH);
    assert!(grown < MOST_KIB, "{grown} KiB, and {MOST_KIB} are allowed");
}

/// Claims a frame of so many bytes and sends what may come of it; whether the server took it.
async fn claims(socket: &mut Raw<TcpStream>, bytes: usize) -> bool {
    let mut frame = header(0x81, bytes as u64);
    frame.resize(frame.len() + COMES, b' ');
    socket.send_bytes(&frame).await
}

/// Claims a body of a request, and returns the answer.
async fn posts(mut stream: TcpStream) -> String {
    let head = format!("POST /v1/login HTTP/1.1\r\nHost: a\r\nContent-Length: {CLAIM}\r\n\r\n");
    // A server that refuses at once may not take the rest.
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(&[b' '; COMES]).await;
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    let _ = tokio::time::timeout(support::SOON, reading)
        .await
        .expect("it is not ended");
    String::from_utf8_lossy(&answer).into_owned()
}

fn highest_use_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("the state of this process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let digits = line.and_then(|line| line.split_whitespace().next());
    digits.expect("the highest use of memory").parse().expect("a number")
}
