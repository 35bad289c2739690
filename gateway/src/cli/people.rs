//! `samtale people`.

use std::io::{IsTerminal, Read, stdin};
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::configuration::Settings;
use super::sheet::{self, SheetLanguage};
use super::{carry_out, terminal};
use crate::commands::people::{ListedCode, ListedPerson};
use crate::commands::{Command, CommandError, PeopleCommand, SecretText, Selection};
use crate::config::Config;

/// The longest password that is read, in bytes; the rules refuse it long before.
const PASSWORD_BYTES: u64 = 4096;

/// List people, hand out activation codes, set passwords, close and open accounts.
#[derive(Args)]
pub(super) struct People {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    List(List),
    Codes(Codes),
    SetPassword(SetPassword),
    Disable(Disable),
    Enable(Enable),
}

/// List people, with their user names.
#[derive(Args)]
#[command(after_help = "Examples:
  samtale people list --data data
  samtale people list --data data --class 3.A --json")]
struct List {
    #[command(flatten)]
    invocation: Invocation,
    #[command(flatten)]
    of: Of,
}

/// Issue activation codes for those who have no password yet, to be printed and handed out.
///
/// A code works once, for 30 days, and replaces the one before. With a code a person chooses a password.
#[derive(Args)]
#[command(after_help = "Examples:
  samtale people codes --data data --class 3.A
  samtale people codes --data data --class 3.A --html > 3A.html
  samtale people codes --data data --username anne.holm")]
struct Codes {
    #[command(flatten)]
    invocation: Invocation,
    #[command(flatten)]
    of: Of,
    /// Only for this person, also when they have a password: for someone who has forgotten it.
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// Also for those who have a password.
    #[arg(long)]
    all: bool,
    /// Print a page of HTML to be printed: one slip per person, one sheet per class.
    #[arg(long, conflicts_with = "json")]
    html: bool,
    /// The language of the slips.
    #[arg(long, value_enum, default_value_t)]
    language: SheetLanguage,
}

/// Set a person's password. It is read from standard input, so that it is in no list of processes.
#[derive(Args)]
#[command(after_help = "Examples:
  samtale people set-password anne.holm --data data < password.txt
  pass show samtale/anne | samtale people set-password anne.holm --data data")]
struct SetPassword {
    /// Whose.
    username: String,
    #[command(flatten)]
    invocation: Invocation,
}

/// Close an account: its logins end, and its sockets close.
#[derive(Args)]
#[command(after_help = "Examples:\n  samtale people disable anne.holm --data data")]
struct Disable {
    /// Whose.
    username: String,
    #[command(flatten)]
    invocation: Invocation,
}

/// Open an account again.
#[derive(Args)]
#[command(after_help = "Examples:\n  samtale people enable anne.holm --data data")]
struct Enable {
    /// Whose.
    username: String,
    #[command(flatten)]
    invocation: Invocation,
}

#[derive(Args, Clone)]
struct Invocation {
    #[command(flatten)]
    settings: Settings,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Which people.
#[derive(Args)]
struct Of {
    /// Only the class with this name, and the guardians of its children.
    #[arg(long, value_name = "NAME")]
    class: Option<String>,
    /// Only the institution or municipality with this name.
    #[arg(long, value_name = "NAME")]
    space: Option<String>,
}

impl From<Of> for Selection {
    fn from(of: Of) -> Self {
        Self {
            class: of.class,
            space: of.space,
        }
    }
}

impl People {
    fn invocation(&self) -> &Invocation {
        match &self.action {
            Action::List(List { invocation, .. })
            | Action::Codes(Codes { invocation, .. })
            | Action::SetPassword(SetPassword { invocation, .. })
            | Action::Disable(Disable { invocation, .. })
            | Action::Enable(Enable { invocation, .. }) => invocation,
        }
    }

    pub(super) fn settings(&self) -> Settings {
        self.invocation().settings.clone()
    }

    pub(super) async fn run(self, config: Arc<Config>) -> Result<u8, CommandError> {
        let as_json = self.invocation().json;
        let (command, shown) = self.action.command()?;
        let value = carry_out(config, Command::People(command)).await?;
        if as_json {
            return Ok(terminal::print_json(&value));
        }
        let text = match shown {
            Shown::People => sheet::people(&entries::<ListedPerson>(&value, "people")?),
            Shown::Codes(language) => sheet::text(&entries::<ListedCode>(&value, "codes")?, language),
            Shown::CodesAsHtml(language) => sheet::html(&entries::<ListedCode>(&value, "codes")?, language),
            Shown::Words(words) => words,
        };
        Ok(terminal::print(&text))
    }
}

/// How an answer is shown to people.
enum Shown {
    People,
    Codes(SheetLanguage),
    CodesAsHtml(SheetLanguage),
    Words(String),
}

impl Action {
    fn command(self) -> Result<(PeopleCommand, Shown), CommandError> {
        Ok(match self {
            Self::List(list) => (PeopleCommand::List { of: list.of.into() }, Shown::People),
            Self::Codes(Codes {
                of,
                username,
                all,
                html,
                language,
                ..
            }) => {
                let shown = if html {
                    Shown::CodesAsHtml(language)
                } else {
                    Shown::Codes(language)
                };
                (
                    PeopleCommand::Codes {
                        of: of.into(),
                        username,
                        all,
                    },
                    shown,
                )
            }
            Self::SetPassword(SetPassword { username, .. }) => {
                let words = format!("{username} has a new password; all their logins have ended");
                (
                    PeopleCommand::SetPassword {
                        username,
                        password: read_password()?,
                    },
                    Shown::Words(words),
                )
            }
            Self::Disable(Disable { username, .. }) => {
                let words = format!("{username} is closed");
                (PeopleCommand::Disable { username }, Shown::Words(words))
            }
            Self::Enable(Enable { username, .. }) => {
                let words = format!("{username} is open again");
                (PeopleCommand::Enable { username }, Shown::Words(words))
            }
        })
    }
}

fn read_password() -> Result<SecretText, CommandError> {
    if stdin().is_terminal() {
        terminal::complain(0, "type the password (it is shown), then Enter");
        let mut password = SecretText(String::new());
        let read = stdin().read_line(&mut password.0);
        return read
            .map(|_| trimmed(&password))
            .map_err(|error| CommandError::failed(error.to_string()));
    }
    let mut password = SecretText(String::new());
    let read = stdin().take(PASSWORD_BYTES).read_to_string(&mut password.0);
    read.map(|_| trimmed(&password))
        .map_err(|error| CommandError::refused(format!("the password: {error}")))
}

/// Without the end of the line, which is not part of it.
fn trimmed(password: &SecretText) -> SecretText {
    SecretText(password.0.trim_end_matches(['\r', '\n']).to_owned())
}

fn entries<T: DeserializeOwned>(value: &Value, name: &str) -> Result<Vec<T>, CommandError> {
    let entries = value.get(name).cloned().unwrap_or_default();
    serde_json::from_value(entries)
        .map_err(|error| CommandError::failed(format!("the answer can not be read: {error}")))
}
