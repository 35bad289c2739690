//! Links in Markdown that point into the repository lead somewhere.

use super::place;
use super::problem::Problem;

/// Every local link of a Markdown file whose target `holds` does not know. Targets are given from the root.
pub fn check(path: &str, text: &str, holds: impl Fn(&str) -> bool) -> Vec<Problem> {
    if place::extension(path) != "md" {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for (line, prose) in prose_lines(text) {
        for link in links(&prose) {
            let Some(target) = local_target(place::folder(path), &link) else {
                continue;
            };
            if target.as_deref().is_none_or(|target| !holds(target)) {
                problems.push(Problem::new(
                    path,
                    line,
                    format!("the link `{link}` leads nowhere"),
                    "correct the path, or take the link away",
                ));
            }
        }
    }
    problems
}

/// Lines with their numbers, without fenced blocks and code between backticks.
fn prose_lines(text: &str) -> Vec<(usize, String)> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~") {
            fenced = !fenced;
        } else if !fenced {
            lines.push((index + 1, without_code(line)));
        }
    }
    lines
}

/// An odd piece between backticks is code; a backtick that is never closed is only a backtick.
fn without_code(line: &str) -> String {
    let pieces: Vec<&str> = line.split('`').collect();
    let closed = pieces.len() - (pieces.len() + 1) % 2;
    let prose = pieces
        .iter()
        .enumerate()
        .filter(|(index, _)| index % 2 == 0 || *index >= closed);
    prose.map(|(_, piece)| *piece).collect::<Vec<_>>().join("code")
}

/// The targets of `[words](target)` and of `[words]: target`.
fn links(line: &str) -> Vec<String> {
    let inline = line.match_indices("](").map(|(at, opening)| {
        let rest = &line[at + opening.len()..];
        &rest[..closing_parenthesis(rest)]
    });
    let definition = line
        .trim_start()
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]: "))
        .map(|(_, target)| target);
    inline
        .chain(definition)
        .filter_map(|target| match target.trim().strip_prefix('<') {
            Some(bracketed) => bracketed.split('>').next().map(str::to_owned),
            None => target.split_whitespace().next().map(str::to_owned),
        })
        .collect()
}

fn closing_parenthesis(rest: &str) -> usize {
    let mut depth = 1_usize;
    for (at, character) in rest.char_indices() {
        match character {
            '(' => depth += 1,
            ')' if depth == 1 => return at,
            ')' => depth -= 1,
            _ => {}
        }
    }
    rest.len()
}

/// `None` for a link that is not local; `Some(None)` for one that leaves the repository.
fn local_target(folder: &str, link: &str) -> Option<Option<String>> {
    let has_scheme = link
        .split_once(':')
        .is_some_and(|(scheme, _)| scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)));
    let target = link.split(['#', '?']).next().unwrap_or_default();
    if has_scheme || link.starts_with("//") || target.is_empty() {
        return None;
    }
    let decoded = target.replace("%20", " ");
    let from_root = match decoded.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => format!("{folder}/{decoded}"),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in from_root.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match part {
            ".." if parts.pop().is_none() => return Some(None),
            ".." => {}
            name => parts.push(name),
        }
    }
    Some(Some(parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> Vec<String> {
        let known = ["README.md", "docs", "docs/protocol.md", "docs/a picture.svg", ""];
        let problems = check(path, text, |target| known.contains(&target));
        problems
            .iter()
            .map(|problem| format!("{}: {}", problem.line, problem.what))
            .collect()
    }

    #[test]
    fn follows_links_from_the_folder_of_the_file() {
        assert!(
            broken(
                "docs/a.md",
                "[p](protocol.md#frames) [r](../README.md) [d](/docs/) [root](..)"
            )
            .is_empty()
        );
        assert!(
            broken(
                "README.md",
                "![a](<docs/a picture.svg>) [b](docs/a%20picture.svg \"title\")"
            )
            .is_empty()
        );
        assert!(broken("README.md", "[p]: docs/protocol.md\n").is_empty());
    }

    #[test]
    fn finds_what_leads_nowhere() {
        assert_eq!(
            broken("README.md", "a\n[p](protocol.md)"),
            ["2: the link `protocol.md` leads nowhere"]
        );
        assert_eq!(broken("docs/a.md", "[p]: docs/protocol.md").len(), 1);
        assert_eq!(broken("docs/a.md", "[out](../../other/README.md)").len(), 1);
        assert_eq!(broken("README.md", "[a](x(1).md) and [b](docs)").len(), 1);
    }

    #[test]
    fn leaves_the_web_anchors_and_code_alone() {
        let text = "[w](https://example.org/a) [m](mailto:a@b.c) [h](#words) `[c](gone.md)`\n```\n[f](gone.md)\n```\n";
        assert!(broken("README.md", text).is_empty());
        assert!(broken("src/lib.rs", "[a](gone.md)").is_empty());
    }
}
