//! A real client that sends, listens, and writes down what it asked, was told and was shown.

mod listening;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use samtale_client::{Client, RequestError, Updates};
use samtale_protocol::messages::{History, Message, Part};
use samtale_protocol::threads::{AddMembers, Recipient, RemoveMembers};
use samtale_protocol::{ClientId, ErrorCode, MessageId, ProfileId, Reply, Request, ThreadId, Timestamp};

use crate::checker::{Note, Noted, Seen};

/// The messages that are asked for at once, at most and at least.
const LARGEST_PAGE: u32 = 100;
const SMALLEST_PAGE: u32 = 4;

/// What all witnesses of a run write into.
pub struct Notebook {
    began: Instant,
    moments: AtomicU64,
    devices: AtomicU32,
    notes: Mutex<Vec<Noted>>,
}

impl Default for Notebook {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            moments: AtomicU64::new(0),
            devices: AtomicU32::new(0),
            notes: Mutex::default(),
        }
    }
}

impl Notebook {
    /// Writes something down.
    pub fn note(&self, device: u32, note: Note) {
        let (moment, at_ms) = self.moment();
        self.note_of(device, moment, at_ms, note);
    }

    /// Numbers for so many devices that write into it, of which the first is returned.
    pub fn devices(&self, count: u32) -> u32 {
        self.devices.fetch_add(count, Ordering::Relaxed)
    }

    /// A moment after all that were written down so far.
    pub fn now(&self) -> u64 {
        self.moment().0
    }

    /// The milliseconds since the run began, as notes have them.
    pub fn at_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Now, for something that is written down once it is known whole.
    fn moment(&self) -> (u64, u64) {
        let at_ms = self.at_ms();
        (self.moments.fetch_add(1, Ordering::Relaxed), at_ms)
    }

    fn note_of(&self, device: u32, moment: u64, at_ms: u64, note: Note) {
        let noted = Noted {
            moment,
            at_ms,
            device,
            note,
        };
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(noted);
    }

    /// How much was written down.
    pub fn len(&self) -> usize {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether nothing was.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Everything that was written down, in the order of its moments.
    pub fn notes(&self) -> Vec<Noted> {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        notes.sort_by_key(|noted| noted.moment);
        notes
    }
}

/// What a witness has on its screen, and what it still waits for.
#[derive(Default)]
struct Screen {
    threads: BTreeMap<ThreadId, BTreeMap<MessageId, Seen>>,
    /// Sends that are not answered, with when they were asked.
    waiting: BTreeMap<ClientId, (ThreadId, u64, u64)>,
    /// The newest membership of each thread that it heard of.
    memberships: BTreeMap<ThreadId, u64>,
    /// Threads that are being loaded anew.
    loading: usize,
    is_connected: bool,
    /// How often a live connection ended.
    cuts: usize,
}

/// What is wrong with a witness on purpose, so that the checker has something to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blemish {
    /// It does not see some messages, neither by themselves nor in a page.
    Loss,
    /// It says that it is somebody whom none of this is for.
    Leak,
    /// It was told of some sends as two messages.
    Duplicate,
    /// Its screen stands on its head.
    Disorder,
}

/// A client that writes down what happens to it.
pub struct Witness {
    /// Its number.
    pub device: u32,
    /// Whose it is.
    pub profile: ProfileId,
    /// The client.
    pub client: Client,
    notebook: Arc<Notebook>,
    screen: Arc<Mutex<Screen>>,
    blemish: Option<Blemish>,
}

impl Witness {
    /// A witness of `profile`, who is in these threads from the start.
    pub fn new(device: u32, profile: ProfileId, client: Client, updates: Updates, notebook: Arc<Notebook>) -> Self {
        Self::with_blemish(device, profile, client, updates, notebook, None)
    }

    /// The same with something wrong about it.
    pub fn with_blemish(
        device: u32,
        profile: ProfileId,
        client: Client,
        updates: Updates,
        notebook: Arc<Notebook>,
        blemish: Option<Blemish>,
    ) -> Self {
        let said = match blemish {
            Some(Blemish::Leak) => ProfileId::from_bytes([0xff; 16]),
            _ => profile,
        };
        notebook.note(device, Note::Began { profile: said });
        // It is handed over once it is connected.
        let screen = Screen {
            is_connected: true,
            ..Screen::default()
        };
        let witness = Self {
            device,
            profile,
            client,
            notebook,
            screen: Arc::new(Mutex::new(screen)),
            blemish,
        };
        tokio::spawn(listening::listen(witness.copy(), updates));
        witness
    }

    /// The same witness, for what it does beside.
    fn copy(&self) -> Self {
        Self {
            device: self.device,
            profile: self.profile,
            client: self.client.clone(),
            notebook: Arc::clone(&self.notebook),
            screen: Arc::clone(&self.screen),
            blemish: self.blemish,
        }
    }

    /// Sends a message whose text names the send. It is kept until the server says that it is stored.
    pub async fn send(&self, thread: ThreadId, client_id: ClientId, text: &str) -> Result<()> {
        let (moment, at_ms) = self.notebook.moment();
        self.screen().waiting.insert(client_id, (thread, moment, at_ms));
        let parts = vec![Part::text(format!("{client_id} {text}"))];
        self.client.send_as(client_id, thread, parts, None).await?;
        Ok(())
    }

    /// Asks once to add someone to a thread.
    pub async fn add(
        &self,
        thread: ThreadId,
        profile: ProfileId,
        from_the_beginning: bool,
    ) -> Result<(), RequestError> {
        self.note(Note::AddAsked {
            thread,
            profile,
            from_the_beginning,
        });
        let to = vec![Recipient::Profile { profile }];
        let add = AddMembers {
            thread,
            to,
            from_the_beginning,
        };
        self.client.request(Request::AddMembers(add)).await?;
        self.note(Note::AddTold { thread, profile });
        Ok(())
    }

    /// Asks once to take someone out of a thread.
    pub async fn remove(&self, thread: ThreadId, profile: ProfileId) -> Result<(), RequestError> {
        self.note(Note::RemoveAsked { thread, profile });
        let profiles = vec![profile];
        self.client
            .request(Request::RemoveMembers(RemoveMembers { thread, profiles }))
            .await?;
        self.note(Note::RemoveTold { thread, profile });
        Ok(())
    }

    /// How many sends have not been answered.
    pub fn waiting(&self) -> usize {
        self.screen().waiting.len()
    }

    /// How often its live connection ended.
    pub fn cuts(&self) -> usize {
        self.screen().cuts
    }

    /// Whether its connection is live.
    pub fn is_connected(&self) -> bool {
        self.screen().is_connected
    }

    /// How many messages of a thread are on the screen.
    pub fn shown(&self, thread: ThreadId) -> usize {
        self.screen().threads.get(&thread).map_or(0, BTreeMap::len)
    }

    /// Whether nothing is under way, and the screen has all these messages of a thread.
    pub fn is_quiet_with(&self, thread: ThreadId, messages: &BTreeSet<MessageId>) -> bool {
        let screen = self.screen();
        let has = |message| {
            screen
                .threads
                .get(&thread)
                .is_some_and(|shown| shown.contains_key(message))
        };
        screen.waiting.is_empty() && screen.loading == 0 && messages.iter().all(has)
    }

    /// Writes down what is on the screen, and what the server gives of each thread.
    pub async fn conclude(&self, threads: &[ThreadId]) -> Result<()> {
        for thread in threads {
            let shown = self.screen().threads.get(thread).cloned().unwrap_or_default();
            let mut messages: Vec<Seen> = shown.into_values().collect();
            if self.blemish == Some(Blemish::Disorder) {
                messages.reverse();
            }
            self.note(Note::Screen {
                thread: *thread,
                messages,
            });
            let messages = match self.whole_thread(*thread).await {
                Ok(messages) => Some(messages),
                Err(RequestError::Refused(refusal))
                    if matches!(refusal.code, ErrorCode::NotFound | ErrorCode::NotPermitted) =>
                {
                    None
                }
                Err(error) => return Err(error.into()),
            };
            self.note(Note::Kept {
                thread: *thread,
                messages,
            });
        }
        let stuck = std::mem::take(&mut self.screen().waiting);
        for (client_id, asked) in stuck {
            self.note_asked(client_id, asked, Timestamp::default());
            let what = format!("the send {client_id}");
            self.note(Note::Stuck { what });
        }
        Ok(())
    }

    async fn whole_thread(&self, thread: ThreadId) -> Result<Vec<Seen>, RequestError> {
        let mut all: Vec<Seen> = Vec::new();
        let mut before = None;
        let mut limit = LARGEST_PAGE;
        loop {
            let request = Request::History(History {
                thread,
                before,
                after: None,
                limit,
            });
            let Reply::History(page) = self.client.request(request).await? else {
                return Err(RequestError::UnexpectedReply);
            };
            // A page of long messages ends early, and the server reads as many as are asked for.
            let twice = u32::try_from(page.messages.len() * 2).unwrap_or(LARGEST_PAGE);
            limit = twice.clamp(SMALLEST_PAGE, LARGEST_PAGE);
            before = page.messages.first().map(|message| message.message);
            all.splice(
                0..0,
                page.messages.iter().map(seen).filter(|seen| !self.overlooks(seen)),
            );
            if !page.more {
                return Ok(all);
            }
        }
    }

    /// Whether a blemished witness is blind to a message.
    fn overlooks(&self, seen: &Seen) -> bool {
        let last = seen.client.map(|client| client.as_bytes()[15]);
        self.blemish == Some(Blemish::Loss) && last.is_some_and(|last| last % 8 == 0)
    }

    fn note(&self, note: Note) {
        self.notebook.note(self.device, note);
    }

    /// Writes down a send once it is known how it ended, as of when it was asked.
    fn note_asked(&self, client: ClientId, asked: (ThreadId, u64, u64), sent_at: Timestamp) {
        let (thread, moment, at_ms) = asked;
        let note = Note::Asked {
            thread,
            client,
            sent_at,
            reply_to: None,
        };
        self.notebook.note_of(self.device, moment, at_ms, note);
    }

    fn screen(&self) -> std::sync::MutexGuard<'_, Screen> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn seen(message: &Message) -> Seen {
    let text = Part::plain_text(&message.parts);
    let client = text.split(' ').next().and_then(|id| id.parse().ok());
    Seen {
        message: message.message,
        version: message.version,
        client,
        reply_to: message.reply_to,
    }
}

/// Waits, within bounds, until `state` holds.
pub async fn wait_until(patience: Duration, mut state: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    while !state() {
        if Instant::now() > deadline {
            return false;
        }
        // tidy: waits because a state is looked at again and again, within a bound
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    true
}
