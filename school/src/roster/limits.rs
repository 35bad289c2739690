//! How large a roster may be. A roster comes from outside, so everything about it ends somewhere; the numbers leave room for the
//! largest municipality there is (about 200,000 people in one file) many times over.

/// Entries of an archive or a folder that are looked at. OneRoster 1.2 knows 22 files.
pub const MAX_ENTRIES: usize = 1_000;

/// One CSV file, unpacked. A row of `users.csv` is about 200 bytes, so this is more than a million people.
pub const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// All CSV files together, unpacked: what an import may hold in memory.
pub const MAX_TOTAL_BYTES: u64 = 1024 * 1024 * 1024;

/// One cell. The longest honest one is a list of ids.
pub const MAX_FIELD_BYTES: usize = 64 * 1024;

/// Columns of one file, extensions included. OneRoster's widest file has 23.
pub const MAX_COLUMNS: usize = 500;

/// Rows read from one file.
pub const MAX_ROWS: u64 = 5_000_000;

/// Problems kept; further ones are only counted.
pub const MAX_PROBLEMS: usize = 10_000;

/// Quotes in one file that are opened and never closed, before the rest of the file is given up: each costs a reading of what
/// follows it.
pub const MAX_UNCLOSED_QUOTES: u32 = 100;

/// Levels of organisations above one another. A ring of parents has no end and is cut here.
pub const MAX_ORGANISATION_DEPTH: usize = 16;

/// Characters of a value that a message repeats.
pub const MAX_SHOWN_CHARACTERS: usize = 60;
