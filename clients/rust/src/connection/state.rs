//! Where a connection is.

use std::time::Duration;

use super::Moment;
use crate::updates::StopReason;

/// Where the connection is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Waits for `retry_at`.
    Disconnected {
        /// When to try again.
        retry_at: Moment,
        /// How many attempts have failed in a row.
        attempt: u32,
    },
    /// Waits for the login or the socket.
    Connecting(Step),
    /// The socket is open and `hello` is sent; waits for `welcome`.
    Handshaking {
        /// When `hello` was sent.
        since: Moment,
    },
    /// Waits for frames, requests and time.
    Live(Live),
    /// Waits for nothing, for ever.
    Stopped {
        /// Why.
        reason: StopReason,
    },
}

/// What a connecting client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The answer to a login with user name and password.
    LogIn,
    /// The answer to a refresh.
    Refresh,
    /// The WebSocket.
    Socket,
}

/// A live connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Live {
    /// When `welcome` came.
    pub since: Moment,
    /// When the server was last heard.
    pub heard_at: Moment,
    /// How long a silence means that the connection is dead.
    pub silence: Duration,
}
