//! The workspace as cargo sees it: its rooms, what each depends on, and where its crates begin.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context;
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use super::manifest::{Kind, Manifest};
use super::place;
use super::tree::Tree;

/// The packages of the workspace.
pub struct Workspace {
    /// The root manifest.
    pub manifest: Manifest,
    /// Every package.
    pub rooms: Vec<Room>,
    /// The files from which cargo builds: each target's first file, also of packages outside the workspace.
    pub crate_roots: BTreeSet<String>,
}

/// A package of the workspace, named by its folder.
#[derive(Debug, Clone)]
pub struct Room {
    /// The folder, relative to the root.
    pub folder: String,
    /// Its manifest.
    pub manifest: Manifest,
    /// What it depends on.
    pub dependencies: Vec<Dependency>,
}

/// A dependency of a room, as cargo understands it.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// The name of the package, whatever it is renamed to.
    pub package: String,
    /// What it is for.
    pub kind: Kind,
    /// The folder of the room, when it is one of ours.
    pub room: Option<String>,
    /// Its line in the manifest.
    pub line: usize,
}

/// The folder of the workspace.
pub fn root() -> anyhow::Result<PathBuf> {
    let metadata = metadata(None)?;
    Ok(metadata.workspace_root.into_std_path_buf())
}

impl Workspace {
    /// Asks cargo about the workspace at `root`.
    pub fn read(root: &Path, tree: &Tree) -> anyhow::Result<Self> {
        let metadata = metadata(Some(&root.join("Cargo.toml")))?;
        let mut crate_roots = BTreeSet::new();
        let mut rooms = Vec::new();
        for package in &metadata.packages {
            crate_roots.extend(crate_roots_of(root, package)?);
            rooms.push(room(root, tree, package)?);
        }
        let members: BTreeSet<&str> = rooms.iter().map(|room| room.manifest.path.as_str()).collect();
        for path in &tree.paths {
            let is_other = place::file_name(path) == "Cargo.toml" && path != "Cargo.toml";
            if is_other && !members.contains(path.as_str()) {
                for package in &self::metadata(Some(&root.join(path)))?.packages {
                    crate_roots.extend(crate_roots_of(root, package)?);
                }
            }
        }
        Ok(Self {
            manifest: read_manifest(tree, "Cargo.toml")?,
            rooms,
            crate_roots,
        })
    }
}

/// Without resolving anything, so it is fast and needs no network.
fn metadata(manifest: Option<&Path>) -> anyhow::Result<Metadata> {
    let mut command = MetadataCommand::new();
    command.no_deps();
    if let Some(manifest) = manifest {
        command.manifest_path(manifest);
    }
    command.exec().context("cargo metadata failed")
}

fn room(root: &Path, tree: &Tree, package: &Package) -> anyhow::Result<Room> {
    let manifest = read_manifest(tree, &relative(root, package.manifest_path.as_std_path())?)?;
    let mut dependencies = Vec::new();
    for dependency in &package.dependencies {
        let kind = match dependency.kind {
            DependencyKind::Development => Kind::Development,
            DependencyKind::Build => Kind::Build,
            _ => Kind::Normal,
        };
        let key = dependency.rename.as_ref().unwrap_or(&dependency.name);
        let declared = manifest.dependencies.iter().find(|d| d.key == *key && d.kind == kind);
        dependencies.push(Dependency {
            package: dependency.name.clone(),
            kind,
            room: match &dependency.path {
                Some(path) => Some(relative(root, path.as_std_path())?),
                None => None,
            },
            line: declared.map_or(1, |declared| declared.line),
        });
    }
    Ok(Room {
        folder: place::folder(&manifest.path).to_owned(),
        manifest,
        dependencies,
    })
}

fn crate_roots_of(root: &Path, package: &Package) -> anyhow::Result<Vec<String>> {
    let targets = package.targets.iter();
    targets
        .map(|target| relative(root, target.src_path.as_std_path()))
        .collect()
}

fn read_manifest(tree: &Tree, path: &str) -> anyhow::Result<Manifest> {
    let text = tree
        .texts
        .get(path)
        .with_context(|| format!("{path} is not in the tree"))?;
    Manifest::parse(path, text)
}

fn relative(root: &Path, path: &Path) -> anyhow::Result<String> {
    let inside = path
        .strip_prefix(root)
        .with_context(|| format!("{} lies outside the repository", path.display()))?;
    Ok(inside.to_string_lossy().replace('\\', "/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_paths_from_the_root() {
        let root = Path::new("/repository");
        assert_eq!(
            relative(root, Path::new("/repository/clients/rust/Cargo.toml")).unwrap(),
            "clients/rust/Cargo.toml"
        );
        assert!(relative(root, Path::new("/elsewhere/Cargo.toml")).is_err());
    }

    #[test]
    fn reads_this_workspace() {
        let root = root().unwrap();
        let tree = Tree::read(&root).unwrap();
        let workspace = Workspace::read(&root, &tree).unwrap();
        assert!(workspace.crate_roots.contains("xtask/src/main.rs"));
        let xtask = workspace.rooms.iter().find(|room| room.folder == "xtask").unwrap();
        assert!(
            xtask
                .dependencies
                .iter()
                .any(|d| d.package == "cargo_metadata" && d.line > 1)
        );
    }
}
