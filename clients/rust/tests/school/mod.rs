//! A small school behind the server of the tests: one space, one class, one thread of two.

use std::sync::{Arc, Mutex};

use samtale_protocol::events::Event;
use samtale_protocol::messages::{HistoryPage, Message, Part, ReadMarker, Sent};
use samtale_protocol::people::{
    Group, GroupKind, Groups, OwnProfile, PeoplePage, Person, Role, Withheld, WithheldReason,
};
use samtale_protocol::threads::{InboxEntry, InboxPage, Member, StartThread, Thread, ThreadDetails};
use samtale_protocol::{
    ClientFrame, ClientId, ErrorCode, EventId, GroupId, MessageId, ProfileId, Reply, Request, ServerFrame, SpaceId,
    ThreadId, Timestamp,
};

use crate::support::{NOON, Server, Socket};

pub const SPACE: SpaceId = SpaceId::from_bytes([1; 16]);
pub const METTE: ProfileId = ProfileId::from_bytes([2; 16]);
pub const ANDERS: ProfileId = ProfileId::from_bytes([3; 16]);
pub const CLASS: GroupId = GroupId::from_bytes([4; 16]);
pub const THREAD: ThreadId = ThreadId::from_bytes([5; 16]);
const STARTED: ThreadId = ThreadId::from_bytes([6; 16]);

pub struct School {
    pub url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    messages: Vec<Message>,
    started: Vec<StartThread>,
    break_after_sends: u32,
    ignore_sends: bool,
    tell_on_connect: Option<(String, usize)>,
}

impl School {
    pub async fn start() -> Self {
        let mut server = Server::start().await;
        let school = Self {
            url: server.url.clone(),
            state: Arc::default(),
        };
        let state = school.state.clone();
        tokio::spawn(async move {
            while let Some(socket) = server.next_socket().await {
                tokio::spawn(serve(socket, state.clone()));
            }
        });
        school
    }

    /// Anders writes.
    pub fn add(&self, text: &str) {
        let mut state = self.state.lock().unwrap();
        let at = Timestamp::saturating(NOON.as_millis() - 1000 + state.messages.len() as u64);
        let message = message(ANDERS, ClientId::from_bytes([9; 16]), at, vec![Part::text(text)]);
        state.messages.push(message);
    }

    /// The texts of the thread, in order.
    pub fn texts(&self) -> Vec<String> {
        self.state
            .lock()
            .unwrap()
            .messages
            .iter()
            .map(|message| Part::plain_text(&message.parts))
            .collect()
    }

    /// What was started.
    pub fn started(&self) -> Vec<StartThread> {
        self.state.lock().unwrap().started.clone()
    }

    /// The next sends are stored, and the connection breaks before the answer.
    pub fn break_after_sends(&self, count: u32) {
        self.state.lock().unwrap().break_after_sends = count;
    }

    /// Sends are neither stored nor answered.
    pub fn ignore_sends(&self, ignore: bool) {
        self.state.lock().unwrap().ignore_sends = ignore;
    }

    /// Who connects is told this event so many times.
    pub fn tell_on_connect(&self, text: &str, times: usize) {
        self.state.lock().unwrap().tell_on_connect = Some((text.to_owned(), times));
    }
}

async fn serve(mut socket: Socket, state: Arc<Mutex<State>>) {
    socket.hello().await;
    let me = OwnProfile {
        profile: METTE,
        space: SPACE,
        space_name: "Skovskolen".to_owned(),
        role: Role::Guardian,
        name: "Mette".to_owned(),
    };
    socket.welcome_with(NOON, vec![me]).await;
    let told = state.lock().unwrap().tell_on_connect.clone();
    if let Some((text, times)) = told {
        let event = event(message(
            ANDERS,
            ClientId::from_bytes([8; 16]),
            NOON,
            vec![Part::text(text)],
        ));
        for _ in 0..times {
            socket.tell(event.clone()).await;
        }
    }
    while let Some(ClientFrame::Request { id, request }) = socket.next().await {
        let frames = state.lock().unwrap().answer(id, request);
        let Some(frames) = frames else { return };
        for frame in frames {
            socket.tell(frame).await;
        }
    }
}

impl State {
    /// What the request leads to; `None`: the connection breaks.
    fn answer(&mut self, id: u32, request: Request) -> Option<Vec<ServerFrame>> {
        let reply = match request {
            Request::SendMessage(_) if self.ignore_sends => return Some(Vec::new()),
            Request::SendMessage(send) => {
                let message = message(METTE, send.client_id, send.sent_at, send.parts);
                let sent = Sent {
                    thread: send.thread,
                    message: message.message,
                    client_id: send.client_id,
                };
                if self.messages.iter().all(|known| known.message != message.message) {
                    self.messages.push(message.clone());
                }
                if self.break_after_sends > 0 {
                    self.break_after_sends -= 1;
                    return None;
                }
                // In either order, as it may come.
                let reply = Reply::Sent(sent);
                let mut frames = vec![event(message), ServerFrame::Reply { id, reply }];
                if self.messages.len().is_multiple_of(2) {
                    frames.reverse();
                }
                return Some(frames);
            }
            Request::StartThread(start) => {
                let message = MessageId::first_at(start.sent_at);
                let sent = Sent {
                    thread: STARTED,
                    message,
                    client_id: start.client_id,
                };
                self.started.push(start);
                Reply::Sent(sent)
            }
            Request::Inbox(_) => Reply::Inbox(self.inbox()),
            Request::History(history) => {
                let before = |message: &&Message| {
                    message.thread == history.thread && history.before.is_none_or(|before| message.message < before)
                };
                let messages: Vec<Message> = self.messages.iter().filter(before).cloned().collect();
                let skipped = messages.len().saturating_sub(history.limit as usize);
                let messages = messages[skipped..].to_vec();
                Reply::History(HistoryPage {
                    messages,
                    more: skipped > 0,
                    withheld: Vec::new(),
                })
            }
            Request::OpenThread(open) => Reply::Thread(details(open.thread)),
            Request::ListPeople(list) => Reply::People(people(list.search.as_deref().unwrap_or_default())),
            Request::Names(_) => Reply::People(people("Anders")),
            Request::ListGroups { .. } => Reply::Groups(groups()),
            Request::MarkRead(_) => Reply::Read(ReadMarker::default()),
            _ => {
                return Some(vec![ServerFrame::Error {
                    id: Some(id),
                    error: ErrorCode::BadRequest.into(),
                }]);
            }
        };
        Some(vec![ServerFrame::Reply { id, reply }])
    }

    fn inbox(&self) -> InboxPage {
        let last = self.messages.last();
        let entry = InboxEntry {
            thread: thread(THREAD),
            profile: METTE,
            last_message: last.map_or(MessageId::first_at(NOON), |message| message.message),
            last_author: last.map_or(METTE, |message| message.author),
            preview: last.map(|message| Part::plain_text(&message.parts)).unwrap_or_default(),
            unread: self.messages.len().try_into().unwrap(),
            read: ReadMarker::default(),
            muted: false,
            marked: false,
            left_at: None,
        };
        InboxPage {
            entries: vec![entry],
            more: false,
            withheld: Vec::new(),
        }
    }
}

fn message(author: ProfileId, client_id: ClientId, sent_at: Timestamp, parts: Vec<Part>) -> Message {
    let message = MessageId::derive(THREAD, author, client_id, sent_at);
    let (reply_to, edited_at, recalled_at) = (None, None, None);
    Message {
        thread: THREAD,
        message,
        author,
        sent_at,
        version: sent_at.as_micros(),
        parts,
        reply_to,
        edited_at,
        recalled_at,
    }
}

fn event(message: Message) -> ServerFrame {
    let id = EventId::from_bytes(*message.message.as_bytes());
    ServerFrame::Event {
        space: SPACE,
        id,
        event: Event::Message(message),
    }
}

fn thread(id: ThreadId) -> Thread {
    Thread {
        space: SPACE,
        thread: id,
        version: 1,
        membership_version: 1,
        subject: "Tur i skoven".to_owned(),
        starter: ANDERS,
        started_at: NOON,
        regarding: Vec::new(),
        linked_to: None,
    }
}

fn details(id: ThreadId) -> ThreadDetails {
    let member = |profile, role, name: &str| Member {
        profile,
        role,
        name: name.to_owned(),
        joined_at: NOON,
        left_at: None,
        read: None,
    };
    let members = vec![
        member(METTE, Role::Guardian, "Mette"),
        member(ANDERS, Role::Employee, "Anders Holm"),
    ];
    ThreadDetails {
        thread: thread(id),
        members,
        more: false,
        families: 1,
        may_write: true,
        withheld: Vec::new(),
    }
}

fn people(search: &str) -> PeoplePage {
    let person = |number: u8, role, name: &str| Person {
        profile: ProfileId::from_bytes([number; 16]),
        role,
        name: name.to_owned(),
        groups: Vec::new(),
        children: Vec::new(),
    };
    let all = [
        person(3, Role::Employee, "Anders Holm"),
        person(6, Role::Guardian, "Jens Jensen"),
        person(7, Role::Guardian, "Jens Jensen"),
    ];
    let found = all
        .into_iter()
        .filter(|person| person.name.to_lowercase().contains(&search.to_lowercase()));
    let withheld = vec![Withheld {
        count: 2,
        reason: WithheldReason::NameProtected,
    }];
    PeoplePage {
        people: found.collect(),
        more: false,
        withheld,
    }
}

fn groups() -> Groups {
    let class = Group {
        group: CLASS,
        kind: GroupKind::Class,
        name: "3.A".to_owned(),
        members: 40,
        mine: true,
    };
    Groups {
        groups: vec![class],
        withheld: Vec::new(),
    }
}
