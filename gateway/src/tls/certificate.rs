//! A certificate and its key, from PEM files.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use thiserror::Error;

/// Why a certificate or its key can not be used.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// A file can not be read, or is no PEM.
    #[error("{what} could not be read from {}", path.display())]
    Unreadable {
        /// What was looked for.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        #[source]
        source: pem::Error,
    },
    /// The file holds no certificate.
    #[error("there is no certificate in {}: it holds no `BEGIN CERTIFICATE`", .0.display())]
    Missing(PathBuf),
    /// The key is of no known kind, or not the certificate's.
    #[error("the certificate in {} and the key in {} do not work together", certificate.display(), key.display())]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        #[source]
        source: rustls::Error,
    },
}

/// Where the certificate and its key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and behind it those that lead to a root, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}

/// What shows that a file was replaced: time, length, and which file it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp([Option<(SystemTime, u64, u64)>; 2]);

impl TlsFiles {
    /// Whether they can be used, for who only wants to know.
    pub fn check(&self) -> Result<(), CertificateError> {
        self.read(&super::provider()).map(drop)
    }

    pub(super) fn read(&self, provider: &CryptoProvider) -> Result<CertifiedKey, CertificateError> {
        let unreadable = |what, path: &Path| {
            let path = path.to_owned();
            move |source| CertificateError::Unreadable { what, path, source }
        };
        let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(&self.certificate).and_then(Iterator::collect);
        let chain = chain.map_err(unreadable("the certificate", &self.certificate))?;
        if chain.is_empty() {
            return Err(CertificateError::Missing(self.certificate.clone()));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(unreadable("the private key", &self.key))?;
        CertifiedKey::from_der(chain, key, provider).map_err(|source| CertificateError::Unusable {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            source,
        })
    }

    pub(super) fn stamp(&self) -> Stamp {
        use std::os::unix::fs::MetadataExt;
        let of = |path: &Path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
        };
        Stamp([of(&self.certificate), of(&self.key)])
    }
}
