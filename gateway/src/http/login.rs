//! `POST /v1/login`, `/v1/refresh`, `/v1/logout` and `/v1/activate`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use samtale_protocol::login::{ActivateRequest, CookieLife, LoginReply, LoginRequest, RefreshRequest};
use samtale_protocol::{ErrorCode, Refusal};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Http, accept, json_response, language, refusal_response, status};
use crate::accounts::Address;
use crate::cookie::Browser;
use crate::metrics;

/// What is said when all went well.
struct Answer {
    body: Value,
    cookie: Option<HeaderValue>,
}

pub(super) async fn login(State(http): State<Arc<Http>>, request: Request<Body>) -> Response<Body> {
    answer(&http, "login", request, async |headers, body: LoginRequest, address| {
        let browser = browser(&http, &headers, body.cookie)?;
        logged_in(http.accounts.login(body, address).await?, browser)
    })
    .await
}

pub(super) async fn activate(State(http): State<Arc<Http>>, request: Request<Body>) -> Response<Body> {
    answer(
        &http,
        "activate",
        request,
        async |headers, body: ActivateRequest, address| {
            let browser = browser(&http, &headers, body.cookie)?;
            logged_in(http.accounts.activate(body, address).await?, browser)
        },
    )
    .await
}

pub(super) async fn refresh(State(http): State<Arc<Http>>, request: Request<Body>) -> Response<Body> {
    answer(&http, "refresh", request, async |headers, body: RefreshRequest, _| {
        if !body.cookie {
            return logged_in(http.accounts.refresh(token(&body)?).await?, None);
        }
        let browser = Browser::of(&headers, http.is_tls)?;
        let (life, token) = browser.kept()?;
        let reply = http.accounts.refresh(token).await?;
        logged_in(reply, Some((browser, life)))
    })
    .await
}

pub(super) async fn logout(State(http): State<Arc<Http>>, request: Request<Body>) -> Response<Body> {
    answer(&http, "logout", request, async |headers, body: RefreshRequest, _| {
        let mut cookie = None;
        if body.cookie {
            let browser = Browser::of(&headers, http.is_tls)?;
            if let Ok((_, token)) = browser.kept() {
                http.accounts.logout(token).await?;
            }
            cookie = Some(browser.forget()?);
        } else {
            http.accounts.logout(token(&body)?).await?;
        }
        let body = json!({});
        Ok(Answer { body, cookie })
    })
    .await
}

/// The browser that is to keep the refresh token, if the request asks for that; looked at before anything is done.
fn browser(
    http: &Http,
    headers: &HeaderMap,
    life: Option<CookieLife>,
) -> Result<Option<(Browser, CookieLife)>, Refusal> {
    life.map(|life| Ok((Browser::of(headers, http.is_tls)?, life)))
        .transpose()
}

fn token(body: &RefreshRequest) -> Result<&str, Refusal> {
    let missing = || Refusal::new(ErrorCode::BadRequest).detail("either `refresh_token` or `cookie`");
    body.refresh_token.as_deref().ok_or_else(missing)
}

fn logged_in(mut reply: LoginReply, browser: Option<(Browser, CookieLife)>) -> Result<Answer, Refusal> {
    let cookie = match browser {
        Some((browser, life)) => Some(browser.keep(life, &std::mem::take(&mut reply.refresh_token))?),
        None => None,
    };
    let body = serde_json::to_value(reply).map_err(|_| ErrorCode::Internal)?;
    Ok(Answer { body, cookie })
}

/// Reads the body, does the work, and writes the answer or the refusal in the person's language.
async fn answer<B: DeserializeOwned>(
    http: &Http,
    way: &'static str,
    request: Request<Body>,
    work: impl AsyncFnOnce(HeaderMap, B, Address) -> Result<Answer, Refusal>,
) -> Response<Body> {
    let headers = request.headers().clone();
    let language = language(&headers);
    let outcome = match accept(http, request).await {
        Ok((body, address)) => work(headers, body, address).await,
        Err(refusal) => Err(refusal),
    };
    metrics::on_login(way, outcome.as_ref().err().map(|refusal| refusal.code));
    match outcome {
        Ok(Answer { body, cookie }) => {
            let mut response = json_response(StatusCode::OK, &body);
            if let Some(cookie) = cookie {
                response.headers_mut().insert(SET_COOKIE, cookie);
            }
            response
        }
        Err(refusal) => refusal_response(status(refusal.code), refusal.in_language(language), json!({})),
    }
}
