//! `samtale import`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use samtale_school::import::Report;

use super::configuration::Settings;
use super::{carry_out, import_report, terminal};
use crate::commands::{Command, CommandError};
use crate::config::Config;

/// Read a school's roster.
#[derive(Args)]
pub(super) struct Import {
    #[command(subcommand)]
    form: Form,
}

#[derive(Subcommand)]
enum Form {
    Oneroster(OneRoster),
}

/// Read OneRoster 1.1 or 1.2 CSV files: a folder, or a zip file.
///
/// The same roster twice changes nothing. Everything that is wrong with it is said at once; what can be read is read,
/// unless --strict. A roster that removes more than 5 % of an institution is refused without --force.
#[derive(Args)]
#[command(after_help = "Examples:
  samtale import oneroster roster.zip --data data --dry-run
  samtale import oneroster roster/ --data data --strict
  samtale import oneroster roster.zip --data data --json")]
struct OneRoster {
    /// The folder or the zip file.
    path: PathBuf,
    #[command(flatten)]
    settings: Settings,
    /// Only say what would change.
    #[arg(long)]
    dry_run: bool,
    /// Refuse a roster of which something could not be taken.
    #[arg(long)]
    strict: bool,
    /// Apply it even if it removes many people.
    #[arg(long)]
    force: bool,
    /// Print {\"added\", \"changed\", \"removed\", \"unchanged\", \"problems\"} as one line of JSON.
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(super) fn settings(&self) -> Settings {
        let Form::Oneroster(roster) = &self.form;
        roster.settings.clone()
    }

    pub(super) async fn run(self, config: Arc<Config>) -> Result<u8, CommandError> {
        let Form::Oneroster(OneRoster {
            path,
            dry_run,
            strict,
            force,
            json,
            ..
        }) = self.form;
        let path = std::path::absolute(&path).map_err(|error| CommandError::refused(error.to_string()))?;
        let command = Command::Import {
            path,
            dry_run,
            strict,
            force,
        };
        match carry_out(config, command).await {
            Ok(report) => print_report(&report, json, dry_run),
            Err(error) => {
                if let Some(report) = &error.report {
                    print_report(report, json, dry_run)?;
                }
                Err(error)
            }
        }
    }
}

fn print_report(report: &serde_json::Value, json: bool, dry_run: bool) -> Result<u8, CommandError> {
    if json {
        return Ok(terminal::print_json(report));
    }
    let report: Report = serde_json::from_value(report.clone())
        .map_err(|_| CommandError::failed("the running server answers in a form that is not known here"))?;
    Ok(terminal::print(&import_report::text(&report, dry_run)))
}
