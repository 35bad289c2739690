//! The note of how far a copy has come: the place of the last row that surely is on the other side, in hexadecimal.

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use crate::engine::StorageError;
use crate::files::{OWNER_FILE, failed, replace_file};

/// A file in the data folder that is copied.
pub(super) struct ProgressFile {
    path: PathBuf,
}

impl ProgressFile {
    /// The file of the copy from this folder to this keyspace.
    pub fn of(data: &Path, keyspace: &str) -> Self {
        Self {
            path: data.join(format!("copied-to-{keyspace}")),
        }
    }

    /// Where the last run stopped; `None` if there was none.
    pub fn read(&self) -> Result<Option<Vec<u8>>, StorageError> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &self.path)(error)),
        };
        let place = bytes(text.trim()).ok_or_else(|| Error::new(ErrorKind::InvalidData, "it does not hold a place"));
        place.map(Some).map_err(failed("read", &self.path))
    }

    /// Notes that everything up to this place is there.
    pub fn write(&self, place: &[u8]) -> Result<(), StorageError> {
        let text: String = place.iter().map(|byte| format!("{byte:02x}")).collect();
        replace_file(&self.path, format!("{text}\n").as_bytes(), OWNER_FILE)
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16)?).ok())
        .collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = ProgressFile::of(folder.path(), "school");
        assert_eq!(file.read().unwrap(), None);
        for place in [&b""[..], b"people\0\x01\xff"] {
            file.write(place).unwrap();
            assert_eq!(file.read().unwrap().as_deref(), Some(place));
        }
        std::fs::write(folder.path().join("copied-to-school"), "abc").unwrap();
        assert!(file.read().is_err());
    }
}
