//! Clients that do everything wrong, against a real server over TCP: each is closed in time with the code of the
//! protocol, while an honest client on the same server keeps getting its answers.

mod support;

use std::time::Duration;

use support::{Raw, Running, header, masked};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const BAD_FRAME: u16 = 4500;
const FRAME_TOO_LARGE: u16 = 4504;
const TOO_MANY: u16 = 4004;
const HANDSHAKE_TIMEOUT: u16 = 4506;

/// A session that is sent these bytes is closed with this code.
async fn closes(server: &Running, what: &str, bytes: &[u8], code: u16) {
    let mut session = server.session(1).await;
    session.send_bytes(bytes).await;
    let closed = session.closed().await;
    assert_eq!(closed.map(|(code, _)| code), Some(code), "{what}");
}

/// Asks again and again, and keeps the longest wait.
async fn honest(server: &Running, done: tokio::sync::watch::Receiver<bool>) -> (u32, Duration) {
    let mut session = server.session(0).await;
    let (mut asked, mut longest) = (0, Duration::ZERO);
    while !*done.borrow() {
        asked += 1;
        let began = std::time::Instant::now();
        session.ask(asked).await;
        session.answered(asked).await;
        longest = longest.max(began.elapsed());
        // tidy: waits because an honest client asks some times a second, and more is refused
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    (asked, longest)
}

/// Runs hostile clients beside an honest one.
async fn beside_an_honest_client(server: &Running, hostile: impl Future<Output = ()>) {
    let (done, watched) = tokio::sync::watch::channel(false);
    let hostile = async {
        hostile.await;
        done.send_replace(true);
    };
    let (honest, ()) = tokio::join!(honest(server, watched), hostile);
    println!(
        "the honest client asked {} times and waited at most {:?}",
        honest.0, honest.1
    );
    assert!(
        honest.1 < Duration::from_secs(5),
        "the honest client waited {:?}",
        honest.1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_rfc_6455_forbids_closes_with_a_code() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Running::start(folder.path(), 2, |_| {}).await;
    let mut unmasked = vec![0x81, 2];
    unmasked.extend(b"{}");
    let close_with = |code: u16, reason: &[u8]| [&code.to_be_bytes()[..], reason].concat();
    let split = "ø".as_bytes();
    let cases: &[(&str, Vec<u8>, u16)] = &[
        ("a length of 16 MiB", header(0x81, 16 << 20), FRAME_TOO_LARGE),
        ("a length of 2^63", header(0x82, 1 << 63), FRAME_TOO_LARGE),
        (
            "a frame one byte above the limit",
            header(0x81, 64 * 1024 + 1),
            FRAME_TOO_LARGE,
        ),
        ("a frame that is not masked", unmasked, BAD_FRAME),
        ("the first reserved bit", masked(0xc1, b"{}"), BAD_FRAME),
        ("the third reserved bit", masked(0x91, b"{}"), BAD_FRAME),
        ("a reserved opcode for data", masked(0x83, b"{}"), BAD_FRAME),
        ("a reserved opcode for control", masked(0x8b, b""), BAD_FRAME),
        ("a continuation of nothing", masked(0x80, b"{}"), BAD_FRAME),
        (
            "a message within a message",
            [masked(0x01, b"{"), masked(0x81, b"{}")].concat(),
            BAD_FRAME,
        ),
        ("a ping of 126 bytes", masked(0x89, &[0; 126]), BAD_FRAME),
        ("a fragmented ping", masked(0x09, b""), BAD_FRAME),
        ("text that is not UTF-8", masked(0x81, b"\xc3\x28"), BAD_FRAME),
        ("text that ends within a letter", masked(0x81, &split[..1]), BAD_FRAME),
        (
            "text that is not UTF-8, split within the letter",
            [masked(0x01, &split[..1]), masked(0x80, b"\x28")].concat(),
            BAD_FRAME,
        ),
        ("a binary message in JSON", masked(0x82, b"{}"), BAD_FRAME),
        (
            "a close reason that is not UTF-8",
            masked(0x88, &close_with(1000, b"\xff")),
            BAD_FRAME,
        ),
        ("a close frame of one byte", masked(0x88, &[3]), BAD_FRAME),
        // Codes that no close frame may say (section 7.4).
        ("a close code of 1005", masked(0x88, &close_with(1005, b"")), BAD_FRAME),
        ("a close code of 999", masked(0x88, &close_with(999, b"")), BAD_FRAME),
        ("a close code of 5000", masked(0x88, &close_with(5000, b"")), BAD_FRAME),
        ("a good close code", masked(0x88, &close_with(1000, b"bye")), 1000),
    ];
    beside_an_honest_client(&server, async {
        for (what, bytes, code) in cases {
            closes(&server, what, bytes, *code).await;
        }
    })
    .await;
    // A letter that is split rightly is no fault.
    let mut session = server.session(1).await;
    let request = r#"{"t":"request","id":7,"request":{"op":"list_logins"},"note":"ø"}"#.as_bytes();
    let within = request.len() - 3;
    session.send(0x01, &request[..within]).await;
    session.send(0x89, b"between").await;
    session.send(0x80, &request[within..]).await;
    session.answered(7).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_are_ended_and_the_honest_client_does_not_notice() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Running::start(folder.path(), 10, |_| {}).await;
    let flood = async |person: usize, opening: Vec<u8>, again: Vec<u8>| {
        let mut session = server.session(person).await;
        session.send_bytes(&opening).await;
        let (mut reads, mut writes) = tokio::io::split(session.stream);
        let again = again.repeat(1_000);
        let writing = async { while writes.write_all(&again).await.is_ok() {} };
        let mut socket = Vec::new();
        let reading = async { while reads.read_buf(&mut socket).await.is_ok_and(|read| read > 0) {} };
        tokio::time::timeout(support::SOON, async { tokio::join!(writing, reading) })
            .await
            .expect("the flood is not ended");
        // The last frame is the close frame: its code stands four bytes behind its beginning.
        let reason = |name: &str| socket.windows(name.len()).any(|window| window == name.as_bytes());
        [
            ("frame_too_large", FRAME_TOO_LARGE),
            ("too_many", TOO_MANY),
            ("bad_frame", BAD_FRAME),
        ]
        .into_iter()
        .find_map(|(name, code)| reason(name).then_some(code))
    };
    let begin = masked(0x01, b"{");
    beside_an_honest_client(&server, async {
        let (empty, tiny, large, pings, pongs) = tokio::join!(
            flood(1, begin.clone(), masked(0x00, b"")),
            flood(2, begin.clone(), masked(0x00, b" ")),
            flood(3, begin.clone(), masked(0x00, &[b' '; 1024])),
            flood(4, Vec::new(), masked(0x89, b"")),
            flood(5, Vec::new(), masked(0x8a, &[0; 125])),
        );
        assert_eq!(empty, Some(FRAME_TOO_LARGE), "fragments without content");
        assert_eq!(tiny, Some(FRAME_TOO_LARGE), "fragments of one byte");
        assert_eq!(large, Some(FRAME_TOO_LARGE), "fragments up to the limit and beyond");
        assert_eq!(pings, Some(TOO_MANY), "pings");
        assert_eq!(pongs, Some(TOO_MANY), "pongs");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_half_or_byte_by_byte_is_ended_in_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Running::start(folder.path(), 2, |_| {}).await;
    let ends = async |mut stream: TcpStream| {
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        let _ = tokio::time::timeout(support::SOON, read)
            .await
            .expect("it is not ended");
        String::from_utf8_lossy(&answer).into_owned()
    };
    let drip = async |mut stream: TcpStream, bytes: &[u8]| {
        let (mut reads, mut writes) = stream.split();
        let dripping = async {
            for byte in bytes.iter().cycle() {
                if writes.write_all(&[*byte]).await.is_err() {
                    return;
                }
                // tidy: waits because the client is slow on purpose
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let mut answer = Vec::new();
        let reading = async { while reads.read_buf(&mut answer).await.is_ok_and(|read| read > 0) {} };
        tokio::time::timeout(support::SOON, async {
            tokio::select! { () = dripping => {}, () = reading => {} }
        })
        .await
        .expect("it is not ended");
        String::from_utf8_lossy(&answer).into_owned()
    };
    let quiet_socket = async |bytes: Vec<u8>| {
        let mut socket = server.socket().await;
        socket.send_bytes(&bytes).await;
        socket.closed().await.map(|(code, _)| code)
    };
    let slow_hello = async {
        let Raw { stream, .. } = server.socket().await;
        drip(stream, &masked(0x81, &[b' '; 60_000])).await
    };
    beside_an_honest_client(&server, async {
        let body = b"POST /v1/login HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n{";
        let mut half_body = server.connect().await;
        half_body.write_all(body).await.expect("it reads");
        let mut half_head = server.connect().await;
        half_head
            .write_all(b"GET /v1/ws HTTP/1.1\r\nHos")
            .await
            .expect("it reads");
        let (silent, head, half_head, half_body, no_hello, half_hello, slow_hello) = tokio::join!(
            ends(server.connect().await),
            drip(
                server.connect().await,
                b"GET / HTTP/1.1\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaa"
            ),
            ends(half_head),
            ends(half_body),
            quiet_socket(Vec::new()),
            quiet_socket(header(0x81, 60_000)),
            slow_hello,
        );
        for (what, answer) in [("silence", silent), ("a slow head", head), ("half a head", half_head)] {
            assert!(
                answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
                "{what}: {answer}"
            );
        }
        assert!(half_body.starts_with("HTTP/1.1 400 "), "{half_body}");
        assert_eq!(no_hello, Some(HANDSHAKE_TIMEOUT));
        assert_eq!(half_hello, Some(HANDSHAKE_TIMEOUT));
        assert!(slow_hello.contains("handshake_timeout"), "{slow_hello}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_and_never_reads_is_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Running::start(folder.path(), 2, |_| {}).await;
    beside_an_honest_client(&server, async {
        let mut session = server.session(1).await;
        // Answers that are not read fill the kernel's buffers, and then the queue; pings are answered too.
        let mut sent = 0_usize;
        let pings = masked(0x89, &[7; 125]).repeat(100);
        let writing = async {
            while session.stream.write_all(&pings).await.is_ok() {
                sent += pings.len();
            }
        };
        let ended = tokio::time::timeout(support::SOON, writing).await;
        assert!(ended.is_ok(), "after {sent} bytes it is still served");
        println!("a reader who never reads was ended after {sent} bytes");
    })
    .await;
}
