//! A link: a socket and what waits for it. One thread owns it.

use std::cell::{Cell, RefCell};
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use samtale_protocol::CloseCode;

use crate::framing;
use crate::inbound::{COME_BACK, Inbound};
use crate::metrics;
use crate::outbox::{Outbox, Outcome};
use crate::wire::{OwnedWire, Wire};

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It goes on.
    Open,
    /// A close frame is on its way; then it ends.
    Closing,
    /// It has ended.
    Ended,
}

/// A socket with its outbox.
pub struct Link {
    wire: OwnedWire,
    outbox: RefCell<Outbox>,
    state: Cell<State>,
    waker: Cell<Option<Waker>>,
    inbound: Inbound,
}

impl Link {
    /// A link over `wire`.
    pub fn new(wire: OwnedWire) -> Self {
        Self {
            wire,
            outbox: RefCell::default(),
            state: Cell::new(State::Open),
            waker: Cell::new(None),
            inbound: Inbound::default(),
        }
    }

    /// What the client sends beside whole messages.
    pub const fn inbound(&self) -> &Inbound {
        &self.inbound
    }

    /// Ends the connection if a count of what came in is above its bound.
    pub fn check(&self, counted: Result<(), CloseCode>) {
        if let Err(code) = counted {
            metrics::on_limited("reading");
            self.close(code, (code == CloseCode::TooMany).then_some(COME_BACK));
        }
    }

    /// The socket.
    pub fn wire(&self) -> &dyn Wire {
        &*self.wire
    }

    /// How far it is.
    pub fn state(&self) -> State {
        self.state.get()
    }

    /// Sends whole frames. Never waits: what the socket does not take is queued; when the queue is full, the client is
    /// told to come back.
    pub fn send_bytes(&self, frames: &Bytes) {
        if self.state.get() != State::Open {
            return;
        }
        let outcome = self.outbox.borrow_mut().write(self.wire(), frames);
        match outcome {
            Outcome::Written => metrics::count_sent(frames.len()),
            Outcome::Queued => {
                metrics::count_sent(frames.len());
                metrics::count_queued();
                self.wake();
            }
            Outcome::Full => self.close(CloseCode::SlowReader, None),
            Outcome::Gone => self.end(),
        }
    }

    /// Ends the connection with a reason.
    pub fn close(&self, code: CloseCode, wait: Option<Duration>) {
        if self.state.get() != State::Open {
            return;
        }
        metrics::on_close(code);
        self.state.set(State::Closing);
        let outcome = self
            .outbox
            .borrow_mut()
            .end_with(self.wire(), &framing::close(code, wait));
        if outcome == Outcome::Gone {
            self.state.set(State::Ended);
        }
        self.wake();
    }

    /// The client has closed, and its close frame is answered: what waits goes out, and then it ends.
    pub fn leave(&self) {
        if self.state.get() == State::Open {
            self.state.set(State::Closing);
        }
    }

    /// Ends the connection without a word.
    pub fn end(&self) {
        self.state.set(State::Ended);
        self.wake();
    }

    /// Writes what waits.
    pub fn flush(&self) -> Outcome {
        self.outbox.borrow_mut().flush(self.wire())
    }

    /// How many bytes wait for the socket.
    pub fn waiting(&self) -> usize {
        self.outbox.borrow().waiting()
    }

    /// Has the loop woken by this waker when there is something to do.
    pub fn wake_with(&self, waker: &Waker) {
        self.waker.set(Some(waker.clone()));
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
