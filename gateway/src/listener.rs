//! The accept loop: one port for HTTP and sockets, with bounds on what connections cost before they are sessions.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use crate::http::{HttpParts, Peer, router};
use crate::metrics::{self, RefusedFor};

/// A whole request head, from the first byte or from the request before.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// The largest request head, and what one idle HTTP connection can cost; hyper's own default is 400 KiB.
const HEAD_BYTES: usize = 16 * 1024;
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
/// What a client hears when no file descriptor is free.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 15\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

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
    let connections = Connections::new(router(parts), shutdown.clone());
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) if connections.open() + sockets.sessions() < limit => {
                connections.serve(stream, peer);
            }
            Ok((stream, _)) => connections.refuse(stream),
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
    router: Router,
    open: Arc<AtomicUsize>,
    refusals: Arc<Semaphore>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Connections {
    fn new(router: Router, shutdown: CancellationToken) -> Self {
        let refusals = Arc::new(Semaphore::new(REFUSALS));
        Self {
            router,
            open: Arc::default(),
            refusals,
            tasks: TaskTracker::new(),
            shutdown,
        }
    }

    fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    fn serve(&self, stream: TcpStream, peer: SocketAddr) {
        if let Err(error) = stream.set_nodelay(true) {
            // The client is gone already; reading will say so.
            tracing::debug!(%error, "a connection does not take TCP_NODELAY");
        }
        metrics::on_accepted();
        let open = Open::one_more(&self.open);
        let (router, shutdown) = (self.router.clone(), self.shutdown.clone());
        self.tasks.spawn(async move {
            serve(stream, peer, router, shutdown).await;
            drop(open);
        });
    }

    fn refuse(&self, mut stream: TcpStream) {
        metrics::on_refused(RefusedFor::Full);
        let Ok(permit) = Arc::clone(&self.refusals).try_acquire_owned() else {
            return;
        };
        self.tasks.spawn(async move {
            let refusal = async {
                stream.write_all(FULL).await?;
                stream.shutdown().await?;
                // Closing with the request unread would reset the connection, and the refusal with it.
                let mut request = [0; 1024];
                while stream.read(&mut request).await? > 0 {}
                std::io::Result::Ok(())
            };
            // Whether it was heard makes no difference to us.
            let _ = tokio::time::timeout(REFUSAL_TIME, refusal).await;
            drop(permit);
        });
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

/// Serves the requests of one connection, until it ends or becomes a socket.
async fn serve(stream: TcpStream, peer: SocketAddr, router: Router, shutdown: CancellationToken) {
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        router.clone().call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        // What a client does wrong is no news to the operator.
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests;
