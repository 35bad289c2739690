//! Why the server closes a connection: one closed list, whose range says whether to come back.
//!
//! RFC 6455, section 7.4.2 leaves 4000–4999 to applications. 4000–4499 means "come back, after the wait if one is
//! told, and resume with your cursor"; 4500–4999 means "do not come back as you are". A client that sees any other
//! code, or none, comes back with jitter.

use std::fmt;
use std::time::Duration;

macro_rules! close_codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $text:literal;)+) => {
        /// Why the server closed the connection.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum CloseCode {
            $($(#[doc = $doc])+ $name,)+
        }

        impl CloseCode {
            /// The whole list.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The number in the close frame.
            pub const fn number(self) -> u16 {
                match self { $(Self::$name => $code),+ }
            }

            /// The name at the start of the close frame's reason.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// What happened and what the client does, for the documentation.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+)),+ }
            }
        }
    };
}

close_codes! {
    /// The node is going down in good order. Come back after the told wait.
    Restarting = 4000, "restarting";
    /// The client read too slowly and its queue was full. Come back and resume; nothing is lost.
    SlowReader = 4001, "slow_reader";
    /// The access token ran out. Refresh it, come back and resume.
    TokenExpired = 4002, "token_expired";
    /// No answer to a ping. Come back and resume.
    NoPong = 4003, "no_pong";
    /// More connections or requests than one account may have. Come back after the told wait.
    TooMany = 4004, "too_many";
    /// The server failed to do its work. Come back with jitter.
    ServerError = 4005, "server_error";
    /// What the account may see has changed; come back and resume.
    RightsChanged = 4006, "rights_changed";
    /// A frame that is not valid in the chosen encoding. A fault in the client.
    BadFrame = 4500, "bad_frame";
    /// The server does not speak the version that `hello` asked for.
    UnsupportedVersion = 4501, "unsupported_version";
    /// The access token is not valid. Log in again.
    InvalidToken = 4502, "invalid_token";
    /// The login was revoked: logged out, disabled or removed. Log in again, if that is allowed.
    Revoked = 4503, "revoked";
    /// A frame above the size limit.
    FrameTooLarge = 4504, "frame_too_large";
    /// A frame that was not due: something before `hello`, or `hello` twice.
    OutOfTurn = 4505, "out_of_turn";
    /// No `hello` in time.
    HandshakeTimeout = 4506, "handshake_timeout";
}

impl CloseCode {
    /// The code with this number, if it is one of ours.
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.number() == number)
    }

    /// Whether the client should come back by itself.
    pub const fn come_back(self) -> bool {
        self.number() < 4500
    }

    /// The close frame's reason: the name, and the wait if there is one. Below the 123 bytes of RFC 6455.
    pub fn reason(self, wait: Option<Duration>) -> String {
        match wait {
            Some(wait) => format!("{} after_ms={}", self.name(), wait.as_millis()),
            None => self.name().to_owned(),
        }
    }

    /// The wait that a close frame's reason tells.
    pub fn told_wait(reason: &str) -> Option<Duration> {
        let millis = reason.split_once("after_ms=")?.1.split(' ').next()?.parse().ok()?;
        Some(Duration::from_millis(millis))
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.number(), self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_told_wait_is_read_back() {
        let reason = CloseCode::Restarting.reason(Some(Duration::from_millis(3500)));
        assert_eq!(CloseCode::told_wait(&reason), Some(Duration::from_millis(3500)));
        assert_eq!(CloseCode::told_wait("restarting"), None);
        assert!(
            CloseCode::ALL
                .iter()
                .all(|code| code.reason(Some(Duration::MAX)).len() <= 123)
        );
    }

    #[test]
    fn the_range_says_whether_to_come_back() {
        assert!(CloseCode::SlowReader.come_back() && !CloseCode::Revoked.come_back());
        assert_eq!(CloseCode::from_number(4503), Some(CloseCode::Revoked));
        assert_eq!(CloseCode::from_number(1006), None);
    }
}
