//! The connection as a state machine: it takes an input, decides, and returns actions. It never waits, opens nothing and
//! reads no clock, so every path through it is tested with plain values.
//!
//! One file per source of inputs: `on_login`, `on_socket`, `on_frame`, `on_tick`, `on_application`.

mod on_application;
mod on_frame;
mod on_login;
mod on_socket;
mod on_tick;
mod requests;
mod seen;
mod sends;
#[cfg(test)]
mod tests;

use std::time::Duration;

use samtale_protocol::frames::Hello;
use samtale_protocol::login::LoginReply;
use samtale_protocol::{ByteString, ClientFrame, DeviceId, Language, Reply, Request, ServerFrame};

use crate::backoff::Jitter;
use crate::clock::ServerClock;
use crate::errors::{RequestError, SendError};
use crate::login::LoginError;
use crate::outbox::{Entry, Outgoing, Record};
use crate::secret::Secret;
use crate::updates::{DisconnectReason, StopReason, Update};

use requests::Requests;
use seen::Seen;
use sends::Sends;

pub(crate) use on_login::in_words;
pub use requests::REQUESTS_WAITING;

/// A moment, as the time since the client was made, by a clock that only runs forward.
pub type Moment = Duration;

/// A connection that was live for this long was a good one: what ends it does not add to earlier failures.
const PROVEN: Duration = Duration::from_secs(5);

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

/// What a connection starts from.
pub struct Start {
    /// Whether user name and password are at hand.
    pub may_log_in: bool,
    /// The refresh token of an earlier run.
    pub refresh_token: Option<Secret>,
    /// The installation.
    pub device: DeviceId,
    /// What the program calls itself.
    pub client: String,
    /// The language of sentences for people.
    pub language: Language,
    /// The cursor of an earlier run.
    pub cursor: Option<ByteString>,
    /// What an earlier run left in the outbox.
    pub outbox: Vec<Entry>,
    /// How long a request may take, waiting included.
    pub request_timeout: Duration,
    /// For the waits.
    pub seed: u64,
}

/// The state machine.
#[derive(Debug)]
pub struct Connection {
    state: State,
    login: on_login::Login,
    hello: on_socket::HelloParts,
    cursor: Option<ByteString>,
    failures: u32,
    jitter: Jitter,
    clock: ServerClock,
    seen: Seen,
    requests: Requests,
    sends: Sends,
    actions: Vec<Action>,
}

impl Connection {
    /// A connection that tries at the first tick.
    pub fn new(start: Start) -> Self {
        Self {
            state: State::Disconnected {
                retry_at: Moment::ZERO,
                attempt: 0,
            },
            login: on_login::Login::new(start.may_log_in, start.refresh_token),
            hello: on_socket::HelloParts {
                device: start.device,
                client: start.client,
                language: start.language,
            },
            cursor: start.cursor,
            failures: 0,
            jitter: Jitter::seeded(start.seed),
            clock: ServerClock::default(),
            seen: Seen::default(),
            requests: Requests::new(start.request_timeout),
            sends: Sends::new(start.outbox),
            actions: Vec::new(),
        }
    }

    /// Where the connection is.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What waits in the outbox, in order.
    pub fn outbox(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.sends.entries()
    }

    /// Whether there is room for a request. A caller waits for it before the input.
    pub fn has_room(&self) -> bool {
        self.requests.has_room()
    }

    /// Takes an input and returns what to do about it.
    pub fn apply(&mut self, now: Moment, input: Input) -> Vec<Action> {
        if matches!(self.state, State::Stopped { .. }) {
            self.refuse_stopped(input);
            return std::mem::take(&mut self.actions);
        }
        match input {
            Input::LoggedIn(reply) => self.on_logged_in(now, reply),
            Input::LoginFailed(error) => self.on_login_failed(now, &error),
            Input::Opened => self.on_opened(now),
            Input::OpenFailed { reason, told_wait } => {
                self.disconnect(now, told_wait, DisconnectReason::Unreachable(reason));
            }
            Input::Frame(frame) => self.on_frame(now, *frame),
            Input::Heard => self.on_heard(now),
            Input::Closed { code, reason } => self.on_closed(now, code, reason),
            Input::Request { ticket, request } => self.on_request(now, ticket, request),
            Input::Send { ticket, outgoing } => self.on_send(now, ticket, outgoing),
            Input::Tick => self.on_tick(now),
            Input::Stop => self.stop(StopReason::Asked),
            Input::OutboxFailed(text) => self.stop(StopReason::OutboxFailed(text)),
        }
        std::mem::take(&mut self.actions)
    }

    fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// Ends the connection, or the attempt, and comes back after the told wait or with jitter.
    fn disconnect(&mut self, now: Moment, told_wait: Option<Duration>, reason: DisconnectReason) {
        if let State::Live(live) = self.state
            && now.saturating_sub(live.since) >= PROVEN
        {
            self.failures = 0;
        }
        let retry_in = told_wait.unwrap_or_else(|| self.jitter.wait(self.failures));
        self.failures = self.failures.saturating_add(1);
        self.state = State::Disconnected {
            retry_at: now + retry_in,
            attempt: self.failures,
        };
        self.act(Action::Close);
        self.sends.connection_lost();
        for ticket in self.requests.connection_lost() {
            self.answer(ticket, Err(RequestError::Disconnected));
        }
        self.act(Action::Deliver(Update::Disconnected { retry_in, reason }));
    }

    /// Ends everything, for good. The outbox keeps what waits.
    fn stop(&mut self, reason: StopReason) {
        self.state = State::Stopped { reason: reason.clone() };
        self.act(Action::Close);
        for ticket in self.requests.stopped() {
            self.answer(ticket, Err(RequestError::Stopped));
        }
        self.act(Action::Deliver(Update::Stopped { reason }));
    }

    fn answer(&mut self, ticket: Ticket, result: Result<Reply, RequestError>) {
        self.act(Action::Answer {
            ticket,
            result: Box::new(result),
        });
    }
}

impl std::fmt::Debug for Input {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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

/// The `hello` of a connection.
fn hello(parts: &on_socket::HelloParts, access_token: &Secret, cursor: Option<ByteString>) -> ClientFrame {
    ClientFrame::Hello(Hello {
        version: samtale_protocol::VERSION,
        access_token: access_token.reveal().to_owned(),
        device: parts.device,
        client: parts.client.clone(),
        language: parts.language,
        cursor,
    })
}
