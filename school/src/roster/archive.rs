//! The CSV files of a zip archive, unpacked into memory and nowhere else, within limits whatever the archive claims.

use std::io::{Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use super::disk::OpenError;
use super::files::RosterFiles;
use super::limits::{MAX_ENTRIES, MAX_FILE_BYTES, MAX_TOTAL_BYTES};

/// Unpacks the CSV files of an archive: those in the folder nearest its root that has any.
pub(super) fn unpack(reader: impl Read + Seek) -> Result<RosterFiles, OpenError> {
    let mut archive = ZipArchive::new(reader).map_err(OpenError::Archive)?;
    if archive.len() > MAX_ENTRIES {
        return Err(OpenError::TooManyEntries { found: archive.len() });
    }
    let mut files = RosterFiles::new();
    let entries = csv_entries(&mut archive, &mut files)?;
    let Some(folder) = entries.iter().map(|entry| entry.folders.clone()).min_by_key(Vec::len) else {
        return Err(OpenError::NoFiles);
    };
    let mut left = MAX_TOTAL_BYTES;
    for entry in entries {
        if entry.folders != folder {
            files.note(&entry.path, "in another folder than the first CSV file; file ignored");
            continue;
        }
        let bytes = unpack_entry(&mut archive, &entry, left)?;
        left -= bytes.len() as u64;
        files.add(&entry.path, bytes);
    }
    Ok(files)
}

struct Entry {
    position: usize,
    path: String,
    folders: Vec<String>,
}

/// The archive's CSV files. What leads out of the archive is noted; what no roster is made of is passed over.
fn csv_entries<R: Read + Seek>(archive: &mut ZipArchive<R>, files: &mut RosterFiles) -> Result<Vec<Entry>, OpenError> {
    let mut entries = Vec::new();
    for position in 0..archive.len() {
        let entry = archive.by_index_raw(position).map_err(OpenError::Archive)?;
        let path = String::from_utf8_lossy(entry.name_raw()).replace('\\', "/");
        if entry.is_dir() || entry.is_symlink() || !is_csv(&path) {
            continue;
        }
        let mut folders: Vec<String> = path.split('/').map(str::to_owned).collect();
        let _name = folders.pop();
        if folders
            .iter()
            .any(|folder| folder.is_empty() || folder == ".." || folder.ends_with(':'))
        {
            files.note(&path, "the path leads out of the archive; file ignored");
            continue;
        }
        folders.retain(|folder| folder != ".");
        entries.push(Entry {
            position,
            path,
            folders,
        });
    }
    Ok(entries)
}

/// Whether a path is that of a CSV file that someone meant to send: macOS adds a `._` file beside each one.
pub(super) fn is_csv(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_csv = name.len() > 4
        && name
            .get(name.len() - 4..)
            .is_some_and(|end| end.eq_ignore_ascii_case(".csv"));
    is_csv && !name.starts_with('.') && !path.starts_with("__MACOSX/")
}

/// Unpacks one entry. Its claimed size is not asked: what comes out is counted.
fn unpack_entry<R: Read + Seek>(archive: &mut ZipArchive<R>, entry: &Entry, left: u64) -> Result<Vec<u8>, OpenError> {
    let name = || entry.path.clone();
    let file = archive.by_index(entry.position).map_err(|source| match source {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => OpenError::Encrypted { name: name() },
        source => OpenError::Entry {
            name: name(),
            source: source.into(),
        },
    })?;
    let allowed = left.min(MAX_FILE_BYTES);
    let mut bytes = Vec::new();
    file.take(allowed + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| OpenError::Entry { name: name(), source })?;
    if bytes.len() as u64 <= allowed {
        return Ok(bytes);
    }
    Err(if allowed == MAX_FILE_BYTES {
        OpenError::FileTooLarge { name: name() }
    } else {
        OpenError::TooLarge
    })
}
