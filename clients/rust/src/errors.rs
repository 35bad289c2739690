//! What can go wrong for an application, typed. Each error knows whether the same may succeed later.

use samtale_protocol::Refusal;
use thiserror::Error;

/// Why a request has no reply.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RequestError {
    /// The server said no.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// The connection ended while the request was under way. Whether it was done is not known.
    #[error("the connection ended before the answer")]
    Disconnected,
    /// No answer in time; the connection may have been away all the while.
    #[error("no answer in time")]
    TimedOut,
    /// The client has stopped and will not come back.
    #[error("the client has stopped")]
    Stopped,
    /// A kind of reply that does not belong to the request: a fault in the server.
    #[error("the server answered with another kind of reply")]
    UnexpectedReply,
}

impl RequestError {
    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.code.is_retryable(),
            Self::Disconnected | Self::TimedOut => true,
            Self::Stopped | Self::UnexpectedReply => false,
        }
    }
}

/// Why a send was not taken into the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SendError {
    /// The message can not be one; the text says what is wrong.
    #[error("{0}")]
    Invalid(&'static str),
    /// There is an entry with this client id, and it says something else.
    #[error("the client id was used for something else")]
    ClientIdReused,
    /// The outbox holds as many messages as it may.
    #[error("too many messages wait to be sent")]
    OutboxFull,
    /// The client has stopped and will not come back.
    #[error("the client has stopped")]
    Stopped,
}

impl SendError {
    /// Whether the same send may be taken later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::OutboxFull)
    }
}
