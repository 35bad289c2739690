//! The files of the keyring: one small file per space, and a mark where keys were destroyed.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use samtale_protocol::SpaceId;

use crate::engine::StorageError;
use crate::files::{OWNER_FILE, create_file, create_folder, failed, replace_file, sync_folder};

/// The first byte of a file: its format.
const FORMAT: u8 = 1;

/// Held by a process that rotates or destroys keys.
const LOCK_FILE: &str = "LOCK";
/// Holds something else after each change of keys.
const GENERATION_FILE: &str = "CHANGED";

/// What the folder holds of a space.
pub(super) enum Found {
    /// Its wrapped keys.
    Keys(Vec<u8>),
    /// Nothing: the space never had keys.
    Nothing,
    /// The mark that it had some.
    Destroyed,
}

/// The folder of the keyring.
pub(super) struct RingFolder {
    path: PathBuf,
}

impl RingFolder {
    pub async fn open(path: PathBuf) -> Result<Self, StorageError> {
        blocking(move || {
            create_folder(&path)?;
            Ok(Self { path })
        })
        .await
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub async fn read(&self, space: SpaceId) -> Result<Found, StorageError> {
        let (keys, mark) = (self.keys(space), self.mark(space));
        blocking(move || match std::fs::read(&keys) {
            // The mark comes first when keys are destroyed, so with it the keys no longer count.
            _ if mark.exists() => Ok(Found::Destroyed),
            Ok(bytes) => match bytes.split_first() {
                Some((&FORMAT, wrapped)) => Ok(Found::Keys(wrapped.to_vec())),
                _ => Err(StorageError::KeysUnavailable {
                    reason: format!("{} is damaged, or of a newer program", keys.display()),
                }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
            Err(error) => Err(failed("read", &keys)(error)),
        })
        .await
    }

    /// Puts the first keys of a space there, unless some are there already.
    pub async fn create(&self, space: SpaceId, wrapped: Vec<u8>) -> Result<(), StorageError> {
        let keys = self.keys(space);
        blocking(move || create_file(&keys, &with_format(&wrapped), OWNER_FILE)).await
    }

    /// Holds the folder against other processes that change keys, until the file is dropped. Creating needs no lock.
    pub async fn lock(&self) -> Result<File, StorageError> {
        let path = self.path.join(LOCK_FILE);
        blocking(move || {
            let mut options = std::fs::OpenOptions::new();
            let file = options
                .write(true)
                .create(true)
                .truncate(false)
                .mode(OWNER_FILE)
                .open(&path);
            let locked = file.and_then(|file| file.lock().map(|()| file));
            locked.map_err(failed("lock", &path))
        })
        .await
    }

    /// What is another after keys were rotated or destroyed, by whatever process.
    pub async fn generation(&self) -> Result<Vec<u8>, StorageError> {
        let path = self.path.join(GENERATION_FILE);
        blocking(move || match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            read => read.map_err(failed("read", &path)),
        })
        .await
    }

    /// Tells other processes that keys were changed. Comes last: who looks before does so again.
    pub async fn tell_others(&self) -> Result<(), StorageError> {
        let path = self.path.join(GENERATION_FILE);
        blocking(move || {
            let chance = getrandom::u64();
            let chance = chance.map_err(|error| failed("write", &path)(io::Error::other(error.to_string())))?;
            replace_file(&path, format!("{chance:016x}\n").as_bytes(), OWNER_FILE)
        })
        .await
    }

    /// Puts other keys of a space there.
    pub async fn replace(&self, space: SpaceId, wrapped: Vec<u8>) -> Result<(), StorageError> {
        let keys = self.keys(space);
        blocking(move || replace_file(&keys, &with_format(&wrapped), OWNER_FILE)).await
    }

    pub async fn destroy(&self, space: SpaceId) -> Result<(), StorageError> {
        let (keys, mark, folder) = (self.keys(space), self.mark(space), self.path.clone());
        blocking(move || {
            replace_file(&mark, b"", OWNER_FILE)?;
            let size = match std::fs::metadata(&keys) {
                Ok(data) => data.len(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(failed("read", &keys)(error)),
            };
            // Overwritten in place where the file system does so; the name is gone in any case.
            let zeros = vec![0; usize::try_from(size).unwrap_or_default()];
            let overwritten = std::fs::OpenOptions::new()
                .write(true)
                .open(&keys)
                .and_then(|mut file| {
                    file.write_all(&zeros)?;
                    file.sync_all()
                });
            overwritten
                .and_then(|()| std::fs::remove_file(&keys))
                .map_err(failed("destroy", &keys))?;
            sync_folder(&folder)
        })
        .await
    }

    fn keys(&self, space: SpaceId) -> PathBuf {
        self.path.join(format!("{space}.keys"))
    }

    fn mark(&self, space: SpaceId) -> PathBuf {
        self.path.join(format!("{space}.destroyed"))
    }
}

fn with_format(wrapped: &[u8]) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    bytes.extend_from_slice(wrapped);
    bytes
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(StorageError::Unavailable {
            reason: "the runtime is stopping".to_owned(),
        })
    })
}
