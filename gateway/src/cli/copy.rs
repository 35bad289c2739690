//! `samtale copy`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use samtale_storage::copying::{Copied, CopyError, CopyOptions, Watcher, copy};
use samtale_storage::engine::chain;
use serde_json::json;

use super::configuration::Settings;
use super::{DONE, FAILED, Stop, migrate, terminal};
use crate::commands::{CommandError, Progress};
use crate::config::{Config, Variable};
use crate::server::SystemClock;

/// Move a school from a data folder to a database.
///
/// Stop its server first, and run `samtale migrate` for the database. The keys stay where they are: give the key folder to
/// all gateways. Stopped in the middle, the next run goes on. At the end both sides are counted and compared; if they
/// differ, it says where and ends with 1.
#[derive(Args)]
#[command(after_help = "Examples:
  samtale copy --from /var/lib/samtale --to 10.0.0.1:9042,10.0.0.2:9042/samtale
  samtale copy --from /var/lib/samtale --config /etc/samtale-cluster.toml --json")]
pub(super) struct Copy {
    #[command(flatten)]
    settings: Settings,
    /// The data folder to copy.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The database: addresses of some of its nodes, and the keyspace. Without it cql.nodes and cql.keyspace say so.
    #[arg(long, value_name = "HOST:PORT,…/KEYSPACE", value_parser = target)]
    to: Option<Target>,
    /// Stop after about so many rows; the next run goes on.
    #[arg(long, value_name = "NUMBER")]
    rows: Option<u64>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone)]
struct Target {
    nodes: String,
    keyspace: Option<String>,
}

fn target(text: &str) -> Result<Target, String> {
    let (nodes, keyspace) = match text.split_once('/') {
        Some((nodes, keyspace)) => (nodes, Some(keyspace.to_owned())),
        None => (text, None),
    };
    if nodes.is_empty() {
        return Err("write HOST:PORT,HOST:PORT/KEYSPACE".to_owned());
    }
    Ok(Target {
        nodes: nodes.to_owned(),
        keyspace,
    })
}

/// The person who waits, and the signal that stops it.
struct Waiting {
    lines: terminal::ProgressLines,
    stop: Stop,
}

impl Watcher for Waiting {
    fn report(&self, line: &str) {
        self.lines.report(line);
    }

    fn stops(&self) -> bool {
        self.stop.gracefully.is_cancelled()
    }
}

impl Copy {
    pub(super) fn settings(&self) -> Settings {
        let mut settings = self.settings.clone();
        if let Some(Target { nodes, keyspace }) = &self.to {
            let named = [
                Some(("cql.nodes", nodes)),
                keyspace.as_ref().map(|keyspace| ("cql.keyspace", keyspace)),
            ];
            settings
                .set
                .extend(named.into_iter().flatten().map(|(key, text)| Variable {
                    source: "--to".to_owned(),
                    key: key.to_owned(),
                    text: text.clone(),
                }));
        }
        settings
    }

    pub(super) async fn run(self, config: Arc<Config>, stop: Stop) -> Result<u8, CommandError> {
        let options = CopyOptions {
            from: self.from,
            to: migrate::database(&config)?,
            most_rows: self.rows,
        };
        let waiting = Waiting {
            lines: terminal::ProgressLines::default(),
            stop,
        };
        let copied = copy(options, Arc::new(SystemClock), &waiting).await;
        drop(waiting);
        let copied = copied.map_err(|error| match error {
            CopyError::NoData { .. } | CopyError::NotEmpty { .. } => CommandError::refused(chain(&error)),
            error => CommandError::failed(chain(&error)),
        })?;
        let is_whole = matches!(copied, Copied::Whole { .. });
        let (report, text) = said(copied);
        if self.json {
            terminal::print_json(&report);
        } else {
            terminal::print(&text);
        }
        Ok(if is_whole { DONE } else { FAILED })
    }
}

fn said(copied: Copied) -> (serde_json::Value, String) {
    match copied {
        Copied::Part { moved } => (
            json!({ "complete": false, "moved": moved }),
            format!("stopped after {moved} rows: run it again, and it goes on"),
        ),
        Copied::Whole { moved, tables } => {
            let rows: u64 = tables.values().map(|side| side.rows).sum();
            let listed: serde_json::Map<String, serde_json::Value> = tables
                .iter()
                .map(|(table, side)| {
                    let checksum = format!("{:016x}", side.sum);
                    ((*table).to_owned(), json!({ "rows": side.rows, "checksum": checksum }))
                })
                .collect();
            (
                json!({ "complete": true, "moved": moved, "rows": rows, "tables": listed }),
                format!(
                    "{moved} rows moved; {rows} compared in {} tables, and both sides are equal",
                    tables.len()
                ),
            )
        }
    }
}
