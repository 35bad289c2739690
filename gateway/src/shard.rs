//! A shard: one thread and the sessions it owns. Nothing in it is shared with another thread, and nothing has a lock.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use samtale_protocol::time::Clock;
use samtale_protocol::{CloseCode, PersonId, SessionId, Signal, SpaceId, Timestamp};
use samtale_router::log::AddressedSignal;
use samtale_router::{Delivery, Presence, Publisher, Recipients, Replay, Router, Sent, SharedFrame};
use samtale_school::School;
use samtale_storage::journal::Fact;

use crate::connection::Connection;
use crate::cursor;
use crate::draining::Draining;
use crate::framing;
use crate::metrics;
use crate::requests::AccountRequests;
use crate::session::{Action, PING_INTERVAL};
use crate::shard_sessions::Sessions;

/// How far the clocks of two nodes may be apart, and then some.
const CLOCKS_APART: std::time::Duration = std::time::Duration::from_secs(2);

/// How often is looked whether those who are watched are still online.
const WATCHED_ANEW: std::time::Duration = std::time::Duration::from_secs(10);

/// What a shard stands on; the same for all shards of a node.
#[derive(Clone)]
pub struct ShardParts {
    /// The rules.
    pub school: Arc<School>,
    /// The logs.
    pub router: Router,
    /// What sessions missed.
    pub replay: Replay,
    /// Who is online.
    pub presence: Arc<Presence>,
    /// The way into the logs, for signals.
    pub publisher: Publisher,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Logins, codes and tokens.
    pub accounts: Arc<dyn AccountRequests>,
    /// What one account and one session may use.
    pub limits: SessionLimits,
}

/// What one account and one session may use.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// Sessions of one account on a shard: devices, browsers and tabs. One more closes the oldest.
    pub sessions_per_account: usize,
    /// Requests of one session per second, on average.
    pub requests_per_second: u16,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            sessions_per_account: 20,
            requests_per_second: 20,
        }
    }
}

/// One thread's sessions.
pub struct Shard {
    pub(crate) parts: ShardParts,
    pub(crate) sessions: RefCell<Sessions>,
    pub(crate) draining: Draining,
    /// Seconds since the shard began; a session's tick is due when its slot comes round.
    seconds: RefCell<u64>,
}

impl Shard {
    /// A shard without sessions.
    pub fn new(parts: ShardParts) -> Rc<Self> {
        Rc::new(Self {
            parts,
            sessions: RefCell::default(),
            draining: Draining::default(),
            seconds: RefCell::default(),
        })
    }

    /// How many sessions it has.
    pub fn len(&self) -> usize {
        self.sessions.borrow().len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the router hands over.
    pub fn take(self: &Rc<Self>, sent: &Sent) {
        match sent {
            Sent::Delivery(delivery) => self.on_delivery(delivery),
            Sent::Signal {
                space,
                signal,
                recipients,
                frame,
            } => self.on_signal(*space, signal, recipients, frame),
            Sent::Moving { space } => self.sessions.borrow_mut().on_moving(*space),
            Sent::Moved { space, safe } => self.sessions.borrow_mut().on_moved(*space, *safe),
        }
    }

    fn on_delivery(self: &Rc<Self>, delivery: &Delivery) {
        let have = self
            .sessions
            .borrow_mut()
            .on_delivery(delivery.space, delivery.position, delivery.safe);
        if let Some(frame) = &delivery.frame {
            let sessions = self.sessions.borrow();
            let mut delivered = 0;
            sessions.for_each(delivery.space, &delivery.recipients, |connection| {
                if have.binary_search(&connection.slot).is_err() {
                    delivered += u64::from(deliver(connection, delivery.space, frame));
                }
            });
            metrics::count_delivery(delivered);
        }
        if delivery.space == SpaceId::SYSTEM {
            self.on_system_fact(&delivery.entry.fact, delivery.entry.time);
        }
    }

    /// Rights and logins that change act on open sockets. A fact may be told more than once, and late: whoever connected
    /// well after it was asked for their rights then.
    fn on_system_fact(self: &Rc<Self>, fact: &Fact, time: Timestamp) {
        match fact {
            Fact::LoginEnded { person, session } => {
                self.parts.accounts.forget(*person);
                self.on_login_ended(*person, *session, time);
            }
            Fact::Profiles { person } => self.close_where(*person, CloseCode::RightsChanged, |connection| {
                connection.session.borrow().started_at().since(time) <= CLOCKS_APART
            }),
            Fact::PresenceVisibility { person, hidden } => {
                self.parts.accounts.forget(*person);
                self.on_presence_visibility(*person, *hidden);
            }
            _ => {}
        }
    }

    /// One login has ended, or all that there were at `time`.
    fn on_login_ended(&self, person: PersonId, session: Option<SessionId>, time: Timestamp) {
        let Some(session) = session else {
            self.close_where(person, CloseCode::Revoked, |connection| {
                time.since(connection.session.borrow().started_at()) > CLOCKS_APART
            });
            // Who came about then may have logged in before or after: they come back, and their login is looked at.
            return self.close_where(person, CloseCode::RightsChanged, |connection| {
                connection.session.borrow().started_at().since(time) <= CLOCKS_APART
            });
        };
        self.close_where(person, CloseCode::Revoked, |connection| {
            connection.session.borrow().caller().session == session
        });
    }

    fn close_where(&self, person: PersonId, code: CloseCode, which: impl Fn(&Connection) -> bool) {
        for connection in self.sessions.borrow().of_person(person) {
            if which(&connection) {
                connection.link.close(code, None);
            }
        }
    }

    fn on_signal(&self, space: SpaceId, signal: &AddressedSignal, recipients: &Recipients, frame: &Arc<SharedFrame>) {
        if let Signal::Presence { profile, online, .. } = &signal.signal {
            self.sessions.borrow_mut().set_online(*profile, *online);
            let watchers = self.sessions.borrow().watchers(*profile);
            metrics::count_delivery(watchers.len() as u64);
            for connection in watchers {
                send_shared(&connection, frame);
            }
            return;
        }
        let sessions = self.sessions.borrow();
        let mut delivered = 0;
        sessions.for_each(space, recipients, |connection| {
            let session = connection.session.borrow();
            let tell = session.caller().person != signal.about && session.is_live(space);
            drop(session);
            if tell {
                delivered += 1;
                send_shared(connection, frame);
            }
        });
        metrics::count_delivery(delivered);
    }

    /// A frame from a client.
    pub fn on_client_frame(self: &Rc<Self>, connection: &Rc<Connection>, bytes: &[u8]) {
        let action = connection
            .session
            .borrow_mut()
            .on_client_frame(bytes, self.parts.clock.now());
        self.act(connection, action);
    }

    /// A second has passed: ticks for the sessions whose turn it is, so that pings are spread over the interval.
    pub fn on_second(self: &Rc<Self>) {
        let seconds = {
            let mut seconds = self.seconds.borrow_mut();
            *seconds += 1;
            *seconds
        };
        let turn = seconds % PING_INTERVAL.as_secs();
        if seconds.is_multiple_of(WATCHED_ANEW.as_secs()) && !self.parts.presence.is_alone() {
            tokio::task::spawn_local(Rc::clone(self).look_at_watched());
        }
        let due = self.sessions.borrow().in_turn(turn, PING_INTERVAL.as_secs());
        let now = self.parts.clock.now();
        for connection in due {
            let actions = connection.session.borrow_mut().on_tick(now);
            for action in actions {
                self.act(&connection, action);
            }
        }
    }

    pub(crate) fn act(self: &Rc<Self>, connection: &Rc<Connection>, action: Action) {
        match action {
            Action::Send(frame) => connection.send(&frame),
            Action::Perform { id, .. } if self.draining.has_begun() => self.turn_away(connection, id),
            Action::Perform { id, request } => self.perform(connection, id, request),
            Action::Ping => {
                connection.link.send_bytes(&framing::ping());
                connection.link.check(connection.link.inbound().on_interval());
            }
            Action::SendCursor => self.send_cursor(connection),
            Action::Close(code) => connection.link.close(code, None),
            Action::SayAndClose(frame, code) => {
                connection.send(&frame);
                connection.link.close(code, None);
            }
        }
    }

    /// Sends the newest cursor: everything before it is in the client's stream already.
    pub(crate) fn send_cursor(&self, connection: &Connection) {
        let places = self.sessions.borrow().places(connection.session.borrow().spaces());
        connection.send(&samtale_protocol::ServerFrame::Cursor {
            cursor: cursor::encode(&places),
        });
    }

    /// Looks whether those who are watched are still online. Whoever was on a node that died is told of by nobody, and what
    /// passes may be lost.
    async fn look_at_watched(self: Rc<Self>) {
        let watched = self.sessions.borrow().all_watched();
        let persons: Vec<PersonId> = watched.iter().map(|watched| watched.person).collect();
        if persons.is_empty() {
            return;
        }
        let Some(online) = self.parts.presence.online(&persons, self.parts.clock.now()).await else {
            return;
        };
        for (watched, online) in watched.into_iter().zip(online) {
            if !self.sessions.borrow_mut().set_online(watched.profile, online) {
                continue;
            }
            let signal = Signal::Presence {
                space: watched.space,
                profile: watched.profile,
                online,
            };
            let frame = SharedFrame::new(samtale_protocol::ServerFrame::Signal { signal });
            for connection in self.sessions.borrow().watchers(watched.profile) {
                send_shared(&connection, &frame);
            }
        }
    }

    /// Tells those who watch `person` that they came online or went offline here, unless they are online elsewhere.
    pub(crate) fn announce(self: &Rc<Self>, person: PersonId, online: bool) {
        let parts = self.parts.clone();
        tokio::task::spawn_local(async move {
            if parts.presence.settle(person).await != online {
                return;
            }
            let Ok(own) = parts.school.profiles_of(person).await else {
                return;
            };
            for (space, profile, _) in &own.profiles {
                let signal = Signal::Presence {
                    space: *space,
                    profile: *profile,
                    online,
                };
                let audience = samtale_protocol::Audience::default();
                parts
                    .publisher
                    .signal(
                        *space,
                        AddressedSignal {
                            audience,
                            about: person,
                            signal,
                        },
                    )
                    .await;
            }
        });
    }

    fn on_presence_visibility(self: &Rc<Self>, person: PersonId, hidden: bool) {
        if self.parts.presence.set_hidden(person, hidden) {
            self.announce(person, !hidden);
        }
    }
}

/// Whether the session gets it now: not while it catches up.
fn deliver(connection: &Connection, space: SpaceId, frame: &SharedFrame) -> bool {
    let mut session = connection.session.borrow_mut();
    if !session.on_delivery(space) {
        return false;
    }
    let encoding = session.encoding();
    drop(session);
    connection
        .link
        .send_bytes(frame.bytes(encoding, |frame| framing::message(frame, encoding)));
    true
}

fn send_shared(connection: &Connection, frame: &SharedFrame) {
    let encoding = connection.session.borrow().encoding();
    connection
        .link
        .send_bytes(frame.bytes(encoding, |frame| framing::message(frame, encoding)));
}

#[cfg(test)]
const _: () = assert!(
    std::mem::size_of::<Connection>() <= 320,
    "an idle session is made of these"
);
