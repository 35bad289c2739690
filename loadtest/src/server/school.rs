//! A school in a folder of its own, made by `samtale populate`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::{PROGRAM, TOKEN_LIFETIME, program};

/// What the folder of the data is called; that of its keys lies beside it.
const DATA: &str = "data";
const KEYS: &str = "data.keys";

/// A folder with a school. It is removed when nobody has it any more.
#[derive(Clone, Debug)]
pub struct School {
    folder: Rc<TempDir>,
    /// Of a copy it is that of the first, whose people are the same.
    people: PathBuf,
    /// The folder that the file of the people lies in.
    _original: Rc<TempDir>,
}

impl School {
    /// Makes a school of this many people.
    pub fn populate(people: usize) -> Result<Self> {
        let school = Self::empty()?;
        add(people, &school.data(), &school.folder().join(KEYS), &school.people)?;
        Ok(school)
    }

    /// Adds one to what a gateway of a cluster that runs has, by the folders of its data and its keys.
    pub fn in_cluster(people: usize, data: &Path, keys: &Path) -> Result<Self> {
        let school = Self::empty()?;
        add(people, data, keys, &school.people)?;
        Ok(school)
    }
    /// A folder for a school that someone else makes.
    pub fn empty() -> Result<Self> {
        let folder = Rc::new(folder()?);
        Ok(Self {
            people: folder.path().join("people"),
            _original: Rc::clone(&folder),
            folder,
        })
    }

    /// The same school once more, in a folder of its own. No server may run on this one.
    pub fn copy(&self) -> Result<Self> {
        let copy = folder()?;
        for name in [DATA, KEYS] {
            let mut copying = Command::new("cp");
            copying.arg("-a").arg(self.folder.path().join(name)).arg(copy.path());
            let status = copying.stdin(Stdio::null()).status().context("`cp` does not start")?;
            ensure!(
                status.success(),
                "the school can not be copied: `cp` ended with {status}"
            );
        }
        Ok(Self {
            folder: Rc::new(copy),
            people: self.people.clone(),
            _original: Rc::clone(&self._original),
        })
    }

    /// The folder of the run, for what belongs to a server of it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join(DATA)
    }

    /// The file of the people.
    pub fn people(&self) -> &Path {
        &self.people
    }
}

/// `samtale populate`; a server that runs on the folder does it itself.
fn add(people: usize, data: &Path, keys: &Path, tokens: &Path) -> Result<()> {
    let program = program()?;
    let mut populate = Command::new(&program);
    // The server knows its own settings only, and would refuse this one.
    populate.env_remove(PROGRAM);
    populate.args(["populate", "--set", TOKEN_LIFETIME, "--people", &people.to_string()]);
    populate.arg("--data").arg(data).arg("--keys").arg(keys);
    populate.arg("--tokens").arg(tokens);
    let populated = populate
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output();
    let populated = populated.with_context(|| format!("{} does not start", program.display()))?;
    let said = String::from_utf8_lossy(&populated.stderr);
    ensure!(populated.status.success(), "`samtale populate` failed: {said}");
    Ok(())
}

fn folder() -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("samtale-loadtest-").tempdir()?)
}
