//! What a connection takes and what it gives: inputs and actions.

use std::fmt;
use std::time::Duration;

use samtale_protocol::login::LoginReply;
use samtale_protocol::{ByteString, ClientFrame, Reply, Request, ServerFrame};

use crate::errors::{RequestError, SendError};
use crate::login::LoginError;
use crate::outbox::{Outgoing, Record};
use crate::secret::Secret;
use crate::updates::Update;

/// Something that happened.
pub enum Input {
    /// A login or refresh succeeded.
    LoggedIn(LoginReply),
    /// A login or refresh failed.
    LoginFailed(LoginError),
    /// The socket is open.
    Opened,
    /// The socket could not be opened.
    OpenFailed {
        /// Why, in words.
        reason: String,
        /// How long to wait, if the server said.
        told_wait: Option<Duration>,
    },
    /// A frame came.
    Frame(Box<ServerFrame>),
    /// Something else came that shows that the server lives, or nothing is read just now, so that silence says nothing.
    Heard,
    /// The socket is closed.
    Closed {
        /// The close code, if the server said one.
        code: Option<u16>,
        /// The reason beside it, or how it broke.
        reason: String,
    },
    /// The application asks something.
    Request {
        /// Names the answer.
        ticket: Ticket,
        /// What it asks.
        request: Request,
    },
    /// The application sends something.
    Send {
        /// Names the answer.
        ticket: Ticket,
        /// What it sends.
        outgoing: Outgoing,
    },
    /// Time has passed; see [`Connection::deadline`].
    Tick,
    /// The application has had enough.
    Stop,
    /// The outbox could not be written.
    OutboxFailed(String),
}

/// Names a caller that waits, from its input to its answer.
pub type Ticket = u64;

/// Something to be done, in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Log in with user name and password; answer with `LoggedIn` or `LoginFailed`.
    LogIn,
    /// Refresh with this token; answer the same.
    Refresh(Secret),
    /// Open the socket; answer with `Opened` or `OpenFailed`.
    Open,
    /// Send a frame, after all that is to be persisted before it is on the disk.
    Transmit(Box<ClientFrame>),
    /// Drop the socket, or the attempt to open it. It says nothing any more.
    Close,
    /// Write to the outbox.
    Persist(Record),
    /// Tell the application.
    Deliver(Update),
    /// Keep the cursor, once everything before it has been told.
    KeepCursor(ByteString),
    /// Answer a request.
    Answer {
        /// Whose.
        ticket: Ticket,
        /// What.
        result: Box<Result<Reply, RequestError>>,
    },
    /// Answer a send, after all that is to be persisted before is on the disk.
    Taken {
        /// Whose.
        ticket: Ticket,
        /// Whether it was taken into the outbox.
        result: Result<(), SendError>,
    },
}

impl fmt::Debug for Input {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The names only: a login's answer holds tokens, and a frame what people write.
        formatter.write_str(match self {
            Self::LoggedIn(_) => "LoggedIn",
            Self::LoginFailed(_) => "LoginFailed",
            Self::Opened => "Opened",
            Self::OpenFailed { .. } => "OpenFailed",
            Self::Frame(_) => "Frame",
            Self::Heard => "Heard",
            Self::Closed { .. } => "Closed",
            Self::Request { .. } => "Request",
            Self::Send { .. } => "Send",
            Self::Tick => "Tick",
            Self::Stop => "Stop",
            Self::OutboxFailed(_) => "OutboxFailed",
        })
    }
}
