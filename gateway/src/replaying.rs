//! Catching a session up in one of its spaces, beside everything else, until it is live.

use std::rc::Rc;
use std::time::Duration;

use samtale_protocol::{ServerFrame, SpaceId, Timestamp};
use samtale_router::{CursorPlace, Position, ReplayFrom, ReplayPage};

use crate::connection::Connection;
use crate::link::State;
use crate::outbox::READ_BYTES;
use crate::shard::Shard;

/// How long to wait for a reader that is slower than its replay, and after storage failed.
const PAUSE: Duration = Duration::from_millis(50);

/// What a space's catching up begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At the client's place.
    AtCursor(CursorPlace),
    /// Where the space is now: the client has no cursor at all and loads what it shows.
    Now,
    /// Where the space is now, and the client must load what it shows.
    NowWithResync,
}

impl Shard {
    /// Catches a session up in one space; when it was the last one, sends the first cursor.
    pub(crate) async fn catch_up(self: Rc<Self>, connection: Rc<Connection>, space: SpaceId, begin: Begin) {
        let person = connection.session.borrow().caller().person;
        let Some(safe) = self.sessions.borrow().safe(space) else {
            return;
        };
        let now = ReplayFrom::Log {
            position: safe.position,
            time: safe.time,
        };
        let mut from = match begin {
            Begin::AtCursor(place) => ReplayFrom::Log {
                position: place.position,
                time: place.time,
            },
            Begin::Now => now,
            Begin::NowWithResync => {
                connection.send(&ServerFrame::Resync { space });
                now
            }
        };
        let mut events = 0;
        let mut resumes = matches!(begin, Begin::AtCursor(_));
        while connection.link.state() == State::Open {
            if connection.link.waiting() > READ_BYTES {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            match self.parts.replay.page(space, person, from).await {
                Ok(ReplayPage::Events { frames, next }) => {
                    events += send_all(&connection, &frames).await;
                    from = next;
                }
                Ok(ReplayPage::Reached { frames, position }) => {
                    events += send_all(&connection, &frames).await;
                    let Some(seen) = self.sessions.borrow().seen(space) else {
                        return;
                    };
                    if self.sessions.borrow().is_moving(space) {
                        tokio::time::sleep(PAUSE).await;
                    } else if seen.epoch == position.epoch && seen.offset <= position.offset {
                        return self.go_live(&connection, space, position, resumes.then_some(events));
                    }
                    // The shard may have been handed more meanwhile, which this session was not given.
                    from = ReplayFrom::Log {
                        position,
                        time: time_of(&from),
                    };
                }
                Ok(ReplayPage::Resync) => {
                    connection.send(&ServerFrame::Resync { space });
                    resumes = false;
                    let Some(safe) = self.sessions.borrow().safe(space) else {
                        return;
                    };
                    from = ReplayFrom::Log {
                        position: safe.position,
                        time: safe.time,
                    };
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// The session has everything up to `position`. It is told how many events it had missed, if it came with a cursor.
    fn go_live(&self, connection: &Rc<Connection>, space: SpaceId, position: Position, missed: Option<u64>) {
        // The slot of a session that has ended may be another one's.
        if connection.link.state() != State::Open {
            return;
        }
        self.sessions
            .borrow_mut()
            .on_caught_up(space, connection.slot, position.offset);
        if let Some(events) = missed {
            samtale_router::metered::count_replay("resumed");
            connection.send(&ServerFrame::Resumed { space, events });
        }
        if connection.session.borrow_mut().on_caught_up(space) {
            self.send_cursor(connection);
        }
    }
}

const fn time_of(from: &ReplayFrom) -> Timestamp {
    match from {
        ReplayFrom::Log { time, .. } | ReplayFrom::Journal { time, .. } => *time,
    }
}

/// Sends frames no faster than the reader takes them.
async fn send_all(connection: &Connection, frames: &[ServerFrame]) -> u64 {
    for frame in frames {
        while connection.link.waiting() > READ_BYTES && connection.link.state() == State::Open {
            tokio::time::sleep(PAUSE).await;
        }
        connection.send(frame);
    }
    frames.len() as u64
}
