//! `docs/protocol.md` says what the code does: every name of the wire is explained there, and every example is a frame.

mod samples;

use std::collections::BTreeSet;
use std::path::Path;

use samples::kinds;
use samtale_protocol::{ClientFrame, CloseCode, Encoding, ErrorCode, ServerFrame, limits};
use serde_json::Value;

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.md");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The cells of every table row, backticks taken away.
fn rows(document: &str) -> Vec<Vec<String>> {
    let rows = document.lines().filter(|line| line.starts_with("| "));
    rows.map(|line| {
        line.trim_matches('|')
            .split(" | ")
            .map(|cell| cell.trim().replace('`', ""))
            .collect()
    })
    .collect()
}

fn has_row(rows: &[Vec<String>], cells: &[&str]) -> bool {
    rows.iter()
        .any(|row| row.len() >= cells.len() && row.iter().zip(cells).all(|(cell, wanted)| cell == wanted))
}

/// Each example, with the line where it begins.
fn examples(document: &str) -> Vec<(usize, Value)> {
    let mut examples = Vec::new();
    let mut block: Option<(usize, String)> = None;
    for (number, line) in document.lines().enumerate() {
        match &mut block {
            None if line == "```json" => block = Some((number + 2, String::new())),
            None => {}
            Some((start, text)) if line == "```" => {
                for value in serde_json::Deserializer::from_str(text).into_iter() {
                    examples.push((*start, value.unwrap_or_else(|error| panic!("line {start}: {error}"))));
                }
                block = None;
            }
            Some((_, text)) => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    examples
}

#[test]
fn every_example_is_a_frame_of_one_side() {
    let examples = examples(&document());
    assert!(examples.len() > 60, "only {} examples were found", examples.len());
    for (line, example) in examples {
        let bytes = example.to_string().into_bytes();
        let client = ClientFrame::decode(Encoding::Json, &bytes);
        let server = ServerFrame::decode(Encoding::Json, &bytes);
        assert!(client.is_ok() != server.is_ok(), "line {line}: {client:?} {server:?}");
        let known = client
            .map(serde_json::to_value)
            .or_else(|_| server.map(serde_json::to_value));
        let known = known.ok().and_then(Result::ok).unwrap_or_default();
        assert_no_unknown_fields(&example, &known, line);
    }
}

/// Fields that nobody reads are a fault in an example, though not in a frame.
fn assert_no_unknown_fields(example: &Value, known: &Value, line: usize) {
    match (example, known) {
        (Value::Object(example), Value::Object(known)) => {
            for (key, value) in example {
                let known = known
                    .get(key)
                    .unwrap_or_else(|| panic!("line {line}: the field `{key}` means nothing"));
                assert_no_unknown_fields(value, known, line);
            }
        }
        (Value::Array(example), Value::Array(known)) => {
            assert_eq!(example.len(), known.len(), "line {line}");
            example
                .iter()
                .zip(known)
                .for_each(|(example, known)| assert_no_unknown_fields(example, known, line));
        }
        _ => assert_eq!(example, known, "line {line}"),
    }
}

#[test]
fn every_kind_has_an_example() {
    let mut seen = BTreeSet::new();
    for (_, example) in examples(&document()) {
        let frame = example["t"].as_str().unwrap_or_default().to_owned();
        for (part, tag) in [
            ("request", "op"),
            ("reply", "kind"),
            ("event", "kind"),
            ("signal", "kind"),
        ] {
            if let Some(kind) = example[part][tag].as_str() {
                seen.insert(format!("{part} {kind}"));
            }
        }
        seen.insert(format!("frame {frame}"));
    }
    for (what, names) in [
        ("frame", kinds::CLIENT_FRAMES),
        ("frame", kinds::SERVER_FRAMES),
        ("request", kinds::REQUESTS),
        ("reply", kinds::REPLIES),
        ("event", kinds::EVENTS),
        ("signal", kinds::SIGNALS),
    ] {
        for name in names.iter().filter(|name| **name != "unknown") {
            assert!(
                seen.contains(&format!("{what} {name}")),
                "docs/protocol.md has no example of the {what} `{name}`"
            );
        }
    }
}

#[test]
fn every_kind_has_a_row() {
    let rows = rows(&document());
    for name in kinds::EVENTS
        .iter()
        .chain(kinds::SIGNALS)
        .chain(kinds::RECIPIENTS)
        .filter(|name| **name != "unknown")
    {
        assert!(has_row(&rows, &[name]), "docs/protocol.md has no row for `{name}`");
    }
}

#[test]
fn every_error_code_has_a_row_that_says_whether_to_repeat() {
    let rows = rows(&document());
    for code in ErrorCode::ALL {
        let name = serde_json::to_value(code).unwrap_or_default();
        let name = name.as_str().unwrap_or_default();
        let again = if code.is_retryable() { "yes" } else { "no" };
        assert!(
            has_row(&rows, &[name, again]),
            "docs/protocol.md has no row `{name}`, {again}"
        );
    }
}

#[test]
fn every_close_code_has_a_row() {
    let rows = rows(&document());
    for code in CloseCode::ALL {
        let cells = [&code.number().to_string(), code.name()];
        assert!(has_row(&rows, &cells), "docs/protocol.md has no row for {code}");
    }
}

#[test]
fn every_limit_has_a_row_with_its_value() {
    let rows = rows(&document());
    for limit in limits::ALL {
        let value = limit.value.to_string();
        assert!(
            has_row(&rows, &[limit.name, &value]),
            "docs/protocol.md has no row `{}`, {value}",
            limit.name
        );
    }
}

#[test]
fn both_subprotocols_have_a_row() {
    let rows = rows(&document());
    for encoding in Encoding::ALL {
        assert!(has_row(&rows, &[encoding.subprotocol()]));
    }
}
