//! Where settings come from, and what is said when one is wrong: which, from where, and what was meant.

use std::fmt;
use std::path::{Path, PathBuf};

use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::{Config, Kind, settings};

/// What begins the name of every environment variable of the server.
const PREFIX: &str = "SAMTALE_";
/// Names a configuration file.
const FILE_VARIABLE: &str = "SAMTALE_CONFIG";
/// Variables with our prefix that are not settings: of the tests, and of a Kubernetes service named `samtale`.
const NOT_SETTINGS: &[&str] = &[
    "SAMTALE_SOAK",
    "SAMTALE_TEST",
    "SAMTALE_SERVICE",
    "SAMTALE_PORT",
    "SAMTALE_CHAT",
    // What tests, the load tester and the terminal client are told.
    "SAMTALE_BIN",
    "SAMTALE_BLESS",
    "SAMTALE_PASSWORD",
    "SAMTALE_SEED",
    "SAMTALE_CQL",
    "SAMTALE_REDIS",
    "SAMTALE_CA",
    "SAMTALE_SHARED",
    "SAMTALE_SKIPPED",
];
/// How alike two keys have to be for one to be suggested for the other (Jaro-Winkler).
const ALIKE: f64 = 0.75;

/// A setting given as text: by an environment variable or a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// What it is called where it was given, such as `SAMTALE_LISTEN` or `--listen`.
    pub source: String,
    /// The key, with dots between the levels.
    pub key: String,
    /// The text.
    pub text: String,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: a file, a variable or a flag.
    pub source: String,
    /// What about it.
    pub message: String,
}

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Each thing, in the order of the sources.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self
            .problems
            .iter()
            .map(|problem| format!("{}: {}", problem.source, problem.message));
        formatter.write_str(&lines.collect::<Vec<_>>().join("\n"))
    }
}

impl std::error::Error for ConfigError {}

/// The places that settings come from, the weakest first.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// A file's name and text.
    pub file_text: Option<(String, String)>,
    /// The environment.
    pub environment: Vec<Variable>,
    /// The command line.
    pub flags: Vec<Variable>,
}

impl Sources {
    /// The sources of this process: the file that `file` or `SAMTALE_CONFIG` names, its environment, and `flags`.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<Variable>) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let environment = environment(std::env::vars_os().filter_map(|(name, text)| {
            let name = name.into_string().ok().filter(|name| name.starts_with(PREFIX))?;
            let text = text.into_string();
            if text.is_err() {
                problems.push(Problem {
                    source: name.clone(),
                    message: "it is not UTF-8".to_owned(),
                });
            }
            Some((name, text.unwrap_or_default()))
        }));
        if !problems.is_empty() {
            return Err(ConfigError { problems });
        }
        let file = file.or_else(|| std::env::var_os(FILE_VARIABLE).map(PathBuf::from));
        let file_text = file.map(|file| read(&file)).transpose()?;
        Ok(Self {
            file_text,
            environment,
            flags,
        })
    }

    /// Puts the sources on top of each other and checks everything.
    pub fn load(self) -> Result<Config, ConfigError> {
        let mut problems = Vec::new();
        let mut given = Vec::new();
        if let Some((name, text)) = self.file_text {
            match Toml::from_str::<Dict>(&text) {
                Ok(dict) => read_dict(dict, "", &name, &mut given, &mut problems),
                Err(error) => problems.push(Problem {
                    source: name,
                    message: error.to_string().trim().to_owned(),
                }),
            }
        }
        for Variable { source, key, text } in self.environment.into_iter().chain(self.flags) {
            match settings().find(|setting| setting.key == key) {
                Some(setting) => given.push(Given {
                    source,
                    key,
                    value: value(setting.kind, &text),
                }),
                None => problems.push(unknown(&source, &key, source.starts_with(PREFIX))),
            }
        }
        // What is wrong is taken out and the rest looked at again, so that everything is said at once.
        loop {
            let figment = given.iter().fold(Figment::new(), |figment, one| figment.merge(one));
            match figment.extract::<Config>() {
                Ok(config) => {
                    let contradictions = config.contradictions();
                    problems.extend(contradictions.map(|(key, missing)| {
                        Problem {
                            source: given
                                .iter()
                                .rfind(|one| one.key == key)
                                .map_or_else(String::new, |one| one.source.clone()),
                            message: format!("`{key}`: {missing}"),
                        }
                    }));
                    return if problems.is_empty() {
                        Ok(config)
                    } else {
                        Err(ConfigError { problems })
                    };
                }
                Err(error) => {
                    let path = error.path.join(".");
                    let before = given.len();
                    given.retain(|one| path != one.key && !path.starts_with(&format!("{}.", one.key)));
                    problems.push(problem(error));
                    if given.len() == before {
                        return Err(ConfigError { problems });
                    }
                }
            }
        }
    }
}

/// A setting that a flag gives, if it was given.
pub(crate) fn flag(name: &str, key: &str, text: Option<impl Into<String>>) -> Option<Variable> {
    text.map(|text| Variable {
        source: name.to_owned(),
        key: key.to_owned(),
        text: text.into(),
    })
}

/// The settings among the variables of an environment.
fn environment(variables: impl Iterator<Item = (String, String)>) -> Vec<Variable> {
    let is_setting =
        |name: &str| name != FILE_VARIABLE && !NOT_SETTINGS.iter().any(|not_setting| name.starts_with(not_setting));
    let mut variables: Vec<Variable> = variables
        .filter(|(name, _)| is_setting(name))
        .filter_map(|(name, text)| {
            let key = name.strip_prefix(PREFIX)?.to_lowercase().replace("__", ".");
            Some(Variable {
                source: name,
                key,
                text,
            })
        })
        .collect();
    variables.sort_by(|one, other| one.source.cmp(&other.source));
    variables
}

/// The name of the environment variable for a key.
pub(super) fn variable_name(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

fn read(file: &Path) -> Result<(String, String), ConfigError> {
    let name = file.display().to_string();
    match std::fs::read_to_string(file) {
        Ok(text) => Ok((name, text)),
        Err(error) => {
            let message = format!("the file can not be read: {error}");
            Err(ConfigError {
                problems: vec![Problem { source: name, message }],
            })
        }
    }
}

fn value(kind: Kind, text: &str) -> Value {
    match kind {
        Kind::Text => Value::from(text),
        // What is no number stays text, so that the message says what it is.
        Kind::Number => text
            .trim()
            .parse::<i64>()
            .map_or_else(|_| Value::from(text), Value::from),
        Kind::List => {
            let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
            Value::from(entries.map(Value::from).collect::<Vec<_>>())
        }
    }
}

/// The settings of a file, and the keys in it that are none.
fn read_dict(dict: Dict, prefix: &str, source: &str, given: &mut Vec<Given>, problems: &mut Vec<Problem>) {
    for (name, value) in dict {
        let key = format!("{prefix}{name}");
        let section = format!("{key}.");
        let is_section = settings().any(|setting| setting.key.starts_with(&section));
        match value {
            Value::Dict(_, inner) if is_section => read_dict(inner, &section, source, given, problems),
            value if is_section || settings().any(|setting| setting.key == key) => {
                given.push(Given {
                    source: source.to_owned(),
                    key,
                    value,
                });
            }
            _ => problems.push(unknown(source, &key, false)),
        }
    }
}

/// What to say of a key that is none: with the nearest that is one, in the form that its source uses.
fn unknown(source: &str, key: &str, as_variable: bool) -> Problem {
    let nearest = settings()
        .map(|setting| (strsim::jaro_winkler(setting.key, key), setting.key))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    let written = |key: &str| {
        if as_variable {
            variable_name(key)
        } else {
            key.to_owned()
        }
    };
    let hint = nearest
        .map(|(_, nearest)| format!("; did you mean `{}`?", written(nearest)))
        .unwrap_or_default();
    Problem {
        source: source.to_owned(),
        message: format!("there is no setting `{}`{hint}", written(key)),
    }
}

/// What figment says of one value.
fn problem(error: figment::Error) -> Problem {
    let source = error
        .metadata
        .as_ref()
        .map_or_else(|| "configuration".to_owned(), |data| data.name.to_string());
    Problem {
        source,
        message: format!("`{}`: {}", error.path.join("."), error.kind),
    }
}

/// One value, with where it came from.
struct Given {
    source: String,
    key: String,
    value: Value,
}

impl Provider for &Given {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.source.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let dict = figment::util::nest(&self.key, self.value.clone())
            .into_dict()
            .unwrap_or_default();
        Ok(Map::from([(Profile::Default, dict)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::Origins;

    fn load(file: &str, variables: &[(&str, &str)], flags: &[(&str, &str, &str)]) -> Result<Config, ConfigError> {
        let owned = variables
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let flags = flags
            .iter()
            .filter_map(|(name, key, text)| flag(name, key, Some(*text)));
        Sources {
            file_text: Some(("samtale.toml".to_owned(), file.to_owned())),
            environment: environment(owned),
            flags: flags.collect(),
        }
        .load()
    }

    fn problems(file: &str, variables: &[(&str, &str)], flags: &[(&str, &str, &str)]) -> String {
        load(file, variables, flags).unwrap_err().to_string()
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file_and_that_over_defaults() {
        let file = "listen = \"0.0.0.0:1\"\norigins = [\"https://a.example\"]\n[limits]\nsessions = 1\n";
        let config = load(
            file,
            &[
                ("SAMTALE_LISTEN", "[::1]:2"),
                ("SAMTALE_LIMITS__REQUESTS_PER_SECOND", "7"),
                ("PATH", "/bin"),
            ],
            &[("--listen", "listen", "127.0.0.1:3")],
        )
        .unwrap();
        assert_eq!(config.listen, "127.0.0.1:3".parse().unwrap());
        assert_eq!((config.limits.sessions, config.limits.requests_per_second), (1, 7));
        assert_eq!(config.origins, Origins::new(["https://a.example"]).unwrap());
        assert_eq!(config.limits.sessions_per_account, 20);
        let config = load(file, &[("SAMTALE_LISTEN", "[::1]:2")], &[]).unwrap();
        assert_eq!(config.listen, "[::1]:2".parse().unwrap());
    }

    #[test]
    fn lists_have_commas_in_the_environment() {
        let config = load(
            "",
            &[("SAMTALE_PROXIES", "127.0.0.1, ::1"), ("SAMTALE_ORIGINS", "")],
            &[],
        )
        .unwrap();
        assert_eq!(config.proxies.len(), 2);
        assert_eq!(config.origins, Origins::default());
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_source_and_the_nearest_known_one() {
        let said = problems(
            "lisen = \"127.0.0.1:1\"\n[limits]\nsession = 3\n[loggin]\nlevel = \"info\"\n",
            &[("SAMTALE_LIMITS__SESION", "1")],
            &[("--set", "storage.disk_reserv", "1GiB")],
        );
        for expected in [
            "samtale.toml: there is no setting `lisen`; did you mean `listen`?",
            "samtale.toml: there is no setting `limits.session`; did you mean `limits.sessions`?",
            "samtale.toml: there is no setting `loggin`",
            "SAMTALE_LIMITS__SESION: there is no setting `SAMTALE_LIMITS__SESION`; did you mean `SAMTALE_LIMITS__SESSIONS`?",
            "--set: there is no setting `storage.disk_reserv`; did you mean `storage.disk_reserve`?",
        ] {
            assert!(said.contains(expected), "{expected}\nis not in\n{said}");
        }
    }

    #[test]
    fn a_bad_value_is_named_with_its_source() {
        for (file, variables, expected) in [
            (
                "[limits]\nsessions = \"many\"",
                &[][..],
                "samtale.toml: `limits.sessions`",
            ),
            (
                "",
                &[("SAMTALE_LIMITS__SESSIONS", "-1")][..],
                "SAMTALE_LIMITS__SESSIONS: `limits.sessions`",
            ),
            ("", &[("SAMTALE_SHARDS", "0")][..], "SAMTALE_SHARDS: `shards`"),
            (
                "",
                &[("SAMTALE_LOGIN__ACCESS_TOKEN_LIFETIME", "15")][..],
                "`15` is no length of time: write 500ms",
            ),
            (
                "origins = [\"school.example\"]",
                &[][..],
                "`school.example` is not an origin",
            ),
            ("listen = \"localhost\"", &[][..], "samtale.toml: `listen`: "),
            ("[log]\nlevel = \"loud\"", &[][..], "samtale.toml: `log.level`: "),
            ("limits = 3", &[][..], "samtale.toml: `limits`: "),
            ("listen = ", &[][..], "samtale.toml: TOML parse error at line 1"),
        ] {
            let said = problems(file, variables, &[]);
            assert!(said.contains(expected), "{expected}\nis not in\n{said}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let said = problems(
            "listen = \"x\"\nlisten_to = 1\n[limits]\nsessions = -4\n",
            &[("SAMTALE_LOG__LEVEL", "loud"), ("SAMTALE_PROXIES", "127.0.0.1, nearby")],
            &[("--set", "shards", "many")],
        );
        let sources: Vec<_> = said.lines().map(|line| line.split("`").nth(1).unwrap()).collect();
        let mut sorted = sources.clone();
        sorted.sort_unstable();
        assert_eq!(
            sorted,
            [
                "limits.sessions",
                "listen",
                "listen_to",
                "log.level",
                "proxies.1",
                "shards"
            ],
            "{said}"
        );
    }

    #[test]
    fn what_others_name_after_us_is_left_alone() {
        let others = [
            ("SAMTALE_SOAK", "1"),
            ("SAMTALE_SERVICE_HOST", "10.0.0.1"),
            ("SAMTALE_PORT_8080_TCP", "tcp"),
        ];
        assert_eq!(load("", &others, &[]).unwrap(), Config::default());
    }
}
