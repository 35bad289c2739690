//! HTTP beside the sockets, on the same port: login, and whether the server is alive and ready.

mod login;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use axum::routing::{any, get, post};
use samtale_protocol::{ErrorCode, Language, Refusal};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::accounts::{Accounts, Address};
use crate::limits::AddressLimits;
use crate::origin::{Origins, Proxies};
use crate::tls::Tls;
use crate::upgrade::{Sockets, UpgradesUnderWay, upgrade};
use crate::web;

/// A body of these requests, in bytes: tokens and passwords are below 1 KiB each.
const BODY_BYTES: usize = 16 * 1024;
/// A body has arrived after this time, or the client is holding a connection for nothing.
const BODY_TIME: Duration = Duration::from_secs(10);
/// When those who find the server not ready should ask again.
const NOT_READY_WAIT: Duration = Duration::from_secs(5);

/// Why the node takes no work now; a short sentence in English without personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotReady(pub String);

/// Whoever knows whether the node can work.
#[async_trait]
pub trait Health: Send + Sync + 'static {
    /// Whether storage and keys answer, and the node is not draining.
    async fn ready(&self) -> Result<(), NotReady>;
}

/// What HTTP needs from the rest of the house.
pub struct HttpParts {
    /// Who may log in.
    pub accounts: Arc<Accounts>,
    /// Who takes over the sockets.
    pub sockets: Arc<dyn Sockets>,
    /// Whether the node can work.
    pub health: Arc<dyn Health>,
    /// The web origins that may use this server, besides its own.
    pub origins: Origins,
    /// The reverse proxies in front.
    pub proxies: Proxies,
    /// What one address may do.
    pub addresses: Arc<AddressLimits>,
    /// TLS, unless a proxy in front speaks it or it is a developer's machine.
    pub tls: Option<Arc<Tls>>,
    /// The most sessions at once.
    pub max_sessions: usize,
    /// The folder of the web app, if it is served.
    pub web: Option<PathBuf>,
}

pub(crate) struct Http {
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) sockets: Arc<dyn Sockets>,
    pub(crate) health: Arc<dyn Health>,
    pub(crate) origins: Origins,
    pub(crate) proxies: Proxies,
    pub(crate) addresses: Arc<AddressLimits>,
    pub(crate) is_tls: bool,
    pub(crate) max_sessions: usize,
    pub(crate) upgrades: UpgradesUnderWay,
}

/// The other end of the connection that a request came on; the listener adds it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// The addresses of this server.
pub fn router(parts: HttpParts) -> Router {
    let HttpParts {
        accounts,
        sockets,
        health,
        origins,
        proxies,
        addresses,
        tls,
        max_sessions,
        web,
    } = parts;
    let is_tls = tls.is_some();
    let upgrades = UpgradesUnderWay::new(0);
    let http = Arc::new(Http {
        accounts,
        sockets,
        health,
        origins: if is_tls { origins.own_only_over_tls() } else { origins },
        proxies,
        addresses,
        is_tls,
        max_sessions,
        upgrades,
    });
    let rest = match web {
        Some(folder) => web::router(&folder),
        None => Router::new().route("/", get(about)).fallback(nothing_here),
    };
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/v1/ws", get(upgrade))
        .route("/v1/login", post(login::login))
        .route("/v1/refresh", post(login::refresh))
        .route("/v1/logout", post(login::logout))
        .route("/v1/activate", post(login::activate))
        .route("/v1/{*rest}", any(nothing_here))
        .with_state(http)
        .fallback_service(rest)
}

async fn about() -> Response<Body> {
    let text = concat!(
        "Samtale ",
        env!("CARGO_PKG_VERSION"),
        "\n\n",
        "Chat for schools. This is the server, without its web app: build clients/web and name its folder in `web`.\n\n",
        "  POST /v1/login     log in\n",
        "  GET  /v1/ws        the socket\n",
        "  GET  /healthz      alive\n",
        "  GET  /readyz       ready for work\n\n",
        "From a terminal: samtale-chat --server http://HOST:PORT --username NAME\n",
    );
    text_response(StatusCode::OK, text)
}

async fn alive() -> Response<Body> {
    text_response(StatusCode::OK, "alive\n")
}

async fn ready(State(http): State<Arc<Http>>) -> Response<Body> {
    match http.health.ready().await {
        Ok(()) => text_response(StatusCode::OK, "ready\n"),
        Err(NotReady(reason)) => {
            let mut response = text_response(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n"));
            response.headers_mut().insert(RETRY_AFTER, seconds(NOT_READY_WAIT));
            response
        }
    }
}

async fn nothing_here(request: Request<Body>) -> Response<Body> {
    let refusal = Refusal::new(ErrorCode::NotFound).detail("there is nothing at this address");
    refusal_response(
        StatusCode::NOT_FOUND,
        refusal.in_language(language(request.headers())),
        json!({}),
    )
}

/// Reads the body of a request that may come in, and from which address it is.
async fn accept<B: DeserializeOwned>(http: &Http, request: Request<Body>) -> Result<(B, Address), Refusal> {
    if !http.origins.allow(request.headers()) {
        return Err(Refusal::new(ErrorCode::NotPermitted).detail("pages of this origin may not use this server"));
    }
    let Some(Peer(peer)) = request.extensions().get().copied() else {
        return Err(Refusal::new(ErrorCode::Internal));
    };
    let client = http.proxies.client(peer, request.headers()).ip();
    http.addresses
        .log_in(client)
        .map_err(|wait| Refusal::new(ErrorCode::TooMany).after(wait))?;
    let address = Address::of(client);
    let too_large = || Refusal::new(ErrorCode::TooLarge).detail("a body here has at most 16 KiB");
    let body = tokio::time::timeout(BODY_TIME, axum::body::to_bytes(request.into_body(), BODY_BYTES)).await;
    let body = body.map_err(|_| Refusal::new(ErrorCode::BadRequest).detail("the body did not arrive in 10 s"))?;
    let body = body.map_err(|_| too_large())?;
    let body = serde_json::from_slice(&body).map_err(|error| {
        Refusal::new(ErrorCode::BadRequest).detail(format!("the body is not the expected JSON: {error}"))
    })?;
    Ok((body, address))
}

/// The HTTP status that says most of what a code means, for whoever looks at nothing else.
const fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::NotPermitted | ErrorCode::Disabled => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::Conflict | ErrorCode::Restamp | ErrorCode::ClientIdReused => StatusCode::CONFLICT,
        ErrorCode::TooMany => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Overloaded | ErrorCode::StorageUnavailable | ErrorCode::KeysUnavailable => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        ErrorCode::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        ErrorCode::WrongCredentials | ErrorCode::InvalidToken | ErrorCode::InvalidActivationCode => {
            StatusCode::UNAUTHORIZED
        }
        ErrorCode::WeakPassword => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::BadRequest | ErrorCode::ClockAhead | ErrorCode::Recalled => StatusCode::BAD_REQUEST,
    }
}

/// A refusal as JSON, beside what else the caller should know.
pub(crate) fn refusal_response(status: StatusCode, refusal: Refusal, more: serde_json::Value) -> Response<Body> {
    let wait = refusal.retry_after_ms.map(Duration::from_millis);
    let mut body = json!({ "error": refusal });
    if let (Some(body), serde_json::Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    let mut response = json_response(status, &body);
    if let Some(wait) = wait {
        response.headers_mut().insert(RETRY_AFTER, seconds(wait));
    }
    response
}

/// The language of the answer: the first of ours that the client would rather have, Danish when it names none.
pub(crate) fn language(headers: &HeaderMap) -> Language {
    let Some(wishes) = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()) else {
        return Language::Danish;
    };
    let wish = |wish: &str| {
        let (tag, parameters) = wish.split_once(';').unwrap_or((wish, ""));
        let quality = parameters
            .trim()
            .strip_prefix("q=")
            .map_or(1.0, |quality| quality.parse::<f32>().unwrap_or(0.0));
        let language = match tag.trim().get(..2).map(str::to_ascii_lowercase).as_deref() {
            Some("da") => Some(Language::Danish),
            Some("en") => Some(Language::English),
            _ => None,
        };
        language.filter(|_| quality > 0.0).map(|language| (quality, language))
    };
    // On a tie the one named first: `max_by` would take the last, so it looks from the end.
    let best = wishes
        .split(',')
        .rev()
        .filter_map(wish)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or(Language::English, |(_, language)| language)
}

fn json_response(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    match serde_json::to_vec(body) {
        Ok(body) => plain_response(status, "application/json", body),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            text_response(StatusCode::INTERNAL_SERVER_ERROR, "internal\n")
        }
    }
}

fn text_response(status: StatusCode, text: impl Into<Body>) -> Response<Body> {
    plain_response(status, "text/plain; charset=utf-8", text)
}

fn plain_response(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Whole seconds, rounded up: who comes back on time is not too early.
fn seconds(wait: Duration) -> HeaderValue {
    HeaderValue::from(u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_liked_of_our_languages_is_spoken() {
        let of = |value: &'static str| language(&HeaderMap::from_iter([(ACCEPT_LANGUAGE, value.parse().unwrap())]));
        assert_eq!(language(&HeaderMap::new()), Language::Danish);
        assert_eq!(of("da-DK,da;q=0.9,en;q=0.8"), Language::Danish);
        assert_eq!(of("en-GB, da"), Language::English);
        assert_eq!(of("en;q=0.5, da;q=0.7"), Language::Danish);
        assert_eq!(of("de, fr;q=0.5"), Language::English);
        assert_eq!(of("de, da;q=0"), Language::English);
        assert_eq!(of("å"), Language::Danish);
    }

    #[test]
    fn a_wait_is_never_shorter_in_seconds() {
        assert_eq!(seconds(Duration::from_millis(1)), "1");
        assert_eq!(seconds(Duration::from_millis(2001)), "3");
    }
}
