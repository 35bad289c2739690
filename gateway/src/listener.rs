//! The accept loop: one port for HTTP and sockets, with bounds on what connections cost before they are sessions.

mod serving;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::http::{HttpParts, router};
use crate::limits::{AddressLimits, FORGET_EVERY};
use crate::metrics::{self, RefusedFor};
use crate::origin::Proxies;
use serving::Serving;

/// File descriptors that are kept for storage, logs and whatever else is open.
const DESCRIPTORS_KEPT: usize = 500;
/// How long requests under way may take once the node stops.
const LAST_REQUESTS: Duration = Duration::from_secs(10);
/// Refusals that are being written at once; beyond them a connection is just closed.
const REFUSALS: usize = 64;
/// A refused client has this long to read why.
const REFUSAL_TIME: Duration = Duration::from_secs(1);
/// The wait after an `accept` that failed, so that a lasting failure does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// When a client that found the node full comes back.
const FULL_WAIT: Duration = Duration::from_secs(15);

/// The most connections that this process may have open at once, by its limit of file descriptors.
pub fn most_connections() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    limit.saturating_sub(DESCRIPTORS_KEPT).max(1)
}

/// Raises this process's limit of open files as far as the operator allows: the usual soft limit of 1,024 is for
/// programs that still use `select`.
pub fn raise_descriptor_limit() {
    let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = rustix::process::setrlimit(rustix::process::Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// Serves connections from `listener` until `shutdown`, at most `limit` at once and never more than the process has file
/// descriptors for; then lets the requests under way finish. Sockets that were handed over are not touched: draining
/// them is up to whoever took them.
pub async fn run(listener: TcpListener, parts: HttpParts, limit: usize, shutdown: CancellationToken) {
    let limit = limit.min(most_connections());
    let sockets = Arc::clone(&parts.sockets);
    let (addresses, proxies) = (Arc::clone(&parts.addresses), parts.proxies.clone());
    let tls = parts.tls.clone();
    let serving = Serving::new(router(parts), tls, shutdown.clone());
    let connections = Connections::new(serving, addresses, proxies);
    let mut forget = tokio::time::interval(FORGET_EVERY);
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            _ = forget.tick() => {
                connections.addresses.forget();
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) if connections.open() + sockets.sessions() >= limit => {
                connections.refuse(stream, RefusedFor::Full, FULL_WAIT);
            }
            Ok((stream, peer)) => match connections.admit(peer) {
                Ok(()) => connections.serve(stream, peer),
                Err(wait) => connections.refuse(stream, RefusedFor::Address, wait),
            },
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.finish().await;
}

/// The connections that are not sessions: those with requests, and those that are being refused.
struct Connections {
    serving: Serving,
    addresses: Arc<AddressLimits>,
    proxies: Proxies,
    open: Arc<AtomicUsize>,
    refusals: Arc<Semaphore>,
    tasks: TaskTracker,
}

impl Connections {
    fn new(serving: Serving, addresses: Arc<AddressLimits>, proxies: Proxies) -> Self {
        Self {
            serving,
            addresses,
            proxies,
            open: Arc::default(),
            refusals: Arc::new(Semaphore::new(REFUSALS)),
            tasks: TaskTracker::new(),
        }
    }

    fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// Whether this address may have one more. A proxy's connections carry everybody's; the upgrade counts the clients
    /// behind it.
    fn admit(&self, peer: SocketAddr) -> Result<(), Duration> {
        if self.proxies.contains(peer.ip()) {
            return Ok(());
        }
        self.addresses.connect(peer.ip())
    }

    fn serve(&self, stream: TcpStream, peer: SocketAddr) {
        metrics::on_accepted();
        let open = Open::one_more(&self.open);
        let serving = self.serving.clone();
        self.tasks.spawn(async move {
            serving.serve(stream, peer).await;
            drop(open);
        });
    }

    /// Says why in clear, where that is understood. A TLS handshake costs more than the refusal is worth: such a client
    /// sees the connection end, and comes back with jitter.
    fn refuse(&self, stream: TcpStream, reason: RefusedFor, wait: Duration) {
        metrics::on_refused(reason);
        let Ok(place) = Arc::clone(&self.refusals).try_acquire_owned() else {
            return;
        };
        if self.serving.is_plain() {
            let status = match reason {
                RefusedFor::Full | RefusedFor::Handshakes => "503 Service Unavailable",
                RefusedFor::Address => "429 Too Many Requests",
            };
            let seconds = wait.as_millis().div_ceil(1000);
            let head = format!(
                "HTTP/1.1 {status}\r\nRetry-After: {seconds}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            self.tasks.spawn(async move {
                refuse(stream, head.as_bytes()).await;
                drop(place);
            });
        }
    }

    async fn finish(self) {
        self.tasks.close();
        if tokio::time::timeout(LAST_REQUESTS, self.tasks.wait()).await.is_err() {
            tracing::warn!(
                connections = self.tasks.len(),
                "requests were still under way and are cut off"
            );
        }
    }
}

/// Says why a connection is not served, and ends it.
async fn refuse(mut stream: TcpStream, answer: &[u8]) {
    let refusal = async {
        stream.write_all(answer).await?;
        stream.shutdown().await?;
        // Closing with the request unread would reset the connection, and the refusal with it.
        let mut request = [0; 1024];
        while stream.read(&mut request).await? > 0 {}
        std::io::Result::Ok(())
    };
    // Whether it was heard makes no difference to us.
    let _ = tokio::time::timeout(REFUSAL_TIME, refusal).await;
}

/// One open connection, counted for as long as this lives.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn one_more(open: &Arc<AtomicUsize>) -> Self {
        metrics::set_connections(open.fetch_add(1, Ordering::AcqRel) + 1);
        Self(Arc::clone(open))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        metrics::set_connections(self.0.fetch_sub(1, Ordering::AcqRel) - 1);
    }
}

#[cfg(test)]
mod tests;
