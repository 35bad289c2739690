//! One connection: TLS first, if it is spoken here, then requests until it ends or becomes a socket.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower::Service;

use super::refuse;
use crate::http::Peer;
use crate::metrics::{self, RefusedFor};
use crate::socket::Socket;
use crate::tls::Tls;

/// A whole TLS handshake: two round trips and a signature.
const TLS_TIME: Duration = Duration::from_secs(10);
/// TLS handshakes at once, some 25 KiB each. More than one address may begin in [`TLS_TIME`], so that none takes the
/// places of all.
const TLS_HANDSHAKES: usize = 4_096;
/// A whole request head, from the first byte or from the request before.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// The largest request head, and what one idle HTTP connection can cost; hyper's own default is 400 KiB.
const HEAD_BYTES: usize = 16 * 1024;
/// How every TLS connection begins: a handshake record (RFC 8446, section 5.1).
const HANDSHAKE_RECORD: u8 = 0x16;
/// What a client hears that begins without TLS.
const SPEAK_TLS: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 42\r\nConnection: close\r\n\r\n\
    this port speaks TLS: write https or wss.\n";

/// What every connection of a listener is served with.
#[derive(Clone)]
pub(super) struct Serving {
    router: Router,
    tls: Option<Arc<Tls>>,
    handshakes: Arc<Semaphore>,
    shutdown: CancellationToken,
}

impl Serving {
    pub(super) fn new(router: Router, tls: Option<Arc<Tls>>, shutdown: CancellationToken) -> Self {
        Self {
            router,
            tls,
            handshakes: Arc::new(Semaphore::new(TLS_HANDSHAKES)),
            shutdown,
        }
    }

    /// Whether what is said in clear is understood.
    pub(super) const fn is_plain(&self) -> bool {
        self.tls.is_none()
    }

    pub(super) async fn serve(self, stream: TcpStream, peer: SocketAddr) {
        if let Err(error) = stream.set_nodelay(true) {
            // The client is gone already; reading will say so.
            tracing::debug!(%error, "a connection does not take TCP_NODELAY");
        }
        let socket = match &self.tls {
            None => Some(Socket::Plain(stream)),
            Some(tls) => match Arc::clone(&self.handshakes).try_acquire_owned() {
                // Boxed: the handshake's state is large, and gone once it is done.
                Ok(place) => Box::pin(self.shake_hands(tls, stream, place)).await,
                Err(_) => {
                    metrics::on_refused(RefusedFor::Handshakes);
                    None
                }
            },
        };
        if let Some(socket) = socket {
            self.answer(socket, peer).await;
        }
    }

    async fn shake_hands(&self, tls: &Tls, stream: TcpStream, _place: OwnedSemaphorePermit) -> Option<Socket> {
        let handshake = async {
            let mut first = [0];
            if stream.peek(&mut first).await? == 1 && first[0] != HANDSHAKE_RECORD {
                refuse(stream, SPEAK_TLS).await;
                return Err(std::io::ErrorKind::InvalidData.into());
            }
            tls.accept(stream).await
        };
        let (outcome, socket) = tokio::select! {
            () = self.shutdown.cancelled() => return None,
            done = tokio::time::timeout(TLS_TIME, handshake) => match done {
                Ok(Ok(stream)) => ("done", Some(Socket::Tls(Box::new(stream)))),
                // What a client does wrong is no news to the operator.
                Ok(Err(error)) => {
                    tracing::debug!(%error, "a TLS handshake failed");
                    ("failed", None)
                }
                Err(_) => ("timed_out", None),
            },
        };
        metrics::on_tls_handshake(outcome);
        socket
    }

    async fn answer(self, socket: Socket, peer: SocketAddr) {
        let Self { router, shutdown, .. } = self;
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            router.clone().call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(socket), service)
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
            tracing::debug!(%error, "a connection ended early");
        }
    }
}
