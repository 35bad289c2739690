//! What a client tells its application.

use std::fmt;
use std::time::Duration;

use samtale_protocol::frames::Welcome;
use samtale_protocol::messages::Sent;
use samtale_protocol::{ClientId, CloseCode, Event, EventId, Refusal, Signal, SpaceId};

use crate::secret::Secret;

/// Something that the application learns, in the order in which it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// Logged in or refreshed: the refresh token for the next run of the program. The one before does not work any more.
    LoggedIn {
        /// Worth a password: keep it as one.
        refresh_token: Secret,
    },
    /// The connection is live.
    Connected(Box<Welcome>),
    /// The connection is away; the client comes back by itself.
    Disconnected {
        /// When it tries again.
        retry_in: Duration,
        /// Why.
        reason: DisconnectReason,
    },
    /// A fact of a space. It is state: applied twice or late it changes nothing.
    Event {
        /// The space.
        space: SpaceId,
        /// Which event it is.
        id: EventId,
        /// What happened.
        event: Box<Event>,
    },
    /// Something that passes.
    Signal(Signal),
    /// What happened in the space while the client was away is not known any more: ask again for what is shown.
    Resync {
        /// The space.
        space: SpaceId,
    },
    /// Everything that happened in the space while the client was away has been told.
    Resumed {
        /// The space.
        space: SpaceId,
        /// How many events that were.
        events: u64,
    },
    /// A queued message is stored on the server. Never said before the server said it.
    Sent(Sent),
    /// A queued message was refused for good and is out of the outbox.
    SendFailed {
        /// Which.
        client_id: ClientId,
        /// Why.
        refusal: Refusal,
    },
    /// The client has stopped and will not come back. The last update.
    Stopped {
        /// Why.
        reason: StopReason,
    },
}

/// Why a connection ended, or did not come to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DisconnectReason {
    /// The server closed it.
    Closed {
        /// The close code, if there was one.
        code: Option<u16>,
        /// The reason beside it, or how it broke.
        reason: String,
    },
    /// It could not be opened.
    Unreachable(String),
    /// Logging in or refreshing failed in a way that may pass.
    LoginFailed(String),
    /// No `welcome` in time.
    HandshakeTimeout,
    /// Nothing was heard for twice the server's ping interval.
    Silence,
    /// A send was not answered for half a minute.
    NoAnswer,
    /// The access token ends soon: a new one, and a new connection.
    TokenEnds,
    /// The server twice found our clock ahead of its own: its time is learned anew.
    ClockAhead,
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed {
                code: Some(code),
                reason,
            } => write!(formatter, "closed with {code} {reason}"),
            Self::Closed { code: None, reason } => write!(formatter, "closed: {reason}"),
            Self::Unreachable(text) => write!(formatter, "not reachable: {text}"),
            Self::LoginFailed(text) => write!(formatter, "login failed: {text}"),
            Self::HandshakeTimeout => formatter.write_str("no welcome in time"),
            Self::Silence => formatter.write_str("nothing heard for too long"),
            Self::NoAnswer => formatter.write_str("no answer for too long"),
            Self::TokenEnds => formatter.write_str("the login is renewed"),
            Self::ClockAhead => formatter.write_str("the server's time is learned anew"),
        }
    }
}

/// Why a client stopped for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The application asked for it.
    Asked,
    /// The server does not take us back as we are: a close code of 4500 and above.
    Closed {
        /// The code.
        code: u16,
        /// The reason beside it.
        reason: String,
    },
    /// The login is not valid: log in again.
    LoginRefused {
        /// What the server says, if it said why.
        refusal: Option<Refusal>,
        /// The same in words.
        text: String,
    },
    /// The outbox could not be written: no promise about a message could be kept.
    OutboxFailed(String),
}

impl StopReason {
    /// The close code of our list, if it was one.
    pub fn close_code(&self) -> Option<CloseCode> {
        match self {
            Self::Closed { code, .. } => CloseCode::from_number(*code),
            _ => None,
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => formatter.write_str("asked to"),
            Self::Closed { code, reason } => write!(formatter, "the server closed with {code} {reason}"),
            Self::LoginRefused { text, .. } => formatter.write_str(text),
            Self::OutboxFailed(text) => write!(formatter, "the outbox can not be written: {text}"),
        }
    }
}
