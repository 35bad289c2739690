//! Login over HTTP: `POST /v1/login`, `/v1/refresh`, `/v1/logout` and `/v1/activate`.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use samtale_protocol::login::{ActivateRequest, LoginReply, LoginRequest, RefreshRequest};
use samtale_protocol::{ErrorCode, Language, Refusal};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::address::ServerAddress;
use crate::secret::Secret;

/// The time for one whole exchange. A rush of logins may queue for a while: each costs the server a slow hash.
pub const LOGIN_TIMEOUT: Duration = Duration::from_secs(30);
/// The most that an answer may hold: some dozens of profiles with their names.
const BODY_BYTES: usize = 256 * 1024;

/// Why a login, refresh, logout or activation failed.
#[derive(Debug, Error)]
pub enum LoginError {
    /// The server said no.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// The server could not be reached.
    #[error("the server can not be reached")]
    Unreachable(#[source] std::io::Error),
    /// The exchange broke off.
    #[error("the exchange with the server broke off")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No answer in time.
    #[error("the server did not answer in time")]
    TimedOut,
    /// Something that is no Samtale server answered, or one that failed badly.
    #[error("the server answered with status {0} and nothing that explains it")]
    Status(u16),
    /// An answer that can not be read.
    #[error("the server's answer can not be read")]
    Body(#[source] serde_json::Error),
}

impl LoginError {
    /// Whether the same may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.code.is_retryable(),
            Self::Unreachable(_) | Self::Broken(_) | Self::TimedOut => true,
            Self::Status(status) => *status >= 500 || *status == 429,
            Self::Body(_) => false,
        }
    }

    /// What the server refused it for, if it did.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The code that the server refused it with, if it did.
    pub fn code(&self) -> Option<ErrorCode> {
        self.refusal().map(|refusal| refusal.code)
    }
}

/// Talks to a server's login pages.
#[derive(Clone, Debug)]
pub struct LoginService {
    server: ServerAddress,
    client: String,
    language: Language,
}

impl LoginService {
    /// Logs in at `server`, as the program `client`; refusals come in `language`.
    pub fn new(server: ServerAddress, client: impl Into<String>, language: Language) -> Self {
        Self {
            server,
            client: client.into(),
            language,
        }
    }

    /// Logs in.
    pub async fn log_in(&self, username: &str, password: &Secret) -> Result<LoginReply, LoginError> {
        let body = LoginRequest {
            username: username.to_owned(),
            password: password.reveal().to_owned(),
            client: Some(self.client.clone()),
            cookie: None,
        };
        self.exchange("/v1/login", &body).await
    }

    /// Gets a new access token, and the next refresh token: each works once.
    pub async fn refresh(&self, refresh_token: &Secret) -> Result<LoginReply, LoginError> {
        self.exchange("/v1/refresh", &with_token(refresh_token)).await
    }

    /// Ends the login. Its sockets are closed.
    pub async fn log_out(&self, refresh_token: &Secret) -> Result<(), LoginError> {
        self.post("/v1/logout", &with_token(refresh_token)).await.map(drop)
    }

    /// Logs in for the first time, with the code from the sheet, and sets the password.
    pub async fn activate(&self, username: &str, code: &str, password: &Secret) -> Result<LoginReply, LoginError> {
        let body = ActivateRequest {
            username: username.to_owned(),
            code: code.to_owned(),
            password: password.reveal().to_owned(),
            client: Some(self.client.clone()),
            cookie: None,
        };
        self.exchange("/v1/activate", &body).await
    }

    async fn exchange<B: Serialize, R: DeserializeOwned>(&self, path: &str, body: &B) -> Result<R, LoginError> {
        let answer = self.post(path, body).await?;
        serde_json::from_slice(&answer).map_err(LoginError::Body)
    }

    async fn post<B: Serialize>(&self, path: &str, body: &B) -> Result<Bytes, LoginError> {
        let body = serde_json::to_vec(body).map_err(LoginError::Body)?;
        let exchange = self.post_bytes(path, body);
        let (status, answer) = tokio::time::timeout(LOGIN_TIMEOUT, exchange)
            .await
            .map_err(|_| LoginError::TimedOut)??;
        if status.is_success() {
            Ok(answer)
        } else {
            Err(refused(status, &answer))
        }
    }

    async fn post_bytes(&self, path: &str, body: Vec<u8>) -> Result<(StatusCode, Bytes), LoginError> {
        let stream = self.server.open().await.map_err(LoginError::Unreachable)?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        let language = if self.language == Language::Danish { "da" } else { "en" };
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::HOST, self.server.authority())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT_LANGUAGE, language)
            .header(header::CONNECTION, "close")
            .body(Full::new(Bytes::from(body)))
            .map_err(broken)?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(broken)?;
            let status = response.status();
            let answer = Limited::new(response.into_body(), BODY_BYTES)
                .collect()
                .await
                .map_err(LoginError::Broken)?;
            Ok((status, answer.to_bytes()))
        };
        // The connection is driven here, not in a task: dropping the exchange closes it.
        tokio::pin!(exchange, connection);
        tokio::select! {
            answer = &mut exchange => answer,
            _ = &mut connection => exchange.await,
        }
    }
}

fn with_token(refresh_token: &Secret) -> RefreshRequest {
    RefreshRequest {
        refresh_token: Some(refresh_token.reveal().to_owned()),
        cookie: false,
    }
}

fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> LoginError {
    LoginError::Broken(error.into())
}

fn refused(status: StatusCode, answer: &[u8]) -> LoginError {
    #[derive(Deserialize)]
    struct ErrorBody {
        error: Refusal,
    }
    match serde_json::from_slice::<ErrorBody>(answer) {
        Ok(body) => LoginError::Refused(body.error),
        Err(_) => LoginError::Status(status.as_u16()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_a_refusal_when_it_is_one() {
        let refusal = Refusal::new(ErrorCode::WrongCredentials);
        let body = serde_json::json!({"error": refusal}).to_string();
        let error = refused(StatusCode::UNAUTHORIZED, body.as_bytes());
        assert_eq!(error.code(), Some(ErrorCode::WrongCredentials));
        assert!(!error.is_retryable());
        let error = refused(StatusCode::BAD_GATEWAY, b"<html>");
        assert!(matches!(error, LoginError::Status(502)) && error.is_retryable());
        assert!(!refused(StatusCode::NOT_FOUND, b"").is_retryable());
    }
}
