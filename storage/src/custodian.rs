//! Who holds the master key, apart from the host: a key file, or another party.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use samtale_protocol::SpaceId;
use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::envelope::{self, KEY_BYTES, Secret};
use crate::files::{OWNER_FILE, create_file, create_folder, parent};

/// Bytes of a master key's name: enough to tell one from another, and nothing of the key.
const FINGERPRINT_BYTES: usize = 8;

/// Why the custodian does not do what it was asked.
#[derive(Debug, Error)]
pub enum CustodianError {
    /// The key file can not be read or written.
    #[error("the master key file {} can not be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others can read the key file.
    #[error("the master key file {} can be read by others (mode {mode:o}): make it owner-only (chmod 600)", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The key file holds something else.
    #[error("the master key file {} does not hold a key: 64 hexadecimal digits", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// The master key is another one.
    #[error("the master key is another one: {found} is needed, {held} is held")]
    OtherKey {
        /// The fingerprint of the key that is needed.
        found: String,
        /// The fingerprint of the key that is held.
        held: String,
    },
    /// What was wrapped is damaged, or belongs to another space.
    #[error("wrapped keys are damaged, or belong to another space")]
    Damaged,
    /// Another party does not answer, or refuses.
    #[error("the custodian does not give the keys: {reason}")]
    Refused {
        /// Why.
        reason: String,
    },
}

/// Wraps the data keys of spaces with a master key that it does not give away.
#[async_trait]
pub trait Custodian: Send + Sync + 'static {
    /// Wraps a space's secret, bound to that space.
    async fn wrap(&self, space: SpaceId, secret: &[u8]) -> Result<Vec<u8>, CustodianError>;

    /// Unwraps what [`Custodian::wrap`] made for this space.
    async fn unwrap(&self, space: SpaceId, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, CustodianError>;

    /// Says whether data keys may still be used.
    async fn renew_lease(&self) -> Result<(), CustodianError>;
}

/// The default custodian: a file in a folder apart from the data, read whenever it is needed and never kept in memory.
/// Taking the file away takes the data away.
pub struct KeyFile {
    path: PathBuf,
    fingerprint: [u8; FINGERPRINT_BYTES],
}

impl KeyFile {
    /// Opens the key file.
    ///
    /// # Errors
    ///
    /// When it is missing, readable by others, or holds no key.
    pub fn open(path: &Path) -> Result<Self, CustodianError> {
        let fingerprint = fingerprint(&read(path)?);
        Ok(Self {
            path: path.to_owned(),
            fingerprint,
        })
    }

    /// Opens the key file, with a new key if there is none.
    ///
    /// # Errors
    ///
    /// As [`KeyFile::open`], and when it can not be written.
    pub fn open_or_create(path: &Path) -> Result<Self, CustodianError> {
        if !path.exists() {
            create(path)?;
        }
        Self::open(path)
    }

    async fn key(&self) -> Result<Secret, CustodianError> {
        let path = self.path.clone();
        let key = tokio::task::spawn_blocking(move || read(&path))
            .await
            .map_err(stopped)??;
        let found = fingerprint(&key);
        if found != self.fingerprint {
            return Err(other_key(&self.fingerprint, &found));
        }
        Ok(key)
    }
}

#[async_trait]
impl Custodian for KeyFile {
    async fn wrap(&self, space: SpaceId, secret: &[u8]) -> Result<Vec<u8>, CustodianError> {
        let key = self.key().await?;
        let mut wrapped = self.fingerprint.to_vec();
        envelope::seal(&key, &associated(space), secret, &mut wrapped).map_err(|error| CustodianError::Refused {
            reason: error.to_string(),
        })?;
        Ok(wrapped)
    }

    async fn unwrap(&self, space: SpaceId, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, CustodianError> {
        let key = self.key().await?;
        let (found, sealed) = wrapped
            .split_first_chunk::<FINGERPRINT_BYTES>()
            .ok_or(CustodianError::Damaged)?;
        if *found != self.fingerprint {
            return Err(other_key(found, &self.fingerprint));
        }
        let secret = envelope::open(&key, &associated(space), sealed).ok_or(CustodianError::Damaged)?;
        Ok(Zeroizing::new(secret))
    }

    async fn renew_lease(&self) -> Result<(), CustodianError> {
        self.key().await.map(|_| ())
    }
}

fn associated(space: SpaceId) -> Vec<u8> {
    [b"samtale space keys 1".as_slice(), space.as_bytes()].concat()
}

fn fingerprint(key: &Secret) -> [u8; FINGERPRINT_BYTES] {
    let digest = Sha256::new()
        .chain_update(b"samtale master key fingerprint 1")
        .chain_update(key.as_slice())
        .finalize();
    let mut fingerprint = [0; FINGERPRINT_BYTES];
    fingerprint.copy_from_slice(&digest[..FINGERPRINT_BYTES]);
    fingerprint
}

fn other_key(found: &[u8], held: &[u8]) -> CustodianError {
    CustodianError::OtherKey {
        found: hexadecimal(found),
        held: hexadecimal(held),
    }
}

fn stopped(_: tokio::task::JoinError) -> CustodianError {
    CustodianError::Refused {
        reason: "the runtime is stopping".to_owned(),
    }
}

fn read(path: &Path) -> Result<Secret, CustodianError> {
    let failed = |source| CustodianError::File {
        path: path.to_owned(),
        source,
    };
    let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(CustodianError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    let text = Zeroizing::new(std::fs::read(path).map_err(failed)?);
    parse(text.trim_ascii()).ok_or_else(|| CustodianError::NotAKey { path: path.to_owned() })
}

fn create(path: &Path) -> Result<(), CustodianError> {
    let refused = |error: &dyn std::error::Error| CustodianError::Refused {
        reason: crate::engine::chain(error),
    };
    let key = envelope::new_secret().map_err(|error| refused(&error))?;
    let mut text = Zeroizing::new(hexadecimal(key.as_slice()));
    text.push('\n');
    create_folder(parent(path)).map_err(|error| refused(&error))?;
    // Another process may be first: then its key is the one.
    create_file(path, text.as_bytes(), OWNER_FILE).map_err(|error| refused(&error))
}

fn hexadecimal(bytes: &[u8]) -> String {
    // Room for the newline too: a text that grows would leave a copy of the key behind.
    let mut text = String::with_capacity(bytes.len() * 2 + 1);
    for byte in bytes {
        for digit in [byte >> 4, byte & 0xf] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    text
}

fn parse(text: &[u8]) -> Option<Secret> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    if text.len() != KEY_BYTES * 2 {
        return None;
    }
    for (byte, digits) in key.iter_mut().zip(text.chunks_exact(2)) {
        let high = char::from(digits[0]).to_digit(16)?;
        let low = char::from(digits[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(key)
}
