//! The house's own tasks, run as `cargo xtask TASK`.

mod asyncapi;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask TASK

tasks:
  tidy                  check the tree against the rules of the house: arrows, lengths, docs, banned words,
                        dependencies, dead files
  asyncapi [--check]    write docs/asyncapi.json from the wire types, or check it and docs/protocol.md";

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["tidy"] => tidy::run(),
        ["asyncapi", ..] => asyncapi::run(&arguments[1..]).map(|()| ExitCode::SUCCESS),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("{USAGE}");
            Ok(ExitCode::from(2))
        }
    }
}
