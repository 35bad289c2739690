//! The outbox as a file: one JSON record per line, only ever appended to, written anew when most of it is done.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::record::Record;
use super::{Entry, OUTBOX_ENTRIES};

/// From this size on the file is written anew when what waits is few. Below, reading it takes a millisecond.
const COMPACTION_BYTES: u64 = 256 * 1024;
/// The same while many wait, so that a long outage does not rewrite a large file at each message.
const COMPACTION_BYTES_PER_ENTRY: u64 = 64 * 1024;
/// A file above this is no outbox of ours.
const LARGEST_BYTES: u64 = COMPACTION_BYTES_PER_ENTRY * (OUTBOX_ENTRIES as u64 + 64);

/// Why the outbox can not be used. What is in it stays as it is.
#[derive(Debug, Error)]
pub enum OutboxError {
    /// Another process has it open.
    #[error("{path} is in use by another process")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The disk, the folder or the rights do not allow it.
    #[error("{path} can not be {action}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A line before the last can not be read: this is no torn write.
    #[error("{path} is damaged in line {line}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A record could not be put into words: a fault in the program.
    #[error("a record can not be written as JSON")]
    Record(#[source] serde_json::Error),
    /// The runtime is going down.
    #[error("the program is ending")]
    Interrupted,
}

/// The open, locked file.
#[derive(Debug)]
pub(super) struct OutboxFile {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl OutboxFile {
    /// Opens or makes the file and reads what waits in it. A torn last line is cut off: whoever wrote it was never told
    /// that it was taken.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<Entry>), OutboxError> {
        let failed = |action| {
            move |source| OutboxError::Io {
                path: path.to_owned(),
                action,
                source,
            }
        };
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed("opened"))?;
        lock(&file, path)?;
        if file.metadata().map_err(failed("read"))?.len() > LARGEST_BYTES {
            return Err(failed("read")(io::Error::other("it is too large to be an outbox")));
        }
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(failed("read"))?;
        let (entries, whole) = read(&content, path)?;
        if whole < content.len() {
            file.set_len(whole as u64).map_err(failed("mended"))?;
            file.sync_all().map_err(failed("mended"))?;
        }
        sync_folder(path).map_err(failed("opened"))?;
        Ok((
            Self {
                path: path.to_owned(),
                file,
                bytes: whole as u64,
            },
            entries,
        ))
    }

    /// Appends records in one write.
    pub(super) fn append(&mut self, records: &[Record], sync: bool) -> Result<(), OutboxError> {
        let mut lines = Vec::new();
        for record in records {
            record.write_to(&mut lines).map_err(OutboxError::Record)?;
        }
        self.file
            .write_all(&lines)
            .map_err(|source| self.failed("written", source))?;
        self.bytes += lines.len() as u64;
        if sync {
            self.file.sync_data().map_err(|source| self.failed("synced", source))?;
        }
        Ok(())
    }

    /// Whether most of the file is done, while `waiting` entries are not.
    pub(super) fn wants_compaction(&self, waiting: usize) -> bool {
        // An empty outbox is cheap to write anew, but not worth doing after each message.
        let few = if waiting == 0 {
            COMPACTION_BYTES / 16
        } else {
            COMPACTION_BYTES
        };
        self.bytes > few + waiting as u64 * COMPACTION_BYTES_PER_ENTRY
    }

    /// Writes the file anew with nothing but `waiting`.
    pub(super) fn compact(&mut self, waiting: &[Entry]) -> Result<(), OutboxError> {
        if waiting.is_empty() {
            self.file.set_len(0).map_err(|source| self.failed("emptied", source))?;
            self.bytes = 0;
            return Ok(());
        }
        let mut lines = Vec::new();
        for entry in waiting {
            let record = Record::Queued { entry: entry.clone() };
            record.write_to(&mut lines).map_err(OutboxError::Record)?;
        }
        let mut beside = self.path.clone();
        beside.as_mut_os_string().push(".new");
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options
            .open(&beside)
            .map_err(|source| self.failed("written anew", source))?;
        let written = (|| {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&lines)?;
            file.sync_all()
        })();
        written.map_err(|source| self.failed("written anew", source))?;
        lock(&file, &beside)?;
        fs::rename(&beside, &self.path).map_err(|source| self.failed("written anew", source))?;
        sync_folder(&self.path).map_err(|source| self.failed("written anew", source))?;
        self.file = file;
        self.bytes = lines.len() as u64;
        Ok(())
    }

    fn failed(&self, action: &'static str, source: io::Error) -> OutboxError {
        OutboxError::Io {
            path: self.path.clone(),
            action,
            source,
        }
    }
}

/// What waits, and how many bytes of the content are whole lines.
fn read(content: &[u8], path: &Path) -> Result<(Vec<Entry>, usize), OutboxError> {
    let mut entries = Vec::new();
    let mut whole = 0;
    for (number, line) in content.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let last = whole + line.len() == content.len();
        match serde_json::from_slice::<Record>(line) {
            Ok(record) if line.ends_with(b"\n") => record.apply_to(&mut entries),
            _ if last => break,
            _ => {
                return Err(OutboxError::Damaged {
                    path: path.to_owned(),
                    line: number + 1,
                });
            }
        }
        whole += line.len();
    }
    Ok((entries, whole))
}

fn lock(file: &File, path: &Path) -> Result<(), OutboxError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(OutboxError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(OutboxError::Io {
            path: path.to_owned(),
            action: "locked",
            source,
        }),
    }
}

/// A new name is on the disk only once its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use samtale_protocol::messages::{Part, SendMessage};
    use samtale_protocol::{ClientId, ThreadId, Timestamp};

    use super::super::{Outbox, Outgoing};
    use super::*;

    fn entry(number: u8) -> Entry {
        let client_id = ClientId::from_bytes([number; 16]);
        let outgoing = Outgoing::SendMessage(SendMessage {
            thread: ThreadId::from_bytes([9; 16]),
            client_id,
            sent_at: Timestamp::default(),
            parts: vec![Part::text("Hej, æøå 👋\n")],
            reply_to: None,
            membership_version: None,
        });
        Entry {
            client_id,
            sent_at: None,
            outgoing,
        }
    }

    fn queued(number: u8) -> Record {
        Record::Queued { entry: entry(number) }
    }

    fn done(number: u8) -> Record {
        Record::Done {
            client_id: ClientId::from_bytes([number; 16]),
        }
    }

    #[test]
    fn what_is_not_done_is_there_after_a_restart_in_order_and_with_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outbox");
        let (mut file, entries) = OutboxFile::open(&path).unwrap();
        assert!(entries.is_empty());
        let sent_at = Timestamp::saturating(1_800_000_000_000);
        let stamped = Record::Stamped {
            client_id: ClientId::from_bytes([2; 16]),
            sent_at,
        };
        file.append(&[queued(1), queued(2), queued(3)], true).unwrap();
        file.append(&[stamped, done(1)], false).unwrap();
        drop(file);
        let (_file, entries) = OutboxFile::open(&path).unwrap();
        assert_eq!(
            entries,
            [
                Entry {
                    sent_at: Some(sent_at),
                    ..entry(2)
                },
                entry(3)
            ]
        );
    }

    #[test]
    fn a_last_line_cut_anywhere_is_forgotten_and_writing_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outbox");
        OutboxFile::open(&path)
            .unwrap()
            .0
            .append(&[queued(1), queued(2)], true)
            .unwrap();
        let content = fs::read(&path).unwrap();
        let first_line = content.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for length in first_line..content.len() {
            fs::write(&path, &content[..length]).unwrap();
            let (mut file, entries) = OutboxFile::open(&path).unwrap();
            assert_eq!(entries, [entry(1)], "cut at {length}");
            file.append(&[queued(3)], true).unwrap();
            drop(file);
            assert_eq!(
                OutboxFile::open(&path).unwrap().1,
                [entry(1), entry(3)],
                "cut at {length}"
            );
        }
    }

    #[test]
    fn damage_before_the_last_line_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outbox");
        OutboxFile::open(&path)
            .unwrap()
            .0
            .append(&[queued(1), queued(2)], true)
            .unwrap();
        let mut content = fs::read(&path).unwrap();
        content[5] = 0;
        fs::write(&path, content).unwrap();
        assert!(matches!(
            OutboxFile::open(&path),
            Err(OutboxError::Damaged { line: 1, .. })
        ));
    }

    #[test]
    fn one_process_has_it_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outbox");
        let first = OutboxFile::open(&path).unwrap();
        assert!(matches!(OutboxFile::open(&path), Err(OutboxError::InUse { .. })));
        drop(first);
        assert!(OutboxFile::open(&path).is_ok());
    }

    #[test]
    fn what_waits_elsewhere_is_taken_over_once_and_with_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let (here, there) = (folder.path().join("0"), folder.path().join("1"));
        let sent_at = Some(Timestamp::saturating(7));
        let stamped = Record::Queued {
            entry: Entry { sent_at, ..entry(2) },
        };
        OutboxFile::open(&here).unwrap().0.append(&[queued(1)], true).unwrap();
        OutboxFile::open(&there)
            .unwrap()
            .0
            .append(&[queued(1), stamped], true)
            .unwrap();
        let mut outbox = Outbox::open(&here).unwrap();
        outbox.absorb(Outbox::open(&there).unwrap()).unwrap();
        let expected = [entry(1), Entry { sent_at, ..entry(2) }];
        assert_eq!(outbox.entries(), expected);
        drop(outbox);
        assert_eq!(Outbox::open(&here).unwrap().entries(), expected);
        assert!(Outbox::open(&there).unwrap().entries().is_empty());
    }

    #[test]
    fn compaction_keeps_what_waits_and_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outbox");
        let (mut file, _) = OutboxFile::open(&path).unwrap();
        for _ in 0..2000 {
            file.append(&[queued(1), done(1)], false).unwrap();
        }
        assert!(file.wants_compaction(1));
        file.compact(&[entry(7)]).unwrap();
        assert!(!file.wants_compaction(1));
        file.append(&[queued(8)], true).unwrap();
        assert!(matches!(OutboxFile::open(&path), Err(OutboxError::InUse { .. })));
        drop(file);
        let (mut file, entries) = OutboxFile::open(&path).unwrap();
        assert_eq!(entries, [entry(7), entry(8)]);
        file.compact(&[]).unwrap();
        file.append(&[queued(2)], true).unwrap();
        drop(file);
        assert_eq!(OutboxFile::open(&path).unwrap().1, [entry(2)]);
    }
}
