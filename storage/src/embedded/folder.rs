//! The data folder: one process at a time, of a format this program knows, on a disk with room.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::engine::StorageError;
use crate::files::{OWNER_FILE, create_folder, failed, replace_file, sync_folder};

/// The newest data format that this program reads and writes. It rises when an older program would misread the data.
pub const FORMAT: u32 = 1;

const FORMAT_FILE: &str = "FORMAT";
const LOCK_FILE: &str = "LOCK";
const STORE_FOLDER: &str = "store";
const PROBE_FILE: &str = "probe";
/// What a disk that was full must take again before the store is trusted with it.
const PROBE_BYTES: usize = 1024 * 1024;

/// A data folder that this process alone uses.
pub(super) struct Folder {
    path: PathBuf,
    // Held until the folder is let go; the kernel lets it go when the process dies.
    _lock: File,
}

impl Folder {
    /// Takes the folder, creating it if it is not there.
    pub fn take(path: &Path) -> Result<Self, StorageError> {
        create_folder(path)?;
        let lock = lock(path)?;
        let store = path.join(STORE_FOLDER);
        check_format(path, &store)?;
        create_folder(&store)?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Where the rows are.
    pub fn store(&self) -> PathBuf {
        self.path.join(STORE_FOLDER)
    }

    /// Bytes that are free to this user on the folder's disk.
    pub fn free_bytes(&self) -> io::Result<u64> {
        let disk = rustix::fs::statvfs(&self.path)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Whether the disk takes writes: what it counts as free may be another's, or beyond a quota.
    pub fn takes_writes(&self) -> bool {
        let path = self.path.join(PROBE_FILE);
        let written = File::create(&path).and_then(|mut file| {
            file.write_all(&vec![0; PROBE_BYTES])?;
            file.sync_all()
        });
        // What is left behind is one file of a known name, and the next probe overwrites it.
        let _ = std::fs::remove_file(&path);
        written.is_ok()
    }
}

/// Takes a folder that holds no rows, since they are in a database: the socket for commands stands in it, and it belongs
/// to one process too. Let go when the file is dropped.
pub(crate) fn hold(path: &Path) -> Result<File, StorageError> {
    create_folder(path)?;
    lock(path)
}

/// Makes every folder below `path` durable with its entries. The store syncs files and the folders it puts them in, but
/// not the folder that a new table folder stands in: without this, a power loss could take a whole table away.
pub(super) fn sync_tree(path: &Path) -> Result<(), StorageError> {
    for entry in std::fs::read_dir(path).map_err(failed("list", path))? {
        let entry = entry.map_err(failed("list", path))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            sync_tree(&entry.path())?;
        }
    }
    sync_folder(path)
}

/// The format of the data in a folder; `None` if there is none yet.
pub(crate) fn format_of(path: &Path) -> Result<Option<u32>, StorageError> {
    let file = path.join(FORMAT_FILE);
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read", &file)(error)),
    };
    let number = text.trim().parse().map_err(|_| {
        let reason = io::Error::new(io::ErrorKind::InvalidData, "it does not hold a number");
        failed("read the data format in", &file)(reason)
    })?;
    Ok(Some(number))
}

fn check_format(path: &Path, store: &Path) -> Result<(), StorageError> {
    match format_of(path)? {
        Some(found) if found > FORMAT => Err(StorageError::NewerFormat { found, known: FORMAT }),
        Some(_) => Ok(()),
        None if store.exists() => {
            let reason = io::Error::new(io::ErrorKind::NotFound, "its file FORMAT is missing");
            Err(failed("tell the format of the data in", path)(reason))
        }
        None => replace_file(&path.join(FORMAT_FILE), format!("{FORMAT}\n").as_bytes(), OWNER_FILE),
    }
}

fn lock(path: &Path) -> Result<File, StorageError> {
    let name = path.join(LOCK_FILE);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(OWNER_FILE)
        .open(&name)
        .map_err(failed("open", &name))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StorageError::Unavailable {
            reason: format!("another process is using the data folder {}", path.display()),
        }),
        Err(TryLockError::Error(error)) => Err(failed("lock", &name)(error)),
    }
}
