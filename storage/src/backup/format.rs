//! The file of a backup: a magic, then blocks, each with the SHA-256 of all that stands before its end.
//!
//! `kind (1) length (4) payload checksum (32)`. A block of rows holds `place length (2), place, cell length (4), cell` over
//! and over; the last block holds the number of rows and bytes, the rows of each table, and a digest over all rows. As
//! each checksum runs on over all that is before it, the last one is that of the whole file, and no block can be left
//! out, repeated or taken from elsewhere unnoticed. Numbers are big-endian.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::{BackupError, BackupReport, FORMAT, Visit, file_error};

const MAGIC: &[u8; 16] = b"samtale backup\r\n";
const ROWS: u8 = 1;
const END: u8 = 2;
const CHECKSUM_BYTES: usize = 32;
/// What a block is filled up to. One row alone may be larger.
const BLOCK_BYTES: usize = 256 * 1024;
/// What no block is above: a length beyond it is damage, and is not made room for.
const LARGEST_BLOCK: usize = 64 * 1024 * 1024;

/// A digest over rows in their order.
#[derive(Default)]
pub(super) struct Digest(Sha256);

impl Digest {
    pub fn add(&mut self, place: &[u8], bytes: &[u8]) {
        for part in [place, bytes] {
            self.0.update((part.len() as u64).to_be_bytes());
            self.0.update(part);
        }
    }

    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

#[derive(Default)]
struct Counts {
    tables: BTreeMap<String, u64>,
    rows: u64,
    bytes: u64,
    digest: Digest,
}

impl Counts {
    fn add(&mut self, place: &[u8], bytes: &[u8]) {
        let name = place.split(|byte| *byte == 0).next().unwrap_or_default();
        *self
            .tables
            .entry(String::from_utf8_lossy(name).into_owned())
            .or_default() += 1;
        self.rows += 1;
        self.bytes += (place.len() + bytes.len()) as u64;
        self.digest.add(place, bytes);
    }

    fn encode(self) -> (Vec<u8>, BackupReport, [u8; 32]) {
        let digest = self.digest.finish();
        let mut bytes = digest.to_vec();
        bytes.extend_from_slice(&self.rows.to_be_bytes());
        bytes.extend_from_slice(&self.bytes.to_be_bytes());
        for (name, rows) in &self.tables {
            bytes.extend_from_slice(&rows.to_be_bytes());
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(0);
        }
        let report = BackupReport {
            path: PathBuf::new(),
            tables: self.tables,
            rows: self.rows,
            bytes: self.bytes,
        };
        (bytes, report, digest)
    }
}

/// Writes a backup.
pub(super) struct Writer {
    file: BufWriter<File>,
    path: PathBuf,
    running: Sha256,
    block: Vec<u8>,
    counts: Counts,
}

impl Writer {
    pub fn new(file: BufWriter<File>, path: &Path) -> Result<Self, BackupError> {
        let mut writer = Self {
            file,
            path: path.to_owned(),
            running: Sha256::new(),
            block: Vec::with_capacity(BLOCK_BYTES),
            counts: Counts::default(),
        };
        writer.put(MAGIC)?;
        writer.put(&FORMAT.to_be_bytes())?;
        Ok(writer)
    }

    pub fn row(&mut self, place: &[u8], bytes: &[u8]) -> Result<(), BackupError> {
        let lengths = u16::try_from(place.len()).ok().zip(u32::try_from(bytes.len()).ok());
        let (place_length, length) = lengths.ok_or_else(|| {
            file_error("could not write a row that is too large into", &self.path)(
                std::io::ErrorKind::FileTooLarge.into(),
            )
        })?;
        if !self.block.is_empty() && self.block.len() + place.len() + bytes.len() > BLOCK_BYTES {
            self.end_block(ROWS)?;
        }
        self.block.extend_from_slice(&place_length.to_be_bytes());
        self.block.extend_from_slice(place);
        self.block.extend_from_slice(&length.to_be_bytes());
        self.block.extend_from_slice(bytes);
        self.counts.add(place, bytes);
        Ok(())
    }

    /// Writes the end and syncs the file, which will be called `path`.
    pub fn finish(mut self, path: &Path) -> Result<BackupReport, BackupError> {
        if !self.block.is_empty() {
            self.end_block(ROWS)?;
        }
        let (bytes, mut report, _) = std::mem::take(&mut self.counts).encode();
        self.block = bytes;
        self.end_block(END)?;
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        synced.map_err(file_error("could not sync", &self.path))?;
        path.clone_into(&mut report.path);
        Ok(report)
    }

    fn end_block(&mut self, kind: u8) -> Result<(), BackupError> {
        let block = std::mem::take(&mut self.block);
        let length = u32::try_from(block.len()).unwrap_or(u32::MAX);
        self.put(&[kind])?;
        self.put(&length.to_be_bytes())?;
        self.put(&block)?;
        let checksum = self.running.clone().finalize();
        self.put(&checksum)?;
        self.block = block;
        self.block.clear();
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.running.update(bytes);
        let written = self.file.write_all(bytes);
        written.map_err(file_error("could not write", &self.path))
    }
}

/// Reads a backup, and believes no byte of it before its checksum.
pub(super) struct Reader {
    file: BufReader<File>,
    path: PathBuf,
    running: Sha256,
    offset: u64,
}

impl Reader {
    pub fn new(file: BufReader<File>, path: &Path) -> Result<Self, BackupError> {
        let mut reader = Self {
            file,
            path: path.to_owned(),
            running: Sha256::new(),
            offset: 0,
        };
        if reader.take::<16>()? != *MAGIC {
            return Err(reader.damaged("it does not begin as a backup does"));
        }
        let found = u32::from_be_bytes(reader.take()?);
        if found > FORMAT {
            return Err(BackupError::NewerFormat { found, known: FORMAT });
        }
        if found != FORMAT {
            return Err(reader.damaged("its format is none that was ever written"));
        }
        Ok(reader)
    }

    /// Reads every row, and says what there is, with the digest over all rows.
    pub fn read(mut self, visit: Visit<'_>) -> Result<(BackupReport, [u8; 32]), BackupError> {
        let mut counts = Counts::default();
        loop {
            let kind = self.take::<1>()?[0];
            let length = u32::from_be_bytes(self.take()?) as usize;
            if !matches!(kind, ROWS | END) || length > LARGEST_BLOCK {
                return Err(self.damaged("a block does not begin as one does"));
            }
            let mut block = vec![0; length];
            self.fill(&mut block)?;
            let expected: [u8; CHECKSUM_BYTES] = self.running.clone().finalize().into();
            if self.take::<CHECKSUM_BYTES>()? != expected {
                return Err(self.damaged("the checksum of a block does not agree"));
            }
            if kind == ROWS {
                rows(&block, &mut counts, visit)?.ok_or_else(|| self.damaged("a row is cut short"))?;
                continue;
            }
            let (bytes, mut report, digest) = counts.encode();
            if bytes != block {
                return Err(self.damaged("rows are missing, or there are too many"));
            }
            let mut after = [0];
            let read = self.file.read(&mut after);
            if read.map_err(file_error("could not read", &self.path))? > 0 {
                return Err(self.damaged("it goes on after its end"));
            }
            report.path = self.path;
            return Ok((report, digest));
        }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], BackupError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), BackupError> {
        match self.file.read_exact(bytes) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(self.damaged("it ends too early"));
            }
            Err(error) => return Err(file_error("could not read", &self.path)(error)),
        }
        self.running.update(&*bytes);
        self.offset += bytes.len() as u64;
        Ok(())
    }

    fn damaged(&self, what: &'static str) -> BackupError {
        BackupError::Damaged {
            path: self.path.clone(),
            offset: self.offset,
            what,
        }
    }
}

/// Hands on the rows of a block; `None` if it does not hold whole rows.
fn rows(mut block: &[u8], counts: &mut Counts, visit: Visit<'_>) -> Result<Option<()>, BackupError> {
    while !block.is_empty() {
        let Some((place, bytes, rest)) = row(block) else {
            return Ok(None);
        };
        counts.add(place, bytes);
        visit(place, bytes)?;
        block = rest;
    }
    Ok(Some(()))
}

fn row(block: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (length, rest) = block.split_first_chunk::<2>()?;
    let (place, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (bytes, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    Some((place, bytes, rest))
}
