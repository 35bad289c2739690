//! Records of the space `system`: people, passwords, logins and activation codes.

use samtale_protocol::people::Role;
use samtale_protocol::{PersonId, ProfileId, SessionId, SpaceId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::key::{Key, KeyValue};
use crate::schema::{self, Table};
use crate::store::Record;

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRecord {
    /// The user name, as it is shown.
    pub username: String,
    /// Whether the account is closed.
    #[serde(default)]
    pub disabled: bool,
    /// Whether it was a roster that closed it: then a roster may open it again, and what was closed by hand stays closed.
    #[serde(default)]
    pub closed_by_roster: bool,
    /// Whether nobody may see that they are online.
    #[serde(default)]
    pub presence_hidden: bool,
}

/// A person's password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordRecord {
    /// Its Argon2id hash, in PHC string format.
    pub hash: String,
}

/// Whose user name it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsernameRecord {
    /// The person.
    pub person: PersonId,
}

/// A profile of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonProfileRecord {
    /// Its role, so that a login needs no other read.
    pub role: Role,
    /// Since when they are no longer there.
    #[serde(default)]
    pub left_at: Option<Timestamp>,
}

/// An activation code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationCodeRecord {
    /// Whose it is.
    pub person: PersonId,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// Whether it was used.
    #[serde(default)]
    pub used: bool,
}

/// The newest activation code of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonCodeRecord {
    /// Its HMAC.
    pub code_hmac: [u8; 16],
}

/// A login on a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginRecord {
    /// What the client calls itself.
    pub client: String,
    /// When it began.
    pub since: Timestamp,
    /// SHA-256 of the refresh token that works now.
    pub refresh_hash: [u8; 32],
    /// SHA-256 of the one before: whoever shows it again has a copy, and the login ends, unless it was just replaced.
    #[serde(default)]
    pub previous_hash: Option<[u8; 32]>,
    /// When the refresh token was last replaced.
    pub refreshed_at: Timestamp,
    /// When it was ended.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
}

/// The key of a person's row, password and newest code.
pub fn person_key(person: PersonId) -> Key {
    Key::new(person_partition(person), [])
}

/// The partition of a person's profiles and logins.
pub fn person_partition(person: PersonId) -> [KeyValue; 2] {
    [SpaceId::SYSTEM.into(), person.into()]
}

/// The key of a user name, by its HMAC.
pub fn username_key(hmac: [u8; 16]) -> Key {
    Key::new([SpaceId::SYSTEM.into(), hmac.into()], [])
}

/// The key of an activation code, by its HMAC.
pub fn code_key(hmac: [u8; 16]) -> Key {
    Key::new([SpaceId::SYSTEM.into(), hmac.into()], [])
}

/// The key of a profile in its person's list.
pub fn person_profile_key(person: PersonId, space: SpaceId, profile: ProfileId) -> Key {
    Key::new(person_partition(person), [space.into(), profile.into()])
}

/// The key of a login.
pub fn login_key(person: PersonId, session: SessionId) -> Key {
    Key::new(person_partition(person), [session.into()])
}

macro_rules! records {
    ($($record:ident in $table:ident;)+) => {$(
        impl Record for $record {
            const TABLE: &'static Table = &schema::$table;
        }
    )+};
}
pub(crate) use records;

records! {
    PersonRecord in PEOPLE;
    PasswordRecord in PASSWORDS;
    UsernameRecord in USERNAMES;
    PersonProfileRecord in PERSON_PROFILES;
    ActivationCodeRecord in ACTIVATION_CODES;
    PersonCodeRecord in PERSON_CODES;
    LoginRecord in LOGINS;
}
