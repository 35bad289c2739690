//! What an operator asks of the data folder: the same commands, whether a server runs there or not.

pub mod import;
pub mod nation;
pub mod office;
pub mod patience;
pub mod people;
pub mod populate;

use std::path::PathBuf;

use async_trait::async_trait;
use samtale_protocol::{ErrorCode, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use zeroize::Zeroizing;

pub use office::OfficeCommands;
pub use people::PeopleCommands;

/// A command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Reads a roster in OneRoster's form.
    Import {
        /// The folder, file or archive; absolute, since the server stands in another folder.
        path: PathBuf,
        /// Only says what would change.
        dry_run: bool,
        /// Refuses a roster with any problem.
        strict: bool,
        /// Applies it even if it removes many people.
        force: bool,
    },
    /// Something about people.
    People(PeopleCommand),
    /// Writes a backup.
    Backup {
        /// Where to; absolute.
        to: PathBuf,
    },
    /// Makes a school for load tests.
    Populate {
        /// How many people.
        people: usize,
    },
    /// Loads a nation for load tests.
    PopulateNation {
        /// The file of its institutions; absolute.
        file: PathBuf,
    },
}

/// A command about people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeopleCommand {
    /// Lists people.
    List {
        /// Of which class and institution.
        of: Selection,
    },
    /// Issues activation codes, which replace older ones.
    Codes {
        /// For which class and institution.
        of: Selection,
        /// Only for the person with this user name.
        username: Option<String>,
        /// Also for those who have a password.
        all: bool,
    },
    /// Sets a password.
    SetPassword {
        /// Whose.
        username: String,
        /// The password.
        password: SecretText,
    },
    /// Closes an account.
    Disable {
        /// Whose.
        username: String,
    },
    /// Opens an account again.
    Enable {
        /// Whose.
        username: String,
    },
}

/// Which people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Only the class with this name, and the guardians of its children.
    #[serde(default)]
    pub class: Option<String>,
    /// Only the institution or municipality with this name.
    #[serde(default)]
    pub space: Option<String>,
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretText(pub String);

impl SecretText {
    /// The text, wiped from memory when it is no longer used.
    pub fn into_zeroizing(mut self) -> Zeroizing<String> {
        Zeroizing::new(std::mem::take(&mut self.0))
    }
}

impl Drop for SecretText {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("…")
    }
}

/// Why a command did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
#[serde(rename_all = "snake_case")]
#[error("{message}")]
pub struct CommandError {
    /// Whether asking differently helps.
    pub kind: CommandErrorKind,
    /// A sentence for the operator.
    pub message: String,
    /// What a script wants to read, such as the problems of a roster.
    #[serde(default)]
    pub report: Option<Value>,
}

/// Whether asking differently helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandErrorKind {
    /// It could not be done: exit code 1.
    Failed,
    /// It is not done, by the rules: exit code 2.
    Refused,
}

impl CommandError {
    /// It could not be done.
    pub fn failed(message: impl Into<String>) -> Self {
        Self {
            kind: CommandErrorKind::Failed,
            message: message.into(),
            report: None,
        }
    }

    /// It is not done, by the rules.
    pub fn refused(message: impl Into<String>) -> Self {
        Self {
            kind: CommandErrorKind::Refused,
            message: message.into(),
            report: None,
        }
    }

    /// With what a script wants to read.
    #[must_use]
    pub fn report(mut self, report: Value) -> Self {
        self.report = Some(report);
        self
    }

    /// The exit code of the process.
    pub const fn exit_code(&self) -> u8 {
        match self.kind {
            CommandErrorKind::Failed => 1,
            CommandErrorKind::Refused => 2,
        }
    }
}

impl From<Refusal> for CommandError {
    fn from(refusal: Refusal) -> Self {
        let refusal = refusal.in_language(samtale_protocol::Language::English);
        let message = match refusal.detail {
            // To an operator nothing is hidden: what it is that does not exist says it all.
            Some(detail) if refusal.code == ErrorCode::NotFound => detail,
            Some(detail) => format!("{} ({detail})", refusal.message),
            None => refusal.message,
        };
        if refusal.code.is_retryable() {
            Self::failed(message)
        } else {
            Self::refused(message)
        }
    }
}

/// Where a command tells how far it is; never waits.
pub trait Progress: Send + Sync {
    /// A line for the person who waits.
    fn report(&self, line: &str);
}

/// Progress that nobody looks at.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn report(&self, _: &str) {}
}

/// Whoever carries out commands: a running server, or a process that has opened the data folder itself.
#[async_trait]
pub trait Commands: Send + Sync + 'static {
    /// Carries out a command to its end, and answers with what a script wants to read.
    async fn run(&self, command: Command, progress: &dyn Progress) -> Result<Value, CommandError>;
}
