//! Rosters in zip archives and folders, well-meant and otherwise.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;

use super::*;
use crate::roster::archive::unpack;
use crate::roster::limits::{MAX_ENTRIES, MAX_FILE_BYTES};
use crate::roster::{OpenError, open, save};

fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .expect("an entry");
        writer.write_all(bytes).expect("its bytes");
    }
    writer.finish().expect("an archive").into_inner()
}

fn unzip(entries: &[(&str, &[u8])]) -> Result<RosterFiles, OpenError> {
    unpack(Cursor::new(zipped(entries)))
}

fn names(files: &RosterFiles) -> Vec<&str> {
    files.iter().map(|file| file.name()).collect()
}

#[test]
fn an_archive_reads_like_its_files() {
    let files = tidy();
    let plain: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    assert_eq!(read(&unzip(&plain).expect("unpacks")), read_files(tidy()));
    let prefixed: Vec<(String, &[u8])> = plain
        .iter()
        .map(|(name, bytes)| (format!("export/{name}"), *bytes))
        .collect();
    let nested: Vec<(&str, &[u8])> = prefixed.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    assert_eq!(read(&unzip(&nested).expect("unpacks")), read_files(tidy()));
}

#[test]
fn only_what_was_meant_is_unpacked() {
    let entries: [(&str, &[u8]); 8] = [
        ("orgs.csv", b"a"),
        ("læsmig.txt", b"b"),
        ("__MACOSX/._orgs.csv", b"c"),
        ("._orgs.csv", b"d"),
        ("gammel/orgs.csv", b"e"),
        ("../../users.csv", b"f"),
        ("/etc/classes.csv", b"g"),
        ("C:\\roles.csv", b"h"),
    ];
    let files = unzip(&entries).expect("unpacks");
    assert_eq!(names(&files), ["orgs.csv"]);
    let found: Vec<String> = files.problems().iter().map(line).collect();
    assert_eq!(found.len(), 4, "{found:#?}");
    assert!(
        found
            .iter()
            .any(|line| line.starts_with("W ../../users.csv:0") && line.contains("leads out of the archive"))
    );
    assert!(
        found
            .iter()
            .any(|line| line.starts_with("W gammel/orgs.csv:0") && line.contains("another folder"))
    );
    assert!(read(&files).problems.len() >= 4);
}

#[test]
fn backslashes_are_folders_too() {
    assert_eq!(
        names(&unzip(&[("export\\orgs.csv", b"a")]).expect("unpacks")),
        ["orgs.csv"]
    );
}

#[test]
fn bombs_are_defused() {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .start_file("users.csv", SimpleFileOptions::default())
        .expect("an entry");
    let zeros = vec![0; 1 << 20];
    for _ in 0..=MAX_FILE_BYTES >> 20 {
        writer.write_all(&zeros).expect("its bytes");
    }
    let bomb = writer.finish().expect("an archive");
    assert!(matches!(unpack(bomb), Err(OpenError::FileTooLarge { .. })));
    let many: Vec<(String, &[u8])> = (0..=MAX_ENTRIES)
        .map(|number| (format!("{number}.csv"), &b""[..]))
        .collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    assert!(matches!(unzip(&many), Err(OpenError::TooManyEntries { .. })));
}

#[test]
fn what_is_no_roster_is_refused() {
    assert!(matches!(unzip(&[("læsmig.txt", b"a")]), Err(OpenError::NoFiles)));
    assert!(matches!(
        unpack(Cursor::new(b"PK no archive".to_vec())),
        Err(OpenError::Archive(_))
    ));
    let mut damaged = zipped(&[("users.csv", USERS.as_bytes())]);
    damaged[40..60].fill(0xaa);
    assert!(matches!(
        unpack(Cursor::new(damaged)),
        Err(OpenError::Entry { .. } | OpenError::Archive(_))
    ));
}

#[test]
fn folders_and_archives_are_opened_from_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = RosterFiles::new();
    tidy().into_iter().for_each(|(name, bytes)| files.add(name, bytes));
    let inner = folder.path().join("outer/inner");
    save(&files, &inner).expect("saves");
    assert_eq!(read(&open(&inner).expect("opens")).roster, read(&files).roster);
    assert_eq!(
        read(&open(&folder.path().join("outer")).expect("opens")).roster,
        read(&files).roster
    );

    let archive = folder.path().join("roster.zip");
    std::fs::write(&archive, zipped(&[("orgs.csv", ORGS.as_bytes())])).expect("writes");
    assert_eq!(names(&open(&archive).expect("opens")), ["orgs.csv"]);
    let text = folder.path().join("users.csv");
    std::fs::write(&text, USERS).expect("writes");
    assert!(matches!(open(&text), Err(OpenError::NotARoster { .. })));
    assert!(matches!(
        open(&folder.path().join("nothing")),
        Err(OpenError::Unreadable { .. })
    ));
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).expect("makes");
    assert!(matches!(open(&empty), Err(OpenError::NoFiles)));
}
