//! `samtale migrate`.

use std::sync::Arc;

use clap::Args;
use samtale_storage::cql::{CqlOptions, MigrateError, Migrator, Status};
use samtale_storage::engine::chain;
use serde_json::{Value, json};

use super::configuration::Settings;
use super::terminal;
use crate::commands::{CommandError, Progress};
use crate::config::Config;

/// Bring the tables of the database to this program's version.
///
/// It only adds, so servers that run meanwhile go on. One migrator works at a time; another one waits. Run it before the
/// first server of a new version starts.
#[derive(Args)]
#[command(after_help = "Examples:
  samtale migrate --config /etc/samtale.toml
  samtale migrate --set cql.nodes=10.0.0.1:9042,10.0.0.2:9042 --status --json
  samtale migrate --config /etc/samtale.toml --dry-run")]
pub(super) struct Migrate {
    #[command(flatten)]
    pub(super) settings: Settings,
    /// Only say what was applied and what is pending.
    #[arg(long, conflicts_with = "dry_run")]
    status: bool,
    /// Only print the statements that would be run.
    #[arg(long)]
    dry_run: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Migrate {
    pub(super) async fn run(self, config: Arc<Config>) -> Result<u8, CommandError> {
        let migrator = Migrator::connect(&database(&config)?).await;
        let migrator = migrator.map_err(|error| CommandError::failed(chain(&error)))?;
        if self.dry_run {
            let planned = migrator.planned().await.map_err(|error| outcome(&error))?;
            return Ok(self.print(&json!({ "statements": planned }), || {
                let statements = planned.iter().map(|statement| format!("{statement};\n"));
                format!("{}-- {} statements", statements.collect::<String>(), planned.len())
            }));
        }
        if !self.status {
            let progress = terminal::ProgressLines::default();
            let migrated = migrator.migrate(&|line| progress.report(line)).await;
            migrated.map_err(|error| outcome(&error))?;
        }
        let status = migrator.status().await.map_err(|error| outcome(&error))?;
        Ok(self.print(&report(&status), || shown(&status)))
    }

    fn print(&self, report: &Value, text: impl FnOnce() -> String) -> u8 {
        if self.json {
            terminal::print_json(report)
        } else {
            terminal::print(&text())
        }
    }
}

/// The database that the settings name.
pub(super) fn database(config: &Config) -> Result<CqlOptions, CommandError> {
    config
        .cql
        .options()
        .ok_or_else(|| CommandError::refused("the settings name no database: set cql.nodes (docs/configuration.md)"))
}

fn outcome(error: &MigrateError) -> CommandError {
    match error {
        MigrateError::Newer { .. } | MigrateError::Changed { .. } => CommandError::refused(chain(error)),
        _ => CommandError::failed(chain(error)),
    }
}

fn report(status: &Status) -> Value {
    let applied = status.applied.iter();
    let applied = applied.map(|one| json!({ "version": one.version, "name": one.name, "checksum": one.checksum }));
    let pending = status
        .pending
        .iter()
        .map(|one| json!({ "version": one.version, "name": one.name }));
    json!({ "applied": applied.collect::<Vec<_>>(), "pending": pending.collect::<Vec<_>>() })
}

fn shown(status: &Status) -> String {
    let applied = status
        .applied
        .iter()
        .map(|one| format!("applied  {:04} {}", one.version, one.name));
    let pending = status
        .pending
        .iter()
        .map(|one| format!("pending  {:04} {}", one.version, one.name));
    applied.chain(pending).collect::<Vec<_>>().join("\n")
}
