//! The flags that every command with a data folder takes, and what is the same for all of them: configuration, logs,
//! the runtime, signals, and the exit code.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::stop::Stop;
use super::{FAILED, REFUSED, logging, terminal};
use crate::commands::CommandError;
use crate::config::{Config, ConfigError, Sources, Variable, flag};

/// Where settings come from.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Settings {
    /// The data folder.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// The folder of the keys, apart from the data [default: the data folder's name with .keys behind].
    #[arg(long, value_name = "DIR")]
    pub(super) keys: Option<PathBuf>,
    /// A configuration file in TOML; see docs/configuration.md.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Any other setting, such as limits.sessions=5000. May be given several times.
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    pub(super) set: Vec<Variable>,
    /// The least that is worth a log line: error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL")]
    pub(super) log_level: Option<String>,
    /// The address to listen on; only `serve` and `demo` have a flag for it.
    #[arg(skip)]
    pub(super) listen: Option<String>,
}

impl Settings {
    /// The configuration that these flags, the environment and the file come to.
    pub(super) fn load(&self) -> Result<Config, ConfigError> {
        let folder = |folder: &Option<PathBuf>| folder.as_ref().map(|folder| folder.to_string_lossy().into_owned());
        let named = [
            flag("--data", "data", folder(&self.data)),
            flag("--keys", "keys", folder(&self.keys)),
            flag("--listen", "listen", self.listen.clone()),
            flag("--log-level", "log.level", self.log_level.clone()),
        ];
        let flags = self.set.iter().cloned().chain(named.into_iter().flatten()).collect();
        Sources::of_process(self.config.clone(), flags)?.load()
    }

    /// Loads the configuration, starts logs and the runtime, and does `work` until it is done or a second signal comes.
    pub(super) fn with(self, work: impl AsyncFnOnce(Arc<Config>, Stop) -> Result<u8, CommandError>) -> u8 {
        let config = match self.load() {
            Ok(config) => config,
            Err(error) => return terminal::complain(REFUSED, &error.to_string()),
        };
        logging::start(&config.log);
        crate::listener::raise_descriptor_limit();
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return terminal::complain(FAILED, &format!("the runtime does not start: {error}")),
        };
        let outcome = runtime.block_on(async {
            let stop = Stop::on_signals().map_err(|error| CommandError::failed(error.to_string()))?;
            tokio::select! {
                outcome = work(Arc::new(config), stop.clone()) => outcome,
                () = stop.at_once.cancelled() => Err(CommandError::failed("stopped at once by a second signal")),
            }
        });
        // What still runs was told to stop; whoever sent a second signal does not want to wait for it.
        runtime.shutdown_background();
        match outcome {
            Ok(exit_code) => exit_code,
            Err(error) => terminal::complain(error.exit_code(), &error.message),
        }
    }
}

fn setting(text: &str) -> Result<Variable, String> {
    let (key, text) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok(Variable {
        source: "--set".to_owned(),
        key: key.trim().to_owned(),
        text: text.trim().to_owned(),
    })
}
