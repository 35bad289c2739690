//! The web app: the files of a folder, served beside the API on the same port, so that page and socket have one origin.
//!
//! What a page may load and reach is said here (Content Security Policy, level 3): its own files and its own server, and
//! nothing else. A host that serves other scripts can of course serve another policy; `docs/protocol.md` says so.

use std::path::{Path, PathBuf};

use axum::Router;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method};
use axum::middleware::{self, Next};
use axum::response::Response;
use tower_http::services::{ServeDir, ServeFile};

/// What pages of ours may do. No inline script or style, no frame around them, no form that leaves them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Devices that a page of ours asks for: none yet.
const PERMISSIONS: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";

/// Files with a hash of what is in them in their names.
const HASHED: &str = "/assets/";

/// The folder that is served, if none is named: `web` beside the program.
pub fn beside_the_program() -> Option<PathBuf> {
    let folder = std::env::current_exe().ok()?.parent()?.join("web");
    folder.join("index.html").is_file().then_some(folder)
}

/// The app in `folder`. An address that is no file is one of the app's own screens, and gets its page.
pub fn router(folder: &Path) -> Router {
    let page = ServeFile::new(folder.join("index.html")).precompressed_br();
    let files = ServeDir::new(folder)
        .precompressed_br()
        .append_index_html_on_directories(true)
        .fallback(page);
    Router::new()
        .fallback_service(files)
        .layer(middleware::from_fn(say_what_pages_may))
}

async fn say_what_pages_may(request: Request, next: Next) -> Response {
    let is_hashed = request.uri().path().starts_with(HASHED);
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut response = next.run(request).await;
    let is_page = response
        .headers()
        .get(axum::http::header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let headers = response.headers_mut();
    // A hashed name that is gone gets the app's page, which must not be kept under it.
    let cache = if is_hashed && is_read && !is_page {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    for (name, value) in [
        (CACHE_CONTROL, cache),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
