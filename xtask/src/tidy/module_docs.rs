//! Every Rust file begins by saying what it is for: its first line is a `//!` doc.

use super::problem::Problem;
use super::rust_source::RustSource;

/// Says so when a file does not begin with its doc.
pub fn check(path: &str, source: &RustSource<'_>) -> Option<Problem> {
    let documented = source
        .line(1)
        .strip_prefix("//!")
        .is_some_and(|doc| !doc.trim().is_empty());
    (!documented).then(|| {
        Problem::new(
            path,
            1,
            "the file does not begin with a `//!` doc",
            "say in its first line what the module is for",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str) -> Option<Problem> {
        check("school/src/threads.rs", &RustSource::new(text))
    }

    #[test]
    fn wants_a_doc_in_the_first_line() {
        assert_eq!(check_text("//! Who may write to whom.\n\nuse a;\n"), None);
        for without in [
            "",
            "use a;\n",
            "//!\nuse a;\n",
            "// A comment.\n",
            "\n//! Late.\n",
            "/// An item.\n",
        ] {
            assert!(check_text(without).is_some(), "{without:?}");
        }
    }
}
