//! `samtale populate`.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use serde_json::{Value, json};

use super::configuration::Settings;
use super::{carry_out, terminal};
use crate::commands::{Command, CommandError};
use crate::config::Config;

/// For load tests: make a school of people without passwords, and write an access token for each.
///
/// Never in a data folder that is meant to be used: whoever has the file is logged in as all of them, for as long as
/// `login.access_token_lifetime` says. The file's first line names the spaces and groups; then a line per person, of
/// whom the first is in no group and may write to all.
///
/// With --nation the people are those of a file that `samtale-loadtest nation` writes, with their families and classes;
/// tokens are written for those of whom it says so. A command that was stopped goes on where it was when it is given again.
#[derive(Args)]
#[command(after_help = "Examples:
  samtale populate --data /tmp/load --people 2000 --tokens /tmp/load.tokens
  samtale populate --data /tmp/load --people 2000 --tokens /tmp/load.tokens --set login.access_token_lifetime=2h
  samtale populate --data /tmp/load --nation nation.jsonl --tokens /tmp/load.tokens")]
pub(super) struct Populate {
    #[command(flatten)]
    pub(super) settings: Settings,
    /// How many.
    #[arg(long, value_name = "N", required_unless_present = "nation")]
    people: Option<usize>,
    /// The file of a nation, a line per institution.
    #[arg(long, value_name = "FILE", conflicts_with = "people")]
    nation: Option<PathBuf>,
    /// Where to write the tokens; the file is the owner's alone.
    #[arg(long, value_name = "FILE")]
    tokens: PathBuf,
}

impl Populate {
    pub(super) async fn run(self, config: Arc<Config>) -> Result<u8, CommandError> {
        // A data folder of its own is the usual case, and the first command makes it.
        std::fs::create_dir_all(&config.data).map_err(|error| unwritten(&config.data, &error))?;
        let command = match &self.nation {
            // Absolute: a server that runs stands in another folder.
            Some(file) => Command::PopulateNation {
                file: std::path::absolute(file).map_err(|error| unread(file, &error))?,
            },
            None => Command::Populate {
                people: self.people.unwrap_or_default(),
            },
        };
        let since = Instant::now();
        let populated = carry_out(config, command).await?;
        let made = populated["made"].as_u64().unwrap_or_default();
        let per_second = made / since.elapsed().as_secs().max(1);
        write(&self.tokens, &populated).map_err(|error| unwritten(&self.tokens, &error))?;
        Ok(terminal::print(&format!(
            "{} people are in {}; {made} were made, {per_second} per second",
            populated["people"].as_array().map_or(0, Vec::len),
            self.tokens.display()
        )))
    }
}

fn write(path: &Path, populated: &Value) -> std::io::Result<()> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    let mut lines = BufWriter::new(file);
    let school = json!({ "spaces": populated["spaces"], "groups": populated["groups"] });
    writeln!(lines, "{school}")?;
    for person in populated["people"].as_array().into_iter().flatten() {
        writeln!(lines, "{person}")?;
    }
    lines.flush()
}

fn unread(path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::refused(format!("{} can not be read: {error}", path.display()))
}

fn unwritten(path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::failed(format!("{} can not be written: {error}", path.display()))
}
