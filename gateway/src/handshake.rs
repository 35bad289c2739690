//! From a socket to a session: `hello` in time, a valid token, the person's spaces followed.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use samtale_protocol::frames::{Hello, Welcome};
use samtale_protocol::people::OwnProfile;
use samtale_protocol::{ClientFrame, CloseCode, Encoding, PersonId, ServerFrame, SpaceId, limits};

use crate::client_frames::{ClientFrames, Incoming};
use crate::connection::Connection;
use crate::cursor;
use crate::framing;
use crate::link::Link;
use crate::metrics;
use crate::reader;
use crate::replaying::Begin;
use crate::requests::VerifiedToken;
use crate::session::{PING_INTERVAL, Session};
use crate::shard::Shard;
use crate::wire::OwnedWire;

/// When a session that made room for a newer one of the same account may come back.
const COME_BACK: Duration = Duration::from_secs(60);

/// A socket that has said nothing yet.
pub struct Unidentified {
    /// Its bytes.
    pub wire: OwnedWire,
    /// What came right behind the upgrade request.
    pub read: Bytes,
    /// How its frames are written.
    pub encoding: Encoding,
}

/// A client that said a valid hello.
struct Identified {
    hello: Hello,
    token: VerifiedToken,
    profiles: Vec<OwnProfile>,
    presence_hidden: bool,
}

impl Shard {
    /// Serves a socket until it ends.
    pub fn serve(self: &Rc<Self>, socket: Unidentified) {
        let shard = Rc::clone(self);
        tokio::task::spawn_local(async move {
            let Unidentified { wire, read, encoding } = socket;
            let link = Link::new(wire);
            let mut frames = ClientFrames::after(&read);
            let identified = tokio::select! {
                biased;
                () = shard.draining.begun() => Err(CloseCode::Restarting),
                identified = tokio::time::timeout(limits::HANDSHAKE, shard.identify(&link, &mut frames, encoding)) => {
                    identified.unwrap_or(Err(CloseCode::HandshakeTimeout))
                }
            };
            match identified {
                Ok(identified) => {
                    metrics::on_handshake(None);
                    // The hello was a message too: counted as one that never ends, it would close who says nothing more.
                    link.inbound().on_message(frames.unread());
                    // A task of its own: what the handshake needs is given back, and what idles stays small.
                    let begun = shard.begin(identified, link, encoding).await;
                    shard.leave_if_idle(&begun);
                    tokio::task::spawn_local(idle(shard, begun, frames));
                }
                Err(code) => {
                    metrics::on_handshake(Some(code));
                    let wait = (code == CloseCode::Restarting).then(|| shard.draining.next_wait());
                    link.close(code, wait);
                    reader::finish(&link).await;
                }
            }
        });
    }

    async fn identify(
        &self,
        link: &Link,
        frames: &mut ClientFrames,
        encoding: Encoding,
    ) -> Result<Identified, CloseCode> {
        let hello = loop {
            match std::future::poll_fn(|context| frames.poll_next(link, context)).await? {
                Incoming::Message { is_text, payload } if is_text != encoding.is_binary() => {
                    break read_hello(encoding, &payload)?;
                }
                Incoming::Ping(payload) => link.send_bytes(&framing::pong(payload)),
                Incoming::Pong(_) => {}
                Incoming::Message { .. } | Incoming::Close(_) | Incoming::End => return Err(CloseCode::BadFrame),
            }
        };
        if hello.version != samtale_protocol::VERSION {
            return Err(CloseCode::UnsupportedVersion);
        }
        if hello.client.len() > limits::SHORT_TEXT_BYTES || hello.access_token.len() > limits::TOKEN_BYTES {
            return Err(CloseCode::BadFrame);
        }
        let token = self
            .parts
            .accounts
            .verify(&hello.access_token)
            .ok_or(CloseCode::InvalidToken)?;
        let person = token.caller.person;
        let profiles = self
            .parts
            .school
            .own_profiles(person)
            .await
            .map_err(|_| CloseCode::ServerError)?;
        let hidden = self.parts.accounts.presence_hidden(&token.caller).await;
        let presence_hidden = hidden.map_err(|refusal| match refusal.code {
            samtale_protocol::ErrorCode::Disabled | samtale_protocol::ErrorCode::InvalidToken => CloseCode::Revoked,
            _ => CloseCode::ServerError,
        })?;
        Ok(Identified {
            hello,
            token,
            profiles,
            presence_hidden,
        })
    }

    /// Makes a session of an identified client: from here on it is found by what happens.
    async fn begin(self: &Rc<Self>, identified: Identified, link: Link, encoding: Encoding) -> Rc<Connection> {
        let Identified {
            hello,
            token,
            profiles,
            presence_hidden,
        } = identified;
        let mut spaces: Vec<SpaceId> = profiles.iter().map(|own| own.space).collect();
        spaces.sort_unstable();
        spaces.dedup();
        let now = self.parts.clock.now();
        self.make_room(token.caller.person);
        let per_second = self.parts.limits.requests_per_second;
        let own_spaces = spaces.iter().copied();
        let session = Session::new(token.caller, encoding, hello.language, own_spaces, per_second, now);
        let connection = self
            .sessions
            .borrow_mut()
            .add(|slot| Connection::new(slot, session, link));
        connection.send(&ServerFrame::Welcome(Welcome {
            server_time: now,
            person: token.caller.person,
            session: token.caller.session,
            profiles,
            expires_at: token.expires_at,
            ping_interval_ms: u64::try_from(PING_INTERVAL.as_millis()).unwrap_or(u64::MAX),
            presence_hidden,
        }));
        let cursor = hello
            .cursor
            .as_ref()
            .map(|cursor| cursor::decode(cursor).unwrap_or_default());
        for space in &spaces {
            self.follow(*space).await;
            let begin = match &cursor {
                None => Begin::Now,
                Some(places) => match places.iter().find(|place| place.space == *space) {
                    Some(place) => Begin::AtCursor(*place),
                    None => Begin::NowWithResync,
                },
            };
            tokio::task::spawn_local(Rc::clone(self).catch_up(Rc::clone(&connection), *space, begin));
        }
        if spaces.is_empty() {
            self.send_cursor(&connection);
        }
        if self.parts.presence.connected(token.caller.person, presence_hidden) {
            self.announce(token.caller.person, true);
        }
        connection
    }

    /// Closes the oldest sessions of a person who has as many as one account may have.
    fn make_room(&self, person: PersonId) {
        let mut sessions = self.sessions.borrow().of_person(person);
        sessions.sort_by_key(|connection| connection.session.borrow().started_at());
        let surplus = (sessions.len() + 1).saturating_sub(self.parts.limits.sessions_per_account);
        for connection in sessions.into_iter().take(surplus) {
            connection.link.close(CloseCode::TooMany, Some(COME_BACK));
        }
    }

    /// Follows a space for the shard's first session in it.
    async fn follow(&self, space: SpaceId) {
        let is_known = self.sessions.borrow().is_followed(space);
        if is_known {
            return;
        }
        if let Some(safe) = self.parts.router.join(space).await {
            let surplus = !self.sessions.borrow_mut().begin(space, safe);
            if surplus {
                self.parts.router.leave(space).await;
            }
        }
    }

    /// A session has ended.
    async fn finish(self: &Rc<Self>, connection: &Connection) {
        let left = self.sessions.borrow_mut().remove(connection);
        for space in left {
            self.parts.router.leave(space).await;
        }
        let person = connection.session.borrow().caller().person;
        if self.parts.presence.disconnected(person) {
            self.announce(person, false);
        }
    }
}

/// The long part of a connection's life. An `async fn` would keep its arguments twice, and what only the end needs is boxed:
/// every idle session keeps the rest.
#[expect(clippy::manual_async_fn, reason = "a block uses what it is given where it lies")]
fn idle(shard: Rc<Shard>, connection: Rc<Connection>, mut frames: ClientFrames) -> impl Future<Output = ()> {
    async move {
        reader::run(&shard, &connection, &mut frames).await;
        let end = async {
            reader::finish(&connection.link).await;
            shard.finish(&connection).await;
        };
        Box::pin(end).await;
    }
}

#[cfg(test)]
const _: () = assert!(size_of_future(&idle) <= 104, "an idle session is made of it");

#[cfg(test)]
const fn size_of_future<A, B, C, Made, Make: Fn(A, B, C) -> Made>(_: &Make) -> usize {
    size_of::<Made>()
}

fn read_hello(encoding: Encoding, bytes: &[u8]) -> Result<Hello, CloseCode> {
    match ClientFrame::decode(encoding, bytes) {
        Ok(ClientFrame::Hello(hello)) => Ok(hello),
        Ok(ClientFrame::Request { .. }) => Err(CloseCode::OutOfTurn),
        Err(_) => Err(CloseCode::BadFrame),
    }
}
