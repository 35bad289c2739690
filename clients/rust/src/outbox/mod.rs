//! The outbox: what is to be sent and not yet acknowledged, kept over the death of the process.
//!
//! A message is in the file before the application hears that it was taken, and its `sent_at` is in the file before its
//! first transmission. So whatever dies, it is sent again with the same client id and the same `sent_at`, and the server
//! recognises it.

mod file;
mod record;

use std::path::Path;

use samtale_protocol::messages::{Part, ReplyToSender, SendMessage};
use samtale_protocol::threads::StartThread;
use samtale_protocol::{ClientId, Request, ThreadId, Timestamp};
use serde::{Deserialize, Serialize};

pub use file::OutboxError;
pub use record::Record;

use file::OutboxFile;

/// The most messages that may wait. A person who writes offline for a day stays far below it.
pub const OUTBOX_ENTRIES: usize = 1000;

/// What an outbox can hold: the requests that write a message. Their `sent_at` counts only once it is fixed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Outgoing {
    /// A message to a thread.
    SendMessage(SendMessage),
    /// A new thread with its first message.
    StartThread(StartThread),
    /// An answer to the author of a message.
    ReplyToSender(ReplyToSender),
}

/// Sends of one lane go one after the other, so that they arrive in the order in which they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// To a thread.
    Thread(ThreadId),
    /// A new thread: nothing goes before or after it.
    New(ClientId),
    /// Answers to authors: which thread they end in is the server's to say, so all wait for each other.
    Replies,
}

/// A message in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The client's own id, the same on every retry.
    pub client_id: ClientId,
    /// Fixed before the first transmission, the same on every retry. None: queued, never transmitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// What is sent.
    pub outgoing: Outgoing,
}

impl Outgoing {
    /// The client's own id of this send.
    pub fn client_id(&self) -> ClientId {
        match self {
            Self::SendMessage(send) => send.client_id,
            Self::StartThread(start) => start.client_id,
            Self::ReplyToSender(reply) => reply.client_id,
        }
    }

    /// What it waits for.
    pub fn lane(&self) -> Lane {
        match self {
            Self::SendMessage(send) => Lane::Thread(send.thread),
            Self::StartThread(start) => Lane::New(start.client_id),
            Self::ReplyToSender(_) => Lane::Replies,
        }
    }

    /// What it says.
    pub fn parts(&self) -> &[Part] {
        match self {
            Self::SendMessage(send) => &send.parts,
            Self::StartThread(start) => &start.parts,
            Self::ReplyToSender(reply) => &reply.parts,
        }
    }

    /// The request, as sent at `sent_at`.
    pub fn request(&self, sent_at: Timestamp) -> Request {
        match self.clone() {
            Self::SendMessage(send) => Request::SendMessage(SendMessage { sent_at, ..send }),
            Self::StartThread(start) => Request::StartThread(StartThread { sent_at, ..start }),
            Self::ReplyToSender(reply) => Request::ReplyToSender(ReplyToSender { sent_at, ..reply }),
        }
    }
}

/// Where the outbox is kept. One process has it at a time.
#[derive(Debug)]
pub struct Outbox {
    entries: Vec<Entry>,
    file: Option<OutboxFile>,
}

impl Outbox {
    /// An outbox that dies with the process.
    pub fn in_memory() -> Self {
        Self {
            entries: Vec::new(),
            file: None,
        }
    }

    /// The outbox in the file at `path`, made if there is none. Takes a lock on it for as long as it lives.
    ///
    /// Reads and writes the disk: call it before the work starts, or on a thread that may wait.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OutboxError> {
        let (file, entries) = OutboxFile::open(path.as_ref())?;
        Ok(Self {
            entries,
            file: Some(file),
        })
    }

    /// What an earlier process left, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Takes over what waits in another outbox, and empties that. Whatever dies meanwhile, nothing is lost, and what is
    /// then in both is recognised by the server: it has the same client id and time.
    ///
    /// Reads and writes the disk, as [`Outbox::open`] does.
    pub fn absorb(&mut self, other: Self) -> Result<(), OutboxError> {
        let Self { entries, file } = other;
        let unknown = |entry: &Entry| self.entries.iter().all(|known| known.client_id != entry.client_id);
        let new: Vec<Entry> = entries.into_iter().filter(unknown).collect();
        if let Some(own) = &mut self.file {
            let records: Vec<Record> = new
                .iter()
                .map(|entry| Record::Queued { entry: entry.clone() })
                .collect();
            own.append(&records, true)?;
        }
        self.entries.extend(new);
        file.map_or(Ok(()), |mut file| file.compact(&[]))
    }

    /// Hands what an earlier process left to the connection.
    pub(crate) fn take_entries(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }

    /// Writes `records` and, when `sync` is set, waits until they are on the disk.
    pub(crate) async fn write(&mut self, records: Vec<Record>, sync: bool) -> Result<(), OutboxError> {
        self.with_file(move |file| file.append(&records, sync)).await
    }

    /// Whether the file holds so much that is done that it should be written anew.
    pub(crate) fn wants_compaction(&self, waiting: usize) -> bool {
        self.file.as_ref().is_some_and(|file| file.wants_compaction(waiting))
    }

    /// Writes the file anew with nothing but `waiting`.
    pub(crate) async fn compact(&mut self, waiting: Vec<Entry>) -> Result<(), OutboxError> {
        self.with_file(move |file| file.compact(&waiting)).await
    }

    /// A sync takes milliseconds, and the clients of a process share its threads: so the disk has threads of its own.
    async fn with_file(
        &mut self,
        work: impl FnOnce(&mut OutboxFile) -> Result<(), OutboxError> + Send + 'static,
    ) -> Result<(), OutboxError> {
        let Some(mut file) = self.file.take() else {
            return Ok(());
        };
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&mut file);
            (file, result)
        });
        let (file, result) = done.await.map_err(|_| OutboxError::Interrupted)?;
        self.file = Some(file);
        result
    }
}
