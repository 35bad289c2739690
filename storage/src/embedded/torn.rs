//! A group that a power loss tore: some of its pages are on the disk, others are not.
//!
//! The store leaves out a last group that does not parse, but refuses to open when one parses and its checksum does not
//! agree, as when a page is missing from the middle of a body. Each group is synced before the next is begun, so only
//! the last can be torn, and nobody was told that it is stored: it is cut off, and kept beside.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use fjall::JournalRecoveryError;

/// The file name's ending of the store's logs, which are numbered.
const LOG: &str = "jnl";

// The tags of a log's entries: a group is a start, items, and an end.
const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const CLEAR: u8 = 4;

/// Whether the store refused to open because of a group.
pub(super) fn is_torn(error: &fjall::Error) -> bool {
    matches!(
        error,
        fjall::Error::JournalRecovery(
            JournalRecoveryError::ChecksumMismatch
                | JournalRecoveryError::InsufficientLength
                | JournalRecoveryError::TooManyItems
        )
    )
}

/// A group that was cut off.
pub(super) struct Cut {
    log: PathBuf,
    beside: PathBuf,
    at: u64,
}

impl Cut {
    /// Cuts the last group off the newest log; `None` if there is none.
    pub fn last_group(store: &Path) -> io::Result<Option<Self>> {
        let Some((number, log)) = newest_log(store)? else {
            return Ok(None);
        };
        let Some((at, end)) = last_group(&log)? else {
            return Ok(None);
        };
        let file = OpenOptions::new().read(true).write(true).open(&log)?;
        let mut bytes = vec![0; usize::try_from(end - at).unwrap_or(usize::MAX)];
        file.read_exact_at(&mut bytes, at)?;
        let beside = store.join(format!("torn-{number}-{at}"));
        std::fs::write(&beside, bytes)?;
        File::open(&beside)?.sync_all()?;
        file.set_len(at)?;
        file.sync_all()?;
        Ok(Some(Self { log, beside, at }))
    }

    /// Puts it back: it was not what kept the store from opening.
    pub fn undo(self) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(&self.log)?;
        file.write_all_at(&std::fs::read(&self.beside)?, self.at)?;
        file.sync_all()?;
        std::fs::remove_file(&self.beside)
    }

    /// Where the bytes are kept.
    pub fn beside(&self) -> &Path {
        &self.beside
    }
}

fn newest_log(store: &Path) -> io::Result<Option<(u64, PathBuf)>> {
    let mut newest = None;
    for entry in std::fs::read_dir(store)? {
        let path = entry?.path();
        let number = path.file_stem().and_then(|name| name.to_str()?.parse::<u64>().ok());
        if let Some(number) = number.filter(|_| path.extension().is_some_and(|ending| ending == LOG)) {
            newest = newest.max(Some((number, path)));
        }
    }
    Ok(newest)
}

/// Where the last group that has an end begins and ends.
fn last_group(log: &Path) -> io::Result<Option<(u64, u64)>> {
    let mut entries = BufReader::new(File::open(log)?);
    let (mut begun, mut last, mut offset) = (None, None, 0);
    loop {
        let (tag, length) = match entry(&mut entries) {
            Ok(Some(entry)) => entry,
            Ok(None) => return Ok(last),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(last),
            Err(error) => return Err(error),
        };
        if tag == START {
            begun = Some(offset);
        }
        offset += length;
        if tag == END {
            last = begun.take().map(|begin| (begin, offset));
        }
    }
}

/// Reads over an entry: its tag and its length; `None` where the log ends.
fn entry(log: &mut impl BufRead) -> io::Result<Option<(u8, u64)>> {
    let [tag] = take(log)?;
    let rest: u64 = match tag {
        // The number of items, the sequence number.
        START => 4 + 8,
        // The checksum, four bytes that are always the same.
        END => 8 + 4,
        CLEAR => 8,
        ITEM => {
            // Kind of value, compression, table, length of the key, length of the value, length as stored.
            let header: [u8; 20] = take(log)?;
            let key = u16::from_le_bytes([header[10], header[11]]);
            let value = u32::from_le_bytes([header[16], header[17], header[18], header[19]]);
            skip(log, u64::from(key) + u64::from(value))?;
            return Ok(Some((tag, 1 + 20 + u64::from(key) + u64::from(value))));
        }
        _ => return Ok(None),
    };
    skip(log, rest)?;
    Ok(Some((tag, 1 + rest)))
}

fn take<const N: usize>(log: &mut impl BufRead) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    log.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn skip(log: &mut impl BufRead, length: u64) -> io::Result<()> {
    let skipped = io::copy(&mut log.take(length), &mut io::sink())?;
    if skipped < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}
