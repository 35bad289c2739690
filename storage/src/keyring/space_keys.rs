//! The keys of one space: data keys by id, the newest last, and the key of its lookups.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::envelope::{KEY_BYTES, NoRandomness, Secret, new_secret};

const ID_BYTES: usize = 4;

/// The keys of one space. Not `Debug`, and wiped when it is dropped.
pub(crate) struct SpaceKeys {
    lookup: Secret,
    older: Vec<(u32, Secret)>,
    current: (u32, Secret),
}

impl SpaceKeys {
    /// Keys for a new space. Ids count from a random number: keys that were made anew after the file was lost do not
    /// pass for those of older rows, which are then said to lack their key, not to be damaged.
    pub fn new() -> Result<Self, NoRandomness> {
        let first = getrandom::u32().map_err(|_| NoRandomness)? >> 1;
        Ok(Self {
            lookup: new_secret()?,
            older: Vec::new(),
            current: (first, new_secret()?),
        })
    }

    /// The same keys and a new one, which is now current.
    pub fn rotated(mut self) -> Result<Self, NoRandomness> {
        let next = (self.current.0 + 1, new_secret()?);
        self.older.push(std::mem::replace(&mut self.current, next));
        Ok(self)
    }

    /// The id of the key that new rows are written with.
    pub fn current_id(&self) -> u32 {
        self.current.0
    }

    /// The key that new rows are written with.
    pub fn current(&self) -> (u32, &Secret) {
        (self.current.0, &self.current.1)
    }

    /// The key with this id.
    pub fn data_key(&self, id: u32) -> Option<&Secret> {
        if self.current.0 == id {
            return Some(&self.current.1);
        }
        self.older.iter().find(|(older, _)| *older == id).map(|(_, key)| key)
    }

    /// What a text is looked up by.
    pub fn lookup(&self, purpose: &str, text: &str) -> [u8; 16] {
        // An HMAC takes keys of any length, and ours has the length of its output.
        let mut short = [0; 16];
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.lookup.as_slice()) {
            mac.update(&(purpose.len() as u64).to_be_bytes());
            mac.update(purpose.as_bytes());
            mac.update(text.as_bytes());
            short.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        }
        short
    }

    /// The bytes that the custodian wraps.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        // With its full size at once: bytes that grow would leave copies of keys behind.
        let size = KEY_BYTES + (self.older.len() + 1) * (ID_BYTES + KEY_BYTES);
        let mut bytes = Zeroizing::new(Vec::with_capacity(size));
        bytes.extend_from_slice(self.lookup.as_slice());
        for (id, key) in self.older.iter().chain([&self.current]) {
            bytes.extend_from_slice(&id.to_be_bytes());
            bytes.extend_from_slice(key.as_slice());
        }
        bytes
    }

    /// The keys that these bytes hold; `None` if they hold something else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (lookup, mut rest) = bytes.split_first_chunk::<KEY_BYTES>()?;
        let mut keys = Vec::new();
        while !rest.is_empty() {
            let (id, after) = rest.split_first_chunk::<ID_BYTES>()?;
            let (key, after) = after.split_first_chunk::<KEY_BYTES>()?;
            keys.push((u32::from_be_bytes(*id), Zeroizing::new(*key)));
            rest = after;
        }
        let current = keys.pop()?;
        Some(Self {
            lookup: Zeroizing::new(*lookup),
            older: keys,
            current,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_keys_are_those_keys() {
        let keys = SpaceKeys::new().unwrap();
        let first = keys.current_id();
        let keys = keys.rotated().unwrap().rotated().unwrap();
        let again = SpaceKeys::decode(&keys.encode()).unwrap();
        assert_eq!(again.current_id(), first + 2);
        for id in first..=first + 2 {
            assert!(again.data_key(id).unwrap() == keys.data_key(id).unwrap());
        }
        assert!(again.data_key(first + 3).is_none());
        assert_eq!(again.lookup("username", "anna"), keys.lookup("username", "anna"));
        assert!(SpaceKeys::decode(&keys.encode()[1..]).is_none());
        assert!(SpaceKeys::decode(&[]).is_none());
    }

    #[test]
    fn a_lookup_depends_on_space_purpose_and_text() {
        let (keys, other) = (SpaceKeys::new().unwrap(), SpaceKeys::new().unwrap());
        let anna = keys.lookup("username", "anna");
        assert_ne!(anna, other.lookup("username", "anna"));
        assert_ne!(anna, keys.lookup("email", "anna"));
        assert_ne!(anna, keys.lookup("username", "anne"));
        assert_ne!(keys.lookup("a", "bc"), keys.lookup("ab", "c"));
    }
}
