//! The bytes to and from a server, plain or under TLS, and whose word on a certificate counts.

use std::io::{self, Error, ErrorKind};
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Who may vouch for a server's certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Roots {
    /// Whom the system trusts.
    #[default]
    System,
    /// These alone, such as the authority of an intranet.
    These(Arc<[CertificateDer<'static>]>),
}

impl Roots {
    /// The certificates of a file in PEM.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        let certificates = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
        let certificates: Vec<_> = certificates.map_err(Error::other)?;
        if certificates.is_empty() {
            return Err(Error::new(ErrorKind::InvalidData, "there is no certificate in it"));
        }
        Ok(Self::These(certificates.into()))
    }

    fn config(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        // What the system trusts is read from many files, once.
        static SYSTEM: OnceLock<Arc<ClientConfig>> = OnceLock::new();
        let builder =
            || ClientConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions();
        match self {
            Self::System => {
                if let Some(config) = SYSTEM.get() {
                    return Ok(Arc::clone(config));
                }
                let config = builder()?.with_platform_verifier()?.with_no_client_auth();
                Ok(Arc::clone(SYSTEM.get_or_init(|| Arc::new(config))))
            }
            Self::These(certificates) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates.iter() {
                    roots.add(certificate.clone())?;
                }
                Ok(Arc::new(builder()?.with_root_certificates(roots).with_no_client_auth()))
            }
        }
    }
}

/// A connection to a server.
#[derive(Debug)]
pub enum ServerStream {
    /// As it is.
    Plain(TcpStream),
    /// Under TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

impl ServerStream {
    /// Puts TLS around a connection. The caller bounds the time.
    pub(crate) async fn under_tls(stream: TcpStream, host: &str, roots: &Roots) -> io::Result<Self> {
        let name = ServerName::try_from(host.to_owned()).map_err(|error| Error::new(ErrorKind::InvalidInput, error))?;
        let connector = TlsConnector::from(roots.config().map_err(Error::other)?);
        // Boxed: the handshake's state is large, and gone once it is done.
        let stream = Box::pin(connector.connect(name, stream)).await?;
        Ok(Self::Tls(Box::new(stream)))
    }
}

impl AsyncRead for ServerStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for ServerStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
