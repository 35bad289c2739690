//! The one place where a roster meets the disk: a folder or a zip archive is opened, files are saved to a folder.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::archive::{is_csv, unpack};
use super::files::RosterFiles;
use super::limits::{MAX_ENTRIES, MAX_FILE_BYTES, MAX_TOTAL_BYTES};

/// Why a roster could not be opened at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The path cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Neither a folder nor a zip archive.
    #[error("{} is neither a folder nor a zip archive", path.display())]
    NotARoster {
        /// The path.
        path: PathBuf,
    },
    /// The archive is damaged, or of a kind that is not known.
    #[error("the zip archive cannot be read")]
    Archive(#[source] zip::result::ZipError),
    /// An entry of the archive is damaged.
    #[error("{name} in the zip archive cannot be unpacked")]
    Entry {
        /// The entry.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// An entry of the archive is encrypted.
    #[error("{name} in the zip archive is encrypted; send the archive without a password")]
    Encrypted {
        /// The entry.
        name: String,
    },
    /// More entries than a roster can have.
    #[error("{found} files found, at most {MAX_ENTRIES} expected")]
    TooManyEntries {
        /// How many.
        found: usize,
    },
    /// One file is too large.
    #[error("{name} has more than {MAX_FILE_BYTES} bytes")]
    FileTooLarge {
        /// The file.
        name: String,
    },
    /// All files together are too large.
    #[error("the files have more than {MAX_TOTAL_BYTES} bytes together")]
    TooLarge,
    /// There is no CSV file.
    #[error("there are no CSV files")]
    NoFiles,
}

/// Opens a roster: a folder of CSV files, or a zip archive of them; either may have them in a single folder inside.
pub fn open(path: &Path) -> Result<RosterFiles, OpenError> {
    let unreadable = |source| OpenError::Unreadable {
        path: path.to_owned(),
        source,
    };
    if fs::metadata(path).map_err(unreadable)?.is_dir() {
        return open_folder(path);
    }
    let mut file = File::open(path).map_err(unreadable)?;
    let mut start = Vec::new();
    (&mut file).take(2).read_to_end(&mut start).map_err(unreadable)?;
    if start != b"PK" {
        return Err(OpenError::NotARoster { path: path.to_owned() });
    }
    unpack(BufReader::new(file))
}

/// Saves files to a folder, which is made when it is not there.
pub fn save(files: &RosterFiles, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    files
        .iter()
        .try_for_each(|file| fs::write(folder.join(file.name()), file.bytes()))
}

fn open_folder(folder: &Path) -> Result<RosterFiles, OpenError> {
    let mut paths = list(folder)?;
    // A folder unpacked from an archive often holds nothing but the folder that was in the archive.
    if paths.csv.is_empty()
        && let [only] = paths.folders.as_slice()
    {
        paths = list(only)?;
    }
    let mut files = RosterFiles::new();
    let mut left = MAX_TOTAL_BYTES;
    for path in &paths.csv {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let bytes = read_file(path, &name, left)?;
        left -= bytes.len() as u64;
        files.add(&name, bytes);
    }
    if files.is_empty() {
        Err(OpenError::NoFiles)
    } else {
        Ok(files)
    }
}

struct Paths {
    csv: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

/// The CSV files and the folders of a folder, by name, so that the same folder always reads the same.
fn list(folder: &Path) -> Result<Paths, OpenError> {
    let unreadable = |source| OpenError::Unreadable {
        path: folder.to_owned(),
        source,
    };
    let mut paths = Paths {
        csv: Vec::new(),
        folders: Vec::new(),
    };
    for (count, entry) in fs::read_dir(folder).map_err(unreadable)?.enumerate() {
        if count >= MAX_ENTRIES {
            return Err(OpenError::TooManyEntries { found: count + 1 });
        }
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            paths.folders.push(path);
        } else if is_csv(&name) {
            paths.csv.push(path);
        }
    }
    paths.csv.sort();
    Ok(paths)
}

fn read_file(path: &Path, name: &str, left: u64) -> Result<Vec<u8>, OpenError> {
    let unreadable = |source| OpenError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let allowed = left.min(MAX_FILE_BYTES);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(allowed + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 <= allowed {
        return Ok(bytes);
    }
    Err(if allowed == MAX_FILE_BYTES {
        OpenError::FileTooLarge { name: name.to_owned() }
    } else {
        OpenError::TooLarge
    })
}
