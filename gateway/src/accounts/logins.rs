//! Logins: begun with a password, renewed with refresh tokens that work once, listed, and ended.

use std::time::Duration;

use samtale_protocol::login::{LoginReply, LoginRequest};
use samtale_protocol::people::Login;
use samtale_protocol::{ErrorCode, PersonId, Refusal, SessionId, Timestamp, limits};
use samtale_storage::engine::Range;
use samtale_storage::people::{LoginRecord, PasswordRecord, login_key, person_key, person_partition};
use samtale_storage::{Compared, KeyValue, Stored};
use zeroize::Zeroizing;

use super::tokens::{AccessTokens, RefreshToken};
use super::{Accounts, Address, NOBODY, refused, shortened};

/// How long the refresh token before the newest is answered with the newest again: a client that lost the answer
/// repeats its question within this time.
const LOST_ANSWER: Duration = Duration::from_secs(30);
/// A login that is not refreshed for this long is over: a device that was put away.
const UNUSED: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// The logins of one person that are open at once; one more ends the one that was unused for longest.
const OPEN_LOGINS: usize = 50;
/// The times a compare-and-set is tried anew when others change the same login.
const ATTEMPTS: usize = 8;
/// Rows per page when a person's logins are read.
const PAGE: usize = 200;

/// Which logins of a person to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndOf {
    /// This one.
    One(SessionId),
    /// All but this one.
    Others(SessionId),
    /// All.
    All,
}

impl Accounts {
    /// Logs a person in with user name and password.
    pub async fn login(&self, request: LoginRequest, address: Address) -> Result<LoginReply, Refusal> {
        let password = Zeroizing::new(request.password);
        let found = self.find_username(&request.username).await?;
        self.slowdown
            .begin(found.hmac, address, self.clock.now())
            .map_err(|wait| Refusal::new(ErrorCode::TooMany).after(wait))?;
        // Read whether or not there is such a person, so that both take as long.
        let person = found.person.as_ref().map_or(NOBODY, |found| found.person);
        let verified = match self.stored_hash(person).await {
            Ok(hash) => self.passwords.verify(password, hash).await,
            Err(refusal) => Err(refusal),
        };
        let person = match (verified, found.person) {
            (Ok(true), Some(person)) => person,
            (Ok(_), _) => return Err(Refusal::new(ErrorCode::WrongCredentials)),
            (Err(refusal), _) => {
                self.slowdown.withdrawn(found.hmac, address);
                return Err(refusal);
            }
        };
        self.slowdown.succeeded(found.hmac, address);
        if person.stored.record.disabled {
            return Err(Refusal::new(ErrorCode::Disabled));
        }
        self.begin_login(person.person, request.client.as_deref().unwrap_or_default())
            .await
    }

    /// Exchanges a refresh token for new tokens. A refresh token works once; showing the previous one ends the login,
    /// because someone has a copy, unless it was replaced just now.
    pub async fn refresh(&self, refresh_token: &str) -> Result<LoginReply, Refusal> {
        let invalid = || Refusal::new(ErrorCode::InvalidToken);
        let token = RefreshToken::parse(refresh_token).ok_or_else(invalid)?;
        let (person, session, shown) = (token.person(), token.session(), token.hash());
        for _ in 0..ATTEMPTS {
            let now = self.clock.now();
            let login = self.open_login(person, session, now).await?.ok_or_else(invalid)?;
            let record = login.record;
            let next = self.tokens.next_refresh(&token);
            let was_just_replaced = record.previous_hash == Some(shown) && now.since(record.refreshed_at) < LOST_ANSWER;
            if was_just_replaced && record.refresh_hash == next.hash() {
                return self.reply(person, session, &next, now).await;
            }
            if record.refresh_hash != shown && !was_just_replaced {
                if record.previous_hash == Some(shown) {
                    tracing::warn!(%person, %session, "a used refresh token was shown again, the login ends");
                    self.end_login(person, session).await?;
                }
                return Err(invalid());
            }
            if self.person(person).await?.record.disabled {
                return Err(Refusal::new(ErrorCode::Disabled));
            }
            let renewed = LoginRecord {
                refresh_hash: next.hash(),
                previous_hash: Some(shown),
                refreshed_at: now,
                ..record
            };
            let key = login_key(person, session);
            let outcome = self
                .store
                .compare_and_set(&key, Some(login.timestamp), &renewed)
                .await
                .map_err(refused)?;
            if matches!(outcome, Compared::Applied { .. }) {
                return self.reply(person, session, &next, now).await;
            }
        }
        Err(Refusal::new(ErrorCode::Conflict).after(Duration::from_secs(1)))
    }

    /// Ends the login of a refresh token, the newest or the one before. A token that is neither is answered the same.
    pub async fn logout(&self, refresh_token: &str) -> Result<(), Refusal> {
        let Some(token) = RefreshToken::parse(refresh_token) else {
            return Ok(());
        };
        let (person, session) = (token.person(), token.session());
        let stored = self
            .store
            .get::<LoginRecord>(&login_key(person, session))
            .await
            .map_err(refused)?;
        let is_ours = stored.is_some_and(|stored| {
            stored.record.refresh_hash == token.hash() || stored.record.previous_hash == Some(token.hash())
        });
        if is_ours {
            self.end_login(person, session).await
        } else {
            Ok(())
        }
    }

    /// The open logins of a person, the newest first; `current` is the one that asks.
    pub async fn logins(&self, person: PersonId, current: SessionId) -> Result<Vec<Login>, Refusal> {
        let mut logins: Vec<Login> = self
            .open_logins(person)
            .await?
            .into_iter()
            .map(|(session, login)| Login {
                session,
                client: login.record.client,
                since: login.record.since,
                current: session == current,
            })
            .collect();
        logins.sort_by_key(|login| std::cmp::Reverse(login.since));
        Ok(logins)
    }

    /// Ends logins of a person, and closes their sockets.
    pub async fn end_logins(&self, person: PersonId, which: EndOf) -> Result<(), Refusal> {
        match which {
            EndOf::One(session) => self.end_login(person, session).await,
            EndOf::All => self.end_all_logins(person).await,
            EndOf::Others(kept) => {
                for (session, _) in self.open_logins(person).await? {
                    if session != kept {
                        self.end_login(person, session).await?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Whether a login is still open, for whoever must know more than its access token says.
    pub async fn is_open(&self, person: PersonId, session: SessionId) -> Result<bool, Refusal> {
        Ok(self.open_login(person, session, self.clock.now()).await?.is_some())
    }

    /// Begins a login for someone who has shown who they are.
    pub(super) async fn begin_login(&self, person: PersonId, client: &str) -> Result<LoginReply, Refusal> {
        let now = self.clock.now();
        let mut random = [0; 10];
        self.random.fill(&mut random)?;
        let mut refresh_secret = Zeroizing::new([0; 32]);
        self.random.fill(refresh_secret.as_mut_slice())?;
        self.end_longest_unused(person).await?;
        let session = SessionId::at(now, &random);
        let token = AccessTokens::first_refresh(person, session, &refresh_secret);
        let record = LoginRecord {
            client: shortened(client.trim(), limits::SHORT_TEXT_BYTES).to_owned(),
            since: now,
            refresh_hash: token.hash(),
            previous_hash: None,
            refreshed_at: now,
            ended_at: None,
        };
        let key = login_key(person, session);
        if self.store.compare_and_set(&key, None, &record).await.map_err(refused)? == Compared::Conflict {
            return Err(Refusal::new(ErrorCode::StorageUnavailable).after(Duration::from_secs(1)));
        }
        // Whoever disabled the account since it was read may have listed its logins before this one was there.
        if self.person(person).await?.record.disabled {
            self.end_login(person, session).await?;
            return Err(Refusal::new(ErrorCode::Disabled));
        }
        self.reply(person, session, &token, now).await
    }

    /// Ends every login of a person. The sockets are told even if nothing was open: a node may still hold one.
    pub(super) async fn end_all_logins(&self, person: PersonId) -> Result<(), Refusal> {
        for (session, _) in self.open_logins(person).await? {
            self.mark_ended(person, session).await?;
        }
        self.tokens.login_ended(person, None, self.clock.now());
        self.revocations.login_ended(person, None).await;
        Ok(())
    }

    pub(super) async fn stored_hash(&self, person: PersonId) -> Result<Option<String>, Refusal> {
        let stored = self
            .store
            .get::<PasswordRecord>(&person_key(person))
            .await
            .map_err(refused)?;
        Ok(stored.map(|stored| stored.record.hash))
    }

    async fn end_login(&self, person: PersonId, session: SessionId) -> Result<(), Refusal> {
        self.mark_ended(person, session).await?;
        self.revocations.login_ended(person, Some(session)).await;
        Ok(())
    }

    async fn mark_ended(&self, person: PersonId, session: SessionId) -> Result<(), Refusal> {
        self.tokens.login_ended(person, Some(session), self.clock.now());
        let key = login_key(person, session);
        for _ in 0..ATTEMPTS {
            let stored = self.store.get_serial::<LoginRecord>(&key).await.map_err(refused)?;
            let Some(stored) = stored.filter(|stored| stored.record.ended_at.is_none()) else {
                return Ok(());
            };
            let ended = LoginRecord {
                ended_at: Some(self.clock.now()),
                ..stored.record
            };
            let outcome = self
                .store
                .compare_and_set(&key, Some(stored.timestamp), &ended)
                .await
                .map_err(refused)?;
            if matches!(outcome, Compared::Applied { .. }) {
                return Ok(());
            }
        }
        Err(Refusal::new(ErrorCode::Conflict).after(Duration::from_secs(1)))
    }

    async fn end_longest_unused(&self, person: PersonId) -> Result<(), Refusal> {
        let mut open = self.open_logins(person).await?;
        open.sort_by_key(|(_, login)| login.record.refreshed_at);
        let too_many = (open.len() + 1).saturating_sub(OPEN_LOGINS);
        for (session, _) in open.into_iter().take(too_many) {
            self.end_login(person, session).await?;
        }
        Ok(())
    }

    async fn open_logins(&self, person: PersonId) -> Result<Vec<(SessionId, Stored<LoginRecord>)>, Refusal> {
        let now = self.clock.now();
        let rows = self
            .store
            .scan_all(&person_partition(person), Range::all(PAGE))
            .await
            .map_err(refused)?;
        let open = rows
            .into_iter()
            .filter(|row: &Stored<LoginRecord>| is_open(&row.record, now));
        Ok(open
            .filter_map(|row| match row.clustering.first() {
                Some(KeyValue::Id(session)) => Some((SessionId::from_bytes(*session), row)),
                _ => None,
            })
            .collect())
    }

    async fn open_login(
        &self,
        person: PersonId,
        session: SessionId,
        now: Timestamp,
    ) -> Result<Option<Stored<LoginRecord>>, Refusal> {
        let stored = self
            .store
            .get::<LoginRecord>(&login_key(person, session))
            .await
            .map_err(refused)?;
        Ok(stored.filter(|stored| is_open(&stored.record, now)))
    }

    async fn reply(
        &self,
        person: PersonId,
        session: SessionId,
        refresh: &RefreshToken,
        now: Timestamp,
    ) -> Result<LoginReply, Refusal> {
        Ok(LoginReply {
            access_token: self.tokens.issue(person, session, now),
            refresh_token: refresh.text(),
            expires_in: self.tokens.lifetime().as_secs(),
            profiles: self.profiles.own_profiles(person).await?,
        })
    }
}

fn is_open(login: &LoginRecord, now: Timestamp) -> bool {
    login.ended_at.is_none() && now.since(login.refreshed_at) < UNUSED
}

#[cfg(test)]
mod tests {
    use super::super::testing::School;
    use super::*;

    const PASSWORD: &str = "en lang adgangskode";

    #[tokio::test]
    async fn a_login_answers_with_tokens_and_profiles() {
        let school = School::new();
        let person = school.person("Anne.Holm", PASSWORD).await;
        let reply = school.login(" ANNE.holm", PASSWORD).await.unwrap();
        let claims = school
            .accounts
            .access_tokens()
            .verify(&reply.access_token, school.clock.now())
            .unwrap();
        assert_eq!(claims.person, person);
        assert!(school.accounts.is_open(person, claims.session).await.unwrap());
        assert_eq!((reply.expires_in, reply.profiles.len()), (900, 1));
    }

    #[tokio::test]
    async fn an_unknown_name_a_wrong_password_and_no_password_are_answered_alike() {
        let school = School::new();
        school.person("anne", PASSWORD).await;
        school
            .accounts
            .create_person("bo", super::super::IfTaken::Suggest)
            .await
            .unwrap();
        let wrong = school.login("anne", "noget andet").await.unwrap_err();
        assert_eq!(wrong.code, ErrorCode::WrongCredentials);
        assert_eq!(school.login("findes.ikke", "noget andet").await.unwrap_err(), wrong);
        assert_eq!(school.login("bo", "noget andet").await.unwrap_err(), wrong);
    }

    #[tokio::test]
    async fn wrong_passwords_slow_down_unknown_names_too_and_the_right_one_works_after_the_wait() {
        let school = School::new();
        school.person("anne", PASSWORD).await;
        for name in ["anne", "findes.ikke"] {
            let wait = loop {
                let refusal = school.login(name, "noget andet").await.unwrap_err();
                if refusal.code == ErrorCode::TooMany {
                    break refusal.retry_after_ms.unwrap();
                }
            };
            assert_eq!(school.login(name, PASSWORD).await.unwrap_err().code, ErrorCode::TooMany);
            school.clock.advance(Duration::from_millis(wait));
        }
        school.login("anne", PASSWORD).await.unwrap();
    }

    #[tokio::test]
    async fn each_refresh_token_works_once_and_an_old_one_shown_again_ends_the_login() {
        let school = School::new();
        let person = school.person("anne", PASSWORD).await;
        let first = school.login("anne", PASSWORD).await.unwrap().refresh_token.clone();
        let second = school.refresh(&first).await.unwrap().refresh_token.clone();
        school.clock.advance(LOST_ANSWER);
        assert_eq!(school.refresh(&first).await.unwrap_err().code, ErrorCode::InvalidToken);
        assert_eq!(school.refresh(&second).await.unwrap_err().code, ErrorCode::InvalidToken);
        let revoked = school.revoked();
        assert_eq!(revoked.len(), 1);
        assert_eq!(revoked[0].0, person);
        assert!(!school.accounts.is_open(person, revoked[0].1.unwrap()).await.unwrap());
    }

    #[tokio::test]
    async fn a_client_that_lost_the_answer_gets_it_again() {
        let school = School::new();
        school.person("anne", PASSWORD).await;
        let first = school.login("anne", PASSWORD).await.unwrap().refresh_token.clone();
        let lost = school.refresh(&first).await.unwrap().refresh_token.clone();
        school.clock.advance(Duration::from_secs(29));
        let again = school.refresh(&first).await.unwrap().refresh_token.clone();
        assert_eq!(lost, again);
        let third = school.refresh(&again).await.unwrap().refresh_token.clone();
        assert_eq!(school.refresh(&first).await.unwrap_err().code, ErrorCode::InvalidToken);
        school.refresh(&third).await.unwrap();
        assert!(school.revoked().is_empty());
    }

    #[tokio::test]
    async fn two_tabs_that_refresh_at_once_get_the_same_token() {
        let school = std::sync::Arc::new(School::new());
        school.person("anne", PASSWORD).await;
        let first = school.login("anne", PASSWORD).await.unwrap().refresh_token.clone();
        let tabs: Vec<_> = (0..4)
            .map(|_| {
                let (school, first) = (school.clone(), first.clone());
                tokio::spawn(async move { school.refresh(&first).await.unwrap().refresh_token.clone() })
            })
            .collect();
        let mut tokens = std::collections::BTreeSet::new();
        for tab in tabs {
            tokens.insert(tab.await.unwrap());
        }
        assert_eq!(tokens.len(), 1);
    }

    #[tokio::test]
    async fn logging_out_ends_the_login_and_closes_its_sockets() {
        let school = School::new();
        let person = school.person("anne", PASSWORD).await;
        let here = school.login("anne", PASSWORD).await.unwrap();
        let there = school.login("anne", PASSWORD).await.unwrap();
        let session = school
            .accounts
            .access_tokens()
            .verify(&here.access_token, school.clock.now())
            .unwrap()
            .session;
        school.accounts.logout("ikke et bevis").await.unwrap();
        school.accounts.logout(&here.refresh_token).await.unwrap();
        assert_eq!(school.revoked(), [(person, Some(session))]);
        let verify = |token: &str| school.accounts.access_tokens().verify(token, school.clock.now());
        assert_eq!(verify(&here.access_token).unwrap_err().code, ErrorCode::InvalidToken);
        verify(&there.access_token).unwrap();
        assert_eq!(
            school.refresh(&here.refresh_token).await.unwrap_err().code,
            ErrorCode::InvalidToken
        );
        school.refresh(&there.refresh_token).await.unwrap();
    }

    #[tokio::test]
    async fn logins_are_listed_and_the_others_ended() {
        let school = School::new();
        let person = school.person("anne", PASSWORD).await;
        let mut sessions = Vec::new();
        for _ in 0..3 {
            school.clock.advance(Duration::from_secs(60));
            let reply = school.login("anne", PASSWORD).await.unwrap();
            let claims = school
                .accounts
                .access_tokens()
                .verify(&reply.access_token, school.clock.now())
                .unwrap();
            sessions.push(claims.session);
        }
        let listed = school.accounts.logins(person, sessions[1]).await.unwrap();
        assert_eq!(
            listed.iter().map(|login| login.current).collect::<Vec<_>>(),
            [false, true, false]
        );
        assert_eq!(listed[0].session, sessions[2]);
        assert_eq!(listed[0].client, "test");
        school
            .accounts
            .end_logins(person, EndOf::Others(sessions[1]))
            .await
            .unwrap();
        let listed = school.accounts.logins(person, sessions[1]).await.unwrap();
        assert_eq!(
            listed.iter().map(|login| login.session).collect::<Vec<_>>(),
            [sessions[1]]
        );
    }

    #[tokio::test]
    async fn open_logins_are_bounded_and_an_unused_one_runs_out() {
        let school = School::new();
        let person = school.person("anne", PASSWORD).await;
        let first = school.accounts.begin_login(person, "first").await.unwrap();
        for _ in 0..OPEN_LOGINS {
            school.clock.advance(Duration::from_secs(1));
            school.accounts.begin_login(person, &"æ".repeat(300)).await.unwrap();
        }
        let open = school.accounts.open_logins(person).await.unwrap();
        assert_eq!(open.len(), OPEN_LOGINS);
        assert!(
            open.iter()
                .all(|(_, login)| login.record.client.len() <= limits::SHORT_TEXT_BYTES)
        );
        assert_eq!(
            school.refresh(&first.refresh_token).await.unwrap_err().code,
            ErrorCode::InvalidToken
        );
        let last = school.accounts.begin_login(person, "last").await.unwrap();
        school.clock.advance(UNUSED);
        assert_eq!(
            school.refresh(&last.refresh_token).await.unwrap_err().code,
            ErrorCode::InvalidToken
        );
    }
}
