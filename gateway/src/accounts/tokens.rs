//! Access tokens, checked without storage, and refresh tokens, of which storage keeps only a hash.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use samtale_protocol::{ErrorCode, PersonId, Refusal, SessionId, Timestamp, limits};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::ended::EndedLogins;

/// How long an access token lasts unless configured: what a token that leaked is worth, at one refresh per quarter.
pub const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// The first byte of an access token: its form.
const VERSION: u8 = 1;
/// Version, person, session, issued and expiry.
const CLAIMS_BYTES: usize = 1 + 16 + 16 + 8 + 8;
const MAC_BYTES: usize = 32;
const SECRET_BYTES: usize = 32;
/// Person, session and secret.
const REFRESH_BYTES: usize = 16 + 16 + SECRET_BYTES;

/// The secret with which every node of an installation signs and checks tokens.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct TokenKey([u8; 32]);

impl TokenKey {
    /// The key with these bytes, which must come from a random source.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn sign(&self, purpose: &[u8], message: &[u8]) -> Hmac<Sha256> {
        // Deriving a key per purpose keeps what is signed for one from ever counting for another.
        let key = Self::mac(&self.0, purpose).finalize().into_bytes();
        Self::mac(&key, message)
    }

    fn mac(key: &[u8], message: &[u8]) -> Hmac<Sha256> {
        let mut mac = match Hmac::<Sha256>::new_from_slice(key) {
            Ok(mac) => mac,
            Err(_) => unreachable!("HMAC takes keys of every length"),
        };
        mac.update(message);
        mac
    }
}

/// What an access token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Who it is.
    pub person: PersonId,
    /// On which login.
    pub session: SessionId,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// Issues and checks access tokens.
pub struct AccessTokens {
    key: TokenKey,
    lifetime: Duration,
    ended: EndedLogins,
}

impl AccessTokens {
    /// Tokens under `key` that last for `lifetime`.
    pub fn new(key: TokenKey, lifetime: Duration) -> Self {
        Self {
            key,
            lifetime,
            ended: EndedLogins::default(),
        }
    }

    /// From now on tokens of this login, or of all logins of the person, no longer count. Logins that are ended here
    /// are known already; this is for those that ended on another node.
    pub fn login_ended(&self, person: PersonId, session: Option<SessionId>, now: Timestamp) {
        self.ended.end(person, session, now, self.lifetime);
    }

    /// How long a new token lasts.
    pub const fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// A token for a login.
    pub fn issue(&self, person: PersonId, session: SessionId, now: Timestamp) -> String {
        let mut bytes = Vec::with_capacity(CLAIMS_BYTES + MAC_BYTES);
        bytes.push(VERSION);
        bytes.extend_from_slice(person.as_bytes());
        bytes.extend_from_slice(session.as_bytes());
        bytes.extend_from_slice(&now.as_millis().to_be_bytes());
        bytes.extend_from_slice(&now.plus(self.lifetime).as_millis().to_be_bytes());
        let mac = self.key.sign(b"access token", &bytes).finalize().into_bytes();
        bytes.extend_from_slice(&mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What `token` says, if we issued it, it has not run out, and its login has not ended.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, Refusal> {
        let invalid = || Refusal::new(ErrorCode::InvalidToken);
        if token.len() > limits::TOKEN_BYTES {
            return Err(invalid());
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
        let (claims, mac) = bytes.split_at_checked(CLAIMS_BYTES).ok_or_else(invalid)?;
        self.key
            .sign(b"access token", claims)
            .verify_slice(mac)
            .map_err(|_| invalid())?;
        let claims = read_claims(claims).ok_or_else(invalid)?;
        if claims.expires_at <= now {
            return Err(invalid().detail("the access token has run out"));
        }
        if self.ended.has_ended(&claims) {
            return Err(invalid().detail("the login has ended"));
        }
        Ok(claims)
    }

    /// The first refresh token of a login, from the caller's randomness.
    pub(super) fn first_refresh(person: PersonId, session: SessionId, secret: &[u8; SECRET_BYTES]) -> RefreshToken {
        let mut bytes = Zeroizing::new([0; REFRESH_BYTES]);
        bytes[..16].copy_from_slice(person.as_bytes());
        bytes[16..32].copy_from_slice(session.as_bytes());
        bytes[32..].copy_from_slice(secret);
        RefreshToken(bytes)
    }

    /// The refresh token that follows `token`. It follows from the key, so that two answers to one refresh, of which
    /// the client may have lost either, hold the same token.
    pub(super) fn next_refresh(&self, token: &RefreshToken) -> RefreshToken {
        let secret: [u8; SECRET_BYTES] = self
            .key
            .sign(b"refresh token", token.0.as_slice())
            .finalize()
            .into_bytes()
            .into();
        let secret = Zeroizing::new(secret);
        Self::first_refresh(token.person(), token.session(), &secret)
    }
}

fn read_claims(bytes: &[u8]) -> Option<Claims> {
    let (&[VERSION], rest) = bytes.split_first_chunk()? else {
        return None;
    };
    let (person, rest) = rest.split_first_chunk()?;
    let (session, rest) = rest.split_first_chunk()?;
    let (issued_at, rest) = rest.split_first_chunk()?;
    let (expires_at, _) = rest.split_first_chunk()?;
    Some(Claims {
        person: PersonId::from_bytes(*person),
        session: SessionId::from_bytes(*session),
        issued_at: Timestamp::saturating(u64::from_be_bytes(*issued_at)),
        expires_at: Timestamp::saturating(u64::from_be_bytes(*expires_at)),
    })
}

/// A refresh token: whose it is, in front, and a secret.
pub(super) struct RefreshToken(Zeroizing<[u8; REFRESH_BYTES]>);

impl RefreshToken {
    /// Reads what a client shows.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; REFRESH_BYTES]);
        let length = URL_SAFE_NO_PAD.decode_slice(text, bytes.as_mut_slice()).ok()?;
        (length == REFRESH_BYTES).then_some(Self(bytes))
    }

    /// What the client keeps.
    pub(super) fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.as_slice())
    }

    /// Whose it is; to be believed only once [`RefreshToken::hash`] is the stored one.
    pub(super) fn person(&self) -> PersonId {
        PersonId::from_bytes(half(&self.0[..16]))
    }

    /// Of which login it is; to be believed as little.
    pub(super) fn session(&self) -> SessionId {
        SessionId::from_bytes(half(&self.0[16..32]))
    }

    /// What storage keeps. The secret is random, so a plain hash is enough.
    pub(super) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_slice()).into()
    }
}

fn half(bytes: &[u8]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(bytes);
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERSON: PersonId = PersonId::from_bytes([1; 16]);
    const SESSION: SessionId = SessionId::from_bytes([2; 16]);

    fn tokens(key: u8) -> AccessTokens {
        AccessTokens::new(TokenKey::new([key; 32]), ACCESS_TOKEN_LIFETIME)
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::saturating(1_800_000_000_000 + seconds * 1000)
    }

    #[test]
    fn an_access_token_says_who_and_until_when() {
        let token = tokens(1).issue(PERSON, SESSION, at(0));
        assert!(token.len() <= 128, "{} bytes", token.len());
        let claims = tokens(1).verify(&token, at(899)).unwrap();
        assert_eq!(
            claims,
            Claims {
                person: PERSON,
                session: SESSION,
                issued_at: at(0),
                expires_at: at(900)
            }
        );
        assert_eq!(
            tokens(1).verify(&token, at(900)).unwrap_err().code,
            ErrorCode::InvalidToken
        );
    }

    #[test]
    fn a_changed_foreign_or_truncated_access_token_is_refused() {
        let token = tokens(1).issue(PERSON, SESSION, at(0));
        assert!(tokens(2).verify(&token, at(1)).is_err());
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert!(
                tokens(1).verify(&URL_SAFE_NO_PAD.encode(&changed), at(1)).is_err(),
                "byte {place}"
            );
            assert!(
                tokens(1)
                    .verify(&URL_SAFE_NO_PAD.encode(&bytes[..place]), at(1))
                    .is_err(),
                "{place} bytes"
            );
        }
        for nonsense in ["", "a", "ikke et bevis", &"A".repeat(5000)] {
            assert!(tokens(1).verify(nonsense, at(1)).is_err());
        }
    }

    #[test]
    fn a_refresh_token_survives_its_text_and_has_one_successor() {
        let token = AccessTokens::first_refresh(PERSON, SESSION, &[9; 32]);
        let read = RefreshToken::parse(&token.text()).unwrap();
        assert_eq!(
            (read.person(), read.session(), read.hash()),
            (PERSON, SESSION, token.hash())
        );
        let next = tokens(1).next_refresh(&read);
        assert_eq!(next.hash(), tokens(1).next_refresh(&token).hash());
        assert_eq!((next.person(), next.session()), (PERSON, SESSION));
        assert_ne!(next.hash(), token.hash());
        assert_ne!(next.hash(), tokens(2).next_refresh(&token).hash());
        assert!(RefreshToken::parse(&token.text()[1..]).is_none());
        assert!(RefreshToken::parse("").is_none());
    }
}
