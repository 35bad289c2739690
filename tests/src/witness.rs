//! A real client that sends, listens, and writes down what it asked, was told and was shown.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use samtale_client::{Client, Update, Updates};
use samtale_protocol::messages::{History, Message, Part};
use samtale_protocol::{ClientId, Event, MessageId, ProfileId, Reply, Request, ThreadId, Timestamp};

use crate::checker::{Note, Noted, Seen};

/// What all witnesses of a run write into.
pub struct Notebook {
    began: Instant,
    moments: AtomicU64,
    notes: Mutex<Vec<Noted>>,
}

impl Default for Notebook {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            moments: AtomicU64::new(0),
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

    /// Now, for something that is written down once it is known whole.
    fn moment(&self) -> (u64, u64) {
        let at_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
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
}

/// A client that writes down what happens to it.
pub struct Witness {
    /// Its number.
    pub device: u32,
    /// The client.
    pub client: Client,
    notebook: Arc<Notebook>,
    screen: Arc<Mutex<Screen>>,
}

impl Witness {
    /// A witness of `profile`, who is in these threads from the start.
    pub fn new(device: u32, profile: ProfileId, client: Client, updates: Updates, notebook: Arc<Notebook>) -> Self {
        notebook.note(device, Note::Began { profile });
        let screen = Arc::new(Mutex::new(Screen::default()));
        tokio::spawn(listen(device, updates, Arc::clone(&notebook), Arc::clone(&screen)));
        Self {
            device,
            client,
            notebook,
            screen,
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

    /// How many sends have not been answered.
    pub fn waiting(&self) -> usize {
        self.screen().waiting.len()
    }

    /// How many messages of a thread are on the screen.
    pub fn shown(&self, thread: ThreadId) -> usize {
        self.screen().threads.get(&thread).map_or(0, BTreeMap::len)
    }

    /// Writes down what is on the screen, and what the server gives of each thread.
    pub async fn conclude(&self, threads: &[ThreadId]) -> Result<()> {
        for thread in threads {
            let messages = self
                .screen()
                .threads
                .get(thread)
                .map(|shown| shown.values().copied().collect());
            self.notebook.note(
                self.device,
                Note::Screen {
                    thread: *thread,
                    messages: messages.unwrap_or_default(),
                },
            );
            let kept = self.whole_thread(*thread).await?;
            self.notebook.note(
                self.device,
                Note::Kept {
                    thread: *thread,
                    messages: Some(kept),
                },
            );
        }
        let stuck = std::mem::take(&mut self.screen().waiting);
        for (client_id, (thread, moment, at_ms)) in stuck {
            let asked = Note::Asked {
                thread,
                client: client_id,
                sent_at: Timestamp::default(),
                reply_to: None,
            };
            self.notebook.note_of(self.device, moment, at_ms, asked);
            self.notebook.note(
                self.device,
                Note::Stuck {
                    what: format!("the send {client_id}"),
                },
            );
        }
        Ok(())
    }

    async fn whole_thread(&self, thread: ThreadId) -> Result<Vec<Seen>> {
        let mut all: Vec<Seen> = Vec::new();
        let mut before = None;
        loop {
            let request = Request::History(History {
                thread,
                before,
                after: None,
                limit: 100,
            });
            let Reply::History(page) = self.client.request(request).await? else {
                bail!("not a history")
            };
            before = page.messages.first().map(|message| message.message);
            all.splice(0..0, page.messages.iter().map(seen));
            if !page.more {
                return Ok(all);
            }
        }
    }

    fn screen(&self) -> std::sync::MutexGuard<'_, Screen> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn listen(device: u32, mut updates: Updates, notebook: Arc<Notebook>, screen: Arc<Mutex<Screen>>) {
    let lock = || screen.lock().unwrap_or_else(PoisonError::into_inner);
    while let Some(update) = updates.next().await {
        match update {
            Update::Event { event, .. } => {
                let Event::Message(message) = *event else { continue };
                let (thread, seen) = (message.thread, seen(&message));
                notebook.note(
                    device,
                    Note::Shown {
                        thread,
                        seen,
                        by_event: true,
                    },
                );
                let mut screen = lock();
                let shown = screen
                    .threads
                    .entry(thread)
                    .or_default()
                    .entry(seen.message)
                    .or_insert(seen);
                if shown.version < seen.version {
                    *shown = seen;
                }
            }
            Update::Sent(sent) => {
                let (thread, client, message) = (sent.thread, sent.client_id, sent.message);
                // The SDK fixes the time, and says it only by the message's id.
                if let Some((_, moment, at_ms)) = lock().waiting.remove(&client) {
                    let asked = Note::Asked {
                        thread,
                        client,
                        sent_at: message.sent_at(),
                        reply_to: None,
                    };
                    notebook.note_of(device, moment, at_ms, asked);
                }
                notebook.note(
                    device,
                    Note::Told {
                        thread,
                        client,
                        message,
                    },
                );
            }
            Update::SendFailed { client_id, refusal } => {
                let detail = format!("{client_id}: {}", refusal.detail.unwrap_or_default());
                notebook.note(
                    device,
                    Note::Refused {
                        code: refusal.code,
                        detail,
                    },
                );
            }
            // The run is shorter than the journal by days: whatever the age of the cursor, this must not be.
            Update::Resync { .. } => notebook.note(device, Note::Resync { cursor_age_ms: Some(0) }),
            Update::Stopped { reason } => {
                notebook.note(
                    device,
                    Note::Stuck {
                        what: format!("the client stopped: {reason:?}"),
                    },
                );
            }
            _ => {}
        }
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
