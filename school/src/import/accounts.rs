//! The accounts of a roster's people: who needs one, and whose opens or closes.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt;
use samtale_protocol::{PersonId, Refusal, limits};

use super::register::{AccountState, PersonRegister};
use super::{ImportError, Progress};
use crate::roster::{Person, Roster};
use crate::together::{UNDER_WAY, together};
use crate::user_names::user_name_of;

/// How many accounts are made between two words about it.
const TOLD_EVERY: usize = 200;

/// An account that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
struct NewAccount {
    person: PersonId,
    username: String,
    enabled: bool,
}

impl NewAccount {
    async fn make(&self, register: &dyn PersonRegister) -> Result<(), Refusal> {
        register.create(self.person, &self.username).await?;
        if self.enabled {
            return Ok(());
        }
        register.set_enabled(self.person, false).await
    }
}

/// What is to be done with accounts.
#[derive(Debug, Default)]
pub struct AccountWork {
    /// With the user name that the roster gives. They come first, so that no made name takes theirs.
    named: Vec<NewAccount>,
    /// With a name made from the person's.
    unnamed: Vec<NewAccount>,
    closed: Vec<PersonId>,
    opened: Vec<PersonId>,
}

impl AccountWork {
    /// Finds what is to be done for the people of a roster.
    pub async fn find(
        roster: &Roster,
        persons: &BTreeMap<&str, PersonId>,
        new_persons: &BTreeSet<PersonId>,
        register: &dyn PersonRegister,
    ) -> Result<Self, ImportError> {
        let people = roster.people.iter().filter_map(|row| {
            let person = *persons.get(row.sourced_id.as_str())?;
            Some((row, person, new_persons.contains(&person)))
        });
        let asked = people.map(|(row, person, is_new)| {
            async move {
                let state = if is_new { None } else { register.account(person).await? };
                Ok((row, person, state))
            }
            .boxed()
        });
        let states: Vec<(&Person, PersonId, Option<AccountState>)> =
            together(UNDER_WAY, asked.collect()).await.map_err(refused)?;
        let mut work = Self::default();
        for (row, person, state) in states {
            work.take(row, person, state);
        }
        Ok(work)
    }

    fn take(&mut self, row: &Person, person: PersonId, state: Option<AccountState>) {
        match state {
            None => {
                let account = |username: String| NewAccount {
                    person,
                    username,
                    enabled: row.enabled,
                };
                match row.username.as_deref().filter(|username| is_username(username)) {
                    Some(username) => self.named.push(account(username.to_owned())),
                    None => self.unnamed.push(account(made_name(row))),
                }
            }
            Some(AccountState::Open) if !row.enabled => self.closed.push(person),
            Some(AccountState::ClosedByRoster) if row.enabled => self.opened.push(person),
            Some(_) => {}
        }
    }

    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && self.unnamed.is_empty() && self.closed.is_empty() && self.opened.is_empty()
    }

    /// Those whose account opens or closes.
    pub fn changes(&self) -> BTreeSet<PersonId> {
        self.closed.iter().chain(&self.opened).copied().collect()
    }

    /// Closes accounts.
    pub async fn close(&self, register: &dyn PersonRegister) -> Result<(), ImportError> {
        set_enabled(register, &self.closed, false).await
    }

    /// Makes and opens accounts.
    pub async fn make(&self, register: &dyn PersonRegister, progress: Progress<'_>) -> Result<(), ImportError> {
        let all = self.named.len() + self.unnamed.len();
        let mut made = 0;
        for accounts in [&self.named, &self.unnamed] {
            for some in accounts.chunks(TOLD_EVERY) {
                let making = some.iter().map(|account| account.make(register).boxed());
                together(UNDER_WAY, making.collect()).await.map_err(refused)?;
                made += some.len();
                progress(&format!("{made} of {all} accounts made"));
            }
        }
        set_enabled(register, &self.opened, true).await
    }
}

async fn set_enabled(register: &dyn PersonRegister, persons: &[PersonId], enabled: bool) -> Result<(), ImportError> {
    let setting = persons.iter().map(|person| register.set_enabled(*person, enabled));
    together(UNDER_WAY, setting.collect()).await.map_err(refused)?;
    Ok(())
}

/// What can be a user name: the rest of the limit is for the number of a namesake.
fn is_username(username: &str) -> bool {
    let length = username.trim().len();
    (1..=limits::SHORT_TEXT_BYTES - 10).contains(&length) && !username.contains(char::is_control)
}

/// A user name from the name someone is called by.
fn made_name(row: &Person) -> String {
    let given = row.preferred_given_name.as_ref().unwrap_or(&row.given_name);
    let family = row.preferred_family_name.as_ref().unwrap_or(&row.family_name);
    let name = user_name_of(given, family);
    if is_username(&name) { name } else { "person".to_owned() }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn refused(refusal: Refusal) -> ImportError {
    let said = refusal.detail.clone();
    ImportError::Account(said.unwrap_or_else(|| refusal.code.meaning().to_owned()))
}
