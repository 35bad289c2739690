//! What a `Cargo.toml` says about dependencies, and in which line.

use anyhow::Context;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The tables of dependencies a manifest can have, also below `[target.….]`.
const TABLES: [(&str, Kind); 3] = [
    ("dependencies", Kind::Normal),
    ("dev-dependencies", Kind::Development),
    ("build-dependencies", Kind::Build),
];

/// What a dependency is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The crate itself.
    Normal,
    /// Its tests.
    Development,
    /// Its build script.
    Build,
}

/// A manifest, reduced to its dependencies.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The file, relative to the root.
    pub path: String,
    /// What the package depends on.
    pub dependencies: Vec<Declared>,
    /// What the workspace sets once for all its packages; only the root manifest has some.
    pub shared: Vec<Shared>,
}

/// A dependency of a package.
#[derive(Debug, Clone)]
pub struct Declared {
    /// The key it stands under.
    pub key: String,
    /// Which table it stands in.
    pub kind: Kind,
    /// Whether version and path come from the root manifest: `workspace = true`.
    pub from_workspace: bool,
    /// Its line.
    pub line: usize,
}

/// A dependency set once in `[workspace.dependencies]`.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The key it stands under.
    pub key: String,
    /// The version line; none for a crate of the workspace.
    pub version: Option<String>,
    /// Whether it is a crate of the workspace.
    pub is_ours: bool,
    /// Its line.
    pub line: usize,
}

impl Manifest {
    /// Reads a manifest's text.
    pub fn parse(path: &str, text: &str) -> anyhow::Result<Self> {
        let document = DeTable::parse(text).with_context(|| format!("{path} cannot be read"))?;
        let root = document.get_ref();
        let mut dependencies = declared(text, root);
        for (_, target) in entries(root.get("target")) {
            if let Some(table) = target.get_ref().as_table() {
                dependencies.extend(declared(text, table));
            }
        }
        let shared_table = root
            .get("workspace")
            .and_then(|table| table.get_ref().get("dependencies"));
        Ok(Self {
            path: path.to_owned(),
            dependencies,
            shared: entries(shared_table)
                .map(|(key, value)| Shared {
                    key: key.get_ref().to_string(),
                    version: version_of(value.get_ref()),
                    is_ours: value.get_ref().get("path").is_some(),
                    line: line_of(text, key.span().start),
                })
                .collect(),
        })
    }
}

fn declared(text: &str, table: &DeTable<'_>) -> Vec<Declared> {
    let mut declared = Vec::new();
    for (name, kind) in TABLES {
        declared.extend(entries(table.get(name)).map(|(key, value)| Declared {
            key: key.get_ref().to_string(),
            kind,
            from_workspace: is_true(value.get_ref().get("workspace")),
            line: line_of(text, key.span().start),
        }));
    }
    declared
}

type Key<'text> = Spanned<toml::de::DeString<'text>>;
type Value<'text> = Spanned<DeValue<'text>>;

fn entries<'table, 'text>(
    table: Option<&'table Value<'text>>,
) -> impl Iterator<Item = (&'table Key<'text>, &'table Value<'text>)> {
    table.and_then(|value| value.get_ref().as_table()).into_iter().flatten()
}

fn version_of(value: &DeValue<'_>) -> Option<String> {
    let inner = value.get("version").map(|version| version.get_ref());
    value.as_str().or_else(|| inner?.as_str()).map(str::to_owned)
}

fn is_true(value: Option<&Value<'_>>) -> bool {
    value.and_then(|value| value.get_ref().as_bool()) == Some(true)
}

fn line_of(text: &str, place: usize) -> usize {
    text[..place].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_dependencies_of_a_package() {
        let text = "[package]\nname = \"a\"\n\n[dependencies]\nbytes.workspace = true\nserde = { version = \"1\" }\n\n\
                    [target.'cfg(unix)'.dev-dependencies]\ntempfile = { workspace = true, features = [\"x\"] }\n";
        let manifest = Manifest::parse("a/Cargo.toml", text).unwrap();
        let seen: Vec<_> = manifest
            .dependencies
            .iter()
            .map(|d| (d.key.as_str(), d.kind, d.from_workspace, d.line))
            .collect();
        assert_eq!(
            seen,
            [
                ("bytes", Kind::Normal, true, 5),
                ("serde", Kind::Normal, false, 6),
                ("tempfile", Kind::Development, true, 9)
            ]
        );
    }

    #[test]
    fn reads_what_the_workspace_shares() {
        let text = "[workspace.dependencies]\nours = { path = \"ours\" }\nbytes = \"1\"\ncsv = { version = \"1.3\" }\n";
        let manifest = Manifest::parse("Cargo.toml", text).unwrap();
        let seen: Vec<_> = manifest
            .shared
            .iter()
            .map(|s| (s.key.as_str(), s.version.as_deref(), s.is_ours, s.line))
            .collect();
        assert!(seen.contains(&("ours", None, true, 2)));
        assert!(seen.contains(&("bytes", Some("1"), false, 3)));
        assert!(seen.contains(&("csv", Some("1.3"), false, 4)));
    }

    #[test]
    fn refuses_what_is_no_manifest() {
        assert!(Manifest::parse("Cargo.toml", "[workspace").is_err());
    }
}
