//! Nothing in the tree belongs to one machine: no path of somebody's folder, no package mirror.

use crate::tidy::place;
use crate::tidy::problem::Problem;

/// Folders of a developer's machine. They are put together here, so that this file does not name them.
const FOLDERS: [&str; 4] = [
    concat!("/wo", "rk/"),
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
];

/// What names a mirror, or sends a package manager to one.
const MIRRORS: [&str; 13] = [
    concat!("npm", "mirror"),
    concat!("rs", "proxy"),
    concat!("tuna", ".tsinghua"),
    concat!("mirrors", ".ustc"),
    concat!("mirrors", ".aliyun"),
    concat!("go", "proxy.cn"),
    concat!("art", "ifactory"),
    concat!("jf", "rog"),
    concat!("dev", "pi"),
    concat!("verd", "accio"),
    concat!("index", "-url"),
    concat!("find", "-links"),
    concat!("replace", "-with"),
];

/// Where each kind of lock file says that its packages come from.
const REGISTRIES: [(&str, &str, &str); 2] = [
    (
        "Cargo.lock",
        "source = \"",
        "registry+https://github.com/rust-lang/crates.io-index",
    ),
    ("package-lock.json", "\"resolved\": \"", "https://registry.npmjs.org/"),
];

/// Every line of a text that only holds on one machine.
pub fn check(path: &str, text: &str) -> Vec<Problem> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    match place::is_lock_file(path) {
        true => numbered
            .filter_map(|(number, line)| other_registry(path, number, line))
            .collect(),
        false => numbered
            .flat_map(|(number, line)| on_a_line(path, number, line))
            .collect(),
    }
}

fn on_a_line(path: &str, number: usize, line: &str) -> Vec<Problem> {
    let folders = FOLDERS
        .into_iter()
        .filter(|folder| names_folder(line, folder))
        .map(|folder| {
            let what = format!("`{folder}…` is a folder of one machine");
            Problem::new(path, number, what, "take the path from outside, or make it relative")
        });
    let lowered = line.to_lowercase();
    let mirrors = MIRRORS
        .into_iter()
        .filter(|mirror| lowered.contains(mirror))
        .map(|mirror| {
            let what = format!("`{mirror}` sends a package manager to a mirror");
            Problem::new(path, number, what, "leave that to the settings of the machine")
        });
    folders.chain(mirrors).collect()
}

/// An absolute path: what stands before it is not part of a longer path or address.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "_-.~/}]$)*".contains(c)) || line[..at].ends_with("file://")
    })
}

fn other_registry(path: &str, number: usize, line: &str) -> Option<Problem> {
    let (_, key, registry) = REGISTRIES
        .into_iter()
        .find(|(file, ..)| *file == place::file_name(path))?;
    let source = line.trim_start().strip_prefix(key)?;
    // Without a scheme it is a folder of ours.
    (source.contains("://") && !source.starts_with(registry)).then(|| {
        let what = format!("`{}` is not the public registry", source.trim_end_matches(['"', ',']));
        Problem::new(path, number, what, "lock it again from the public registry")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_folders_of_one_machine() {
        for folder in FOLDERS {
            for line in [
                format!("let a = \"{folder}samtale\";"),
                format!("cd {folder}samtale"),
                format!("[a]({folder}b.md)"),
                format!("open file://{folder}a"),
            ] {
                assert_eq!(check("docs/a.md", &line).len(), 1, "{line}");
            }
            for line in [
                format!("https://example.org{folder}a"),
                format!("tests{folder}a"),
                format!("${{A}}{folder}"),
            ] {
                assert!(check("docs/a.md", &line).is_empty(), "{line}");
            }
        }
    }

    #[test]
    fn finds_mirrors() {
        for mirror in MIRRORS {
            assert_eq!(
                check("scripts/set-up", &format!("pip install --{mirror} a")).len(),
                1,
                "{mirror}"
            );
        }
        assert!(check("scripts/set-up", "pip install --requirement packages.txt").is_empty());
    }

    #[test]
    fn wants_lock_files_to_name_the_public_registries() {
        for (file, key, registry) in REGISTRIES {
            assert!(check(file, &format!("  {key}{registry}\"")).is_empty());
            assert_eq!(
                check(file, &format!("  {key}https://packages.example.org/a\"")).len(),
                1
            );
        }
        assert!(check("package-lock.json", "\"resolved\": \"sdk\",").is_empty());
        assert_eq!(check("Cargo.lock", "source = \"git+https://example.org/a\"").len(), 1);
    }
}
