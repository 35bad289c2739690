//! Local accounts: user names, passwords, activation codes and logins, over storage.
//!
//! [`Accounts`] is what HTTP and the command line call. What it needs from the rest of the house comes in as traits:
//! look-ups under the space's key, the profiles of a person, and whoever closes the sockets of a login that ended.

mod activation;
mod ended;
mod logins;
mod open_logins;
mod passwords;
mod people;
mod register;
mod slowdown;
#[cfg(test)]
pub(crate) mod testing;
mod tokens;

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use samtale_protocol::people::OwnProfile;
use samtale_protocol::time::Clock;
use samtale_protocol::{ErrorCode, PersonId, Refusal, SessionId, SpaceId, Timestamp};
use samtale_storage::people::{PersonRecord, UsernameRecord, person_key, username_key};
use samtale_storage::{StorageError, Store, Stored};

pub use activation::{IssuedCode, normal_code};
pub use logins::EndOf;
pub use open_logins::OpenLogins;
pub use passwords::{PasswordPool, WEAK_PASSWORDS, check_password};
pub use people::{CreateError, IfTaken};
pub use slowdown::Slowdown;
pub use tokens::{AccessTokens, Claims, TokenKey};

/// Finds rows by what a person is known by, without keeping that in clear: an HMAC under the space's key.
#[async_trait]
pub trait Lookup: Send + Sync + 'static {
    /// The sixteen bytes that stand for `text`; `purpose` keeps user names and codes apart.
    async fn lookup(&self, space: SpaceId, purpose: &str, text: &str) -> Result<[u8; 16], StorageError>;
}

/// The profiles that a login answers with.
#[async_trait]
pub trait ProfileSource: Send + Sync + 'static {
    /// The person's profiles in all spaces where they still are.
    async fn own_profiles(&self, person: PersonId) -> Result<Vec<OwnProfile>, Refusal>;
}

/// Who hears that a login ended, and closes its sockets on every node.
#[async_trait]
pub trait Revocations: Send + Sync + 'static {
    /// The login `session` of `person` ended; `None` means all their logins.
    async fn login_ended(&self, person: PersonId, session: Option<SessionId>);
}

/// For a process that serves no sockets: there is none to close.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSockets;

#[async_trait]
impl Revocations for NoSockets {
    async fn login_ended(&self, _: PersonId, _: Option<SessionId>) {}
}

/// Where salts, codes and tokens come from: the system in a server, a seed in a test.
pub trait RandomSource: Send + Sync + 'static {
    /// Fills `bytes`, or says that there is no randomness to be had: then nothing is issued.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Refusal>;
}

/// The operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl RandomSource for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Refusal> {
        getrandom::fill(bytes).map_err(|error| {
            tracing::error!(%error, "the operating system gives no randomness");
            Refusal::new(ErrorCode::Internal)
        })
    }
}

/// How accounts behave; the rest are constants where they are used.
#[derive(Clone, Copy, Debug)]
pub struct AccountSettings {
    /// How long an access token lasts.
    pub access_token_lifetime: Duration,
    /// How many passwords are worked on at once.
    pub password_workers: NonZeroUsize,
    /// How many attempts to log in one account may make per minute, right or wrong.
    pub logins_per_account_per_minute: u32,
}

impl Default for AccountSettings {
    fn default() -> Self {
        Self {
            access_token_lifetime: tokens::ACCESS_TOKEN_LIFETIME,
            password_workers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            logins_per_account_per_minute: slowdown::ATTEMPTS_PER_MINUTE,
        }
    }
}

/// What accounts need from the rest of the house.
#[derive(Clone)]
pub struct AccountParts {
    /// Where people, passwords and logins are kept.
    pub store: Store,
    /// Finds user names and codes.
    pub lookup: Arc<dyn Lookup>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The secret that all nodes share and that signs access tokens.
    pub token_key: TokenKey,
    /// Closes the sockets of logins that end.
    pub revocations: Arc<dyn Revocations>,
    /// The profiles in the answer to a login.
    pub profiles: Arc<dyn ProfileSource>,
    /// Where codes and tokens come from.
    pub random: Arc<dyn RandomSource>,
}

/// Local accounts.
pub struct Accounts {
    store: Store,
    lookup: Arc<dyn Lookup>,
    clock: Arc<dyn Clock>,
    revocations: Arc<dyn Revocations>,
    profiles: Arc<dyn ProfileSource>,
    random: Arc<dyn RandomSource>,
    passwords: PasswordPool,
    slowdown: Slowdown,
    tokens: Arc<AccessTokens>,
}

/// An id that nobody has: its version is none.
const NOBODY: PersonId = PersonId::from_bytes([0; 16]);
/// What user names are looked up for.
const USERNAME: &str = "username";

impl Accounts {
    /// Accounts over these parts.
    pub fn new(parts: AccountParts, settings: &AccountSettings) -> Self {
        Self {
            store: parts.store,
            lookup: parts.lookup,
            clock: parts.clock,
            revocations: parts.revocations,
            profiles: parts.profiles,
            random: parts.random,
            passwords: PasswordPool::new(settings.password_workers),
            slowdown: Slowdown::new(settings.logins_per_account_per_minute),
            tokens: Arc::new(AccessTokens::new(parts.token_key, settings.access_token_lifetime)),
        }
    }

    /// What checks the access tokens in `hello`, without storage.
    pub fn access_tokens(&self) -> Arc<AccessTokens> {
        Arc::clone(&self.tokens)
    }

    /// The time, as accounts see it.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn find_username(&self, username: &str) -> Result<FoundUsername, Refusal> {
        let hmac = self
            .lookup
            .lookup(SpaceId::SYSTEM, USERNAME, &normal_username(username))
            .await
            .map_err(refused)?;
        let row = self
            .store
            .get::<UsernameRecord>(&username_key(hmac))
            .await
            .map_err(refused)?;
        // The same reads whether or not there is such a user name, so that the answer takes as long.
        let person = row.map_or(NOBODY, |row| row.record.person);
        let stored = self
            .store
            .get::<PersonRecord>(&person_key(person))
            .await
            .map_err(refused)?;
        let person = stored.map(|stored| FoundPerson { person, stored });
        Ok(FoundUsername { hmac, person })
    }

    async fn person(&self, person: PersonId) -> Result<Stored<PersonRecord>, Refusal> {
        let stored = self
            .store
            .get::<PersonRecord>(&person_key(person))
            .await
            .map_err(refused)?;
        stored.ok_or_else(|| Refusal::new(ErrorCode::NotFound).detail("there is no such person"))
    }
}

/// The look-up of a user name, and whose it is.
struct FoundUsername {
    hmac: [u8; 16],
    person: Option<FoundPerson>,
}

struct FoundPerson {
    person: PersonId,
    stored: Stored<PersonRecord>,
}

/// The address that a request came from, as far as it counts for limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address(IpAddr);

impl Address {
    /// The address of a client. Of IPv6 only the network counts (RFC 4291: the lower half belongs to the host).
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::from([a, b, c, d, 0, 0, 0, 0])
            }
            address => address,
        })
    }
}

/// The form of a user name that is looked up: what people vary without meaning to is gone.
pub fn normal_username(username: &str) -> String {
    username.trim().to_lowercase()
}

/// What a client hears of a failure in storage; the log has the rest.
pub fn refused(error: StorageError) -> Refusal {
    let (code, wait) = match &error {
        StorageError::Timeout { .. } | StorageError::Unavailable { .. } => (ErrorCode::StorageUnavailable, 1),
        StorageError::Full { .. } => (ErrorCode::StorageFull, 60),
        StorageError::KeysUnavailable { .. } => (ErrorCode::KeysUnavailable, 20),
        _ => (ErrorCode::Internal, 5),
    };
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    tracing::warn!(%error, cause, "storage failed under an account");
    Refusal::new(code).after(Duration::from_secs(wait))
}

/// `text`, cut at a character so that it has at most `limit` bytes.
fn shortened(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// The write timestamp for a row that replaces `old`: above it, even when the clock stood still in between.
fn write_time(now: Timestamp, old: Option<u64>) -> u64 {
    now.as_micros().max(old.map_or(0, |old| old + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_has_one_normal_form() {
        assert_eq!(normal_username("  Søren.ÅGÅRD "), "søren.ågård");
    }

    #[test]
    fn hosts_of_one_ipv6_network_count_as_one_address() {
        let address = |text: &str| Address::of(text.parse().unwrap());
        assert_eq!(address("2001:db8:1:2::1"), address("2001:db8:1:2:ffff::9"));
        assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
    }
}
