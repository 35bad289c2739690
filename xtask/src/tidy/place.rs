//! What a path says about a file: its kind, its name, whether it is a test.

/// Files that hold code, by their extension.
const CODE: [&str; 10] = ["rs", "ts", "tsx", "js", "mjs", "py", "sh", "lua", "cql", "css"];

/// The extension without its dot; empty when there is none.
pub fn extension(path: &str) -> &str {
    file_name(path).rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The folder of a path; empty at the root.
pub fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A file of code in any of the project's languages.
pub fn is_code(path: &str) -> bool {
    CODE.contains(&extension(path))
}

/// A file that only tests use: under a folder `tests`, or named as tests are.
pub fn is_test(path: &str) -> bool {
    let name = file_name(path);
    folder(path).split('/').any(|part| part == "tests")
        || name == "tests.rs"
        || name.ends_with("_tests.rs")
        || name.ends_with(".test.ts")
        || name.ends_with(".test.tsx")
}

/// A lock file: written by a package manager, not by us.
pub fn is_lock_file(path: &str) -> bool {
    matches!(file_name(path), "Cargo.lock" | "package-lock.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_tests_by_folder_and_by_name() {
        assert!(is_test("tests/src/lib.rs"));
        assert!(is_test("storage/tests/contract.rs"));
        assert!(is_test("router/src/log/tests.rs"));
        assert!(is_test("router/src/log_tests.rs"));
        assert!(is_test("clients/web/src/threads/list.test.tsx"));
        assert!(!is_test("router/src/latests.rs"));
        assert!(!is_test("loadtest/src/lib.rs"));
    }

    #[test]
    fn takes_a_path_apart() {
        assert_eq!(extension("clients/web/src/app.tsx"), "tsx");
        assert_eq!(extension(".ci/run"), "");
        assert_eq!(folder("Makefile"), "");
        assert_eq!(folder("a/b/c.rs"), "a/b");
        assert!(is_code("scripts/start.sh") && !is_code("README.md"));
        assert!(is_lock_file("clients/web/package-lock.json"));
    }
}
