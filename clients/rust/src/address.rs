//! Where a server is: `http://host:port` or `https://host:port`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use tokio::net::TcpStream;

use crate::stream::{Roots, ServerStream};

/// A server's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress {
    host: String,
    port: u16,
    /// Who may vouch for it, if it is reached under TLS.
    roots: Option<Roots>,
}

/// A text that is no server address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Some other scheme, or none.
    #[error("a server address begins with http:// or https://")]
    Scheme,
    /// There is no host.
    #[error("the server address names no host")]
    Host,
    /// What follows the colon is no port.
    #[error("the server address has no valid port after the colon")]
    Port,
    /// Something follows the port.
    #[error("a server address is http://host:port or https://host:port, with nothing after it")]
    Path,
}

impl ServerAddress {
    /// The host and port, as in a `Host` header.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The same server, whose certificate these vouch for. Without TLS it changes nothing.
    #[must_use]
    pub fn trusting(mut self, roots: Roots) -> Self {
        self.roots = self.roots.map(|_| roots);
        self
    }

    /// The address of its socket.
    pub(crate) fn socket_url(&self) -> String {
        let scheme = if self.roots.is_some() { "wss" } else { "ws" };
        format!("{scheme}://{}/v1/ws", self.authority())
    }

    /// Opens a connection, under TLS if the address says so. The caller bounds the time.
    pub(crate) async fn open(&self) -> std::io::Result<ServerStream> {
        // Square brackets belong to the URL, not to the address.
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, self.port)).await?;
        // Frames are small and each is a whole message: waiting to fill a segment only delays them.
        stream.set_nodelay(true)?;
        match &self.roots {
            Some(roots) => ServerStream::under_tls(stream, host, roots).await,
            None => Ok(ServerStream::Plain(stream)),
        }
    }
}

impl FromStr for ServerAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let (rest, usual_port, roots) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
            (Some(rest), _) => (rest, 80, None),
            (None, Some(rest)) => (rest, 443, Some(Roots::System)),
            (None, None) => return Err(AddressError::Scheme),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#', '@']) {
            return Err(AddressError::Path);
        }
        let (host, port) = match rest.rsplit_once(':') {
            // The colons within the brackets of an IPv6 address are no port's.
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| AddressError::Port)?),
            _ => (rest, usual_port),
        };
        if host.is_empty() {
            return Err(AddressError::Host);
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            roots,
        })
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.roots.is_some() { "https" } else { "http" };
        write!(formatter, "{scheme}://{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let authority = |text: &str| text.parse::<ServerAddress>().map(|address| address.authority());
        assert_eq!(authority("http://127.0.0.1:8080"), Ok("127.0.0.1:8080".to_owned()));
        assert_eq!(authority("http://skole.example/"), Ok("skole.example:80".to_owned()));
        assert_eq!(authority("http://[::1]:9000"), Ok("[::1]:9000".to_owned()));
        assert_eq!(authority("http://[::1]"), Ok("[::1]:80".to_owned()));
        assert_eq!(authority("https://skole.example"), Ok("skole.example:443".to_owned()));
        let secure: ServerAddress = "https://[::1]:8443/".parse().unwrap();
        assert_eq!(secure.to_string(), "https://[::1]:8443");
        assert_eq!(secure.socket_url(), "wss://[::1]:8443/v1/ws");
        assert_eq!(authority("wss://skole.example"), Err(AddressError::Scheme));
        assert_eq!(authority("skole.example:80"), Err(AddressError::Scheme));
        assert_eq!(authority("http://:80"), Err(AddressError::Host));
        assert_eq!(authority("http://a:b"), Err(AddressError::Port));
        assert_eq!(authority("http://a:1/x"), Err(AddressError::Path));
    }
}
