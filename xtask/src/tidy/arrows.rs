//! The arrows of the house: which room may stand on which, and which crates only some rooms may know.

use std::collections::BTreeSet;

use super::manifest::Kind;
use super::problem::Problem;
use super::workspace::Room;

/// Which rooms a room may depend on, whether for itself, its tests or its build. A room that is not here may not exist.
const ARROWS: [(&str, &[&str]); 11] = [
    ("protocol", &[]),
    ("clients/sealed", &[]),
    ("storage", &["protocol"]),
    // The log is bridged and repaired from the journal, so the router reads storage.
    ("router", &["protocol", "storage"]),
    ("school", &["protocol", "storage", "router"]),
    ("gateway", &["protocol", "storage", "router", "school"]),
    ("clients/rust", &["protocol", "clients/sealed"]),
    ("loadtest", &["protocol", "clients/rust"]),
    ("loadtest/peers", &["protocol"]),
    ("tests", &[EVERY_ROOM]),
    ("xtask", &["protocol"]),
];

/// The tests stand on all.
const EVERY_ROOM: &str = "*";

/// Crates of the outside that only their owners may name, so that what they bring can be replaced in one room.
const OWNED: [(&str, &[&str], &[&str]); 4] = [
    (
        "WebSockets",
        &[
            "tungstenite",
            "tokio-tungstenite",
            "async-tungstenite",
            "tokio-websockets",
            "fastwebsockets",
        ],
        &["gateway", "clients/rust"],
    ),
    ("ScyllaDB", &["scylla", "scylla-cql"], &["storage"]),
    ("the embedded engine", &["fjall"], &["storage"]),
    ("Redis", &["redis", "fred"], &["router"]),
];

/// Rooms that look at the system from outside, and so may name any crate.
const ASIDE: [&str; 2] = ["tests", "loadtest/peers"];

/// What must never be reached, over however many steps: the server links no sealing.
const NEVER: (&str, &str) = ("gateway", "clients/sealed");

/// Every arrow that points the wrong way.
pub fn check(rooms: &[Room]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for room in rooms {
        problems.extend(wrong_arrows(room));
        problems.extend(foreign_crates(room));
    }
    problems.extend(forbidden_reach(rooms));
    problems
}

fn wrong_arrows(room: &Room) -> Vec<Problem> {
    let Some((_, allowed)) = ARROWS.iter().find(|(folder, _)| *folder == room.folder) else {
        return vec![Problem::new(
            &room.manifest.path,
            1,
            format!("`{}` is a room the house does not know", room.folder),
            "say in xtask/src/tidy/arrows.rs which rooms it may stand on",
        )];
    };
    let ours = room
        .dependencies
        .iter()
        .filter_map(|d| Some((d.room.as_deref()?, d.line)));
    ours.filter(|(target, _)| !allowed.contains(target) && !allowed.contains(&EVERY_ROOM))
        .map(|(target, line)| {
            Problem::new(
                &room.manifest.path,
                line,
                format!("`{}` may not depend on `{target}`", room.folder),
                match allowed {
                    [] => "it stands on nothing of ours: move what it needs to where it is used".to_owned(),
                    _ => format!(
                        "it stands only on {}: move what it needs there, or turn the call around",
                        listed(allowed)
                    ),
                },
            )
        })
        .collect()
}

fn foreign_crates(room: &Room) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (what, crates, owners) in OWNED {
        if owners.contains(&room.folder.as_str()) || ASIDE.contains(&room.folder.as_str()) {
            continue;
        }
        for dependency in room
            .dependencies
            .iter()
            .filter(|d| crates.contains(&d.package.as_str()))
        {
            problems.push(Problem::new(
                &room.manifest.path,
                dependency.line,
                format!("`{}` may not know {what} (`{}`)", room.folder, dependency.package),
                format!("only {} may: go through it", listed(owners)),
            ));
        }
    }
    problems
}

/// Tests of a room on the way are not part of what is linked.
fn forbidden_reach(rooms: &[Room]) -> Option<Problem> {
    let (start, forbidden) = NEVER;
    let first = rooms.iter().find(|room| room.folder == start)?;
    let mut seen = BTreeSet::from([start]);
    let mut ways: Vec<Vec<&Room>> = vec![vec![first]];
    while let Some(way) = ways.pop() {
        let room = way.last()?;
        for dependency in room.dependencies.iter().filter(|d| d.kind != Kind::Development) {
            let Some(target) = dependency.room.as_deref() else {
                continue;
            };
            if target == forbidden {
                let steps: Vec<&str> = way.iter().map(|room| room.folder.as_str()).collect();
                return Some(Problem::new(
                    &room.manifest.path,
                    dependency.line,
                    format!("`{start}` reaches `{forbidden}` through {}", steps.join(" → ")),
                    "the server must not be able to open what is sealed: take the dependency away",
                ));
            }
            if let Some(next) = rooms
                .iter()
                .find(|room| room.folder == target && seen.insert(&room.folder))
            {
                ways.push(way.iter().copied().chain([next]).collect());
            }
        }
    }
    None
}

fn listed(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::manifest::Manifest;
    use crate::tidy::workspace::Dependency;

    fn room(folder: &str, ours: &[&str], others: &[&str]) -> Room {
        let dependency = |package: &&str, room: Option<&str>| Dependency {
            package: (*package).to_owned(),
            kind: Kind::Normal,
            room: room.map(str::to_owned),
            line: 20,
        };
        let manifest = Manifest::parse(&format!("{folder}/Cargo.toml"), "").unwrap();
        let ours = ours.iter().map(|folder| dependency(folder, Some(folder)));
        let dependencies = ours.chain(others.iter().map(|name| dependency(name, None))).collect();
        Room {
            folder: folder.to_owned(),
            manifest,
            dependencies,
        }
    }

    fn said(rooms: &[Room]) -> Vec<String> {
        check(rooms).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn lets_the_house_as_designed_pass() {
        let rooms: Vec<Room> = ARROWS
            .iter()
            .map(|(folder, allowed)| room(folder, allowed, &["serde"]))
            .collect();
        assert_eq!(said(&rooms), Vec::<String>::new());
    }

    #[test]
    fn refuses_an_arrow_upwards() {
        let found = said(&[room("storage", &["protocol", "router"], &[])]);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("storage/Cargo.toml:20: `storage` may not depend on `router`; "),
            "{found:?}"
        );
        assert_eq!(said(&[room("protocol", &["storage"], &[])]).len(), 1);
        assert_eq!(said(&[room("xtask", &["gateway"], &[])]).len(), 1);
    }

    #[test]
    fn refuses_an_arrow_upwards_from_tests_too() {
        let mut room = room("school", &["gateway"], &[]);
        room.dependencies[0].kind = Kind::Development;
        assert_eq!(said(&[room]).len(), 1);
    }

    #[test]
    fn refuses_a_room_it_does_not_know() {
        assert!(said(&[room("attic", &[], &[])])[0].contains("does not know"));
    }

    #[test]
    fn keeps_crates_with_their_owners() {
        let owners = [
            room("gateway", &[], &["tokio-tungstenite"]),
            room("storage", &[], &["fjall", "scylla"]),
            room("router", &[], &["redis"]),
            room("tests", &[], &["tokio-tungstenite", "redis", "scylla"]),
        ];
        assert_eq!(said(&owners), Vec::<String>::new());
        for (folder, name) in [
            ("school", "tungstenite"),
            ("router", "fjall"),
            ("gateway", "redis"),
            ("loadtest", "scylla"),
        ] {
            assert_eq!(said(&[room(folder, &[], &[name])]).len(), 1, "{folder} {name}");
        }
    }

    #[test]
    fn follows_the_server_to_what_it_must_not_reach() {
        let rooms = [
            room("gateway", &["school"], &[]),
            room("school", &["clients/rust"], &[]),
            room("clients/rust", &["clients/sealed"], &[]),
            room("clients/sealed", &[], &[]),
        ];
        let found = said(&rooms);
        let reach = found.iter().find(|line| line.contains("reaches")).unwrap();
        assert!(reach.starts_with("clients/rust/Cargo.toml:20:"), "{reach}");
        assert!(reach.contains("gateway → school → clients/rust"), "{reach}");
    }
}
