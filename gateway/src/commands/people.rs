//! Commands about people: list them, issue activation codes, set passwords, disable and enable.

mod selected;

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use samtale_protocol::people::Role;
use samtale_protocol::{PersonId, Timestamp};
use samtale_storage::Store;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CommandError, PeopleCommand, Progress, Selection};
use crate::accounts::{Accounts, IssuedCode};

/// Codes and accounts that are worked on at once: enough to share the syncs of storage.
const AT_ONCE: usize = 16;
/// People between two lines of progress.
const PROGRESS_EVERY: usize = 100;

/// One person of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedPerson {
    /// Who it is.
    pub person: PersonId,
    /// The user name.
    pub username: String,
    /// The name in the space.
    pub name: String,
    /// The role there.
    pub role: Role,
    /// The space's name.
    pub space: String,
    /// The classes that they are in, or their children are.
    pub classes: Vec<String>,
    /// For a guardian: their children there.
    pub children: Vec<String>,
    /// Whether they have chosen a password.
    pub activated: bool,
    /// Whether the account is closed.
    pub disabled: bool,
}

/// One activation code, to be handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedCode {
    /// Whose.
    #[serde(flatten)]
    pub person: ListedPerson,
    /// The code.
    pub code: String,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// Carries out commands about people.
#[derive(Clone)]
pub struct PeopleCommands {
    store: Store,
    accounts: Arc<Accounts>,
}

impl PeopleCommands {
    /// Commands over these accounts and the store beneath them.
    pub fn new(store: Store, accounts: Arc<Accounts>) -> Self {
        Self { store, accounts }
    }

    /// Carries out one.
    pub async fn run(&self, command: PeopleCommand, progress: &dyn Progress) -> Result<Value, CommandError> {
        match command {
            PeopleCommand::List { of } => Ok(json!({ "people": self.list(&of, progress).await? })),
            PeopleCommand::Codes { of, username, all } => {
                Ok(json!({ "codes": self.codes(&of, username.as_deref(), all, progress).await? }))
            }
            PeopleCommand::SetPassword { username, password } => {
                let person = self.accounts.person_named(&username).await?;
                self.accounts.set_password(person, password.into_zeroizing()).await?;
                Ok(json!({ "username": username, "password": "set" }))
            }
            PeopleCommand::Disable { username } => {
                let person = self.accounts.person_named(&username).await?;
                self.accounts.disable(person).await?;
                Ok(json!({ "username": username, "disabled": true }))
            }
            PeopleCommand::Enable { username } => {
                let person = self.accounts.person_named(&username).await?;
                self.accounts.enable(person).await?;
                Ok(json!({ "username": username, "disabled": false }))
            }
        }
    }

    async fn list(&self, of: &Selection, progress: &dyn Progress) -> Result<Vec<ListedPerson>, CommandError> {
        let selected = selected::select(&self.store, of, self.accounts.now()).await?;
        let total = selected.len();
        let listed = stream::iter(selected).map(|found| self.listed(found)).buffered(AT_ONCE);
        let mut people = Vec::with_capacity(total);
        let mut listed = std::pin::pin!(listed);
        while let Some(person) = listed.try_next().await? {
            people.extend(person);
            if people.len() % PROGRESS_EVERY == 0 {
                progress.report(&format!("{} of {total} people", people.len()));
            }
        }
        Ok(people)
    }

    async fn codes(
        &self,
        of: &Selection,
        username: Option<&str>,
        all: bool,
        progress: &dyn Progress,
    ) -> Result<Vec<ListedCode>, CommandError> {
        let mut people = self.list(of, progress).await?;
        match username {
            Some(username) => {
                let person = self.accounts.person_named(username).await?;
                people.retain(|listed| listed.person == person);
                if people.is_empty() {
                    return Err(CommandError::refused(format!("{username} is not among these people")));
                }
            }
            None => people.retain(|listed| !listed.disabled && (all || !listed.activated)),
        }
        // One code per person, however many classes and spaces they are in.
        let mut persons: Vec<PersonId> = people.iter().map(|listed| listed.person).collect();
        persons.sort_unstable();
        persons.dedup();
        let issued: Vec<(PersonId, IssuedCode)> = stream::iter(persons)
            .map(async |person| Ok::<_, CommandError>((person, self.accounts.issue_code(person).await?)))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        progress.report(&format!("{} codes", issued.len()));
        let code_of = |person: PersonId| {
            let place = issued.binary_search_by_key(&person, |(person, _)| *person).ok()?;
            issued.get(place).map(|(_, code)| code)
        };
        let listed = people.into_iter().filter_map(|person| {
            let IssuedCode { code, expires_at } = code_of(person.person)?.clone();
            Some(ListedCode {
                person,
                code,
                expires_at,
            })
        });
        Ok(listed.collect())
    }

    /// The line of one profile; none when its person is no more.
    async fn listed(&self, found: selected::Selected) -> Result<Option<ListedPerson>, CommandError> {
        let Some(account) = self.accounts.account(found.person).await? else {
            return Ok(None);
        };
        Ok(Some(ListedPerson {
            person: found.person,
            username: account.username,
            name: found.name,
            role: found.role,
            space: found.space,
            classes: found.classes,
            children: found.children,
            activated: self.accounts.has_password(found.person).await?,
            disabled: account.disabled,
        }))
    }
}

#[cfg(test)]
mod tests;
