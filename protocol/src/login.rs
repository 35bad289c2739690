//! Login over HTTP: the bodies of `POST /v1/login`, `/v1/refresh`, `/v1/logout` and `/v1/activate`.

use serde::{Deserialize, Serialize};

use crate::people::OwnProfile;

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
}

/// The body of `POST /v1/refresh` and `/v1/logout`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RefreshRequest {
    /// The refresh token. Each works once: the answer holds the next one.
    pub refresh_token: String,
}

/// The answer to a login, a first login or a refresh.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LoginReply {
    /// For `hello`.
    pub access_token: String,
    /// For the next access token.
    pub refresh_token: String,
    /// How long the access token lasts, in seconds.
    pub expires_in: u64,
    /// One's profiles, one per space.
    pub profiles: Vec<OwnProfile>,
}
