//! The crates of others: each version is set once, each crate is used, and each is explained in a table.

use std::collections::{BTreeMap, BTreeSet};

use super::manifest::{Manifest, Shared};
use super::problem::Problem;
use super::workspace::Room;

/// The table of what we depend on and why.
pub const TABLE_PATH: &str = "docs/dependencies.md";

/// What the table says when no room uses a crate.
const NOBODY: &str = "—";

/// Every dependency that is set twice, unused, or not explained as it is.
pub fn check(root: &Manifest, rooms: &[Room], table: Option<&str>) -> Vec<Problem> {
    let mut problems: Vec<Problem> = rooms.iter().flat_map(versions_of_their_own).collect();
    let Some(table) = table else {
        let what = "the table of dependencies is missing";
        problems.push(Problem::new(
            TABLE_PATH,
            1,
            what,
            "write it: crate | version | used by | its job",
        ));
        return problems;
    };
    let rows = rows(table);
    let used = used_by(root, rooms);
    for shared in root.shared.iter().filter(|shared| !shared.is_ours) {
        let users = used.get(shared.key.as_str());
        problems.extend(unused(root, shared, users.is_some()));
        problems.extend(wrong_row(shared, users, rows.iter().find(|row| row.name == shared.key)));
    }
    problems.extend(rows.iter().filter(|row| !is_listed(root, row)).map(|row| {
        let what = format!("`{}` is not in the root manifest", row.name);
        Problem::new(TABLE_PATH, row.line, what, "take the row away")
    }));
    problems
}

fn versions_of_their_own(room: &Room) -> Vec<Problem> {
    let own = room
        .manifest
        .dependencies
        .iter()
        .filter(|declared| !declared.from_workspace);
    own.map(|declared| {
        Problem::new(
            &room.manifest.path,
            declared.line,
            format!("`{}` is set here and not in the root manifest", declared.key),
            format!(
                "write `{}.workspace = true` and set it once in Cargo.toml",
                declared.key
            ),
        )
    })
    .collect()
}

/// Which rooms name which crate of others.
fn used_by<'rooms>(root: &Manifest, rooms: &'rooms [Room]) -> BTreeMap<&'rooms str, BTreeSet<&'rooms str>> {
    let mut used: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for room in rooms {
        for declared in &room.manifest.dependencies {
            if root
                .shared
                .iter()
                .any(|shared| shared.key == declared.key && !shared.is_ours)
            {
                used.entry(&declared.key).or_default().insert(&room.folder);
            }
        }
    }
    used
}

fn unused(root: &Manifest, shared: &Shared, is_used: bool) -> Option<Problem> {
    let what = match (&shared.version, is_used) {
        (None, _) => format!("`{}` has no version", shared.key),
        (Some(_), false) => format!("`{}` is in the root manifest and no room names it", shared.key),
        (Some(_), true) => return None,
    };
    let remedy = match &shared.version {
        None => "depend on a published version",
        Some(_) => "name it in the room that needs it, or take it away here and in docs/dependencies.md",
    };
    Some(Problem::new(&root.path, shared.line, what, remedy))
}

struct Row<'table> {
    line: usize,
    name: &'table str,
    version: &'table str,
    users: BTreeSet<&'table str>,
    job: &'table str,
}

/// Rows whose first cell is a name between backticks.
fn rows(table: &str) -> Vec<Row<'_>> {
    table
        .lines()
        .enumerate()
        .filter_map(|(index, line)| row(index + 1, line))
        .collect()
}

fn row(line: usize, text: &str) -> Option<Row<'_>> {
    let mut cells = text.strip_prefix('|')?.split('|').map(str::trim);
    let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
    Some(Row {
        line,
        name,
        version: cells.next().unwrap_or_default(),
        users: cells.next().unwrap_or_default().split(',').map(str::trim).collect(),
        job: cells.next().unwrap_or_default(),
    })
}

fn is_listed(root: &Manifest, row: &Row<'_>) -> bool {
    root.shared
        .iter()
        .any(|shared| shared.key == row.name && !shared.is_ours)
}

fn wrong_row(shared: &Shared, users: Option<&BTreeSet<&str>>, row: Option<&Row<'_>>) -> Option<Problem> {
    let version = shared.version.as_deref().unwrap_or_default();
    let nobody = BTreeSet::from([NOBODY]);
    let users = users.unwrap_or(&nobody);
    let job = row.map(|row| row.job).filter(|job| !job.is_empty());
    if row.is_some_and(|row| row.version == version && row.users == *users) && job.is_some() {
        return None;
    }
    let what = match row {
        None => format!("`{}` is not in the table", shared.key),
        Some(_) if job.is_none() => format!("the row of `{}` does not say what its job is", shared.key),
        Some(_) => format!("the row of `{}` is no longer true", shared.key),
    };
    let remedy = format!(
        "write: | `{}` | {version} | {} | {} |",
        shared.key,
        users.iter().copied().collect::<Vec<_>>().join(", "),
        job.unwrap_or("(its job, in one plain line)")
    );
    Some(Problem::new(TABLE_PATH, row.map_or(1, |row| row.line), what, remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "[workspace.dependencies]\nours = { path = \"ours\" }\nbytes = \"1\"\n";
    const TABLE: &str = "| crate | version | used by | its job |\n|---|---|---|---|\n| `bytes` | 1 | gateway, router | Shared frames. |\n";

    fn room(folder: &str, dependencies: &str) -> Room {
        let path = format!("{folder}/Cargo.toml");
        let manifest = Manifest::parse(&path, &format!("[dependencies]\n{dependencies}")).unwrap();
        Room {
            folder: folder.to_owned(),
            manifest,
            dependencies: Vec::new(),
        }
    }

    fn said(root: &str, rooms: &[Room], table: &str) -> Vec<String> {
        let root = Manifest::parse("Cargo.toml", root).unwrap();
        check(&root, rooms, Some(table))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    fn two_rooms() -> [Room; 2] {
        let both = "bytes.workspace = true\nours.workspace = true\n";
        [room("router", both), room("gateway", both)]
    }

    #[test]
    fn lets_a_true_table_pass() {
        assert_eq!(said(ROOT, &two_rooms(), TABLE), Vec::<String>::new());
    }

    #[test]
    fn wants_every_crate_in_the_table() {
        let found = said(ROOT, &two_rooms(), "nothing\n");
        assert_eq!(found.len(), 1);
        assert!(
            found[0].contains("`bytes` is not in the table; write: | `bytes` | 1 | gateway, router |"),
            "{found:?}"
        );
        let root = Manifest::parse("Cargo.toml", ROOT).unwrap();
        assert!(check(&root, &two_rooms(), None)[0].what.contains("missing"));
    }

    #[test]
    fn wants_the_rows_true() {
        for (from, to) in [
            ("| 1 |", "| 2 |"),
            ("gateway, router", "gateway"),
            ("Shared frames.", ""),
        ] {
            let found = said(ROOT, &two_rooms(), &TABLE.replace(from, to));
            assert_eq!(found.len(), 1, "{from} → {to}: {found:?}");
            assert!(found[0].starts_with("docs/dependencies.md:3:"), "{found:?}");
        }
    }

    #[test]
    fn wants_no_row_that_is_no_longer_used() {
        let found = said(
            ROOT,
            &two_rooms(),
            &format!("{TABLE}| `csv` | 1 | school | Rosters. |\n"),
        );
        assert_eq!(
            found,
            ["docs/dependencies.md:4: `csv` is not in the root manifest; take the row away"]
        );
    }

    #[test]
    fn wants_no_crate_that_nobody_names() {
        let found = said(ROOT, &[], &TABLE.replace("gateway, router", NOBODY));
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("Cargo.toml:3: `bytes` is in the root manifest and no room names it"),
            "{found:?}"
        );
    }

    #[test]
    fn wants_each_version_set_once() {
        let rooms = [
            room("router", "bytes = \"1\"\n"),
            room("gateway", "bytes.workspace = true\n"),
        ];
        let found = said(ROOT, &rooms, TABLE);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("router/Cargo.toml:2: `bytes` is set here"),
            "{found:?}"
        );
        let from_git = ROOT.replace("bytes = \"1\"", "bytes = { git = \"https://example.org/bytes\" }");
        assert!(said(&from_git, &two_rooms(), TABLE)[0].contains("has no version"));
    }
}
