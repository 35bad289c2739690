//! The checker: what clients wrote down, and which promises of the design that breaks. It uses nothing that the server
//! says of itself. The simulation and the tests that kill real servers share it.
//!
//! Whoever watches the clients gives every note a *moment*, which rises from note to note over all clients, and the
//! milliseconds since the run began, by the watcher's one clock. Clocks of servers and clients may differ from it and
//! from each other by up to [`SKEW_MS`], so what happens that close together may count as before or after.

mod audience;
mod delivery;
mod order;
mod pairs;
mod view;

use std::fmt;

use samtale_protocol::{ClientId, ErrorCode, MessageId, ProfileId, ThreadId, Timestamp};

pub use view::View;

/// How far apart two events must be for their order to be beyond doubt: a client fixes a time at most two seconds
/// ahead of a node that may be one second ahead of another.
pub const SKEW_MS: u64 = 4_000;

/// How long the journal reaches back, less some minutes for clocks and what is on its way.
pub const JOURNAL_REACH_MS: u64 = (14 * 24 * 60 - 10) * 60 * 1000;

/// A message as a client has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its id.
    pub message: MessageId,
    /// Its version.
    pub version: u64,
    /// The send that made it, which its text names; `None` when it was recalled.
    pub client: Option<ClientId>,
    /// What it answers.
    pub reply_to: Option<MessageId>,
}

/// What a client writes down.
#[derive(Clone, Debug)]
pub enum Note {
    /// Whose client it is. The first note of each.
    Began {
        /// The profile.
        profile: ProfileId,
    },
    /// A thread was there before the run, with these members.
    Given {
        /// The thread.
        thread: ThreadId,
        /// Its members.
        members: Vec<ProfileId>,
    },
    /// It sent a message, for the first time or again.
    Asked {
        /// Where to.
        thread: ThreadId,
        /// Its name of the send.
        client: ClientId,
        /// The time it fixed.
        sent_at: Timestamp,
        /// What it answers.
        reply_to: Option<MessageId>,
    },
    /// It answered the author of a message alone, for the first time or again: in a thread of the two.
    AnswerAsked {
        /// Where the message is.
        source: ThreadId,
        /// Its author.
        to: ProfileId,
        /// Its name of the send.
        client: ClientId,
        /// The time it fixed.
        sent_at: Timestamp,
    },
    /// It was told that a message is stored.
    Told {
        /// Where.
        thread: ThreadId,
        /// Its name of the send.
        client: ClientId,
        /// The message's id.
        message: MessageId,
    },
    /// A request was refused for good.
    Refused {
        /// Why.
        code: ErrorCode,
        /// The server's words.
        detail: String,
    },
    /// It asked for a change of a message.
    ChangeAsked {
        /// The message.
        message: MessageId,
    },
    /// It was told that the change is stored.
    ChangeTold {
        /// The message.
        message: MessageId,
        /// Its version then.
        version: u64,
    },
    /// It asked to add someone to a thread.
    AddAsked {
        /// The thread.
        thread: ThreadId,
        /// Whom.
        profile: ProfileId,
        /// Whether from the beginning.
        from_the_beginning: bool,
    },
    /// It was told that they are added.
    AddTold {
        /// The thread.
        thread: ThreadId,
        /// Who.
        profile: ProfileId,
    },
    /// It asked to take someone out of a thread, or to leave it.
    RemoveAsked {
        /// The thread.
        thread: ThreadId,
        /// Whom.
        profile: ProfileId,
    },
    /// It was told that they are out, or saw it.
    RemoveTold {
        /// The thread.
        thread: ThreadId,
        /// Who.
        profile: ProfileId,
    },
    /// Someone was to come into a thread, or to go from it, with a group that it follows. Who was put in or taken out by hand, and
    /// not by the group before, stays as they are.
    FollowAsked {
        /// The thread.
        thread: ThreadId,
        /// Who.
        profile: ProfileId,
        /// Whether they come.
        comes: bool,
    },
    /// The thread had followed.
    FollowTold {
        /// The thread.
        thread: ThreadId,
        /// Who.
        profile: ProfileId,
        /// Whether they came.
        comes: bool,
    },
    /// A message came to its screen.
    Shown {
        /// Where.
        thread: ThreadId,
        /// The message.
        seen: Seen,
        /// Whether it came by itself; otherwise it was in a page that was asked for.
        by_event: bool,
    },
    /// It was told to ask again for what it shows.
    Resync {
        /// How old its cursor was; `None` when it had none for the space.
        cursor_age_ms: Option<u64>,
    },
    /// It came back, and was told of everything that had happened meanwhile in a space.
    Resumed {
        /// How many events that were.
        events: u64,
    },
    /// At the end: a thread as the server gives it to this client; `None` when it refuses.
    Kept {
        /// The thread.
        thread: ThreadId,
        /// Its messages.
        messages: Option<Vec<Seen>>,
    },
    /// At the end: a thread as it is on the screen.
    Screen {
        /// The thread.
        thread: ThreadId,
        /// Its messages, in the order of the screen.
        messages: Vec<Seen>,
    },
    /// At the end: it still waits for an answer.
    Stuck {
        /// For what.
        what: String,
    },
}

/// A note with when it was made and by whom.
#[derive(Clone, Debug)]
pub struct Noted {
    /// Rises from note to note.
    pub moment: u64,
    /// Milliseconds since the run began.
    pub at_ms: u64,
    /// Which client.
    pub device: u32,
    /// What.
    pub note: Note,
}

/// The promises of the design.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// A message that its sender saw as sent is on every recipient's screen or in their thread.
    NothingLost,
    /// A send is one message and the same reply, however often it is retried.
    NothingTwice,
    /// An answer never sorts before its question, and all devices agree.
    OneOrder,
    /// A resume is complete or says that it is not.
    CompleteOrSaidSo,
    /// No one sees what they may not.
    OnlyItsAudience,
    /// Every request is answered in the end, and none is refused that was in order.
    Answered,
}

/// A broken promise.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Which.
    pub promise: Promise,
    /// How.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}", self.promise, self.what)
    }
}

/// Everything in these notes that breaks a promise.
pub fn check(notes: &[Noted]) -> Vec<Violation> {
    check_after(&[], notes)
}

/// The same for notes of people who have a past, which `earlier` tells: what they are shown of it is judged by who was
/// in those threads then. What earlier notes break themselves is not named again.
pub fn check_after(earlier: &[Noted], notes: &[Noted]) -> Vec<Violation> {
    let view = View::after(earlier, notes);
    let mut violations = order::check(&view);
    violations.extend(delivery::check(&view));
    violations.extend(audience::check(&view));
    violations.extend(view.pairs.violations);
    violations
}

pub(crate) fn violation(promise: Promise, what: String) -> Violation {
    Violation { promise, what }
}
