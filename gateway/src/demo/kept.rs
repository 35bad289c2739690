//! What a demo remembers between two starts: how its school was made, and the passwords of its three people.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jiff::civil::Date;
use samtale_protocol::Timestamp;
use serde::{Deserialize, Serialize};

use super::passwords;
use crate::commands::CommandError;

/// The file in the data folder. Its passwords open a school that does not exist, and only its owner reads it.
const FILE: &str = "demo.json";

/// The school that everyone gets who asks for no other.
pub const SEED: u64 = 7;

/// What is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What the school was made from.
    pub seed: u64,
    /// When it was made: what people wrote is that much older.
    pub started_at: Timestamp,
    /// The passwords.
    pub passwords: Passwords,
    /// Whether everything is there.
    pub is_ready: bool,
}

/// The passwords of the three.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passwords {
    /// The class teacher's.
    pub teacher: String,
    /// The mother's.
    pub guardian: String,
    /// The child's.
    pub child: String,
}

impl Kept {
    /// A demo that begins.
    pub fn new(seed: u64, started_at: Timestamp) -> Result<Self, CommandError> {
        Ok(Self {
            seed,
            started_at,
            passwords: Passwords {
                teacher: passwords::make()?,
                guardian: passwords::make()?,
                child: passwords::make()?,
            },
            is_ready: false,
        })
    }

    /// The day the school was made on, where it is.
    pub fn day(&self) -> Result<Date, CommandError> {
        let millis = i64::try_from(self.started_at.as_millis()).unwrap_or(i64::MAX);
        let time = jiff::Timestamp::from_millisecond(millis)
            .map_err(|error| CommandError::failed(format!("the clock is wrong: {error}")))?;
        Ok(time.to_zoned(super::zone()).date())
    }

    /// Reads what the folder remembers.
    pub fn read(data: &Path) -> Result<Option<Self>, CommandError> {
        let path = data.join(FILE);
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| CommandError::failed(format!("{} can not be read: {error}", path.display()))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(CommandError::failed(format!(
                "{} can not be read: {error}",
                path.display()
            ))),
        }
    }

    /// Writes it: whole, or as it was before.
    pub fn write(&self, data: &Path) -> Result<(), CommandError> {
        let path = data.join(FILE);
        let failed =
            |error: std::io::Error| CommandError::failed(format!("could not write {}: {error}", path.display()));
        let beside = path.with_extension("json.new");
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| failed(error.into()))?;
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)
            .map_err(failed)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed)?;
        std::fs::rename(&beside, &path).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Kept::read(folder.path()).unwrap(), None);
        let kept = Kept::new(3, Timestamp::saturating(1_772_440_000_000)).unwrap();
        kept.write(folder.path()).unwrap();
        assert_eq!(Kept::read(folder.path()).unwrap(), Some(kept.clone()));
        assert_eq!(kept.day().unwrap(), jiff::civil::date(2026, 3, 2));
        let mode = std::fs::metadata(folder.path().join(FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
