//! The page of names, and a scrape from outside.

use std::collections::BTreeMap;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::*;

/// Name, kind and meaning of every row of the page's tables.
fn documented() -> BTreeMap<String, (String, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
    let page = std::fs::read_to_string(path).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `samtale_"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 4, "name, kind, labels, meaning: {row}");
        let name = cells[0].trim_matches('`').to_owned();
        (name, (cells[1].to_owned(), cells[3].to_owned()))
    })
    .collect()
}

#[test]
fn the_page_in_docs_says_what_the_code_describes() {
    let in_code: BTreeMap<String, (String, String)> = described()
        .map(|(name, about)| {
            let kind = format!("{:?}", Kind::of(name)).to_lowercase();
            (name.to_owned(), (kind, about.to_owned()))
        })
        .collect();
    assert_eq!(in_code, documented(), "left is the code, right docs/metrics.md");
    assert_eq!(in_code.len(), described().count(), "a name is described twice");
}

async fn ask(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    tokio::time::timeout(Duration::from_secs(20), read)
        .await
        .unwrap()
        .unwrap();
    answer
}

#[tokio::test]
async fn a_scrape_shows_what_was_counted_however_many_servers_count() {
    let (first, second) = (install().unwrap(), install().unwrap());
    on_close(CloseCode::SlowReader);
    on_request(
        "inbox",
        &Err(Refusal::new(ErrorCode::NotPermitted)),
        Duration::from_millis(3),
    );
    count_sent(100);
    count_delivery(7);
    publish_tally();
    let shutdown = CancellationToken::new();
    for handle in [first, second] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(serve(listener, handle, shutdown.clone()));
        let page = ask(address, "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        for line in [
            "# HELP samtale_closes_total Sockets that the server closed, by the name of the close code.",
            "# TYPE samtale_request_seconds histogram",
            "samtale_closes_total{code=\"slow_reader\"}",
            "samtale_requests_total{op=\"inbox\",outcome=\"not_permitted\"}",
            "samtale_request_seconds_bucket{op=\"inbox\",le=\"0.005\"}",
            "samtale_deliveries_total ",
        ] {
            assert!(page.contains(line), "{line} is missing in {page}");
        }
        let other = ask(address, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        assert!(other.starts_with("HTTP/1.1 404 "), "{other}");
        let post = ask(
            address,
            "POST /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        )
        .await;
        assert!(post.starts_with("HTTP/1.1 405 "), "{post}");
        assert!(!serving.is_finished());
    }
    shutdown.cancel();
}
