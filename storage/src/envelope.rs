//! Authenticated encryption with a random nonce in front: what rows and wrapped keys have in common.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;
/// Bytes of a nonce: long enough to be drawn at random for ever.
const NONCE_BYTES: usize = 24;

/// A key, wiped when it is dropped. Not `Debug`, so that it can not end up in a log.
pub(crate) type Secret = Zeroizing<[u8; KEY_BYTES]>;

/// The system gave no random bytes: nothing can be encrypted.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub(crate) struct NoRandomness;

/// A new key.
pub(crate) fn new_secret() -> Result<Secret, NoRandomness> {
    let mut secret = Zeroizing::new([0; KEY_BYTES]);
    getrandom::fill(secret.as_mut_slice()).map_err(|_| NoRandomness)?;
    Ok(secret)
}

/// Appends nonce and ciphertext of `text` to `bytes`.
pub(crate) fn seal(key: &Secret, associated: &[u8], text: &[u8], bytes: &mut Vec<u8>) -> Result<(), NoRandomness> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(|_| NoRandomness)?;
    let payload = Payload {
        msg: text,
        aad: associated,
    };
    let cipher = XChaCha20Poly1305::new((&**key).into());
    // It fails only for texts of more than 256 GiB, which no limit of ours lets through.
    let sealed = cipher
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| NoRandomness)?;
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(&sealed);
    Ok(())
}

/// The text of what [`seal`] appended; `None` when key, associated data or a byte of it are others.
pub(crate) fn open(key: &Secret, associated: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>()?;
    let payload = Payload {
        msg: sealed,
        aad: associated,
    };
    let cipher = XChaCha20Poly1305::new((&**key).into());
    cipher.decrypt(&XNonce::from(*nonce), payload).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_place_and_bytes_open_it() {
        let (key, other) = (new_secret().unwrap(), new_secret().unwrap());
        let mut bytes = Vec::new();
        seal(&key, b"here", b"text", &mut bytes).unwrap();
        assert_eq!(open(&key, b"here", &bytes).as_deref(), Some(b"text".as_slice()));
        assert_eq!(open(&other, b"here", &bytes), None);
        assert_eq!(open(&key, b"there", &bytes), None);
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            assert_eq!(open(&key, b"here", &damaged), None);
        }
        assert_eq!(open(&key, b"here", &bytes[..20]), None);
    }
}
