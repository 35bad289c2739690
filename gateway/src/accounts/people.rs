//! People as accounts: made with a user name that is free, given a password, disabled and enabled.

use samtale_protocol::login::LoginReply;
use samtale_protocol::{ErrorCode, PersonId, Refusal, limits};
use samtale_storage::people::{PasswordRecord, PersonRecord, UsernameRecord, person_key, username_key};
use samtale_storage::{Compared, Stored};
use thiserror::Error;
use zeroize::Zeroizing;

use super::passwords::{SALT_BYTES, check_password};
use super::{Accounts, USERNAME, normal_username, refused, write_time};

/// Namesakes of one user name that are told apart by a number.
const NAMESAKES: u32 = 1_000;

/// What to do when a user name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfTaken {
    /// Refuse, and suggest one that is free.
    Suggest,
    /// Take the next free one: `anne.holm2`.
    Number,
}

/// Who closed an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// An operator: only an operator opens it again.
    Hand,
    /// A roster: the next one may open it again.
    Roster,
}

/// Why a person was not made.
#[derive(Debug, Error)]
pub enum CreateError {
    /// The user name belongs to someone.
    #[error("the user name is taken; {suggestion} is free")]
    Taken {
        /// One that is free, or was just now.
        suggestion: String,
    },
    /// It could not be done.
    #[error("the person could not be made: {}", .0.code.meaning())]
    Refused(Refusal),
}

impl From<Refusal> for CreateError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Accounts {
    /// Makes a person with the user name `wanted`, or one like it. They log in once they have a password.
    pub async fn create_person(&self, wanted: &str, if_taken: IfTaken) -> Result<(PersonId, String), CreateError> {
        let mut random = [0; 10];
        self.random.fill(&mut random)?;
        let person = PersonId::at(self.clock.now(), &random);
        let username = self.create_person_as(person, wanted, if_taken).await?;
        Ok((person, username))
    }

    /// The same with an id that the caller chose. It can be repeated: a person who is there keeps their user name.
    pub(super) async fn create_person_as(
        &self,
        person: PersonId,
        wanted: &str,
        if_taken: IfTaken,
    ) -> Result<String, CreateError> {
        let wanted = normal_username(wanted);
        if wanted.is_empty() || wanted.len() > limits::SHORT_TEXT_BYTES - 4 || wanted.contains(char::is_control) {
            return Err(Refusal::new(ErrorCode::BadRequest)
                .detail("a user name has 1 to 196 bytes")
                .into());
        }
        for number in 1..=NAMESAKES {
            let username = if number == 1 {
                wanted.clone()
            } else {
                format!("{wanted}{number}")
            };
            let key = username_key(self.lookup_username(&username).await?);
            match self.store.get::<UsernameRecord>(&key).await.map_err(refused)? {
                Some(taken) if taken.record.person == person => return Ok(username),
                Some(_) => continue,
                None => {}
            }
            if number > 1 && if_taken == IfTaken::Suggest {
                return Err(CreateError::Taken { suggestion: username });
            }
            // The person first: if we die in between, nobody has the name, instead of the name having nobody.
            let old = self
                .store
                .get::<PersonRecord>(&person_key(person))
                .await
                .map_err(refused)?;
            let time = write_time(self.clock.now(), old.as_ref().map(|old| old.timestamp));
            let old = old.map(|old| old.record);
            let record = PersonRecord {
                username: username.clone(),
                disabled: old.as_ref().is_some_and(|old| old.disabled),
                closed_by_roster: old.as_ref().is_some_and(|old| old.closed_by_roster),
                presence_hidden: old.is_some_and(|old| old.presence_hidden),
            };
            self.store
                .put(person_key(person), &record, time)
                .await
                .map_err(refused)?;
            let name = UsernameRecord { person };
            match self.store.compare_and_set(&key, None, &name).await.map_err(refused)? {
                Compared::Applied { .. } => return Ok(username),
                Compared::Conflict => {}
            }
        }
        Err(Refusal::new(ErrorCode::Conflict)
            .detail("all user names like this one are taken")
            .into())
    }

    /// Logs a person in without a password, for load tests: only whoever owns the data folder gets this far.
    pub async fn log_in_for_load(&self, person: PersonId) -> Result<LoginReply, Refusal> {
        self.begin_login(person, "samtale-loadtest").await
    }

    /// The person with this user name.
    pub async fn person_named(&self, username: &str) -> Result<PersonId, Refusal> {
        let found = self.find_username(username).await?.person;
        found
            .map(|found| found.person)
            .ok_or_else(|| Refusal::new(ErrorCode::NotFound).detail("no such user name"))
    }

    /// Gives a person a password, and ends their logins: whoever had the old one is out.
    pub async fn set_password(&self, person: PersonId, password: Zeroizing<String>) -> Result<(), Refusal> {
        let stored = self.person(person).await?;
        check_password(&password, &stored.record.username)?;
        self.store_password(person, password).await?;
        self.end_all_logins(person).await
    }

    /// Closes an account: its logins end, its sockets close, and its password is answered with "disabled".
    pub async fn disable(&self, person: PersonId) -> Result<(), Refusal> {
        let stored = self.person(person).await?;
        if !stored.record.disabled || stored.record.closed_by_roster {
            self.put_disabled(person, stored, Some(By::Hand)).await?;
        }
        // Also when it was disabled already: ending the logins may have failed the last time.
        self.end_all_logins(person).await
    }

    /// Opens an account again. Its logins stay ended.
    pub async fn enable(&self, person: PersonId) -> Result<(), Refusal> {
        let stored = self.person(person).await?;
        if stored.record.disabled {
            self.put_disabled(person, stored, None).await
        } else {
            Ok(())
        }
    }

    /// The account of a person, if there is one.
    pub async fn account(&self, person: PersonId) -> Result<Option<PersonRecord>, Refusal> {
        let stored = self
            .store
            .get::<PersonRecord>(&person_key(person))
            .await
            .map_err(refused)?;
        Ok(stored.map(|stored| stored.record))
    }

    /// Whether the person has a password, so has been activated.
    pub async fn has_password(&self, person: PersonId) -> Result<bool, Refusal> {
        let stored = self
            .store
            .get::<PasswordRecord>(&person_key(person))
            .await
            .map_err(refused)?;
        Ok(stored.is_some())
    }

    pub(super) async fn store_password(&self, person: PersonId, password: Zeroizing<String>) -> Result<(), Refusal> {
        let mut salt = [0; SALT_BYTES];
        self.random.fill(&mut salt)?;
        let hash = self.passwords.hash(password, salt).await?;
        let old = self
            .store
            .get::<PasswordRecord>(&person_key(person))
            .await
            .map_err(refused)?;
        let time = write_time(self.clock.now(), old.map(|old| old.timestamp));
        self.store
            .put(person_key(person), &PasswordRecord { hash }, time)
            .await
            .map_err(refused)
    }

    /// Notes who closed the account; `None` means that it is open.
    pub(super) async fn put_disabled(
        &self,
        person: PersonId,
        stored: Stored<PersonRecord>,
        closed: Option<By>,
    ) -> Result<(), Refusal> {
        let time = write_time(self.clock.now(), Some(stored.timestamp));
        let record = PersonRecord {
            disabled: closed.is_some(),
            closed_by_roster: closed == Some(By::Roster),
            ..stored.record
        };
        self.store.put(person_key(person), &record, time).await.map_err(refused)
    }

    pub(super) async fn lookup_username(&self, username: &str) -> Result<[u8; 16], Refusal> {
        self.lookup
            .lookup(samtale_protocol::SpaceId::SYSTEM, USERNAME, username)
            .await
            .map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{School, secret};
    use super::*;

    #[tokio::test]
    async fn a_taken_user_name_is_refused_with_a_free_one() {
        let school = School::new();
        let (first, name) = school
            .accounts
            .create_person(" Anne.Holm ", IfTaken::Suggest)
            .await
            .unwrap();
        assert_eq!(name, "anne.holm");
        match school.accounts.create_person("ANNE.holm", IfTaken::Suggest).await {
            Err(CreateError::Taken { suggestion }) => assert_eq!(suggestion, "anne.holm2"),
            other => panic!("{other:?}"),
        }
        let (second, name) = school
            .accounts
            .create_person("anne.holm", IfTaken::Number)
            .await
            .unwrap();
        assert_eq!(name, "anne.holm2");
        assert_ne!(first, second);
        assert_eq!(school.accounts.person_named("Anne.Holm").await.unwrap(), first);
        assert_eq!(school.accounts.person_named("anne.holm2").await.unwrap(), second);
        assert_eq!(
            school.accounts.person_named("anne.holm3").await.unwrap_err().code,
            ErrorCode::NotFound
        );
    }

    #[tokio::test]
    async fn many_at_once_get_names_of_their_own() {
        let school = std::sync::Arc::new(School::new());
        let made = (0..20).map(|_| {
            let school = school.clone();
            tokio::spawn(async move { school.accounts.create_person("anne", IfTaken::Number).await.unwrap() })
        });
        let mut names = std::collections::BTreeSet::new();
        for task in made.collect::<Vec<_>>() {
            let (person, name) = task.await.unwrap();
            assert_eq!(school.accounts.person_named(&name).await.unwrap(), person);
            names.insert(name);
        }
        assert_eq!(names.len(), 20);
    }

    #[tokio::test]
    async fn a_disabled_account_says_so_only_after_the_right_password_and_closes_its_sockets() {
        let school = School::new();
        let person = school.person("anne", "en lang adgangskode").await;
        let reply = school.login("anne", "en lang adgangskode").await.unwrap();
        school.accounts.disable(person).await.unwrap();
        assert_eq!(school.revoked(), [(person, None)]);
        assert_eq!(
            school.login("anne", "noget helt andet").await.unwrap_err().code,
            ErrorCode::WrongCredentials
        );
        assert_eq!(
            school.login("anne", "en lang adgangskode").await.unwrap_err().code,
            ErrorCode::Disabled
        );
        assert_eq!(
            school.refresh(&reply.refresh_token).await.unwrap_err().code,
            ErrorCode::InvalidToken
        );
        school.accounts.enable(person).await.unwrap();
        school.login("anne", "en lang adgangskode").await.unwrap();
        assert_eq!(
            school.refresh(&reply.refresh_token).await.unwrap_err().code,
            ErrorCode::InvalidToken
        );
    }

    #[tokio::test]
    async fn a_new_password_replaces_the_old_one_and_ends_the_logins() {
        let school = School::new();
        let person = school.person("anne", "en lang adgangskode").await;
        let reply = school.login("anne", "en lang adgangskode").await.unwrap();
        school
            .accounts
            .set_password(person, secret("en helt anden"))
            .await
            .unwrap();
        assert_eq!(school.revoked(), [(person, None)]);
        assert_eq!(
            school.refresh(&reply.refresh_token).await.unwrap_err().code,
            ErrorCode::InvalidToken
        );
        assert_eq!(
            school.login("anne", "en lang adgangskode").await.unwrap_err().code,
            ErrorCode::WrongCredentials
        );
        school.login("anne", "en helt anden").await.unwrap();
        let weak = school.accounts.set_password(person, secret("kort")).await.unwrap_err();
        assert_eq!(weak.code, ErrorCode::WeakPassword);
    }
}
