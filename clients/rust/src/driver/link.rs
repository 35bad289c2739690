//! The way to the server: nothing, an attempt, or an open socket.

use std::pin::Pin;
use std::sync::Arc;

use samtale_protocol::login::LoginReply;
use samtale_protocol::{ClientFrame, Encoding};

use crate::address::ServerAddress;
use crate::connection::{Input, in_words};
use crate::login::{LoginError, LoginService};
use crate::secret::Secret;
use crate::transport::{Incoming, Transport, TransportError};

/// What is needed to reach the server.
pub(super) struct Reach {
    pub(super) server: ServerAddress,
    pub(super) encoding: Encoding,
    pub(super) login: LoginService,
    pub(super) password: Option<(String, Secret)>,
}

/// The way to the server.
pub(super) struct Link {
    // Shared with the attempt, which must not borrow from the link that holds it.
    reach: Arc<Reach>,
    phase: Phase,
}

enum Phase {
    Closed,
    // Boxed: an attempt is rare, and its future is many times the size of an idle client.
    Trying(Pin<Box<dyn Future<Output = Attempt> + Send>>),
    Open(Box<Transport>),
}

enum Attempt {
    Login(Result<LoginReply, LoginError>),
    Socket(Result<Box<Transport>, TransportError>),
}

impl Link {
    pub(super) fn closed(reach: Reach) -> Self {
        Self {
            reach: Arc::new(reach),
            phase: Phase::Closed,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open(_))
    }

    pub(super) fn log_in(&mut self) {
        let reach = self.reach.clone();
        self.phase = Phase::Trying(Box::pin(async move {
            let Some((username, password)) = &reach.password else {
                // The connection asks for this only when there is a password.
                return Attempt::Login(Err(LoginError::Status(401)));
            };
            Attempt::Login(reach.login.log_in(username, password).await)
        }));
    }

    pub(super) fn refresh(&mut self, token: Secret) {
        let reach = self.reach.clone();
        self.phase = Phase::Trying(Box::pin(
            async move { Attempt::Login(reach.login.refresh(&token).await) },
        ));
    }

    pub(super) fn open(&mut self) {
        let reach = self.reach.clone();
        self.phase = Phase::Trying(Box::pin(async move {
            Attempt::Socket(Transport::open(&reach.server, reach.encoding).await.map(Box::new))
        }));
    }

    /// Drops an attempt; says goodbye on an open socket.
    pub(super) async fn close(&mut self) {
        if let Phase::Open(transport) = std::mem::replace(&mut self.phase, Phase::Closed) {
            transport.close().await;
        }
    }

    /// Puts a frame into the write buffer.
    pub(super) async fn feed(&mut self, frame: &ClientFrame) -> Result<(), String> {
        match &mut self.phase {
            Phase::Open(transport) => transport.feed(frame).await,
            Phase::Closed | Phase::Trying(_) => Ok(()),
        }
    }

    /// Sends what is in the write buffer.
    pub(super) async fn flush(&mut self) -> Result<(), String> {
        match &mut self.phase {
            Phase::Open(transport) => transport.flush().await,
            Phase::Closed | Phase::Trying(_) => Ok(()),
        }
    }

    /// The next thing that happens on the way. Nothing is lost when the future is dropped.
    pub(super) async fn next(&mut self) -> Input {
        let attempt = match &mut self.phase {
            Phase::Closed => std::future::pending().await,
            Phase::Open(transport) => return from_incoming(transport.next().await),
            Phase::Trying(attempt) => attempt.await,
        };
        self.phase = Phase::Closed;
        match attempt {
            Attempt::Login(Ok(reply)) => Input::LoggedIn(reply),
            Attempt::Login(Err(error)) => Input::LoginFailed(error),
            Attempt::Socket(Ok(transport)) => {
                self.phase = Phase::Open(transport);
                Input::Opened
            }
            Attempt::Socket(Err(error)) => Input::OpenFailed {
                told_wait: error.told_wait(),
                reason: in_words(&error),
            },
        }
    }
}

fn from_incoming(incoming: Incoming) -> Input {
    match incoming {
        Incoming::Frame(frame) => Input::Frame(frame),
        Incoming::Heard => Input::Heard,
        Incoming::Closed { code, reason } => Input::Closed { code, reason },
    }
}
