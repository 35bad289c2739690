//! Where a request comes from: the page that a browser shows, and the client behind a reverse proxy.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName};
use thiserror::Error;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// An origin that is not one.
#[derive(Debug, Error)]
#[error(
    "`{0}` is not an origin: write the scheme, the host and, unless it is the usual one, the port, as in https://school.example"
)]
pub struct NotAnOrigin(String);

/// The web origins whose pages may use this server, besides its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    listed: Vec<String>,
    /// Whether pages of the own host count only over `https`: nobody else can have served them.
    own_only_over_tls: bool,
}

impl Origins {
    /// The listed origins, such as `https://school.example`.
    pub fn new<T: AsRef<str>>(origins: impl IntoIterator<Item = T>) -> Result<Self, NotAnOrigin> {
        let normal = |origin: T| normal_origin(origin.as_ref()).ok_or_else(|| NotAnOrigin(origin.as_ref().to_owned()));
        let listed = origins.into_iter().map(normal).collect::<Result<_, _>>()?;
        Ok(Self {
            listed,
            own_only_over_tls: false,
        })
    }

    /// The same, of a server that speaks TLS itself: a page of its host that came without TLS is somebody else's.
    #[must_use]
    pub fn own_only_over_tls(self) -> Self {
        Self {
            own_only_over_tls: true,
            ..self
        }
    }

    /// The listed origins, in their normal form.
    pub fn listed(&self) -> impl Iterator<Item = &str> {
        self.listed.iter().map(String::as_str)
    }

    /// Whether a request with these headers may be served. Without `Origin` it is not from a browser, so it carries
    /// nothing of someone who does not know of it; a page of the same host is ours; any other has to be listed.
    pub fn allow(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(ORIGIN).iter();
        let (origin, another) = (origins.next(), origins.next());
        let Some(origin) = origin else { return true };
        let Some(origin) = origin.to_str().ok().and_then(normal_origin) else {
            return false;
        };
        let is_same_host = || {
            let host = headers.get(HOST).and_then(|host| host.to_str().ok());
            host.is_some_and(|host| {
                let is_own = |scheme| origin == format!("{scheme}://{}", normal_host(host, scheme));
                is_own("https") || (!self.own_only_over_tls && is_own("http"))
            })
        };
        another.is_none() && (self.listed.contains(&origin) || is_same_host())
    }
}

/// The reverse proxies in front, whose word on the client's address counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<IpAddr>);

impl Proxies {
    /// These proxies.
    pub fn new(addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        Self(addresses.into_iter().map(|address| address.to_canonical()).collect())
    }

    /// Whether this is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// The client of a request that came from `peer`: of what `X-Forwarded-For` lists, the last that is none of the
    /// proxies, because only what they added themselves is to be believed.
    pub fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        let mut client = peer;
        let lines = headers
            .get_all(FORWARDED_FOR)
            .iter()
            .filter_map(|line| line.to_str().ok());
        let mut forwarded: Vec<&str> = lines.flat_map(|line| line.split(',')).collect();
        while self.contains(client.ip()) {
            match forwarded.pop().and_then(|address| address.trim().parse().ok()) {
                Some(address) => client = SocketAddr::new(address, 0),
                None => break,
            }
        }
        client
    }
}

/// `scheme://host[:port]` in lower case without the scheme's usual port; none for anything else, such as `null`.
fn normal_origin(origin: &str) -> Option<String> {
    let (scheme, host) = origin.trim().trim_end_matches('/').split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let is_plain = !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']);
    let is_web = scheme == "http" || scheme == "https";
    (is_plain && is_web).then(|| format!("{scheme}://{}", normal_host(host, &scheme)))
}

fn normal_host(host: &str, scheme: &str) -> String {
    let usual_port = if scheme == "https" { ":443" } else { ":80" };
    let host = host.to_ascii_lowercase();
    host.strip_suffix(usual_port).unwrap_or(&host).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()));
        pairs.collect()
    }

    #[test]
    fn the_same_host_programs_and_listed_origins_may_come_in() {
        let origins = Origins::new(["https://app.example", "http://localhost:5173/"]).unwrap();
        let allows = |origin, host| origins.allow(&headers(&[("origin", origin), ("host", host)]));
        assert!(origins.allow(&headers(&[("host", "chat.example")])));
        for origin in [
            "https://chat.example",
            "http://CHAT.example:80",
            "https://app.example:443",
            "http://localhost:5173",
        ] {
            assert!(allows(origin, "chat.example"), "{origin}");
        }
        assert!(allows("http://127.0.0.1:8080", "127.0.0.1:8080"));
        for origin in [
            "https://evil.example",
            "http://app.example",
            "https://chat.example.evil.example",
            "null",
            "",
            "https://chat.example:8443",
            "https://chat.example@evil.example",
            "file://",
            "http://localhost:5174",
        ] {
            assert!(!allows(origin, "chat.example"), "{origin}");
        }
        let mut two = headers(&[("origin", "https://chat.example"), ("host", "chat.example")]);
        two.append("origin", "https://evil.example".parse().unwrap());
        assert!(!origins.allow(&two));
    }

    #[test]
    fn under_tls_a_page_of_the_same_host_without_it_is_somebody_elses() {
        let origins = Origins::new(["http://localhost:5173"]).unwrap().own_only_over_tls();
        let allows = |origin| origins.allow(&headers(&[("origin", origin), ("host", "chat.example:8443")]));
        assert!(allows("https://chat.example:8443") && allows("http://localhost:5173"));
        assert!(!allows("http://chat.example:8443") && !allows("https://chat.example"));
    }

    #[test]
    fn an_origin_that_is_none_is_named() {
        let error = Origins::new(["school.example"]).unwrap_err();
        assert!(error.to_string().contains("`school.example`"), "{error}");
        assert!(Origins::new(["https://school.example/app"]).is_err());
    }

    #[test]
    fn only_a_known_proxy_is_believed_about_the_client() {
        let peer = |text: &str| text.parse::<SocketAddr>().unwrap();
        let proxies = Proxies::new(["127.0.0.1".parse().unwrap(), "10.0.0.7".parse().unwrap()]);
        let forwarded = headers(&[("x-forwarded-for", "6.6.6.6, 198.51.100.4, 10.0.0.7")]);
        assert_eq!(
            proxies.client(peer("203.0.113.9:5000"), &forwarded),
            peer("203.0.113.9:5000")
        );
        assert_eq!(
            proxies.client(peer("127.0.0.1:5000"), &forwarded),
            peer("198.51.100.4:0")
        );
        assert_eq!(
            proxies.client(peer("[::ffff:127.0.0.1]:5000"), &forwarded),
            peer("198.51.100.4:0")
        );
        assert_eq!(
            proxies.client(peer("127.0.0.1:5000"), &headers(&[])),
            peer("127.0.0.1:5000")
        );
        let nonsense = headers(&[("x-forwarded-for", "6.6.6.6, unknown")]);
        assert_eq!(
            proxies.client(peer("127.0.0.1:5000"), &nonsense),
            peer("127.0.0.1:5000")
        );
    }
}
