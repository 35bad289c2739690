//! Rates of addresses from outside: what is refused, what is not, and when to come back.

#![expect(clippy::expect_used, reason = "a test that can not go on has failed")]

mod support;

use std::num::NonZeroU32;

use samtale_gateway::limits::AddressRates;
use samtale_gateway::origin::Proxies;
use samtale_gateway::server::ServerOptions;
use support::{Running, SOON};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Few enough to be used up by a test.
fn few(options: &mut ServerOptions, spares_loopback: bool) {
    let three = NonZeroU32::MIN.saturating_add(2);
    options.addresses = AddressRates {
        connections_per_minute: three,
        logins_per_minute: three,
        spares_loopback,
    };
}

/// Sends a request and returns the status and `Retry-After` of the answer.
async fn ask(server: &Running, request: &str) -> (u16, Option<u32>) {
    let mut stream = server.connect().await;
    // A server that refuses the connection may not take the request.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut head = Vec::new();
    let reading = async {
        while !head.windows(4).any(|window| window == b"\r\n\r\n") {
            assert!(
                stream.read_buf(&mut head).await.expect("an answer") > 0,
                "it ends without an answer"
            );
        }
    };
    tokio::time::timeout(SOON, reading).await.expect("it answers");
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
    let wait = head.lines().find_map(|line| line.strip_prefix("retry-after: "));
    (status, wait.map(|seconds| seconds.parse().expect("seconds")))
}

fn upgrade(client: &str) -> String {
    format!(
        "GET /v1/ws HTTP/1.1\r\nHost: chat.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: samtale.v1.json\r\nX-Forwarded-For: {client}\r\n\r\n"
    )
}

fn refresh(client: &str) -> String {
    let body = r#"{"refresh_token":"nobody's"}"#;
    format!(
        "POST /v1/refresh HTTP/1.1\r\nHost: chat.example\r\nX-Forwarded-For: {client}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_proxy_each_client_has_its_own_rate_and_the_proxy_has_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Running::start(folder.path(), 2, |options| {
        few(options, true);
        options.proxies = Proxies::new(["127.0.0.1".parse().expect("an address")]);
    })
    .await;
    for (of, expected) in [(upgrade as fn(&str) -> String, 101), (refresh, 401)] {
        for _ in 0..3 {
            assert_eq!(ask(&server, &of("198.51.100.7")).await.0, expected);
        }
        let (status, wait) = ask(&server, &of("198.51.100.7")).await;
        assert_eq!(status, 429);
        assert!((1..=20).contains(&wait.expect("a wait")), "{wait:?}");
        // A client can not pretend to be another: only what the proxy added itself counts.
        assert_eq!(ask(&server, &of("203.0.113.1, 198.51.100.7")).await.0, 429);
        assert_eq!(ask(&server, &of("198.51.100.8")).await.0, expected);
        assert_eq!(ask(&server, &of("2001:db8::1")).await.0, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_proxy_connections_are_refused_when_they_come_and_forwarded_addresses_mean_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Running::start(folder.path(), 2, |options| few(options, false)).await;
    for client in ["198.51.100.1", "198.51.100.2", "198.51.100.3"] {
        assert_eq!(ask(&server, &upgrade(client)).await.0, 101);
    }
    let (status, wait) = ask(&server, &upgrade("198.51.100.4")).await;
    assert_eq!(status, 429);
    assert!((1..=20).contains(&wait.expect("a wait")), "{wait:?}");
}
