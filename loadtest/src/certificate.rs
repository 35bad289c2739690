//! A certificate for the servers of a run, made when it begins.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A certificate that vouches for itself, and its key, in a folder of the run.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Its file.
    pub certificate: PathBuf,
    /// The file of its key.
    pub key: PathBuf,
}

impl Certificate {
    /// Makes one for 127.0.0.1, with an ECDSA key as the certificates of today's authorities have.
    pub fn make(folder: &Path) -> Result<Self> {
        let made = rcgen::generate_simple_self_signed([crate::client::SERVER.to_string()])?;
        let files = Self {
            certificate: folder.join("certificate.pem"),
            key: folder.join("certificate.key"),
        };
        std::fs::write(&files.certificate, made.cert.pem()).context("the certificate can not be written")?;
        std::fs::write(&files.key, made.signing_key.serialize_pem())
            .context("the certificate's key can not be written")?;
        Ok(files)
    }
}
