//! The reference page of all settings, made from the list in code.

use super::sources::variable_name;
use super::{Setting, settings};

const HEAD: &str = "\
# Configuration

This page is made by `samtale check-config --reference` from the code, and a test compares them.

Every setting has a default, so none has to be set. A file (`--config FILE` or `SAMTALE_CONFIG`, in TOML) is stronger than the
defaults, the environment is stronger than the file, and flags (`--listen`, `--data`, or `--set KEY=VALUE` for any setting) are
stronger than the environment. In the environment lists have commas between their entries. `samtale check-config` says what is
wrong, all of it at once and where it came from, and prints what holds. A key that does not exist is refused.

Keys are files in the key folder and passwords files of their own, except that the URL of a Redis server may hold one. A change takes effect at the next start.

Lengths of time are written `500ms`, `30s`, `15m`, `12h` or `7d`; sizes `512KiB`, `512MiB` or `2GiB`.
";

const EXAMPLE: &str = "\
## An example

```toml
data = \"/var/lib/samtale\"
keys = \"/etc/samtale/keys\"
listen = \"127.0.0.1:8080\"
origins = [\"https://chat.school.example\"]
proxies = [\"127.0.0.1\"]

[limits]
sessions = 100000
```
";

/// `docs/configuration.md`.
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    let mut section = None;
    for setting in settings() {
        let of = setting.key.split_once('.').map_or("", |(section, _)| section);
        if section != Some(of) {
            section = Some(of);
            let title = if of.is_empty() {
                "The server".to_owned()
            } else {
                format!("`[{of}]`")
            };
            page += &format!(
                "\n## {title}\n\n| setting | default | environment | what it does |\n| --- | --- | --- | --- |\n"
            );
        }
        page += &row(setting);
    }
    page + "\n" + EXAMPLE
}

fn row(setting: &Setting) -> String {
    let Setting {
        key, default, about, ..
    } = setting;
    format!(
        "| `{key}` | {default} | `{}` | {} |\n",
        variable_name(key),
        about.trim()
    )
}

#[cfg(test)]
mod tests {
    use super::super::Sources;
    use super::*;

    #[test]
    fn the_page_in_docs_is_the_one_that_the_code_makes() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == reference(),
            "docs/configuration.md has fallen behind: samtale check-config --reference > docs/configuration.md"
        );
    }

    #[test]
    fn the_example_is_valid() {
        let toml = EXAMPLE.split("```").nth(1).unwrap().trim_start_matches("toml");
        Sources {
            file_text: Some(("example".to_owned(), toml.to_owned())),
            ..Sources::default()
        }
        .load()
        .unwrap();
    }
}
