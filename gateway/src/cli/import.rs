//! `samtale import`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::configuration::Settings;
use super::{DONE, carry_out, terminal};
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
    /// Refuse a roster with any problem.
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
        let report = match carry_out(
            config,
            Command::Import {
                path,
                dry_run,
                strict,
                force,
            },
        )
        .await
        {
            Ok(report) => report,
            Err(error) => {
                if let (true, Some(report)) = (json, &error.report) {
                    terminal::print_json(report);
                }
                return Err(error);
            }
        };
        if json {
            return Ok(terminal::print_json(&report));
        }
        // The report for people is written where the import is.
        Ok(report["text"].as_str().map_or(DONE, terminal::print))
    }
}
