//! A running server listens where the documents say and nowhere else, and no browser on another origin gets a socket.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use samtale_tests::chaos::{ChaosOptions, Scenario, crowd::Crowd};
use samtale_tests::cluster::{Cluster, ClusterOptions, Footing, Gateway, missing, people};
use samtale_tests::process::status_of;
use samtale_tests::skipped::skip;

/// What asks for a socket, all but the origin.
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: samtale.v1.json\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_listens_on_its_one_port_and_takes_no_socket_of_another_origin() -> Result<()> {
    look_at(Footing::Alone).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_of_a_cluster_listens_on_its_one_port_and_takes_no_socket_of_another_origin() -> Result<()> {
    match missing()? {
        Some(missing) => {
            skip(&format!("the ports of gateways over Redis and a CQL server: {missing}"));
            Ok(())
        }
        None => look_at(Footing::Services).await,
    }
}

/// Looks while clients are connected, so that everything has begun that begins late.
async fn look_at(footing: Footing) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut options = ClusterOptions::of_test(folder.path(), footing, 1);
    options.keyspace.push_str("_ports");
    let cluster = Cluster::start(options).await?;
    let school = people::found(&*cluster.gateways[0].lock().await, 4, folder.path().join("tokens")).await?;
    let mut chaos = ChaosOptions::new(Scenario::Calm, Duration::ZERO, 1);
    (chaos.crowd.clients, chaos.crowd.movers) = (4, 0);
    let crowd = Crowd::gather(&cluster, &school, &Arc::default(), &chaos).await?;
    ensure!(crowd.connected() == 4, "not everybody is there");
    for gateway in &cluster.gateways {
        let gateway = gateway.lock().await;
        let open = listening(gateway.id().context("it does not run")?)?;
        assert_eq!(
            open,
            BTreeSet::from([gateway.address.port()]),
            "gateway {}",
            gateway.number
        );
        refuses_other_origins(&gateway).await?;
    }
    drop(crowd);
    cluster.stop().await
}

async fn refuses_other_origins(gateway: &Gateway) -> Result<()> {
    let ask =
        async |origin: &str| status_of(gateway.address, "/v1/ws", &format!("{UPGRADE}Origin: {origin}\r\n")).await;
    assert_eq!(ask("https://evil.example").await?, 403);
    assert_eq!(ask("null").await?, 403);
    assert_eq!(
        ask(&format!("http://127.0.0.1:{}", gateway.address.port() ^ 1)).await?,
        403
    );
    assert_eq!(ask(&gateway.url()).await?, 101, "the page of the server itself");
    Ok(())
}

/// The TCP ports that a process listens on, and the UDP ports that it has bound.
fn listening(process: u32) -> Result<BTreeSet<u16>> {
    let mut sockets = BTreeSet::new();
    for entry in std::fs::read_dir(format!("/proc/{process}/fd"))? {
        // A descriptor may be gone by now.
        let Ok(target) = std::fs::read_link(entry?.path()) else {
            continue;
        };
        let text = target.to_string_lossy().into_owned();
        sockets.extend(
            text.strip_prefix("socket:[")
                .and_then(|rest| rest.strip_suffix(']'))
                .map(str::to_owned),
        );
    }
    let mut ports = BTreeSet::new();
    // States by number: 0A listens; 07 is every UDP socket that is not connected.
    for (table, state) in [("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")] {
        let Ok(text) = std::fs::read_to_string(format!("/proc/net/{table}")) else {
            continue;
        };
        for line in text.lines().skip(1) {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let [_, local, _, its_state, _, _, _, _, _, inode, ..] = columns[..] else {
                continue;
            };
            if its_state == state && sockets.contains(inode) {
                let port = local.rsplit(':').next().context("no port")?;
                ports.insert(u16::from_str_radix(port, 16)?);
            }
        }
    }
    Ok(ports)
}

#[test]
fn a_port_of_this_process_is_found() -> Result<()> {
    let before = listening(std::process::id())?;
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let datagrams = std::net::UdpSocket::bind("127.0.0.1:0")?;
    let found = listening(std::process::id())?;
    let new: BTreeSet<u16> = found.difference(&before).copied().collect();
    let both = [listener.local_addr()?.port(), datagrams.local_addr()?.port()];
    assert!(both.iter().all(|port| new.contains(port)), "{both:?} in {new:?}");
    Ok(())
}
