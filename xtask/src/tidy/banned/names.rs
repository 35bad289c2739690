//! Names that say nothing: a file, module or type is named by the noun of the domain it is about.

use crate::tidy::place;
use crate::tidy::problem::Problem;
use crate::tidy::rust_source::RustSource;

/// Words that no file, folder or module of code is named by, alone or as a part.
const EMPTY_WORDS: [&str; 9] = [
    "util",
    "utils",
    "utility",
    "utilities",
    "helper",
    "helpers",
    "manager",
    "managers",
    "misc",
];

/// Empty as a whole name; as a part (`CommonName`) it can be a word of the domain.
const EMPTY_ALONE: &str = "common";

const REMEDY: &str = "name it by the noun of the domain it is about";

/// Says so when a file of code, or a folder of one, has an empty name.
pub fn check_path(path: &str) -> Option<Problem> {
    if !place::is_code(path) {
        return None;
    }
    let parts = path.split('/').map(|part| part.split('.').next().unwrap_or(part));
    let named = parts
        .filter_map(|part| empty_word(part).map(|word| (part, word)))
        .next();
    named.map(|(part, word)| Problem::new(path, 1, format!("the name `{part}` says only `{word}`"), REMEDY))
}

/// Every module and type a Rust file declares under an empty name.
pub fn check_declarations(path: &str, source: &RustSource<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for keyword in ["mod", "struct", "enum", "trait", "type"] {
        for at in source.places_of(keyword) {
            let name = source.name_after(at + keyword.len());
            if let Some((name, word)) = name.and_then(|name| Some((name, empty_word(&snake_case(name))?))) {
                let what = format!("the name `{name}` says only `{word}`");
                problems.push(Problem::new(path, source.line_of(at), what, REMEDY));
            }
        }
    }
    problems
}

fn empty_word(name: &str) -> Option<&'static str> {
    let mut words = name.split(['_', '-']);
    let found = words.find_map(|word| EMPTY_WORDS.into_iter().find(|empty| *empty == word.to_lowercase()));
    found.or_else(|| (name.to_lowercase() == EMPTY_ALONE).then_some(EMPTY_ALONE))
}

/// `KeyManager` is `key_manager`; what is in that form already stays.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut last_is_lower = false;
    for character in name.chars() {
        if character.is_uppercase() && last_is_lower {
            snake.push('_');
        }
        last_is_lower = character.is_lowercase();
        snake.extend(character.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_empty_names_of_files_and_folders() {
        for path in [
            "school/src/utils.rs",
            "school/src/string_utils.rs",
            "clients/web/src/helpers/date.ts",
            "tests/common/mod.rs",
            "gateway/src/session-manager.rs",
            "tools/misc.py",
        ] {
            assert!(check_path(path).is_some(), "{path}");
        }
        for path in [
            "school/src/threads.rs",
            "docs/common.md",
            "clients/web/src/threads.test.ts",
            "a/managed.rs",
        ] {
            assert_eq!(check_path(path), None, "{path}");
        }
    }

    #[test]
    fn finds_empty_names_of_modules_and_types() {
        let text = "//! A manager.\nmod helpers;\nstruct KeyManager;\nenum Misc {}\nuse other::ConnectionManager;\n";
        let found = check_declarations("a.rs", &RustSource::new(text));
        let lines: Vec<usize> = found.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [2, 3, 4]);
        let clean = "mod keys;\nstruct CommonName;\ntype Manage = u8;\nlet tokio_util = 1;\n";
        assert!(check_declarations("a.rs", &RustSource::new(clean)).is_empty());
    }
}
