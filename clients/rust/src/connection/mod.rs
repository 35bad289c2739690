//! The connection as a state machine: it takes an input, decides, and returns actions. It never waits, opens nothing and
//! reads no clock, so every path through it is tested with plain values.
//!
//! One file per source of inputs: `on_login`, `on_socket`, `on_frame`, `on_tick`, `on_application`.

mod inputs;
mod on_application;
mod on_frame;
mod on_login;
mod on_socket;
mod on_tick;
mod requests;
mod seen;
mod sends;
#[cfg(test)]
mod simulation;
mod state;
#[cfg(test)]
mod tests;

use std::time::Duration;

use samtale_protocol::{ByteString, DeviceId, Language, Reply};

use crate::backoff::Jitter;
use crate::clock::ServerClock;
use crate::errors::RequestError;
use crate::outbox::Entry;
use crate::secret::Secret;
use crate::updates::{DisconnectReason, StopReason, Update};

use requests::Requests;
use seen::Seen;
use sends::Sends;

pub use inputs::{Action, Input, Ticket};
pub(crate) use on_login::in_words;
pub use requests::REQUESTS_WAITING;
pub use state::{Live, State, Step};

/// A moment, as the time since the client was made, by a clock that only runs forward.
pub type Moment = Duration;

/// A connection that was live for this long was a good one: what ends it does not add to earlier failures.
const PROVEN: Duration = Duration::from_secs(5);
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
