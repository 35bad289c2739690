//! What a request can be refused for: one closed list, each code with its meaning, what the caller can do, and the
//! sentence that a person sees in their language.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::texts;
use crate::time::LARGEST_INTEGER;

/// A language that the server speaks to people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Danish.
    #[default]
    #[serde(rename = "da")]
    Danish,
    /// English; also what a language we do not speak falls back to.
    #[serde(rename = "en", other)]
    English,
}

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $name:ident, retry: $retry:literal;)+) => {
        /// Why a request was refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $name,)+
        }

        impl ErrorCode {
            /// The whole list.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// What it means and what the caller can do, for the documentation.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+)),+ }
            }

            /// Whether the same request may succeed later.
            pub const fn is_retryable(self) -> bool {
                match self { $(Self::$name => $retry),+ }
            }

            const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }
        }
    };
}

error_codes! {
    /// The request is not valid; `detail` says which field. Correct it.
    BadRequest, retry: false;
    /// A text, list or frame is above its limit; `detail` names it. Shorten it.
    TooLarge, retry: false;
    /// There is no such thing, or the caller may not know of it.
    NotFound, retry: false;
    /// The caller may see it but not do this; `detail` names the rule, and `explain` tells more.
    NotPermitted, retry: false;
    /// `sent_at` is more than 2 s ahead of the server's clock. Nothing was stored. Fix a new `sent_at` from the
    /// server's time in `welcome` and send again.
    ClockAhead, retry: true;
    /// The send was not stored and, with this `sent_at`, never will be. Fix a new `sent_at` and send again with the
    /// same client id.
    Restamp, retry: true;
    /// The same client id was used before with other content. A fault in the client.
    ClientIdReused, retry: false;
    /// The message was recalled, so it can not be changed.
    Recalled, retry: false;
    /// Someone else changed the same thing first. Read it again and decide.
    Conflict, retry: true;
    /// Too many requests; come back after `retry_after_ms`.
    TooMany, retry: true;
    /// The server has more work than it can take; come back after `retry_after_ms`.
    Overloaded, retry: true;
    /// The disk is full: nothing can be written, everything can be read. The operator has to make room.
    StorageFull, retry: true;
    /// Storage did not answer in time, and whether a write was applied is not known. Repeat with the same client id.
    StorageUnavailable, retry: true;
    /// The custodian does not give the keys, so nothing can be read or written.
    KeysUnavailable, retry: true;
    /// User name or password is wrong, or the account does not exist: the answer is the same.
    WrongCredentials, retry: false;
    /// The account is disabled.
    Disabled, retry: false;
    /// The token is not valid, has run out or was revoked. Log in again.
    InvalidToken, retry: false;
    /// The activation code is wrong, was used or has run out. Ask for a new one.
    InvalidActivationCode, retry: false;
    /// The password is too short, too long or too well known; `detail` says which.
    WeakPassword, retry: false;
    /// A fault in the server; it is in the server's log.
    Internal, retry: true;
}

impl ErrorCode {
    /// The sentence for the person in front of the screen, from `protocol/messages/`.
    pub fn sentence(self, language: Language) -> &'static str {
        texts::text(language, &self.text_key())
    }

    /// The key of its sentence, such as `error-not-found`.
    pub fn text_key(self) -> String {
        let mut key = "error".to_owned();
        for letter in self.name().chars() {
            if letter.is_uppercase() {
                key.push('-');
            }
            key.extend(letter.to_lowercase());
        }
        key
    }
}

/// A request that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Refusal {
    /// Why, from the closed list.
    pub code: ErrorCode,
    /// The sentence for the person, in the session's language.
    pub message: String,
    /// What exactly, in English, for the developer. Holds nothing that the caller may not see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// When it makes sense to try again, in milliseconds from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl Refusal {
    /// A refusal in Danish; [`Refusal::in_language`] turns it into the session's language.
    pub fn new(code: ErrorCode) -> Self {
        Self {
            code,
            message: code.sentence(Language::Danish).to_owned(),
            detail: None,
            retry_after_ms: None,
        }
    }

    /// With a detail for the developer of the client.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With a time to wait, as far as it fits the wire.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.retry_after_ms = Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).min(LARGEST_INTEGER));
        self
    }

    /// The same, with the sentence in `language`.
    #[must_use]
    pub fn in_language(mut self, language: Language) -> Self {
        self.message = self.code.sentence(language).to_owned();
        self
    }
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}
