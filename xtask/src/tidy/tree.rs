//! The tree as git sees it: every file that is tracked or could be, and the folders that hold nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

/// All files of the repository that git does not ignore. Paths are relative to the root, with forward slashes.
pub struct Tree {
    /// Every file.
    pub paths: BTreeSet<String>,
    /// The text of every file that is text.
    pub texts: BTreeMap<String, String>,
    /// Folders without a file in them, which a clone would not have.
    pub empty_folders: BTreeSet<String>,
}

impl Tree {
    /// Reads the tree below `root`.
    pub fn read(root: &Path) -> anyhow::Result<Self> {
        let listed = list(root, &["--cached", "--others"])?;
        let paths: BTreeSet<String> = listed.into_iter().filter(|path| root.join(path).is_file()).collect();
        let mut texts = BTreeMap::new();
        for path in &paths {
            let bytes = std::fs::read(root.join(path)).with_context(|| format!("cannot read {path}"))?;
            if let Ok(text) = String::from_utf8(bytes) {
                texts.insert(path.clone(), text);
            }
        }
        Ok(Self {
            paths,
            texts,
            empty_folders: empty_folders(root)?,
        })
    }

    /// Whether the tree holds a file or a folder at this path. The root is the empty path.
    pub fn holds(&self, path: &str) -> bool {
        let below = format!("{path}/");
        path.is_empty() || self.paths.contains(path) || self.paths.iter().any(|other| other.starts_with(&below))
    }
}

/// Git lists untracked folders with the empty ones, or without: the difference is what is empty.
fn empty_folders(root: &Path) -> anyhow::Result<BTreeSet<String>> {
    let with = list(root, &["--others", "--directory"])?;
    let without = list(root, &["--others", "--directory", "--no-empty-directory"])?;
    let empty = with.difference(&without);
    Ok(empty.map(|folder| folder.trim_end_matches('/').to_owned()).collect())
}

fn list(root: &Path, arguments: &[&str]) -> anyhow::Result<BTreeSet<String>> {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["ls-files", "-z", "--exclude-standard"])
        .args(arguments)
        .output()
        .context("tidy asks git which files there are, and git cannot be started")?;
    ensure!(
        output.status.success(),
        "git ls-files failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let text = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
    Ok(text
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_files_and_the_folders_of_files() {
        let tree = Tree {
            paths: BTreeSet::from(["docs/adr/0001-engine.md".to_owned()]),
            texts: BTreeMap::new(),
            empty_folders: BTreeSet::new(),
        };
        assert!(tree.holds("") && tree.holds("docs") && tree.holds("docs/adr"));
        assert!(tree.holds("docs/adr/0001-engine.md"));
        assert!(!tree.holds("doc") && !tree.holds("docs/adr/0002.md"));
    }
}
