//! A school in a folder of its own, made by `samtale populate`.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::{PROGRAM, TOKEN_LIFETIME, program};
use crate::scenarios::progress;

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
        school.add(people, &school.data(), &school.keys())?;
        Ok(school)
    }

    /// Adds one to what a gateway of a cluster that runs has, by the folders of its data and its keys.
    pub fn in_cluster(people: usize, data: &Path, keys: &Path) -> Result<Self> {
        let school = Self::empty()?;
        school.add(people, data, keys)?;
        Ok(school)
    }

    fn add(&self, people: usize, data: &Path, keys: &Path) -> Result<()> {
        populate("--people", people.to_string().as_ref(), data, keys, &self.people)
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

    /// The folder of its keys.
    pub fn keys(&self) -> PathBuf {
        self.folder.path().join(KEYS)
    }

    /// The file of the people.
    pub fn people(&self) -> &Path {
        &self.people
    }
}

/// `samtale populate`, whose progress is shown as it comes; a server that runs on the folder does it itself. `what` and
/// `which` say whom: `--people` and their number, or `--nation` and its file.
pub fn populate(what: &str, which: &OsStr, data: &Path, keys: &Path, tokens: &Path) -> Result<()> {
    let mut populate = Command::new(program()?);
    // The server knows its own settings only, and would refuse this one.
    populate.env_remove(PROGRAM);
    populate.args(["populate", "--set", TOKEN_LIFETIME, what]).arg(which);
    populate.arg("--data").arg(data).arg("--keys").arg(keys);
    populate.arg("--tokens").arg(tokens);
    let child = populate
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.context("`samtale populate` does not start")?;
    let said = child.stderr.take().context("`samtale populate` says nothing")?;
    let mut last = String::new();
    for line in BufReader::new(said).lines() {
        last = line?;
        progress(&last);
    }
    let status = child.wait()?;
    ensure!(status.success(), "`samtale populate` failed: {last}");
    Ok(())
}

fn folder() -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("samtale-loadtest-").tempdir()?)
}
