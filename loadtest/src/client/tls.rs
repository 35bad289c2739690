//! TLS of clients that trust one certificate: the one that the run made for its server.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use serde::{Deserialize, Serialize};

use super::Ended;
use super::tickets::Tickets;

/// The name that the certificate is for; all servers of a run have it.
pub const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Whether connections begin where an earlier one ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsMode {
    /// Each handshake is whole.
    Whole,
    /// A ticket of an earlier connection saves the signature.
    Tickets,
}

/// What connections are secured with.
#[derive(Clone, Debug)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
}

impl TlsClient {
    /// Trusts the certificate in a file.
    pub fn trusting(certificate: &Path, mode: TlsMode) -> Result<Self> {
        let unread = || format!("{} holds no certificate", certificate.display());
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(certificate).with_context(unread)?)
            .with_context(unread)?;
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let mut config = builder
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = match mode {
            TlsMode::Whole => Resumption::disabled(),
            TlsMode::Tickets => Resumption::store(Arc::new(Tickets::default())),
        };
        Ok(Self {
            config: Arc::new(config),
        })
    }

    /// The TLS of one connection.
    pub fn connection(&self) -> Result<ClientConnection, Ended> {
        let connection = ClientConnection::new(Arc::clone(&self.config), ServerName::from(SERVER));
        connection.map_err(|error| std::io::Error::other(error).into())
    }
}
