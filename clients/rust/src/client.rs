//! The client as an application sees it.

use std::time::Duration;

use samtale_protocol::messages::{Part, ReplyToSender, SendMessage};
use samtale_protocol::threads::{Recipient, StartThread};
use samtale_protocol::{
    ClientId, DeviceId, Encoding, Language, MessageId, Reply, Request, SpaceId, ThreadId, Timestamp,
};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::address::{AddressError, ServerAddress};
use crate::cursor::CursorStore;
use crate::driver;
use crate::errors::{RequestError, SendError};
use crate::outbox::{Outbox, Outgoing};
use crate::secret::Secret;
use crate::updates::Update;

/// The commands that may wait for the client's task. Beyond, callers wait.
const COMMANDS: usize = 16;
/// The updates that may wait for the application, unless it says otherwise.
const UPDATES: usize = 64;
/// How long a request may take, waiting for a connection included, unless the application says otherwise.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// What someone logs in with.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A user name and a password. Both are kept in memory, so that the client can log in again.
    Password {
        /// The user name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// The refresh token of an earlier run. It works once; [`Update::LoggedIn`] brings the next.
    RefreshToken(Secret),
}

/// How a client behaves.
pub struct ClientOptions {
    /// Where the server is.
    pub server: ServerAddress,
    /// What it logs in with.
    pub credentials: Credentials,
    /// The installation: chosen once and kept.
    pub device: DeviceId,
    /// What the program calls itself, such as `samtale-chat/0.1`.
    pub client: String,
    /// The language of sentences for people.
    pub language: Language,
    /// How frames are written.
    pub encoding: Encoding,
    /// Where messages wait to be sent.
    pub outbox: Outbox,
    /// Where the cursor is kept over restarts; without it, the client loads what it shows when it starts.
    pub cursor: Option<Box<dyn CursorStore>>,
    /// How long a request may take, waiting for a connection included.
    pub request_timeout: Duration,
    /// How many updates may wait for the application before the client reads no further from the server.
    pub updates: usize,
}

impl ClientOptions {
    /// A client with an outbox in memory, Danish sentences and MessagePack.
    pub fn new(server: &str, credentials: Credentials) -> Result<Self, AddressError> {
        Ok(Self {
            server: server.parse()?,
            credentials,
            device: DeviceId(Uuid::new_v4()),
            client: concat!("samtale-client/", env!("CARGO_PKG_VERSION")).to_owned(),
            language: Language::default(),
            encoding: Encoding::MessagePack,
            outbox: Outbox::in_memory(),
            cursor: None,
            request_timeout: REQUEST_TIMEOUT,
            updates: UPDATES,
        })
    }
}

/// A handle to a client: cheap to clone. The client lives in one task, and ends when it is stopped for good or when the
/// last handle is gone.
#[derive(Clone, Debug)]
pub struct Client {
    commands: mpsc::Sender<Command>,
}

/// What the client tells, in order. Bounded: while it is full, the client reads nothing more from the server, so the
/// server's queue fills, and in the end the server closes the connection as a slow reader and the client resumes.
///
/// Replies come over the same connection. So take updates while a request waits (in another task, or in a `select!`):
/// an application that does not, and is behind by the whole bound, sees its request time out.
///
/// Dropping it means that the application wants to hear nothing more; the client goes on.
#[derive(Debug)]
pub struct Updates {
    updates: mpsc::Receiver<Update>,
}

impl Updates {
    /// The next update; `None` after the last.
    pub async fn next(&mut self) -> Option<Update> {
        self.updates.recv().await
    }

    /// The next update if there is one already.
    pub fn try_next(&mut self) -> Option<Update> {
        self.updates.try_recv().ok()
    }
}

/// What a handle tells the client's task.
#[derive(Debug)]
pub(crate) enum Command {
    /// Ask the server.
    Request {
        request: Request,
        answer: oneshot::Sender<Result<Reply, RequestError>>,
    },
    /// Take into the outbox.
    Send {
        outgoing: Outgoing,
        taken: oneshot::Sender<Result<(), SendError>>,
    },
    /// Say goodbye.
    Stop,
}

impl Client {
    /// Starts a client in a task of its own. It connects by itself, and comes back by itself until it is told not to:
    /// [`Updates`] says how it goes.
    ///
    /// Must be called within a tokio runtime.
    pub fn connect(options: ClientOptions) -> (Self, Updates) {
        let (commands, to_do) = mpsc::channel(COMMANDS);
        let (told, updates) = mpsc::channel(options.updates.max(1));
        tokio::spawn(driver::run(options, to_do, told));
        (Self { commands }, Updates { updates })
    }

    /// Asks the server and waits for its reply. Waits for a connection too, as long as the request may take.
    ///
    /// After [`RequestError::Disconnected`] or [`RequestError::TimedOut`] it is not known whether it was done.
    pub async fn request(&self, request: Request) -> Result<Reply, RequestError> {
        let (answer, answered) = oneshot::channel();
        let command = Command::Request { request, answer };
        self.commands.send(command).await.map_err(|_| RequestError::Stopped)?;
        answered.await.map_err(|_| RequestError::Stopped)?
    }

    /// Queues a text for a thread, and returns once the outbox has it: from then on it arrives, once, whatever dies.
    /// [`Update::Sent`] says when the server has it.
    pub async fn send(&self, thread: ThreadId, parts: Vec<Part>) -> Result<ClientId, SendError> {
        self.send_as(ClientId(Uuid::new_v4()), thread, parts, None).await
    }

    /// As [`Client::send`], with a client id of the caller's and, if it is one, as an answer to a message.
    pub async fn send_as(
        &self,
        client_id: ClientId,
        thread: ThreadId,
        parts: Vec<Part>,
        reply_to: Option<MessageId>,
    ) -> Result<ClientId, SendError> {
        let sent_at = Timestamp::default();
        let send = SendMessage {
            thread,
            client_id,
            sent_at,
            parts,
            reply_to,
            membership_version: None,
        };
        self.queue(Outgoing::SendMessage(send)).await
    }

    /// Queues a new thread with its first message. [`Update::Sent`] names the thread.
    pub async fn start_thread(
        &self,
        space: SpaceId,
        to: Vec<Recipient>,
        subject: String,
        parts: Vec<Part>,
    ) -> Result<ClientId, SendError> {
        let (client_id, sent_at) = (ClientId(Uuid::new_v4()), Timestamp::default());
        let start = StartThread {
            as_profile: None,
            space,
            client_id,
            sent_at,
            to,
            subject,
            regarding: Vec::new(),
            parts,
        };
        self.queue(Outgoing::StartThread(start)).await
    }

    /// Queues an answer to the author of a message alone. [`Update::Sent`] names the thread.
    pub async fn reply_to_sender(
        &self,
        thread: ThreadId,
        message: MessageId,
        parts: Vec<Part>,
    ) -> Result<ClientId, SendError> {
        let (client_id, sent_at) = (ClientId(Uuid::new_v4()), Timestamp::default());
        self.queue(Outgoing::ReplyToSender(ReplyToSender {
            thread,
            message,
            client_id,
            sent_at,
            parts,
        }))
        .await
    }

    /// Queues whatever the outbox can hold. Its `sent_at` is fixed by the client, whatever it says. Queueing the same
    /// thing with the same client id again while it waits changes nothing.
    pub async fn queue(&self, outgoing: Outgoing) -> Result<ClientId, SendError> {
        let client_id = outgoing.client_id();
        let (taken, is_taken) = oneshot::channel();
        let command = Command::Send { outgoing, taken };
        self.commands.send(command).await.map_err(|_| SendError::Stopped)?;
        is_taken.await.map_err(|_| SendError::Stopped)?.map(|()| client_id)
    }

    /// Ends the client. What waits in the outbox stays there. [`Update::Stopped`] follows.
    pub async fn stop(&self) {
        // An error means that it has ended already.
        let _ = self.commands.send(Command::Stop).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_small_enough_for_thousands_in_a_process() {
        let options = ClientOptions::new("http://a:1", Credentials::RefreshToken(Secret::new("x"))).unwrap();
        let (_commands, to_do) = mpsc::channel(COMMANDS);
        let (told, _updates) = mpsc::channel(1);
        let task = std::mem::size_of_val(&driver::run(options, to_do, told));
        // Beside it: 5 KiB for commands, 3 KiB for updates, 4 KiB to read into. A simulated nation is many of these.
        assert!(task <= 4096, "the task of a client takes {task} bytes");
        assert!(size_of::<Command>() <= 192 && size_of::<Update>() <= 96);
    }
}
