//! Activation codes: with one, a person chooses a password, once.

use std::time::Duration;

use samtale_protocol::login::{ActivateRequest, LoginReply};
use samtale_protocol::{ErrorCode, PersonId, Refusal, SpaceId, Timestamp};
use samtale_storage::people::{ActivationCodeRecord, PersonCodeRecord, code_key, person_key};
use samtale_storage::{Compared, Stored};
use zeroize::Zeroizing;

use super::passwords::check_password;
use super::{Accounts, Address, FoundPerson, refused, write_time};

/// Letters and digits that nobody takes for another: without 0, O, 1, I and L.
const ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
/// 16 of 31 characters are 79 bits: more than can be guessed at any rate that the slowdown lets through.
const CHARACTERS: usize = 16;
const GROUP: usize = 4;
/// A sheet is handed out, goes home in a school bag, and is found again.
const LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// What codes are looked up for.
const PURPOSE: &str = "activation code";

/// A code as it was issued: the only time that it is seen in clear.
#[derive(Clone)]
pub struct IssuedCode {
    /// Four groups of four, with hyphens.
    pub code: String,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// The form of a code that is looked up: case, spaces and hyphens do not matter.
pub fn normal_code(code: &str) -> Zeroizing<String> {
    let characters = code.chars().filter(|character| character.is_alphanumeric());
    Zeroizing::new(characters.flat_map(char::to_uppercase).take(2 * CHARACTERS).collect())
}

impl Accounts {
    /// Issues a new activation code for a person. Codes issued before no longer work.
    pub async fn issue_code(&self, person: PersonId) -> Result<IssuedCode, Refusal> {
        self.person(person).await?;
        let code = self.random_code()?;
        let expires_at = self.clock.now().plus(LIFETIME);
        let hmac = self.lookup_code(&code).await?;
        let record = ActivationCodeRecord {
            person,
            expires_at,
            used: false,
        };
        if self
            .store
            .compare_and_set(&code_key(hmac), None, &record)
            .await
            .map_err(refused)?
            == Compared::Conflict
        {
            return Err(Refusal::new(ErrorCode::StorageUnavailable).after(Duration::from_secs(1)));
        }
        let old = self
            .store
            .get::<PersonCodeRecord>(&person_key(person))
            .await
            .map_err(refused)?;
        let time = write_time(self.clock.now(), old.map(|old| old.timestamp));
        let newest = PersonCodeRecord { code_hmac: hmac };
        self.store
            .put(person_key(person), &newest, time)
            .await
            .map_err(refused)?;
        Ok(IssuedCode {
            code: in_groups(&code),
            expires_at,
        })
    }

    /// The first login: sets the password of whoever has the code, and logs them in.
    pub async fn activate(&self, request: ActivateRequest, address: Address) -> Result<LoginReply, Refusal> {
        let password = Zeroizing::new(request.password);
        let code = normal_code(&request.code);
        // Before anything is looked up, so that a weak password does not tell whether the code was right.
        check_password(&password, &request.username)?;
        let found = self.find_username(&request.username).await?;
        self.slowdown
            .begin(found.hmac, address, self.clock.now())
            .map_err(|wait| Refusal::new(ErrorCode::TooMany).after(wait))?;
        let outcome = self.use_code(found.person, &code, password).await;
        match &outcome {
            Ok(_) => self.slowdown.succeeded(found.hmac, address),
            Err(refusal) if refusal.code == ErrorCode::InvalidActivationCode => {}
            Err(_) => self.slowdown.withdrawn(found.hmac, address),
        }
        self.begin_login(outcome?, request.client.as_deref().unwrap_or_default())
            .await
    }

    async fn use_code(
        &self,
        found: Option<FoundPerson>,
        code: &str,
        password: Zeroizing<String>,
    ) -> Result<PersonId, Refusal> {
        let invalid = || Refusal::new(ErrorCode::InvalidActivationCode);
        let hmac = self.lookup_code(code).await?;
        // Read whether or not there is such a person, so that both take as long.
        let stored = self
            .store
            .get_serial::<ActivationCodeRecord>(&code_key(hmac))
            .await
            .map_err(refused)?;
        let (found, stored) = found.zip(stored).ok_or_else(invalid)?;
        if stored.record.person != found.person || !self.is_newest(&stored, hmac).await? {
            return Err(invalid());
        }
        if found.stored.record.disabled {
            return Err(Refusal::new(ErrorCode::Disabled));
        }
        if stored.record.used {
            // The answer may have been lost: whoever repeats the same code with the same password is the same person.
            let hash = self.stored_hash(found.person).await?;
            let is_repeated = self.passwords.verify(password, hash).await?;
            return if is_repeated { Ok(found.person) } else { Err(invalid()) };
        }
        let used = ActivationCodeRecord {
            used: true,
            ..stored.record
        };
        let outcome = self
            .store
            .compare_and_set(&code_key(hmac), Some(stored.timestamp), &used)
            .await;
        if outcome.map_err(refused)? == Compared::Conflict {
            return Err(invalid());
        }
        self.store_password(found.person, password).await?;
        self.end_all_logins(found.person).await?;
        Ok(found.person)
    }

    async fn is_newest(&self, code: &Stored<ActivationCodeRecord>, hmac: [u8; 16]) -> Result<bool, Refusal> {
        let newest = self
            .store
            .get::<PersonCodeRecord>(&person_key(code.record.person))
            .await
            .map_err(refused)?;
        let is_newest = newest.is_some_and(|newest| newest.record.code_hmac == hmac);
        Ok(is_newest && self.clock.now() < code.record.expires_at)
    }

    async fn lookup_code(&self, code: &str) -> Result<[u8; 16], Refusal> {
        self.lookup
            .lookup(SpaceId::SYSTEM, PURPOSE, code)
            .await
            .map_err(refused)
    }

    fn random_code(&self) -> Result<Zeroizing<String>, Refusal> {
        let mut code = Zeroizing::new(String::with_capacity(CHARACTERS));
        // A byte is thrown away once in 32 times; a source that gives so many bad ones is broken.
        for _ in 0..CHARACTERS {
            let mut bytes = Zeroizing::new([0; CHARACTERS]);
            self.random.fill(bytes.as_mut_slice())?;
            let missing = CHARACTERS - code.len();
            code.extend(bytes.iter().filter_map(character).take(missing));
            if code.len() == CHARACTERS {
                return Ok(code);
            }
        }
        tracing::error!("the random source gives bytes that are not random");
        Err(Refusal::new(ErrorCode::Internal))
    }
}

/// The character of a random byte; none for the few bytes that would make some characters likelier than others.
fn character(byte: &u8) -> Option<char> {
    let fair = u8::MAX - u8::MAX % 31;
    (*byte < fair).then(|| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
}

fn in_groups(code: &str) -> String {
    let mut text = String::with_capacity(CHARACTERS + CHARACTERS / GROUP);
    for (place, character) in code.chars().enumerate() {
        if place > 0 && place % GROUP == 0 {
            text.push('-');
        }
        text.push(character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::IfTaken;
    use super::super::testing::School;
    use super::*;

    const PASSWORD: &str = "en lang adgangskode";

    async fn pupil(school: &School) -> PersonId {
        school
            .accounts
            .create_person("bo.dahl", IfTaken::Suggest)
            .await
            .unwrap()
            .0
    }

    #[tokio::test]
    async fn a_code_sets_a_password_once_and_logs_in() {
        let school = School::new();
        let person = pupil(&school).await;
        let issued = school.accounts.issue_code(person).await.unwrap();
        let sloppy = issued.code.to_lowercase().replace('-', " ");
        let reply = school.activate("Bo.Dahl ", &sloppy, PASSWORD).await.unwrap();
        assert_eq!(reply.profiles.len(), 1);
        school.login("bo.dahl", PASSWORD).await.unwrap();
        let again = school
            .activate("bo.dahl", &issued.code, "en anden adgangskode")
            .await
            .unwrap_err();
        assert_eq!(again.code, ErrorCode::InvalidActivationCode);
        school.login("bo.dahl", PASSWORD).await.unwrap();
        // The same question again, because the answer was lost, is no second use.
        school.activate("bo.dahl", &issued.code, PASSWORD).await.unwrap();
    }

    #[tokio::test]
    async fn a_code_is_for_one_person_for_thirty_days_until_the_next_one() {
        let school = School::new();
        let person = pupil(&school).await;
        let other = school.accounts.create_person("anne", IfTaken::Suggest).await.unwrap().0;
        let first = school.accounts.issue_code(person).await.unwrap();
        let second = school.accounts.issue_code(person).await.unwrap();
        school.accounts.issue_code(other).await.unwrap();
        for (username, code) in [
            ("bo.dahl", &first.code),
            ("anne", &second.code),
            ("nobody", &second.code),
        ] {
            let refusal = school.activate(username, code, PASSWORD).await.unwrap_err();
            assert_eq!(refusal, Refusal::new(ErrorCode::InvalidActivationCode), "{username}");
        }
        school.clock.advance(LIFETIME);
        let late = school.activate("bo.dahl", &second.code, PASSWORD).await.unwrap_err();
        assert_eq!(late.code, ErrorCode::InvalidActivationCode);
        let third = school.accounts.issue_code(person).await.unwrap();
        school.activate("bo.dahl", &third.code, PASSWORD).await.unwrap();
    }

    #[tokio::test]
    async fn a_weak_password_does_not_use_the_code_up_and_wrong_codes_slow_down() {
        let school = School::new();
        let person = pupil(&school).await;
        let issued = school.accounts.issue_code(person).await.unwrap();
        let weak = school
            .activate("bo.dahl", &issued.code, "adgangskode123")
            .await
            .unwrap_err();
        assert_eq!(weak.code, ErrorCode::WeakPassword);
        let wait = loop {
            let refusal = school
                .activate("bo.dahl", "2222-2222-2222-2222", PASSWORD)
                .await
                .unwrap_err();
            if refusal.code == ErrorCode::TooMany {
                break refusal.retry_after_ms.unwrap();
            }
        };
        assert_eq!(
            school.login("bo.dahl", PASSWORD).await.unwrap_err().code,
            ErrorCode::TooMany
        );
        school.clock.advance(Duration::from_millis(wait));
        school.activate("bo.dahl", &issued.code, PASSWORD).await.unwrap();
    }

    #[tokio::test]
    async fn of_two_at_once_with_one_code_one_gets_in() {
        let school = std::sync::Arc::new(School::new());
        let person = pupil(&school).await;
        let code = school.accounts.issue_code(person).await.unwrap().code;
        let both: Vec<_> = ["den ene adgangskode", "den anden adgangskode"]
            .map(|password| {
                let (school, code) = (school.clone(), code.clone());
                tokio::spawn(async move { school.activate("bo.dahl", &code, password).await.is_ok() })
            })
            .into();
        let mut got_in = 0;
        for one in both {
            got_in += usize::from(one.await.unwrap());
        }
        assert_eq!(got_in, 1);
    }

    #[tokio::test]
    async fn codes_have_four_groups_of_four_unmistakable_characters() {
        let school = School::new();
        let person = pupil(&school).await;
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let code = school.accounts.issue_code(person).await.unwrap().code;
            assert!(code.split('-').map(str::len).eq([4; 4]), "{code}");
            assert!(!code.contains(['0', 'O', '1', 'I', 'L']), "{code}");
            seen.insert(code);
        }
        assert_eq!(seen.len(), 200);
        let bits = f64::from(u8::try_from(ALPHABET.len()).unwrap()).log2() * 16.0;
        assert!(bits >= 75.0);
        assert_eq!((0..=u8::MAX).filter_map(|byte| character(&byte)).count(), 248);
    }
}
