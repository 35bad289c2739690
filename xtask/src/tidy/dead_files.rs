//! Nothing lies about: every Rust file is reached from a cargo target, and no folder is kept without a use.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::place;
use super::problem::Problem;
use super::rust_source::RustSource;

/// Files whose only use is to keep an empty folder in git.
const PLACEHOLDERS: [&str; 2] = [".gitkeep", ".keep"];

/// Every Rust file that neither a target nor a `mod` declaration leads to.
pub fn check(sources: &BTreeMap<&str, RustSource<'_>>, crate_roots: &BTreeSet<String>) -> Vec<Problem> {
    let mut reached: BTreeSet<String> = BTreeSet::new();
    let mut waiting: Vec<String> = crate_roots.iter().cloned().collect();
    while let Some(path) = waiting.pop() {
        let Some(source) = sources.get(path.as_str()) else {
            continue;
        };
        if reached.insert(path.clone()) {
            waiting.extend(modules_of(&path, crate_roots.contains(&path), source));
        }
    }
    let dead = sources.keys().filter(|path| !reached.contains(**path));
    dead.map(|path| {
        Problem::new(
            path,
            1,
            "nothing leads to this file",
            "declare it with `mod`, or remove it",
        )
    })
    .collect()
}

/// Every folder that holds nothing, or only a placeholder.
pub fn check_folders(paths: &BTreeSet<String>, empty_folders: &BTreeSet<String>) -> Vec<Problem> {
    let remedy = "remove it until there is something to put there";
    let empty = empty_folders
        .iter()
        .map(|folder| Problem::new(folder, 1, "the folder is empty", remedy));
    let kept = paths
        .iter()
        .filter(|path| PLACEHOLDERS.contains(&place::file_name(path)));
    let kept = kept.map(|path| Problem::new(path, 1, "the file only keeps an empty folder", remedy));
    empty.chain(kept).collect()
}

/// The files that a file's `mod` and `include!` lines may mean; those that do not exist are harmless.
fn modules_of(path: &str, is_crate_root: bool, source: &RustSource<'_>) -> Vec<String> {
    let own_folder = place::folder(path);
    let stem = place::file_name(path).trim_end_matches(".rs");
    let children = match is_crate_root || stem == "mod" {
        true => own_folder.to_owned(),
        false => joined(own_folder, stem),
    };
    let inline = inline_modules(source);
    let mut files = Vec::new();
    for at in source.places_of("mod") {
        let Some(name) = declared_name(source, at) else {
            continue;
        };
        let around = inline.iter().filter(|(_, body)| body.contains(&at));
        let folder = around.fold(children.clone(), |folder, (name, _)| joined(&folder, name));
        let chosen = chosen_files(source, at);
        match chosen.is_empty() {
            true => files.extend([format!("{name}.rs"), format!("{name}/mod.rs")].map(|file| joined(&folder, &file))),
            false => files.extend(chosen.iter().map(|file| joined(own_folder, file))),
        }
    }
    let included = source.places_of("include!").filter_map(|at| quoted(&source.text[at..]));
    files.extend(included.map(|file| joined(own_folder, file)));
    files
}

/// The name in `mod name;`, and nothing for `mod name { … }`.
fn declared_name<'source>(source: &'source RustSource<'_>, at: usize) -> Option<&'source str> {
    let name = source.name_after(at + "mod".len())?;
    source.body_after(at).is_none().then_some(name)
}

fn inline_modules<'source>(source: &'source RustSource<'_>) -> Vec<(&'source str, Range<usize>)> {
    let places = source.places_of("mod");
    places
        .filter_map(|at| Some((source.name_after(at + "mod".len())?, source.body_after(at)?)))
        .collect()
}

/// The files that `#[path = "…"]` before a declaration names, also inside `cfg_attr`: one per condition.
fn chosen_files<'text>(source: &RustSource<'text>, at: usize) -> Vec<&'text str> {
    let start = source.code[..at].rfind([';', '{', '}']).map_or(0, |end| end + 1);
    let names = source.code[start..at].match_indices("path =");
    names
        .filter_map(|(name, _)| quoted(&source.text[start + name..at]))
        .collect()
}

fn quoted(text: &str) -> Option<&str> {
    text.split('"').nth(1)
}

/// One path below another, with `..` and `.` worked out.
fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder
        .split('/')
        .chain(path.split('/'))
        .filter(|part| !part.is_empty() && *part != ".")
    {
        match part {
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(files: &[(&'static str, &'static str)]) -> Vec<String> {
        let sources = files
            .iter()
            .map(|(path, text)| (*path, RustSource::new(text)))
            .collect();
        let roots = BTreeSet::from(["school/src/lib.rs".to_owned()]);
        check(&sources, &roots)
            .into_iter()
            .map(|problem| problem.path)
            .collect()
    }

    #[test]
    fn follows_modules_in_both_layouts() {
        let files = [
            (
                "school/src/lib.rs",
                "mod threads;\npub(crate) mod people;\n#[cfg(test)]\nmod tests;\n",
            ),
            ("school/src/threads.rs", "mod members;"),
            ("school/src/threads/members.rs", ""),
            ("school/src/people/mod.rs", "mod import;"),
            ("school/src/people/import.rs", ""),
            ("school/src/tests.rs", ""),
        ];
        assert_eq!(dead(&files), Vec::<String>::new());
    }

    #[test]
    fn follows_paths_inline_modules_and_includes() {
        let files = [
            (
                "school/src/lib.rs",
                "mod a { mod b; }\n#[cfg_attr(unix, path = \"e.rs\")]\nmod e_or_f;\n#[path = \"../odd/c.rs\"]\nmod c;\ninclude!(\"d.rs\");\n",
            ),
            ("school/src/a/b.rs", ""),
            ("school/odd/c.rs", ""),
            ("school/src/d.rs", ""),
            ("school/src/e.rs", ""),
        ];
        assert_eq!(dead(&files), Vec::<String>::new());
    }

    #[test]
    fn finds_what_nothing_leads_to() {
        let files = [
            ("school/src/lib.rs", "// mod forgotten;\nmod inline {}\n"),
            ("school/src/forgotten.rs", "mod child;"),
            ("school/src/forgotten/child.rs", ""),
            ("school/src/inline.rs", ""),
        ];
        assert_eq!(dead(&files).len(), 3);
    }

    #[test]
    fn finds_folders_without_a_use() {
        let paths = BTreeSet::from(["deploy/.gitkeep".to_owned(), "docs/README.md".to_owned()]);
        let found = check_folders(&paths, &BTreeSet::from(["router/old".to_owned()]));
        let found: Vec<&str> = found.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(found, ["router/old", "deploy/.gitkeep"]);
        assert!(check_folders(&BTreeSet::from(["docs/README.md".to_owned()]), &BTreeSet::new()).is_empty());
    }
}
