//! What passes through a service of others, such as Redis, and is not kept in a table: encrypted with the keys of its
//! space all the same, since such a service writes files and takes part in backups.
//!
//! The bytes are: format (1), key id (4), nonce (24), ciphertext with its tag (16). Format, key id and space are
//! authenticated with it.

use std::sync::Arc;

use samtale_protocol::SpaceId;

use crate::engine::StorageError;
use crate::envelope;
use crate::keyring::Keyring;

/// The only format so far. Rows have others: neither can be taken for the other.
const FORMAT: u8 = 0x81;
const HEADER_BYTES: usize = 5;

/// Encrypts and decrypts what passes.
#[derive(Clone)]
pub struct InTransit {
    keyring: Arc<Keyring>,
}

impl InTransit {
    /// With the keys of `keyring`.
    pub const fn new(keyring: Arc<Keyring>) -> Self {
        Self { keyring }
    }

    /// Encrypts something of `space`.
    ///
    /// # Errors
    ///
    /// [`StorageError::KeysUnavailable`] when the custodian does not give the keys, or they are destroyed.
    pub async fn encrypt(&self, space: SpaceId, text: &[u8]) -> Result<Vec<u8>, StorageError> {
        let keys = self.keyring.keys_for_writing(space).await?;
        let (id, key) = keys.current();
        let mut bytes = Vec::with_capacity(HEADER_BYTES + text.len() + 40);
        bytes.push(FORMAT);
        bytes.extend_from_slice(&id.to_be_bytes());
        let associated = associated(&bytes, space);
        let sealed = envelope::seal(key, &associated, text, &mut bytes);
        sealed.map_err(|error| StorageError::KeysUnavailable {
            reason: error.to_string(),
        })?;
        Ok(bytes)
    }

    /// Decrypts what [`InTransit::encrypt`] gave for the same space.
    ///
    /// # Errors
    ///
    /// [`StorageError::KeysUnavailable`] as there, and [`StorageError::Unreadable`] when the bytes are others.
    pub async fn decrypt(&self, space: SpaceId, bytes: &[u8]) -> Result<Vec<u8>, StorageError> {
        let keys = self.keyring.keys_for_reading(space).await?;
        let text = keys.and_then(|keys| {
            let (header, sealed) = bytes.split_first_chunk::<HEADER_BYTES>()?;
            let [FORMAT, id @ ..] = *header else { return None };
            envelope::open(
                keys.data_key(u32::from_be_bytes(id))?,
                &associated(header, space),
                sealed,
            )
        });
        text.ok_or_else(|| StorageError::Unreadable {
            table: "in transit",
            reason: "it was damaged on its way, or is not of this space".to_owned(),
        })
    }
}

fn associated(header: &[u8], space: SpaceId) -> Vec<u8> {
    let mut associated = b"in transit".to_vec();
    associated.extend_from_slice(header);
    associated.extend_from_slice(space.as_bytes());
    associated
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::custodian::KeyFile;

    #[tokio::test]
    async fn only_the_same_space_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let custodian = KeyFile::open_or_create(&folder.path().join("master.key")).unwrap();
        let keyring = Keyring::open(&folder.path().join("ring"), Arc::new(custodian))
            .await
            .unwrap();
        let transit = InTransit::new(Arc::new(keyring));
        let (here, there) = (SpaceId::from_bytes([1; 16]), SpaceId::from_bytes([2; 16]));
        let mut bytes = transit.encrypt(here, "Hej, 3.A!".as_bytes()).await.unwrap();
        assert!(!bytes.windows(3).any(|window| window == b"Hej"));
        assert_eq!(transit.decrypt(here, &bytes).await.unwrap(), "Hej, 3.A!".as_bytes());
        transit.encrypt(there, b"they have keys").await.unwrap();
        assert!(transit.decrypt(there, &bytes).await.is_err());
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        assert!(transit.decrypt(here, &bytes).await.is_err());
        assert!(transit.decrypt(here, b"").await.is_err());
    }
}
