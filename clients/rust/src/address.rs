//! Where a server is: `http://host:port`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use tokio::net::TcpStream;

/// A server's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress {
    host: String,
    port: u16,
}

/// A text that is no server address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// `https` and `wss` need TLS.
    #[error("https is not supported yet: TLS arrives with a later version; use http://host:port")]
    Tls,
    /// Some other scheme, or none.
    #[error("a server address begins with http://")]
    Scheme,
    /// There is no host.
    #[error("the server address names no host")]
    Host,
    /// What follows the colon is no port.
    #[error("the server address has no valid port after the colon")]
    Port,
    /// Something follows the port.
    #[error("a server address is http://host:port, with nothing after it")]
    Path,
}

impl ServerAddress {
    /// The host and port, as in a `Host` header.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Opens a TCP connection. The caller bounds the time.
    pub(crate) async fn open(&self) -> std::io::Result<TcpStream> {
        // Square brackets belong to the URL, not to the address.
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, self.port)).await?;
        // Frames are small and each is a whole message: waiting to fill a segment only delays them.
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl FromStr for ServerAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.starts_with("https://") || text.starts_with("wss://") {
            return Err(AddressError::Tls);
        }
        let rest = text.strip_prefix("http://").ok_or(AddressError::Scheme)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#', '@']) {
            return Err(AddressError::Path);
        }
        let (host, port) = match rest.rsplit_once(':') {
            // The colons within the brackets of an IPv6 address are no port's.
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| AddressError::Port)?),
            _ => (rest, 80),
        };
        if host.is_empty() {
            return Err(AddressError::Host);
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "http://{}:{}", self.host, self.port)
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
        assert_eq!(authority("https://skole.example"), Err(AddressError::Tls));
        assert_eq!(authority("skole.example:80"), Err(AddressError::Scheme));
        assert_eq!(authority("http://:80"), Err(AddressError::Host));
        assert_eq!(authority("http://a:b"), Err(AddressError::Port));
        assert_eq!(authority("http://a:1/x"), Err(AddressError::Path));
    }
}
