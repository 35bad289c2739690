//! The house's own tasks, run as `cargo xtask TASK`.

mod asyncapi;

const USAGE: &str = "usage: cargo xtask TASK

tasks:
  asyncapi [--check]    write docs/asyncapi.json from the wire types, or check it and docs/protocol.md";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((task, rest)) if task == "asyncapi" => asyncapi::run(rest),
        _ => anyhow::bail!(USAGE),
    }
}
