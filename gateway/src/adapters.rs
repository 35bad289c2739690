//! What one part of the house needs of another, joined here: accounts with keys and log, sessions with accounts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use samtale_protocol::people::{ActivationCode, Caller, IssueActivationCodes, Login, OwnProfile};
use samtale_protocol::time::Clock;
use samtale_protocol::{Audience, ErrorCode, PersonId, Refusal, SessionId, SpaceId};
use samtale_school::{School, refuse_storage};
use samtale_storage::journal::Fact;
use samtale_storage::keyring::Keyring;
use samtale_storage::people::{PersonRecord, person_key};
use samtale_storage::{StorageError, Store};
use tracing::error;

use crate::accounts::{Accounts, EndOf, Lookup, OpenLogins, ProfileSource, Revocations};
use crate::http::{Health, NotReady};
use crate::leases::Leases;
use crate::requests::{AccountRequests, VerifiedToken};

/// Look-ups under the space's key.
pub struct KeyringLookup(pub Arc<Keyring>);

#[async_trait]
impl Lookup for KeyringLookup {
    async fn lookup(&self, space: SpaceId, purpose: &str, text: &str) -> Result<[u8; 16], StorageError> {
        self.0.lookup(space, purpose, text).await
    }
}

/// The school, as accounts need it: profiles for the answer to a login, and the log that closes sockets.
pub struct SchoolForAccounts(pub Arc<School>);

#[async_trait]
impl ProfileSource for SchoolForAccounts {
    async fn own_profiles(&self, person: PersonId) -> Result<Vec<OwnProfile>, Refusal> {
        self.0.own_profiles(person).await
    }
}

#[async_trait]
impl Revocations for SchoolForAccounts {
    async fn login_ended(&self, person: PersonId, session: Option<SessionId>) {
        let fact = Fact::LoginEnded { person, session };
        if let Err(error) = self
            .0
            .tell(SpaceId::SYSTEM, fact, None, Audience::people([person]))
            .await
        {
            error!(%error, "the sockets of an ended login are not closed before its token runs out");
        }
    }
}

/// Accounts, as sessions need them.
pub struct AccountsForSessions {
    /// The accounts.
    pub accounts: Arc<Accounts>,
    /// The school.
    pub school: Arc<School>,
    /// Where people are kept.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The logins that were found open.
    pub open: OpenLogins,
}

impl AccountsForSessions {
    async fn person(&self, person: PersonId) -> Result<(PersonRecord, u64), Refusal> {
        let stored = self.store.get::<PersonRecord>(&person_key(person)).await;
        let stored = stored
            .map_err(|error| refuse_storage(&error))?
            .ok_or(ErrorCode::NotFound)?;
        Ok((stored.record, stored.timestamp))
    }
}

#[async_trait]
impl AccountRequests for AccountsForSessions {
    fn verify(&self, access_token: &str) -> Option<VerifiedToken> {
        let claims = self
            .accounts
            .access_tokens()
            .verify(access_token, self.clock.now())
            .ok()?;
        let caller = Caller {
            person: claims.person,
            session: claims.session,
        };
        Some(VerifiedToken {
            caller,
            expires_at: claims.expires_at,
        })
    }

    async fn presence_hidden(&self, caller: &Caller) -> Result<bool, Refusal> {
        let since = match self.open.presence_hidden(caller) {
            Ok(hidden) => return Ok(hidden),
            Err(since) => since,
        };
        let (person, _) = self.person(caller.person).await?;
        // A token outlives the login it was issued for by some minutes: whoever comes with it is asked for here.
        if person.disabled || !self.accounts.is_open(caller.person, caller.session).await? {
            return Err(ErrorCode::InvalidToken.into());
        }
        self.open.keep(caller, person.presence_hidden, since);
        Ok(person.presence_hidden)
    }

    fn forget(&self, person: PersonId) {
        self.open.forget(person);
    }

    async fn set_presence_hidden(&self, caller: &Caller, hidden: bool) -> Result<(), Refusal> {
        let (mut record, timestamp) = self.person(caller.person).await?;
        record.presence_hidden = hidden;
        let timestamp = (timestamp + 1).max(self.clock.now().as_micros());
        let put = self.store.put(person_key(caller.person), &record, timestamp).await;
        put.map_err(|error| refuse_storage(&error))?;
        let fact = Fact::PresenceVisibility {
            person: caller.person,
            hidden,
        };
        let told = self
            .school
            .tell(SpaceId::SYSTEM, fact, None, Audience::people([caller.person]))
            .await;
        told.map_err(|error| refuse_storage(&error))
    }

    async fn logins(&self, caller: &Caller) -> Result<Vec<Login>, Refusal> {
        self.accounts.logins(caller.person, caller.session).await
    }

    async fn end_login(&self, caller: &Caller, session: SessionId) -> Result<(), Refusal> {
        self.accounts.end_logins(caller.person, EndOf::One(session)).await
    }

    async fn issue_codes(
        &self,
        caller: &Caller,
        request: IssueActivationCodes,
    ) -> Result<Vec<ActivationCode>, Refusal> {
        let mut codes = Vec::new();
        for (profile, person, name) in self.school.people_of_class(caller, &request).await? {
            if self.accounts.has_password(person).await? {
                continue;
            }
            let (record, _) = self.person(person).await?;
            let issued = self.accounts.issue_code(person).await?;
            let (code, expires_at) = (issued.code.to_string(), issued.expires_at);
            codes.push(ActivationCode {
                profile,
                name,
                username: record.username,
                code,
                expires_at,
            });
        }
        Ok(codes)
    }
}

/// Whether the node can work: it is not going down, its clock is right, and a row can be read and decrypted.
pub struct NodeHealth {
    /// Where to read.
    pub store: Store,
    /// Whether the node is going down.
    pub draining: Arc<AtomicBool>,
    /// How it stands among other nodes, if there are any.
    pub leases: Option<Arc<Leases>>,
}

#[async_trait]
impl Health for NodeHealth {
    async fn ready(&self) -> Result<(), NotReady> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(NotReady("the node is going down".to_owned()));
        }
        if let Some(problem) = self.leases.as_ref().and_then(|leases| leases.clock_problem()) {
            return Err(NotReady(problem));
        }
        let nobody = PersonId::from_bytes([0; 16]);
        let read = self.store.get::<PersonRecord>(&person_key(nobody)).await;
        read.map(drop).map_err(|error| NotReady(error.to_string()))
    }
}
