//! `cargo xtask tidy`: reads the tree once, asks every rule, and prints all that is wrong at once.
//!
//! Each rule is a pure function over text or values in a file of its own; only [`Tree`] and [`Workspace`] touch the disk.

mod arrows;
mod banned;
mod dead_files;
mod dependencies;
mod file_length;
mod function_length;
mod links;
mod manifest;
mod masking;
mod module_docs;
mod place;
mod problem;
mod rust_source;
mod tree;
mod workspace;

use std::collections::BTreeMap;
use std::process::ExitCode;

use problem::Problem;
use rust_source::RustSource;
use tree::Tree;
use workspace::Workspace;

/// Checks the tree and prints each problem as `path:line: what is wrong; what to do`. The exit code is 1 when there is one.
pub fn run() -> anyhow::Result<ExitCode> {
    let root = workspace::root()?;
    let tree = Tree::read(&root)?;
    let workspace = Workspace::read(&root, &tree)?;
    let problems = check(&tree, &workspace);
    for problem in &problems {
        println!("{problem}");
    }
    match problems.len() {
        0 => {
            println!("tidy: {} files, nothing to say", tree.paths.len());
            Ok(ExitCode::SUCCESS)
        }
        count => {
            eprintln!("tidy: {count} problem{}", if count == 1 { "" } else { "s" });
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Every problem of the tree, by path and line.
fn check(tree: &Tree, workspace: &Workspace) -> Vec<Problem> {
    let sources: BTreeMap<&str, RustSource<'_>> = tree
        .texts
        .iter()
        .filter(|(path, _)| place::extension(path) == "rs")
        .map(|(path, text)| (path.as_str(), RustSource::new(text)))
        .collect();

    let mut problems = Vec::new();
    problems.extend(arrows::check(&workspace.rooms));
    problems.extend(dependencies::check(
        &workspace.manifest,
        &workspace.rooms,
        tree.texts.get(dependencies::TABLE_PATH).map(String::as_str),
    ));
    problems.extend(dead_files::check(&sources, &workspace.crate_roots));
    problems.extend(dead_files::check_folders(&tree.paths, &tree.empty_folders));
    problems.extend(tree.paths.iter().filter_map(|path| banned::names::check_path(path)));
    for (path, source) in &sources {
        problems.extend(module_docs::check(path, source));
        problems.extend(function_length::check(path, source));
        problems.extend(banned::check_rust(path, source));
    }
    for (path, text) in &tree.texts {
        problems.extend(file_length::check(path, text, sources.get(path.as_str())));
        problems.extend(banned::check_text(path, text));
        problems.extend(links::check(path, text, |target| tree.holds(target)));
    }
    problems.sort();
    problems.dedup();
    problems
}
