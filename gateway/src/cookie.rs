//! The refresh token of a browser: in a cookie that no script can read and no other site can make the browser send.
//!
//! HttpOnly and SameSite=Strict (RFC 6265bis); over TLS also Secure under a `__Host-` name, which a page of a neighbouring
//! host can not set. Whoever asks for it must say `Origin`, as every browser does when it posts.

use axum::http::header::{COOKIE, ORIGIN};
use axum::http::{HeaderMap, HeaderValue};
use samtale_protocol::login::CookieLife;
use samtale_protocol::{ErrorCode, Refusal};

/// How long a device keeps it, unused, in seconds: half a year.
const DEVICE_SECONDS: u32 = 180 * 24 * 60 * 60;

/// The browser that a request came from.
pub struct Browser {
    is_secure: bool,
    cookie: Option<(CookieLife, String)>,
}

impl Browser {
    /// The browser behind these headers; a request without `Origin` is from none. `is_tls` says that the request came
    /// under our own TLS; behind a proxy that speaks it the page's origin says so.
    pub fn of(headers: &HeaderMap, is_tls: bool) -> Result<Self, Refusal> {
        let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
        let Some(origin) = origin else {
            let detail = "a cookie is for browsers, and this request has no Origin";
            return Err(Refusal::new(ErrorCode::NotPermitted).detail(detail));
        };
        let is_secure = is_tls || origin.starts_with("https://");
        Ok(Self {
            is_secure,
            cookie: read(headers, name(is_secure)),
        })
    }

    /// The refresh token that it keeps, and for how long.
    pub fn kept(&self) -> Result<(CookieLife, &str), Refusal> {
        let cookie = self.cookie.as_ref().map(|(life, token)| (*life, token.as_str()));
        cookie.ok_or_else(|| Refusal::new(ErrorCode::InvalidToken).detail("the browser keeps no login"))
    }

    /// The header that has it keep this token.
    pub fn keep(&self, life: CookieLife, token: &str) -> Result<HeaderValue, Refusal> {
        let max_age = match life {
            CookieLife::Session => String::new(),
            CookieLife::Device => format!("; Max-Age={DEVICE_SECONDS}"),
        };
        self.header(&format!("{}.{token}", letter(life)), &max_age)
    }

    /// The header that has it forget.
    pub fn forget(&self) -> Result<HeaderValue, Refusal> {
        self.header("", "; Max-Age=0")
    }

    fn header(&self, value: &str, max_age: &str) -> Result<HeaderValue, Refusal> {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let name = name(self.is_secure);
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{max_age}");
        let mut header = HeaderValue::try_from(text).map_err(|_| ErrorCode::Internal)?;
        header.set_sensitive(true);
        Ok(header)
    }
}

const fn name(is_secure: bool) -> &'static str {
    if is_secure { "__Host-samtale" } else { "samtale" }
}

const fn letter(life: CookieLife) -> char {
    match life {
        CookieLife::Session => 's',
        CookieLife::Device => 'd',
    }
}

fn read(headers: &HeaderMap, name: &str) -> Option<(CookieLife, String)> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    let (life, token) = value.split_once('.')?;
    let life = match life {
        "s" => CookieLife::Session,
        "d" => CookieLife::Device,
        _ => return None,
    };
    Some((life, token.to_owned()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_browser_keeps_a_token_where_no_script_and_no_other_site_reaches_it() {
        let plain = Browser::of(&headers(&[(ORIGIN, "http://127.0.0.1:8080")]), false).unwrap();
        assert_eq!(
            plain.keep(CookieLife::Session, "abc").unwrap(),
            "samtale=s.abc; Path=/; HttpOnly; SameSite=Strict"
        );
        let secure = Browser::of(&headers(&[(ORIGIN, "https://chat.example")]), false).unwrap();
        assert_eq!(
            secure.keep(CookieLife::Device, "abc").unwrap(),
            "__Host-samtale=d.abc; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=15552000"
        );
        let under_tls = Browser::of(&headers(&[(ORIGIN, "http://localhost:5173")]), true).unwrap();
        assert!(
            under_tls
                .keep(CookieLife::Session, "abc")
                .unwrap()
                .to_str()
                .unwrap()
                .ends_with("; Secure")
        );
        assert!(secure.forget().unwrap().to_str().unwrap().contains("Max-Age=0"));
    }

    #[test]
    fn what_is_kept_is_read_back_and_a_cookie_set_without_tls_does_not_count_with_it() {
        let kept = "other=1; samtale=d.v1.tok-en; __Host-samtale=s.v1.other";
        let plain = Browser::of(&headers(&[(ORIGIN, "http://localhost"), (COOKIE, kept)]), false).unwrap();
        assert_eq!(plain.kept().unwrap(), (CookieLife::Device, "v1.tok-en"));
        let secure = Browser::of(
            &headers(&[(ORIGIN, "https://localhost"), (COOKIE, "samtale=d.tossed")]),
            false,
        )
        .unwrap();
        assert_eq!(secure.kept().unwrap_err().code, ErrorCode::InvalidToken);
    }

    #[test]
    fn who_says_no_origin_is_no_browser() {
        let refusal = Browser::of(&headers(&[(COOKIE, "samtale=s.abc")]), false).err();
        assert_eq!(refusal.map(|refusal| refusal.code), Some(ErrorCode::NotPermitted));
    }
}
