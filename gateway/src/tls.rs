//! TLS by rustls: one certificate, which may be replaced while the server runs.
//!
//! What a handshake needs is looked up at each handshake, so a new certificate holds from the next connection on, and
//! the sockets that are open stay open. A certificate that can not be used leaves the old one in place.

mod certificate;
mod wire;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::metrics;
use certificate::Stamp;

pub use certificate::{CertificateError, TlsFiles};
pub use wire::TlsWire;

/// How often a server looks at its files. Whoever does not want to wait sends SIGHUP.
pub const LOOK: Duration = Duration::from_secs(30);
/// The one protocol inside: a WebSocket begins with HTTP/1.1, and what is not offered here is never upgraded to.
const HTTP_1_1: &[u8] = b"http/1.1";

/// TLS can not be spoken.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The certificate or its key can not be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The cryptography can not be set up.
    #[error("TLS could not be set up")]
    Setup(#[source] rustls::Error),
}

/// The TLS of a listener.
pub struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
    files: TlsFiles,
    /// What the files were just before they were first read. A server may take long to start, and is to notice what
    /// changes meanwhile.
    opened_as: Stamp,
}

/// The certificate of now.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Tls {
    /// TLS with the certificate and key of these files.
    pub fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let opened_as = files.stamp();
        let current = Arc::new(Current(RwLock::new(Arc::new(files.read(&provider())?))));
        let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let mut config = builder
            .map_err(TlsError::Setup)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Current>::clone(&current));
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        // Tickets that only this process can read: a client that comes back soon needs no signature and the server keeps
        // nothing for it. One is enough for clients with one connection.
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(TlsError::Setup)?;
        config.send_tls13_tickets = 1;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            current,
            files,
            opened_as,
        })
    }

    /// Does the handshake of a connection. The caller bounds the time.
    pub async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }

    /// Reads the files again. What can not be used changes nothing.
    pub fn reload(&self) -> Result<(), CertificateError> {
        let read = self.files.read(&provider());
        metrics::on_tls_reload(read.is_ok());
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read?);
        Ok(())
    }

    /// Reads the files again whenever `asked` says so, and when a look after each `interval` shows that they have changed,
    /// until `shutdown`.
    pub async fn follow(self: Arc<Self>, interval: Duration, asked: Arc<Notify>, shutdown: CancellationToken) {
        let mut seen = self.opened_as.clone();
        loop {
            let is_asked = tokio::select! {
                () = shutdown.cancelled() => return,
                () = asked.notified() => true,
                () = tokio::time::sleep(interval) => false,
            };
            // Taken before the files are read: a change in between is seen at the next look.
            let now = self.stamp().await;
            if !is_asked && now == seen {
                continue;
            }
            seen = now;
            let tls = Arc::clone(&self);
            match tokio::task::spawn_blocking(move || tls.reload()).await {
                Ok(Ok(())) => tracing::info!("the certificate was read again and holds from now on"),
                Ok(Err(error)) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "the new certificate can not be used: the old one stays");
                }
                Err(_) => return,
            }
        }
    }

    async fn stamp(&self) -> Stamp {
        let files = self.files.clone();
        tokio::task::spawn_blocking(move || files.stamp())
            .await
            .unwrap_or_default()
    }
}

/// The cryptography of the whole house. Given by hand, so that it does not matter what else is compiled in.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Makes the house's cryptography the one of every library in this process.
pub fn install_provider() {
    // A second time in one process changes nothing.
    let _ = aws_lc_rs::default_provider().install_default();
}
