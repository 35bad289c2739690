//! `manifest.csv`: which OneRoster the files speak, and which files there should be. Helpful, and never needed.

use std::collections::HashMap;

use super::columns::Shape;
use super::contents::Version;
use super::files::RosterFile;
use super::problem::{Place, Problems, shown};
use super::spelling::folded;
use super::table::Table;
use super::word::Word;

const SHAPE: Shape = Shape {
    known: &["propertyName", "value"],
    needed: &["propertyName", "value"],
    expected: &[],
    dates: &[],
};

/// What the manifest says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// It is not there.
    Absent,
    /// It is complete.
    Bulk,
    /// It lists changes.
    Delta,
}

impl Word for Mode {
    const LIST: &'static str = "a way to send a file";
    const OFFICIAL: &'static [(&'static str, Self)] =
        &[("absent", Self::Absent), ("bulk", Self::Bulk), ("delta", Self::Delta)];
    const OTHER: &'static [(&'static str, Self)] = &[];
}

/// The manifest.
#[derive(Debug)]
pub(super) struct Manifest {
    /// Which OneRoster the files speak.
    pub(super) version: Version,
    /// The system that wrote them.
    pub(super) source_system: Option<String>,
    /// By the file's name, folded.
    modes: HashMap<String, Mode>,
}

impl Manifest {
    /// Reads the manifest. Where it does not name the version, the presence of `roles.csv` does.
    pub(super) fn read(file: Option<&RosterFile>, has_roles: bool, problems: &mut Problems) -> Self {
        let by_roles = if has_roles { Version::V1_2 } else { Version::V1_1 };
        let mut manifest = Self {
            version: by_roles,
            source_system: None,
            modes: HashMap::new(),
        };
        let Some(file) = file else {
            let place = Place::new("manifest.csv", 0);
            problems.warning(
                &place,
                None,
                "file is missing; every file that is there is read as complete (`bulk`)",
            );
            return manifest;
        };
        if let Some(table) = Table::open(file, &SHAPE, problems) {
            manifest.take(&table, problems);
        }
        manifest
    }

    /// What the manifest says of a file, if anything.
    pub(super) fn mode(&self, name: &str) -> Option<Mode> {
        self.modes.get(&folded(name)).copied()
    }

    fn take(&mut self, table: &Table<'_>, problems: &mut Problems) {
        table.each_row(problems, |row| {
            let Some(property) = row.required("propertyName") else {
                return;
            };
            let key = folded(&property);
            match key.as_str() {
                "onerosterversion" => match row.text("value").as_deref() {
                    Some("1.1" | "1.1.1" | "v1.1") => self.version = Version::V1_1,
                    Some("1.2" | "1.2.1" | "v1.2") => self.version = Version::V1_2,
                    found => {
                        let found = shown(found.unwrap_or_default());
                        row.warn(
                            "value",
                            format!("OneRoster {found} found, 1.1 or 1.2 expected; read as they are"),
                        );
                    }
                },
                // Some write `absent` here, as for a file.
                "sourcesystemname" => self.source_system = row.text("value").filter(|name| name != "absent"),
                _ => {
                    if let Some(name) = key.strip_prefix("file")
                        && let Ok(Some(mode)) = row.word("value", "taken as not said")
                    {
                        self.modes.insert(name.to_owned(), mode);
                    }
                }
            }
        });
    }
}
