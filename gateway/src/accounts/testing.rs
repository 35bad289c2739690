//! What the tests of accounts stand on: an empty store in memory, a clock that is set by hand, and a seed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use samtale_protocol::login::{ActivateRequest, LoginReply, LoginRequest};
use samtale_protocol::people::Role;
use samtale_protocol::{ProfileId, Timestamp};
use samtale_storage::memory::MemoryEngine;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::*;

/// A clock that is set by hand.
pub struct HandClock(AtomicU64);

impl HandClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(1_800_000_000_000)))
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::saturating(self.0.load(Ordering::SeqCst))
    }

    pub fn advance(&self, by: Duration) {
        self.0
            .fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        self.now()
    }
}

/// Look-ups with a hash instead of a keyed one.
pub struct PlainLookup;

#[async_trait]
impl Lookup for PlainLookup {
    async fn lookup(&self, space: SpaceId, purpose: &str, text: &str) -> Result<[u8; 16], StorageError> {
        let digest = Sha256::digest(format!("{space} {purpose} {text}"));
        let mut half = [0; 16];
        half.copy_from_slice(&digest[..16]);
        Ok(half)
    }
}

/// Everyone has one profile in one space.
pub struct OneProfile;

#[async_trait]
impl ProfileSource for OneProfile {
    async fn own_profiles(&self, person: PersonId) -> Result<Vec<OwnProfile>, Refusal> {
        Ok(vec![OwnProfile {
            profile: ProfileId::from_bytes(*person.as_bytes()),
            space: SpaceId::from_bytes([8; 16]),
            space_name: "Egebjergskolen".to_owned(),
            role: Role::Employee,
            name: "Anne Holm".to_owned(),
        }])
    }
}

/// Randomness from a counter.
#[derive(Default)]
pub struct Counted(AtomicU64);

impl RandomSource for Counted {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Refusal> {
        for chunk in bytes.chunks_mut(32) {
            let digest = Sha256::digest(self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes());
            chunk.copy_from_slice(&digest[..chunk.len()]);
        }
        Ok(())
    }
}

#[derive(Default)]
pub struct Revoked(Mutex<Vec<(PersonId, Option<SessionId>)>>);

#[async_trait]
impl Revocations for Revoked {
    async fn login_ended(&self, person: PersonId, session: Option<SessionId>) {
        self.0.lock().unwrap().push((person, session));
    }
}

/// A reply that a failing test may name without showing its tokens.
pub struct Reply(LoginReply);

impl std::fmt::Debug for Reply {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a login reply")
    }
}

impl std::ops::Deref for Reply {
    type Target = LoginReply;

    fn deref(&self) -> &LoginReply {
        &self.0
    }
}

/// Accounts over an empty store.
pub struct School {
    pub accounts: Arc<Accounts>,
    pub clock: Arc<HandClock>,
    pub store: Store,
    revoked: Arc<Revoked>,
}

impl School {
    pub fn new() -> Self {
        let clock = HandClock::new();
        let revoked = Arc::new(Revoked::default());
        let store = Store::new(Arc::new(MemoryEngine::new(clock.clone())));
        let parts = AccountParts {
            store: store.clone(),
            lookup: Arc::new(PlainLookup),
            clock: clock.clone(),
            token_key: TokenKey::new([5; 32]),
            revocations: revoked.clone(),
            profiles: Arc::new(OneProfile),
            random: Arc::new(Counted::default()),
        };
        let settings = AccountSettings {
            logins_per_account_per_minute: 1000,
            ..AccountSettings::default()
        };
        Self {
            accounts: Arc::new(Accounts::new(parts, &settings)),
            clock,
            store,
            revoked,
        }
    }

    /// A person with a password.
    pub async fn person(&self, username: &str, password: &str) -> PersonId {
        let (person, _) = self.accounts.create_person(username, IfTaken::Suggest).await.unwrap();
        self.accounts.set_password(person, secret(password)).await.unwrap();
        self.revoked.0.lock().unwrap().clear();
        person
    }

    pub async fn login(&self, username: &str, password: &str) -> Result<Reply, Refusal> {
        let request = LoginRequest {
            username: username.to_owned(),
            password: password.to_owned(),
            client: Some("test".to_owned()),
            cookie: None,
        };
        self.accounts.login(request, Self::address()).await.map(Reply)
    }

    pub async fn refresh(&self, token: &str) -> Result<Reply, Refusal> {
        self.accounts.refresh(token).await.map(Reply)
    }

    pub async fn activate(&self, username: &str, code: &str, password: &str) -> Result<Reply, Refusal> {
        let request = ActivateRequest {
            username: username.to_owned(),
            code: code.to_owned(),
            password: password.to_owned(),
            client: None,
            cookie: None,
        };
        self.accounts.activate(request, Self::address()).await.map(Reply)
    }

    /// Whose sockets were closed.
    pub fn revoked(&self) -> Vec<(PersonId, Option<SessionId>)> {
        self.revoked.0.lock().unwrap().clone()
    }

    pub fn address() -> Address {
        Address::of([192, 0, 2, 1].into())
    }
}

pub fn secret(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}
