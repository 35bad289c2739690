//! A server as the documentation of tokio-tungstenite shows one: a task and a channel per connection, and what one sends
//! goes to all others. Samtale is measured beside it.
//!
//!     samtale-peer-tungstenite PORT [tuned]
//!
//! `tuned` makes the library's buffers small and does without splitting the socket, as its users learn to.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at};
use tokio_tungstenite::tungstenite::{Message, protocol::WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, accept_async_with_config};

/// Messages that wait for one connection.
const QUEUE: usize = 64;
/// As often as Samtale pings.
const PING_EVERY: Duration = Duration::from_secs(25);
/// The read buffer of a tuned connection.
const SMALL_BUFFER_BYTES: usize = 1024;

/// Everyone who is connected.
type Others = Arc<Mutex<HashMap<SocketAddr, mpsc::Sender<Message>>>>;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments
        .next()
        .context("samtale-peer-tungstenite PORT [tuned]")?
        .parse()?;
    let is_tuned = arguments.next().is_some_and(|word| word == "tuned");
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let others = Others::default();
    loop {
        let (stream, address) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(connection(stream, address, Arc::clone(&others), is_tuned));
    }
}

async fn connection(stream: TcpStream, address: SocketAddr, others: Others, is_tuned: bool) {
    let config = is_tuned.then(|| {
        WebSocketConfig::default()
            .read_buffer_size(SMALL_BUFFER_BYTES)
            .write_buffer_size(0)
    });
    let Ok(socket) = accept_async_with_config(stream, config).await else {
        return;
    };
    let (sender, receiver) = mpsc::channel(QUEUE);
    with(&others, |all| all.insert(address, sender));
    if is_tuned {
        whole(socket, receiver, address, &others).await;
    } else {
        split(socket, receiver, address, &others).await;
    }
    with(&others, |all| all.remove(&address));
}

/// As the documentation has it: the socket in two halves.
async fn split(
    socket: WebSocketStream<TcpStream>,
    mut queue: mpsc::Receiver<Message>,
    address: SocketAddr,
    others: &Others,
) {
    let (mut out, mut incoming) = socket.split();
    let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    loop {
        let sent = tokio::select! {
            Some(message) = queue.recv() => out.send(message).await,
            frame = incoming.next() => match frame {
                Some(Ok(message)) => { pass_on(message, address, others); Ok(()) }
                _ => return,
            },
            _ = pings.tick() => out.send(Message::Ping(Vec::new().into())).await,
        };
        if sent.is_err() {
            return;
        }
    }
}

/// The socket in one piece, without the lock between its halves.
async fn whole(
    mut socket: WebSocketStream<TcpStream>,
    mut queue: mpsc::Receiver<Message>,
    address: SocketAddr,
    others: &Others,
) {
    let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    loop {
        let message = tokio::select! {
            Some(message) = queue.recv() => message,
            frame = socket.next() => match frame {
                Some(Ok(message)) => { pass_on(message, address, others); continue }
                _ => return,
            },
            _ = pings.tick() => Message::Ping(Vec::new().into()),
        };
        if socket.send(message).await.is_err() {
            return;
        }
    }
}

/// What one sends goes to all others. Who does not keep up misses it.
fn pass_on(message: Message, from: SocketAddr, others: &Others) {
    if !message.is_binary() {
        return;
    }
    with(others, |all| {
        for (address, queue) in all.iter() {
            if *address != from {
                let _ = queue.try_send(message.clone());
            }
        }
    });
}

fn with<T>(others: &Others, work: impl FnOnce(&mut HashMap<SocketAddr, mpsc::Sender<Message>>) -> T) -> T {
    work(&mut others.lock().unwrap_or_else(PoisonError::into_inner))
}
