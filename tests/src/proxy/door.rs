//! Accepts connections, or does not, as the faults say.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::Result;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::faults::Door;
use super::{Counts, Shared, line};

/// How long one target may take to accept.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Between two attempts to listen again on the port, which somebody may hold for a moment.
const LISTEN_AGAIN: Duration = Duration::from_millis(20);

/// Serves until it is aborted. `listening` is told the address.
pub(super) async fn serve(shared: Arc<Shared>, port: u16, listening: oneshot::Sender<Result<SocketAddr>>) {
    let bound = bind(port).await;
    let (mut listener, address) = match bound {
        Ok((listener, address)) => {
            let _ = listening.send(Ok(address));
            (Some(listener), address)
        }
        Err(error) => {
            let _ = listening.send(Err(error));
            return;
        }
    };
    let mut faults = shared.faults.subscribe();
    let mut number = 0;
    loop {
        let door = faults.borrow_and_update().door;
        match door {
            Door::Closed => listener = None,
            Door::Open | Door::Silent if listener.is_none() => match bind(address.port()).await {
                Ok((bound, _)) => listener = Some(bound),
                Err(_) => {
                    // tidy: waits because the port is asked for again, until it is ours
                    tokio::time::sleep(LISTEN_AGAIN).await;
                    continue;
                }
            },
            Door::Open | Door::Silent => {}
        }
        let accepting = async {
            match &listener {
                Some(listener) if door == Door::Open => listener.accept().await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = faults.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            accepted = accepting => {
                if let Ok((client, _)) = accepted {
                    number += 1;
                    tokio::spawn(hand_on(Arc::clone(&shared), client, number));
                }
            }
        }
    }
}

async fn bind(port: u16) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Finds a target for a connection and carries it to its end.
async fn hand_on(shared: Arc<Shared>, client: TcpStream, number: u64) {
    let resets = shared.resets.subscribe();
    let mut random = ChaCha8Rng::seed_from_u64(shared.options.seed.wrapping_add(number << 32));
    let targets = shared.targets.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let first = if targets.is_empty() {
        0
    } else {
        random.random_range(0..targets.len())
    };
    for step in 0..targets.len() {
        let target = targets[(first + step) % targets.len()];
        let connecting = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(target));
        if let Ok(Ok(server)) = connecting.await {
            Counts::add(&shared.counts.connections, 1);
            line::carry(shared, client, server, resets, random).await;
            return;
        }
    }
    // Nobody is there: as near as one comes to a refusal once it is accepted.
    let _ = client.set_zero_linger();
}
