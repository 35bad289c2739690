//! Login over HTTP: the bodies of `POST /v1/login`, `/v1/refresh`, `/v1/logout` and `/v1/activate`.

use serde::{Deserialize, Serialize};

use crate::people::OwnProfile;

/// How long a browser keeps the cookie with the refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CookieLife {
    /// Until the browser is closed.
    Session,
    /// As long as the device keeps it: it is the person's own.
    Device,
}

/// The body of `POST /v1/login`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LoginRequest {
    /// The user name, whatever its case.
    pub username: String,
    /// The password.
    pub password: String,
    /// What the client calls itself.
    #[serde(default)]
    pub client: Option<String>,
    /// In a browser: the refresh token goes into a cookie that no script can read, and not into the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cookie: Option<CookieLife>,
}

/// The body of `POST /v1/activate`: the first login.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActivateRequest {
    /// The user name on the sheet.
    pub username: String,
    /// The activation code; case, spaces and hyphens do not matter.
    pub code: String,
    /// The password that the person chooses.
    pub password: String,
    /// What the client calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// In a browser: the refresh token goes into a cookie that no script can read, and not into the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cookie: Option<CookieLife>,
}

/// The body of `POST /v1/refresh` and `/v1/logout`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RefreshRequest {
    /// The refresh token. Each works once: the answer holds the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Instead of it: it is in the browser's cookie.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cookie: bool,
}

/// The answer to a login, a first login or a refresh.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LoginReply {
    /// For `hello`.
    pub access_token: String,
    /// For the next access token; left out when it went into a cookie.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub refresh_token: String,
    /// How long the access token lasts, in seconds.
    pub expires_in: u64,
    /// One's profiles, one per space.
    pub profiles: Vec<OwnProfile>,
}
