//! `samtale check-config`.

use clap::Args;
use samtale_storage::engine::chain;

use super::configuration::Settings;
use super::{REFUSED, terminal};
use crate::config::{Config, CqlSettings, reference};

/// Check the configuration, and print what holds.
///
/// Says everything that is wrong at once, with where it came from. Nothing is started and no data is touched.
#[derive(Args)]
#[command(after_help = "Examples:
  samtale check-config --config /etc/samtale.toml
  SAMTALE_LIMITS__SESSIONS=5000 samtale check-config
  samtale check-config --reference > docs/configuration.md")]
pub(super) struct CheckConfig {
    #[command(flatten)]
    settings: Settings,
    /// The address and port for HTTP and sockets.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Print the page that describes every setting, and check nothing.
    #[arg(long)]
    reference: bool,
}

impl CheckConfig {
    pub(super) fn run(self) -> u8 {
        if self.reference {
            return terminal::print(&reference());
        }
        let settings = Settings {
            listen: self.listen,
            ..self.settings
        };
        match settings.load() {
            Ok(config) => match tls_problem(&config).or_else(|| redis_problem(&config)) {
                Some(problem) => terminal::complain(REFUSED, &problem),
                None => terminal::print(&shown(&config)),
            },
            Err(error) => terminal::complain(REFUSED, &error.to_string()),
        }
    }
}

/// What is wrong with the certificate, if TLS is to be spoken.
fn tls_problem(config: &Config) -> Option<String> {
    match config.tls_files() {
        Err(problem) => Some(problem),
        Ok(files) => files?.check().err().map(|error| chain(&error)),
    }
}

/// What is wrong with the URLs of Redis servers, if there are any.
fn redis_problem(config: &Config) -> Option<String> {
    let problem = config.redis_options()?.check().err()?;
    Some(format!("redis.servers: {problem}"))
}

/// What holds, as a file that says the same.
fn shown(config: &Config) -> String {
    let quoted = |text: &dyn std::fmt::Display| toml_text(&text.to_string());
    let list = |entries: Vec<String>| {
        format!(
            "[{}]",
            entries
                .iter()
                .map(|entry| toml_text(entry))
                .collect::<Vec<_>>()
                .join(", ")
        )
    };
    let Config {
        login,
        storage,
        cql,
        redis,
        log,
        metrics,
        tls,
        ..
    } = config;
    let server = [
        format!("data = {}", quoted(&config.data.display())),
        format!("keys = {}", quoted(&config.keys_folder().display())),
        format!("listen = {}", quoted(&config.listen)),
        format!(
            "origins = {}",
            list(config.origins.listed().map(str::to_owned).collect())
        ),
        format!(
            "proxies = {}",
            list(config.proxies.iter().map(ToString::to_string).collect())
        ),
        format!("shards = {}", config.shard_count()),
    ];
    let sections = [
        "\n[login]".to_owned(),
        format!("access_token_lifetime = {}", quoted(&login.access_token_lifetime)),
        "\n[storage]".to_owned(),
        format!("disk_reserve = {}", quoted(&storage.disk_reserve)),
        "\n[cql]".to_owned(),
        format!("nodes = {}", list(cql.nodes.clone())),
        format!("keyspace = {}", quoted(&cql.keyspace)),
        format!("replicas = {}", cql.replicas),
        format!("{}request_timeout = {}", user(cql), quoted(&cql.request_timeout)),
        "\n[redis]".to_owned(),
        format!(
            "servers = {}",
            list(redis.servers.iter().map(|url| without_password(url)).collect())
        ),
        format!("prefix = {}", quoted(&redis.prefix)),
        "\n[log]".to_owned(),
        format!("format = {}", quoted(&log.format)),
        format!("level = {}", quoted(&log.level)),
    ];
    let mut lines = [&server[..], &limits_shown(config), &sections].concat();
    if let (Some(certificate), Some(key)) = (&tls.certificate, &tls.key) {
        lines.extend([
            "\n[tls]".to_owned(),
            format!("certificate = {}", quoted(&certificate.display())),
            format!("key = {}", quoted(&key.display())),
        ]);
    }
    if let Some(listen) = &metrics.listen {
        lines.extend(["\n[metrics]".to_owned(), format!("listen = {}", quoted(listen))]);
    }
    lines.join("\n")
}

/// Who the server is in the database, if that is set.
fn user(cql: &CqlSettings) -> String {
    let line = |key: &str, text: String| format!("{key} = {}\n", toml_text(&text));
    let name = cql.username.clone().map(|name| line("username", name));
    let file = cql.password_file.as_ref();
    let file = file.map(|file| line("password_file", file.display().to_string()));
    name.into_iter().chain(file).collect()
}

/// The limits that hold.
fn limits_shown(config: &Config) -> Vec<String> {
    let limits = &config.limits;
    vec![
        "\n[limits]".to_owned(),
        format!("sessions = {}", limits.sessions),
        format!("sessions_per_account = {}", limits.sessions_per_account),
        format!(
            "logins_per_account_per_minute = {}",
            limits.logins_per_account_per_minute
        ),
        format!("requests_per_second = {}", limits.requests_per_second),
        format!(
            "connections_per_address_per_minute = {}",
            limits.connections_per_address_per_minute
        ),
        format!(
            "logins_per_address_per_minute = {}",
            limits.logins_per_address_per_minute
        ),
        format!("password_workers = {}", config.account_settings().password_workers),
    ]
}

/// A URL that may be shown.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, place))) => format!("{scheme}://***@{place}"),
        _ => url.to_owned(),
    }
}

fn toml_text(text: &str) -> String {
    // A JSON string is a TOML basic string, except for the escapes of `/`, which serde_json does not write.
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    #[test]
    fn what_is_printed_is_a_file_that_says_the_same() {
        let toml = "data = \"/srv/\\\"x\\\"\"\norigins = [\"https://a.example\"]\nshards = 3\n[log]\nlevel = \"warn\"\n[cql]\nnodes = [\"a:9042\"]\nusername = \"u\"\npassword_file = \"p\"\n";
        let load = |text: String| {
            Sources {
                file_text: Some(("a".to_owned(), text)),
                ..Sources::default()
            }
            .load()
            .unwrap()
        };
        let config = load(toml.to_owned());
        let printed = shown(&config);
        let again = load(printed.clone());
        assert_eq!(shown(&again), printed);
        assert_eq!(
            (again.data, again.origins, again.shards, again.cql),
            (config.data, config.origins, config.shards, config.cql)
        );
    }
}
