//! The command line of `samtale`.
//!
//! Standard output carries only what was asked for; logs and progress go to standard error. Exit codes: 0 is done, 1 is
//! failed, 2 is refused, or called in a way that can not be understood.

mod backup;
mod check_config;
mod completions;
mod configuration;
mod copy;
mod demo;
mod import;
mod import_report;
mod logging;
mod migrate;
mod people;
mod populate;
mod restore;
mod serve;
mod sheet;
mod standalone;
mod stop;
mod terminal;

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};

use crate::admin_socket::run_command;
use crate::commands::{Command, CommandError};
use crate::config::Config;

pub use stop::Stop;

/// A command that did what it was asked.
const DONE: u8 = 0;
/// A command that failed.
const FAILED: u8 = 1;
/// A command that was refused, or not understood.
const REFUSED: u8 = 2;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed: try again, or see what it says
  2  refused, or not understood: ask differently";

/// The server of Samtale: chat for schools.
#[derive(Parser)]
#[command(name = "samtale", version, after_help = EXIT_CODES, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(Subcommand)]
enum Subcommands {
    Serve(serve::Serve),
    Demo(demo::Demo),
    Import(import::Import),
    People(people::People),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Populate(populate::Populate),
    Migrate(migrate::Migrate),
    Copy(copy::Copy),
    CheckConfig(check_config::CheckConfig),
    Version(Version),
    Completions(completions::Completions),
}

/// Say which version this is.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  samtale version\n  samtale version --json")]
struct Version {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    crate::tls::install_provider();
    match Cli::try_parse() {
        Ok(cli) => ExitCode::from(run(cli)),
        Err(error) => {
            // Where standard error is closed there is nobody to tell.
            let _ = error.print();
            ExitCode::from(if error.use_stderr() { REFUSED } else { DONE })
        }
    }
}

fn run(cli: Cli) -> u8 {
    match cli.command {
        Subcommands::Version(version) => version.run(),
        Subcommands::Completions(completions) => completions.run(),
        Subcommands::CheckConfig(check) => check.run(),
        Subcommands::Serve(serve) => serve
            .settings()
            .with(async |config, stop| serve.run(config, stop).await),
        Subcommands::Demo(demo) => demo.settings().with(async |config, stop| demo.run(config, stop).await),
        Subcommands::Import(import) => import.settings().with(async |config, _| import.run(config).await),
        Subcommands::People(people) => people.settings().with(async |config, _| people.run(config).await),
        Subcommands::Backup(backup) => backup.settings.clone().with(async |config, _| backup.run(config).await),
        Subcommands::Populate(populate) => populate
            .settings
            .clone()
            .with(async |config, _| populate.run(config).await),
        Subcommands::Migrate(migrate) => migrate
            .settings
            .clone()
            .with(async |config, _| migrate.run(config).await),
        Subcommands::Copy(copy) => copy.settings().with(async |config, stop| copy.run(config, stop).await),
        Subcommands::Restore(restore) => restore
            .settings
            .clone()
            .with(async |config, _| restore.run(config).await),
    }
}

impl Version {
    fn run(&self) -> u8 {
        let version = env!("CARGO_PKG_VERSION");
        if self.json {
            terminal::print_json(&serde_json::json!({ "version": version, "protocol": samtale_protocol::VERSION }))
        } else {
            terminal::print(&format!("samtale {version} (protocol {})", samtale_protocol::VERSION))
        }
    }
}

/// Has a command carried out in the data folder of `config`: by its server, or by opening the store.
async fn carry_out(config: Arc<Config>, command: Command) -> Result<serde_json::Value, CommandError> {
    let progress = terminal::ProgressLines::default();
    let open = async || standalone::open(&config).await;
    run_command(&config.data, command, &progress, open).await
}

#[cfg(test)]
mod tests;
