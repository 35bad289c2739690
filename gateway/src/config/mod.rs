//! Configuration: defaults, then a file, then the environment, then flags; checked once, into types.
//!
//! The settings below are the one list: the structs, the defaults, the known keys and `docs/configuration.md` are all
//! made from it.

mod reference;
mod sources;
mod values;

use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU8, NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

use samtale_router::RedisOptions;
use samtale_storage::cql::{CqlOptions, Credentials};
use serde::Deserialize;

use crate::limits::AddressRates;
use crate::origin::{Origins, Proxies};
use crate::tls::TlsFiles;

pub use reference::reference;
pub(crate) use sources::flag;
pub use sources::{ConfigError, Problem, Sources, Variable};
pub use values::{ByteSize, KeyspaceName, LogFormat, LogLevel, Span};

/// Replicas of which one may be away.
const THREE: NonZeroU8 = NonZeroU8::MIN.saturating_add(2);

/// How the text of an environment variable or a flag is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As it stands.
    Text,
    /// As a whole number.
    Number,
    /// As a list, with commas between.
    List,
}

/// A setting as the reference describes it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its key, with dots between the levels.
    pub key: &'static str,
    /// How its text is read.
    pub kind: Kind,
    /// Its default: TOML in backticks, or words when it depends on something.
    pub default: &'static str,
    /// What it does.
    pub about: &'static str,
}

macro_rules! settings {
    (
        $(#[doc = $struct_about:literal])+
        $name:ident at $prefix:literal {
            $($(#[doc = $about:literal])+ $field:ident: $type:ty, $kind:ident = $value:expr, $default:literal;)+
        }
        $(sections { $($(#[doc = $section_about:literal])+ $section:ident: $section_type:ty;)+ })?
    ) => {
        $(#[doc = $struct_about])+
        #[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[doc = $about])+ pub $field: $type,)+
            $($($(#[doc = $section_about])+ pub $section: $section_type,)+)?
        }

        impl $name {
            /// The settings of this section.
            pub const SETTINGS: &'static [Setting] = &[$(Setting {
                key: concat!($prefix, stringify!($field)),
                kind: Kind::$kind,
                default: $default,
                about: concat!($($about),+),
            }),+];
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $value,)+ $($($section: <$section_type>::default(),)+)? }
            }
        }
    };
}

settings! {
    /// All settings of the server.
    Config at "" {
        /// The data folder. It belongs to one process, and holds everything except the keys.
        data: PathBuf, Text = PathBuf::from("data"), "`\"data\"`";
        /// The folder of the keys. Keep it apart from the data and from its backups: whoever has both can read
        /// everything, and whoever loses this one can read nothing.
        keys: Option<PathBuf>, Text = None, "the data folder's name with `.keys` behind";
        /// The address and port for HTTP and sockets. Port 0 picks a free one.
        listen: SocketAddr, Text = SocketAddr::from(([127, 0, 0, 1], 8080)), "`\"127.0.0.1:8080\"`";
        /// The folder of the built web app, which is served at `/`. Without it the server speaks with other clients only.
        web: Option<PathBuf>, Text = None, "the folder `web` beside the program, if there is one";
        /// Web origins whose pages may use this server, such as `https://school.example`. Its own host always may,
        /// and so may programs that are no browsers.
        origins: Origins, List = Origins::default(), "`[]`";
        /// Addresses of the reverse proxies in front. What they say in `X-Forwarded-For` is believed, what others
        /// say is not. Without it everyone behind a proxy counts as one address.
        proxies: Vec<IpAddr>, List = Vec::new(), "`[]`";
        /// Threads that serve sockets, each with sessions of its own.
        shards: Option<NonZeroUsize>, Number = None, "the number of processor cores";
    }
    sections {
        /// What one node, one account and one session may use.
        limits: Limits;
        /// TLS, if the server speaks it itself.
        tls: TlsSettings;
        /// How logins behave.
        login: LoginSettings;
        /// How data is kept.
        storage: StorageSettings;
        /// The database that several gateways share.
        cql: CqlSettings;
        /// How several nodes hear of each other.
        redis: RedisSettings;
        /// What the server says of itself.
        log: LogSettings;
        /// What the server counts.
        metrics: MetricsSettings;
    }
}

settings! {
    /// What one node, one account and one session may use.
    Limits at "limits." {
        /// Sessions of this node. Beyond it clients are told when to come back. The limit of open files, less 500,
        /// holds as well.
        sessions: usize, Number = 1_000_000, "`1000000`";
        /// Sessions of one account: devices, browsers and tabs. One more closes the oldest.
        sessions_per_account: usize, Number = 20, "`20`";
        /// Logins of one account per minute, right or wrong. Wrong passwords slow it down long before.
        logins_per_account_per_minute: u32, Number = 20, "`20`";
        /// Requests of one session per second, on average; bursts of ten seconds' worth pass.
        requests_per_second: u32, Number = 20, "`20`";
        /// New connections of one address per minute; a minute's worth may come at once. Of IPv6 a /64 network is one
        /// address, and this machine itself is not limited. Behind `proxies` the sockets of the addresses that they name
        /// are counted.
        connections_per_address_per_minute: NonZeroU32, Number = per_minute(3_000), "`3000`";
        /// Requests for a login of one address per minute, right or wrong, counted in the same way: a school is one
        /// address.
        logins_per_address_per_minute: NonZeroU32, Number = per_minute(1_200), "`1200`";
        /// Passwords that are worked on at once, at 19 MiB each. More wait their turn.
        password_workers: Option<NonZeroUsize>, Number = None, "the number of processor cores";
    }
}

settings! {
    /// TLS, if the server speaks it itself.
    TlsSettings at "tls." {
        /// The certificate, and behind it those that lead to a root, in PEM. With it everything on `listen` is TLS. Both
        /// files are read again on SIGHUP, and within 30 s when they change; open sockets stay open.
        certificate: Option<PathBuf>, Text = None, "no TLS";
        /// The private key of the certificate, in PEM.
        key: Option<PathBuf>, Text = None, "no TLS";
    }
}

settings! {
    /// How logins behave.
    LoginSettings at "login." {
        /// How long an access token lasts. A stolen one works no longer than this; clients renew it by themselves.
        access_token_lifetime: Span, Text = Span(Duration::from_secs(15 * 60)), "`\"15m\"`";
    }
}

settings! {
    /// How data is kept.
    StorageSettings at "storage." {
        /// Free space of the disk that is never used: below it writes are refused, and reads go on.
        disk_reserve: ByteSize, Text = ByteSize(512 << 20), "`\"512MiB\"`";
    }
}

settings! {
    /// The database that several gateways share: ScyllaDB, or Apache Cassandra 5.
    CqlSettings at "cql." {
        /// Addresses of some of its nodes, `host:port`. Without them everything is kept in the data folder. With them
        /// that folder holds only what is this process's own, and all gateways share one key folder.
        nodes: Vec<String>, List = Vec::new(), "`[]`";
        /// Its keyspace. What is written by compare-and-set has another one beside it, with `_settled` behind.
        keyspace: KeyspaceName, Text = KeyspaceName::default(), "`\"samtale\"`";
        /// How often each row is kept in a data centre. Counts when `samtale migrate` makes the keyspaces.
        replicas: NonZeroU8, Number = THREE, "`3`";
        /// Who this server is there, if the database asks.
        username: Option<String>, Text = None, "none";
        /// The file with that user's password, which not everyone may read.
        password_file: Option<PathBuf>, Text = None, "none";
        /// After how long a request is given up. A write may still be applied then, and is settled when it is repeated.
        request_timeout: Span, Text = Span(Duration::from_secs(2)), "`\"2s\"`";
    }
}

settings! {
    /// How several nodes hear of each other.
    RedisSettings at "redis." {
        /// URLs of Redis or Valkey servers, such as `redis://:password@10.0.0.5:6379`: independent of each other, each with
        /// its share of the spaces. All nodes need the same list. Without any, this node is the only one.
        servers: Vec<String>, List = Vec::new(), "`[]`";
        /// What the names of keys and channels there begin with. Another installation on the same servers needs another.
        prefix: String, Text = "samtale".to_owned(), "`\"samtale\"`";
    }
}

settings! {
    /// What the server says of itself.
    LogSettings at "log." {
        /// `pretty` for people, `json` for programs; `auto` is pretty on a terminal and JSON elsewhere.
        format: LogFormat, Text = LogFormat::Auto, "`\"auto\"`";
        /// The least that is worth a line: `error`, `warn`, `info`, `debug` or `trace`.
        level: LogLevel, Text = LogLevel::Info, "`\"info\"`";
    }
}

settings! {
    /// What the server counts.
    MetricsSettings at "metrics." {
        /// The address and port that answer `GET /metrics` for Prometheus; see docs/metrics.md. It needs no login: let it
        /// listen where only the operator's machines reach it.
        listen: Option<SocketAddr>, Text = None, "nothing is counted";
    }
}

/// Every setting.
pub fn settings() -> impl Iterator<Item = &'static Setting> {
    let sections = [
        Config::SETTINGS,
        Limits::SETTINGS,
        TlsSettings::SETTINGS,
        LoginSettings::SETTINGS,
        StorageSettings::SETTINGS,
        CqlSettings::SETTINGS,
        RedisSettings::SETTINGS,
        LogSettings::SETTINGS,
        MetricsSettings::SETTINGS,
    ];
    sections.into_iter().flatten()
}

impl Config {
    /// Where the keys are: apart from the data, beside its folder unless they have a place of their own.
    pub fn keys_folder(&self) -> PathBuf {
        self.keys.clone().unwrap_or_else(|| beside(&self.data))
    }

    /// Settings that do not fit each other: which, and what is missing.
    fn contradictions(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.cql.contradiction().into_iter()
    }

    /// The proxies as HTTP uses them.
    pub fn trusted_proxies(&self) -> Proxies {
        Proxies::new(self.proxies.iter().copied())
    }

    /// The files of TLS; what is wrong if only one of the two is named.
    pub fn tls_files(&self) -> Result<Option<TlsFiles>, String> {
        match (&self.tls.certificate, &self.tls.key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(TlsFiles {
                certificate: certificate.clone(),
                key: key.clone(),
            })),
            (Some(_), None) => Err("tls.certificate is set and tls.key is not: TLS needs both".to_owned()),
            (None, Some(_)) => Err("tls.key is set and tls.certificate is not: TLS needs both".to_owned()),
        }
    }

    /// What one address may do.
    pub fn address_rates(&self) -> AddressRates {
        AddressRates {
            connections_per_minute: self.limits.connections_per_address_per_minute,
            logins_per_minute: self.limits.logins_per_address_per_minute,
            ..AddressRates::default()
        }
    }

    /// How many shards to run.
    pub fn shard_count(&self) -> NonZeroUsize {
        self.shards.unwrap_or_else(cores)
    }

    /// The Redis servers, if there are any.
    pub fn redis_options(&self) -> Option<RedisOptions> {
        let options = RedisOptions::new(self.redis.servers.iter().cloned());
        (!options.servers.is_empty()).then(|| RedisOptions {
            prefix: self.redis.prefix.clone(),
            ..options
        })
    }

    /// How accounts behave.
    pub fn account_settings(&self) -> crate::accounts::AccountSettings {
        crate::accounts::AccountSettings {
            access_token_lifetime: self.login.access_token_lifetime.0,
            password_workers: self.limits.password_workers.unwrap_or_else(cores),
            logins_per_account_per_minute: self.limits.logins_per_account_per_minute,
        }
    }
}

impl CqlSettings {
    /// The database, if there is one.
    pub fn options(&self) -> Option<CqlOptions> {
        let credentials = self.username.clone().zip(self.password_file.clone());
        (!self.nodes.is_empty()).then(|| CqlOptions {
            nodes: self.nodes.clone(),
            keyspaces: self.keyspace.0.clone(),
            replicas: self.replicas.get(),
            request_timeout: self.request_timeout.0,
            credentials: credentials.map(|(username, password_file)| Credentials {
                username,
                password_file,
            }),
        })
    }

    /// Settings that do not fit each other: which, and what is missing.
    fn contradiction(&self) -> Option<(&'static str, &'static str)> {
        match (&self.username, &self.password_file) {
            (Some(_), None) => Some(("cql.username", "it needs `cql.password_file`")),
            (None, Some(_)) => Some(("cql.password_file", "it needs `cql.username`")),
            _ => None,
        }
    }
}

fn beside(data: &Path) -> PathBuf {
    // Through the name, so that `data/` and `data` have the same keys.
    match data.file_name() {
        Some(name) => {
            let mut name = name.to_owned();
            name.push(".keys");
            data.with_file_name(name)
        }
        None => data.join("../samtale.keys"),
    }
}

const fn per_minute(count: u32) -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(count - 1)
}

fn cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_in_the_reference_are_the_defaults() {
        let toml: String = settings()
            .filter(|setting| setting.default.starts_with('`'))
            .map(|setting| format!("{} = {}\n", setting.key, setting.default.trim_matches('`')))
            .collect();
        let config = Sources {
            file_text: Some(("defaults".to_owned(), toml)),
            ..Sources::default()
        }
        .load()
        .unwrap();
        assert_eq!(config, Config::default());
    }

    #[test]
    fn the_keys_are_beside_the_data() {
        let keys = |data: &str| {
            Config {
                data: PathBuf::from(data),
                ..Config::default()
            }
            .keys_folder()
        };
        assert_eq!(keys("data"), PathBuf::from("data.keys"));
        assert_eq!(keys("/var/lib/samtale/"), PathBuf::from("/var/lib/samtale.keys"));
        let elsewhere = Config {
            keys: Some(PathBuf::from("/etc/keys")),
            ..Config::default()
        };
        assert_eq!(elsewhere.keys_folder(), PathBuf::from("/etc/keys"));
    }
}
