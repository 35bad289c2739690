//! Local accounts as a roster's import needs them: every call can be repeated.

use async_trait::async_trait;
use samtale_protocol::{PersonId, Refusal};
use samtale_school::import::{AccountState, PersonRegister};
use samtale_storage::people::{PersonRecord, UsernameRecord, person_key, username_key};

use super::people::By;
use super::{Accounts, CreateError, IfTaken, refused};

#[async_trait]
impl PersonRegister for Accounts {
    async fn account(&self, person: PersonId) -> Result<Option<AccountState>, Refusal> {
        let stored = self.store.get::<PersonRecord>(&person_key(person)).await;
        let Some(stored) = stored.map_err(refused)? else {
            return Ok(None);
        };
        // The person's row comes first and their user name after it: one without the other was not made to its end.
        let key = username_key(self.lookup_username(&stored.record.username).await?);
        let named = self.store.get::<UsernameRecord>(&key).await.map_err(refused)?;
        if named.is_none_or(|named| named.record.person != person) {
            return Ok(None);
        }
        Ok(Some(match (stored.record.disabled, stored.record.closed_by_roster) {
            (false, _) => AccountState::Open,
            (true, true) => AccountState::ClosedByRoster,
            (true, false) => AccountState::ClosedByHand,
        }))
    }

    async fn create(&self, person: PersonId, username: &str) -> Result<(), Refusal> {
        match self.create_person_as(person, username, IfTaken::Number).await {
            Ok(_) => Ok(()),
            Err(CreateError::Refused(refusal)) => Err(refusal),
            Err(taken @ CreateError::Taken { .. }) => {
                Err(Refusal::new(samtale_protocol::ErrorCode::Conflict).detail(taken.to_string()))
            }
        }
    }

    async fn set_enabled(&self, person: PersonId, enabled: bool) -> Result<(), Refusal> {
        let stored = self.person(person).await?;
        match (enabled, stored.record.disabled) {
            (true, true) if stored.record.closed_by_roster => self.put_disabled(person, stored, None).await,
            (false, false) => {
                self.put_disabled(person, stored, Some(By::Roster)).await?;
                self.end_all_logins(person).await
            }
            // Also when it is closed already: ending the logins may have failed the last time.
            (false, true) => self.end_all_logins(person).await,
            (true, _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::School;
    use super::*;

    #[tokio::test]
    async fn a_person_is_made_once_however_often_it_is_asked() {
        let school = School::new();
        let (other, _) = school.accounts.create_person("anne", IfTaken::Suggest).await.unwrap();
        let person = PersonId::from_bytes([7; 16]);
        assert_eq!(
            PersonRegister::account(school.accounts.as_ref(), person).await.unwrap(),
            None
        );
        for _ in 0..3 {
            school.accounts.create(person, "Anne").await.unwrap();
            assert_eq!(school.accounts.person_named("anne2").await.unwrap(), person);
        }
        assert_eq!(school.accounts.person_named("anne").await.unwrap(), other);
        assert!(school.accounts.person_named("anne3").await.is_err());
        assert_eq!(
            PersonRegister::account(school.accounts.as_ref(), person).await.unwrap(),
            Some(AccountState::Open)
        );
    }

    #[tokio::test]
    async fn a_roster_opens_what_a_roster_closed_and_leaves_what_was_closed_by_hand() {
        let school = School::new();
        let person = school.person("anne", "en lang adgangskode").await;
        let state = async || {
            PersonRegister::account(school.accounts.as_ref(), person)
                .await
                .unwrap()
                .unwrap()
        };
        school.accounts.set_enabled(person, false).await.unwrap();
        assert_eq!(state().await, AccountState::ClosedByRoster);
        assert_eq!(school.revoked(), [(person, None)]);
        school.accounts.set_enabled(person, true).await.unwrap();
        assert_eq!(state().await, AccountState::Open);
        school.accounts.disable(person).await.unwrap();
        school.accounts.set_enabled(person, true).await.unwrap();
        assert_eq!(state().await, AccountState::ClosedByHand);
        school.accounts.enable(person).await.unwrap();
        assert_eq!(state().await, AccountState::Open);
    }
}
