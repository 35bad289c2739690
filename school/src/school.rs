//! The way in: every request names its caller and is checked here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use samtale_protocol::people::Caller;
use samtale_protocol::time::Clock;
use samtale_protocol::{
    ErrorCode, Event, EventId, MessageId, PersonId, Refusal, Reply, Request, SpaceId, ThreadId, Timestamp,
};
use samtale_router::Publisher;
use samtale_storage::Store;

use crate::directory::Directory;
use crate::follow::FollowedDates;
use crate::followed::Following;
use crate::heads::SpaceHeads;
use crate::profiles::OwnProfiles;
use crate::thread_state::{ThreadLoading, ThreadState};
use crate::write_clock::WriteClock;

/// Threads that a node keeps in memory; beyond it starts over, and loads what is needed again.
const THREADS_IN_MEMORY: usize = 200_000;

/// Persons whose profiles a node keeps in memory.
const PERSONS_IN_MEMORY: usize = 500_000;

/// Sends that are remembered, to tell a client id that is used for two contents.
const SENDS_IN_MEMORY: usize = 50_000;

/// Fills a buffer with randomness: from the system in a server, from a seed in the simulation.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Deliberate faults, which the simulation must catch. A server has none of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sabotage {
    /// Tells the sender before the message is stored.
    pub acknowledge_before_write: bool,
    /// Delivers with a list of members that may be older than what the send was checked against.
    pub stale_members: bool,
}

/// What a school stands on.
pub struct SchoolParts {
    /// Where everything is kept.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for the ids of events.
    pub random: Random,
    /// The way into the spaces' logs.
    pub publisher: Publisher,
    /// None, but in the simulation.
    pub sabotage: Sabotage,
}

/// The rules, and what a node keeps in memory to decide by them.
pub struct School {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) publisher: Publisher,
    pub(crate) sabotage: Sabotage,
    pub(crate) write_clock: WriteClock,
    /// One import at a time.
    pub(crate) importing: tokio::sync::Mutex<()>,
    /// Who loads the directory of a space holds one of these, chosen by the space.
    pub(crate) directory_turns: Turns,
    /// The same for the heads of its threads, which may take long: nobody waits for them who needs a directory.
    pub(crate) heads_turns: Turns,
    random: Random,
    memory: Mutex<Memory>,
}

/// How many spaces are loaded at a time, at most, of what has turns of its own.
const TURNS: usize = 32;

/// Turns to load something large of a space.
#[derive(Default)]
pub(crate) struct Turns([tokio::sync::Mutex<()>; TURNS]);

impl Turns {
    /// Waits for the turn of a space.
    pub async fn of(&self, space: SpaceId) -> tokio::sync::MutexGuard<'_, ()> {
        let chosen = space.as_bytes().iter().fold(0, |sum, byte| sum ^ usize::from(*byte)) % TURNS;
        self.0[chosen].lock().await
    }
}

/// What a node keeps in memory. Follows the logs: of a space it keeps only what it has read since it follows it.
#[derive(Default)]
pub(crate) struct Memory {
    /// The spaces that the node follows.
    pub followed: FxHashMap<SpaceId, Following>,
    pub times_followed: u64,
    pub directories: FxHashMap<SpaceId, Arc<Directory>>,
    /// Directories of spaces that are not followed. Before one is used, its version is looked up.
    pub passing_directories: FxHashMap<SpaceId, Arc<Directory>>,
    /// Up to when the dates of a space were followed, by which version of its directory, and when the next one comes.
    pub followed_dates: FxHashMap<SpaceId, FollowedDates>,
    /// The newest version of each directory that the node has heard of.
    pub directory_versions: FxHashMap<SpaceId, u64>,
    pub threads: FxHashMap<ThreadId, Arc<ThreadState>>,
    pub threads_loading: FxHashMap<ThreadId, ThreadLoading>,
    /// How often it was heard that somebody's profiles are others.
    pub profiles_heard: u64,
    pub persons: FxHashMap<PersonId, Arc<OwnProfiles>>,
    pub heads: FxHashMap<SpaceId, Arc<SpaceHeads>>,
    /// The spaces whose heads are being read, and what was heard of meanwhile.
    pub heads_loading: FxHashMap<SpaceId, Vec<Event>>,
    pub journal_minutes: FxHashMap<SpaceId, u64>,
    pub sends: FxHashMap<MessageId, [u8; 32]>,
}

impl Memory {
    /// Somebody's profiles are others than before.
    pub fn forget_person(&mut self, person: PersonId) {
        self.profiles_heard += 1;
        self.persons.remove(&person);
    }
}

impl School {
    /// A school on these parts.
    pub fn new(parts: SchoolParts) -> Self {
        let SchoolParts {
            store,
            clock,
            random,
            publisher,
            sabotage,
        } = parts;
        let write_clock = WriteClock::default();
        Self {
            store,
            clock,
            publisher,
            sabotage,
            write_clock,
            importing: tokio::sync::Mutex::default(),
            directory_turns: Turns::default(),
            heads_turns: Turns::default(),
            random,
            memory: Mutex::default(),
        }
    }

    /// Does what a request asks for, if the caller may.
    pub async fn handle(&self, caller: &Caller, request: Request) -> Result<Reply, Refusal> {
        match request {
            Request::StartThread(request) => self.start_thread(caller, request).await.map(Reply::Sent),
            Request::SendMessage(request) => self.send_message(caller, request).await.map(Reply::Sent),
            Request::ReplyToSender(request) => self.reply_to_sender(caller, request).await.map(Reply::Sent),
            Request::EditMessage(request) => self.edit_message(caller, request).await.map(Reply::Message),
            Request::RecallMessage(request) => self.recall_message(caller, request).await.map(Reply::Message),
            Request::History(request) => self.history(caller, &request).await.map(Reply::History),
            Request::MarkRead(request) => self.mark_read(caller, request).await.map(Reply::Read),
            Request::Inbox(request) => self.inbox(caller, &request).await.map(Reply::Inbox),
            Request::OpenThread(request) => self.open_thread(caller, &request).await.map(Reply::Thread),
            Request::AddMembers(request) => self.add_members(caller, request).await.map(Reply::MembershipChanged),
            Request::RemoveMembers(request) => self.remove_members(caller, request).await.map(Reply::MembershipChanged),
            Request::LeaveThread(request) => self.leave_thread(caller, request).await.map(Reply::MembershipChanged),
            Request::RenameThread(request) => self.rename_thread(caller, request).await.map(Reply::Renamed),
            Request::SetThreadSettings(request) => self.set_settings(caller, request).await.map(Reply::ThreadSettings),
            Request::SaveDraft(request) => self.save_draft(caller, request).await.map(Reply::Draft),
            Request::LoadDraft(request) => self.load_draft(caller, request).await.map(Reply::Draft),
            Request::ListGroups { space } => self.list_groups(caller, space).await.map(Reply::Groups),
            Request::ListPeople(request) => self.list_people(caller, &request).await.map(Reply::People),
            Request::Names(request) => self.names(caller, &request).await.map(Reply::People),
            Request::Explain(request) => self.explain(caller, &request).await.map(Reply::Explanation),
            Request::Typing(request) => self.typing(caller, request).await.map(|()| Reply::Done),
            // Logins, activation codes and presence belong to the gateway, which knows tokens and sockets.
            Request::IssueActivationCodes(_)
            | Request::ListLogins
            | Request::EndLogin { .. }
            | Request::WatchPresence(_)
            | Request::SetPresenceVisibility(_) => {
                Err(Refusal::new(ErrorCode::BadRequest).detail("this server does not take this request here"))
            }
        }
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.threads.len() > THREADS_IN_MEMORY {
            memory.threads.clear();
        }
        if memory.persons.len() > PERSONS_IN_MEMORY {
            memory.persons.clear();
        }
        if memory.sends.len() > SENDS_IN_MEMORY {
            memory.sends.clear();
        }
        memory
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A timestamp for a row that is written now.
    pub(crate) fn write_timestamp(&self) -> u64 {
        self.write_clock.next(self.clock.now())
    }

    pub(crate) fn event_id(&self, time: Timestamp) -> EventId {
        let mut random = [0; 10];
        (self.random)(&mut random);
        EventId::at(time, &random)
    }

    /// Sixteen random bytes, for ids.
    pub fn random_bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        (self.random)(&mut bytes);
        bytes
    }
}
