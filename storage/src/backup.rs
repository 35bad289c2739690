//! Backups: the rows of one moment, as they are stored, in one file with checksums. No keys are in it.
//!
//! Whoever has the file alone can read none of it; the key folder is kept by another way. Destroying a space's keys
//! takes the space out of every backup too.

mod format;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};

use thiserror::Error;

use self::format::{Reader, Writer};
use crate::embedded::{EmbeddedEngine, Importer};
use crate::engine::StorageError;
use crate::files::{create_folder, parent, sync_folder};

/// The name of the file in the folder of a backup.
pub const FILE_NAME: &str = "samtale.backup";
/// The newest format of backups that this program reads and writes.
pub const FORMAT: u32 = 1;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// The file.
    pub path: PathBuf,
    /// Rows of each table, with the traces of deleted ones.
    pub tables: BTreeMap<String, u64>,
    /// Rows of all tables.
    pub rows: u64,
    /// Bytes of keys and bodies.
    pub bytes: u64,
}

/// Why a backup was not made, is not sound, or was not restored.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The file is not what was written, or not all of it.
    #[error("the backup {} is damaged at byte {offset}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// How it shows.
        what: &'static str,
    },
    /// A newer program made it.
    #[error("the backup has format {found}, this program knows up to {known}: use a newer program")]
    NewerFormat {
        /// The format of the backup.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// What is there would be overwritten.
    #[error("{} is not empty", path.display())]
    NotEmpty {
        /// The file or folder.
        path: PathBuf,
    },
    /// What was restored is not what the backup holds.
    #[error("what was restored into {} is not what the backup holds: use another disk", path.display())]
    RestoredWrongly {
        /// Where it was restored to.
        path: PathBuf,
    },
    /// A file can not be read or written.
    #[error("{context} {}", path.display())]
    File {
        /// What was being done.
        context: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The store can not be read or written.
    #[error("the rows could not be read or written")]
    Storage(#[source] StorageError),
}

/// Writes the rows of this moment into `folder`, while the engine goes on. The file has its name only once it is whole.
///
/// # Errors
///
/// [`BackupError::NotEmpty`] when the folder holds a backup already, and what the file system and the store say.
pub async fn backup(engine: &EmbeddedEngine, folder: &Path) -> Result<BackupReport, BackupError> {
    let (snapshot, folder) = (engine.snapshot(), folder.to_owned());
    blocking(move || {
        create_folder(&folder).map_err(BackupError::Storage)?;
        let path = folder.join(FILE_NAME);
        if path.exists() {
            return Err(BackupError::NotEmpty { path });
        }
        let partial = path.with_extension("partial");
        let file = File::create(&partial).map_err(file_error("could not create", &partial))?;
        let mut writer = Writer::new(BufWriter::new(file), &partial)?;
        snapshot.rows(|place, bytes| writer.row(place, bytes))?;
        let report = writer.finish(&path)?;
        std::fs::rename(&partial, &path).map_err(file_error("could not name", &path))?;
        sync_folder(&folder).map_err(BackupError::Storage)?;
        Ok(report)
    })
    .await
}

/// Reads a whole backup and says what it holds.
///
/// # Errors
///
/// [`BackupError::Damaged`] when a byte of it is not the one that was written.
pub async fn verify(folder: &Path) -> Result<BackupReport, BackupError> {
    let path = folder.join(FILE_NAME);
    blocking(move || Ok(read(&path, |_, _| Ok(()))?.0)).await
}

/// Restores a backup into the data folder `data`, which must be empty or not there: all of it, or nothing. The backup is
/// verified before, and what was stored is read again after.
///
/// # Errors
///
/// [`BackupError::NotEmpty`], [`BackupError::Damaged`], and what the file system and the store say.
pub async fn restore(folder: &Path, data: &Path) -> Result<BackupReport, BackupError> {
    let (path, data) = (folder.join(FILE_NAME), data.to_owned());
    blocking(move || {
        if !is_empty(&data)? {
            return Err(BackupError::NotEmpty { path: data });
        }
        read(&path, |_, _| Ok(()))?;
        // Beside it, so that a restore that is cut short leaves no folder that passes for a whole one.
        let mut name = data.file_name().unwrap_or_default().to_owned();
        name.push(".restoring");
        let beside = data.with_file_name(name);
        if !is_empty(&beside)? {
            return Err(BackupError::NotEmpty { path: beside });
        }
        let mut importer = Importer::open(&beside).map_err(BackupError::Storage)?;
        let (report, digest) = read(&path, |place, bytes| {
            importer.put(place, bytes).map_err(BackupError::Storage)
        })?;
        let restored = importer.finish().map_err(BackupError::Storage)?;
        let mut check = format::Digest::default();
        restored.rows(|place, bytes| {
            check.add(place, bytes);
            Ok(())
        })?;
        drop(restored);
        if check.finish() != digest {
            return Err(BackupError::RestoredWrongly { path: beside });
        }
        std::fs::rename(&beside, &data).map_err(file_error("could not name", &data))?;
        sync_folder(parent(&data)).map_err(BackupError::Storage)?;
        Ok(report)
    })
    .await
}

type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<(), BackupError>;

fn read(
    path: &Path,
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), BackupError>,
) -> Result<(BackupReport, [u8; 32]), BackupError> {
    let file = File::open(path).map_err(file_error("could not open", path))?;
    Reader::new(BufReader::new(file), path)?.read(&mut visit)
}

fn is_empty(folder: &Path) -> Result<bool, BackupError> {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(file_error("could not list", folder)(error)),
    }
}

fn file_error(context: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File { context, path, source }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(BackupError::Storage(StorageError::Unavailable {
            reason: "the runtime is stopping".to_owned(),
        }))
    })
}
