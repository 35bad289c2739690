//! The files of a roster, in memory: where they came from does not matter to who reads them.

use super::problem::{Place, Problem, Severity};

/// A roster's files, and what was noticed while they were gathered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RosterFiles {
    files: Vec<RosterFile>,
    problems: Vec<Problem>,
}

/// One file: its name, without folders, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterFile {
    name: String,
    bytes: Vec<u8>,
}

impl RosterFile {
    /// The name, without folders.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is in it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl RosterFiles {
    /// No files yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file. Folders in the name are dropped.
    pub fn add(&mut self, name: &str, bytes: impl Into<Vec<u8>>) {
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        self.files.push(RosterFile {
            name,
            bytes: bytes.into(),
        });
    }

    /// All files, in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = &RosterFile> {
        self.files.iter()
    }

    /// The file of this name.
    pub fn file(&self, name: &str) -> Option<&RosterFile> {
        self.files.iter().find(|file| file.name == name)
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// What was noticed while the files were gathered; [`read`](super::read) reports it with the rest.
    pub(super) fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Notes that a file was left aside.
    pub(super) fn note(&mut self, name: &str, message: &str) {
        let place = Place::new(name, 0);
        self.problems.push(Problem {
            file: place.file.to_string(),
            line: place.line,
            column: None,
            message: message.to_owned(),
            severity: Severity::Warning,
        });
    }
}
