//! From an HTTP request to a socket: what has to be right before `101 Switching Protocols`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper_util::rt::TokioIo;
use samtale_protocol::{Encoding, ErrorCode, Refusal};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::http::{Http, Peer, language, refusal_response};
use crate::socket::Socket;

/// When a client that found the server full comes back; it adds its own jitter.
const FULL_WAIT: Duration = Duration::from_secs(15);

/// A connection that has become a WebSocket.
#[derive(Debug)]
pub struct Accepted {
    /// The stream.
    pub stream: Socket,
    /// What the client sent right behind its request.
    pub read: Bytes,
    /// The encoding of the subprotocol that was agreed on.
    pub encoding: Encoding,
    /// Where the client is; behind a proxy the address that the proxy names, with port 0.
    pub peer: SocketAddr,
}

/// Whoever serves the sockets.
pub trait Sockets: Send + Sync + 'static {
    /// Takes over a connection. Must not block; what it can not serve it closes.
    fn accept(&self, accepted: Accepted);

    /// How many it serves now.
    fn sessions(&self) -> usize;
}

/// Why a request does not become a socket.
struct Refused {
    status: StatusCode,
    refusal: Refusal,
}

impl Refused {
    fn new(status: StatusCode, code: ErrorCode, detail: &str) -> Self {
        Self {
            status,
            refusal: Refusal::new(code).detail(detail),
        }
    }

    fn bad(detail: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorCode::BadRequest, detail)
    }
}

/// `GET /v1/ws`.
pub(crate) async fn upgrade(State(http): State<Arc<Http>>, mut request: Request<Body>) -> Response<Body> {
    let language = language(request.headers());
    match agree(&http, &mut request) {
        Ok(response) => response,
        Err(Refused { status, refusal }) => {
            let subprotocols = Encoding::ALL.map(Encoding::subprotocol);
            let more = serde_json::json!({ "subprotocols": subprotocols });
            let mut response = refusal_response(status, refusal.in_language(language), more);
            if status == StatusCode::UPGRADE_REQUIRED {
                response
                    .headers_mut()
                    .insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
                response
                    .headers_mut()
                    .insert(UPGRADE, HeaderValue::from_static("websocket"));
            }
            response
        }
    }
}

/// Checks the request, hands the connection over once the answer is written, and answers.
fn agree(http: &Arc<Http>, request: &mut Request<Body>) -> Result<Response<Body>, Refused> {
    let key = websocket_key(request)?;
    let headers = request.headers();
    if !http.origins.allow(headers) {
        let detail = "pages of this origin may not use this server; its operator can list it in `origins`";
        return Err(Refused::new(StatusCode::FORBIDDEN, ErrorCode::NotPermitted, detail));
    }
    let encoding = Encoding::choose(&joined(headers, &SEC_WEBSOCKET_PROTOCOL))
        .ok_or_else(|| Refused::bad("offer one of `subprotocols` in Sec-WebSocket-Protocol"))?;
    let Some(Peer(peer)) = request.extensions().get().copied() else {
        return Err(Refused::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::Internal,
            "the peer is not known",
        ));
    };
    let client = http.proxies.client(peer, headers);
    if client != peer {
        // The proxy's own connections are not counted, because they carry everybody's.
        http.addresses.connect(client.ip()).map_err(|wait| Refused {
            status: StatusCode::TOO_MANY_REQUESTS,
            refusal: Refusal::new(ErrorCode::TooMany).after(wait),
        })?;
    }
    let admission = Admission::of(http).ok_or_else(|| Refused {
        status: StatusCode::SERVICE_UNAVAILABLE,
        refusal: Refusal::new(ErrorCode::Overloaded).after(FULL_WAIT),
    })?;
    let upgrade = hyper::upgrade::on(request);
    tokio::spawn(async move {
        // The connection broke before the answer was written: there is nobody to tell.
        let Ok(upgraded) = upgrade.await else { return };
        match upgraded.downcast::<TokioIo<Socket>>() {
            Ok(parts) => {
                let stream = parts.io.into_inner();
                admission.http.sockets.accept(Accepted {
                    stream,
                    read: parts.read_buf,
                    encoding,
                    peer: client,
                });
            }
            Err(_) => tracing::error!("an upgraded connection is not the stream that was accepted"),
        }
        drop(admission);
    });
    Ok(switching_protocols(&key, encoding))
}

/// A place that is held from the answer to the hand-over, so that a rush does not pass the limit in between.
struct Admission {
    http: Arc<Http>,
}

impl Admission {
    fn of(http: &Arc<Http>) -> Option<Self> {
        let under_way = http.upgrades.fetch_add(1, Ordering::AcqRel);
        let admission = Self { http: Arc::clone(http) };
        (http.sockets.sessions() + under_way < http.max_sessions).then_some(admission)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.http.upgrades.fetch_sub(1, Ordering::AcqRel);
    }
}

/// How many connections are between the answer and the hand-over.
pub(crate) type UpgradesUnderWay = AtomicUsize;

/// The client's key, if the request asks for a WebSocket as RFC 6455, section 4.2.1, has it.
fn websocket_key(request: &Request<Body>) -> Result<HeaderValue, Refused> {
    let headers = request.headers();
    let has_token = |name: &HeaderName, token: &str| {
        joined(headers, name)
            .split(',')
            .any(|part| part.trim().eq_ignore_ascii_case(token))
    };
    if request.version() != Version::HTTP_11 {
        return Err(Refused::bad("a WebSocket begins with HTTP/1.1"));
    }
    if !has_token(&UPGRADE, "websocket") {
        let detail = "this address is for WebSockets: send `Upgrade: websocket`";
        return Err(Refused::new(
            StatusCode::UPGRADE_REQUIRED,
            ErrorCode::BadRequest,
            detail,
        ));
    }
    if !has_token(&CONNECTION, "upgrade") {
        return Err(Refused::bad(
            "`Connection: Upgrade` is missing; a reverse proxy has to pass it on",
        ));
    }
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        let detail = "only version 13 of WebSocket is spoken here";
        return Err(Refused::new(
            StatusCode::UPGRADE_REQUIRED,
            ErrorCode::BadRequest,
            detail,
        ));
    }
    let key = headers
        .get(SEC_WEBSOCKET_KEY)
        .ok_or_else(|| Refused::bad("Sec-WebSocket-Key is missing"))?;
    match STANDARD.decode(key) {
        Ok(bytes) if bytes.len() == 16 => Ok(key.clone()),
        _ => Err(Refused::bad("Sec-WebSocket-Key is not the base64 of 16 bytes")),
    }
}

fn switching_protocols(key: &HeaderValue, encoding: Encoding) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(encoding.subprotocol()));
    if let Ok(accept) = HeaderValue::try_from(derive_accept_key(key.as_bytes())) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    response
}

/// All values of a header that may be given in several lines.
fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    let values: Vec<&str> = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    values.join(",")
}
