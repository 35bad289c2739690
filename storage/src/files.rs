//! Files that survive a power loss: written beside, synced, renamed, and the folder synced too.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::engine::StorageError;

/// Only the owner reads and writes.
pub(crate) const OWNER_FILE: u32 = 0o600;
/// Only the owner enters.
const OWNER_FOLDER: u32 = 0o700;

/// Puts the context to an error of the file system.
pub(crate) fn failed(what: &str, path: &Path) -> impl FnOnce(std::io::Error) -> StorageError {
    let context = format!("could not {what} {}", path.display());
    move |source| StorageError::Io { context, source }
}

/// Creates the folder and what it stands in, for its owner alone, if it is not there.
pub(crate) fn create_folder(path: &Path) -> Result<(), StorageError> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(OWNER_FOLDER)
        .create(path)
        .map_err(failed("create the folder", path))?;
    // A new folder is an entry of its parent, and the parent may be new too; above those nothing changed.
    for ancestor in path.ancestors().skip(1).take(4) {
        if ancestor.as_os_str().is_empty() || sync_folder(ancestor).is_err() {
            break;
        }
    }
    Ok(())
}

/// Makes the entries of a folder durable: which files there are, and under which names.
pub(crate) fn sync_folder(path: &Path) -> Result<(), StorageError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(failed("sync the folder", path))
}

/// Puts `content` into the file in one step: after a power loss it is there whole, or as it was before.
pub(crate) fn replace_file(path: &Path, content: &[u8], mode: u32) -> Result<(), StorageError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&beside)
        .and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&beside, path))
        .map_err(failed("write", path))?;
    sync_folder(parent(path))
}

/// Puts `content` into a new file in one step, unless a file of that name is there, which stays: of two processes that
/// create it at once, one does.
pub(crate) fn create_file(path: &Path, content: &[u8], mode: u32) -> Result<(), StorageError> {
    let chance =
        getrandom::u64().map_err(|error| failed("name a file beside", path)(io::Error::other(error.to_string())))?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{chance:016x}"));
    let beside = path.with_file_name(name);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&beside)
        .and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()
        });
    // A link, unlike a rename, never takes the place of a file that is there.
    let linked = written.and_then(|()| std::fs::hard_link(&beside, path));
    let _ = std::fs::remove_file(&beside);
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed("write", path)(error)),
        _ => sync_folder(parent(path)),
    }
}

/// The folder that a file stands in.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
