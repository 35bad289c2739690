//! The session that sends: it starts the thread of the run, and sends each message when it is due.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use samtale_client::light::decode;
use samtale_protocol::messages::{Part, SendMessage};
use samtale_protocol::threads::{Recipient, StartThread};
use samtale_protocol::{ClientFrame, ClientId, Encoding, Reply, Request, ServerFrame, ThreadId, Timestamp, limits};

use crate::client::{Begin, Client, SCRATCH_BYTES, TlsClient, TlsMode};
use crate::clock;
use crate::messages::Label;
use crate::population::Population;
use crate::readers::Target;
use crate::schedule::Schedule;

/// How long the server may take to answer. A thread with thousands of members is thousands of rows.
const PATIENCE: Duration = Duration::from_secs(60);

/// From one long message to the next: a session may ask for 20 things per second, and for some seconds for more.
const LONG_EVERY: Duration = Duration::from_millis(40);
/// How often a session that only reads looks whether it is to end.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A session that sends.
pub struct Sender {
    client: Client,
    scratch: Box<[u8]>,
    /// The server's time less that of the monotonic clock, in milliseconds.
    server_ahead_ms: u64,
    /// The time of the last message: the next one's is later.
    last_sent_at: u64,
    last_request: u32,
    /// Requests that are not answered yet.
    under_way: HashSet<u32>,
    /// The number that the next message gets.
    next_number: u32,
    /// The thread of the run, once it is started.
    thread: Option<ThreadId>,
}

impl Sender {
    /// Logs the sender of a population in. `number` is that of its connection.
    pub fn open(target: &Target, people: &Population, number: usize) -> Result<Self> {
        let certificate = target.certificate.as_deref();
        let tls = certificate.map(|certificate| TlsClient::trusting(certificate, TlsMode::Whole));
        let hello = Encoding::MessagePack.encode(&ClientFrame::Hello(people.sender().hello(number)))?;
        let begin = Begin::Session(hello.into());
        let mut sender = Self {
            client: Client::connect(target.server(0), number, tls.transpose()?.as_ref(), begin)?,
            scratch: vec![0; SCRATCH_BYTES].into(),
            server_ahead_ms: 0,
            last_sent_at: 0,
            last_request: 0,
            under_way: HashSet::new(),
            next_number: 0,
            thread: None,
        };
        let deadline = clock::now() + clock::in_nanoseconds(PATIENCE);
        while sender.server_ahead_ms == 0 {
            ensure!(clock::now() < deadline, "the server does not greet the sender");
            if sender.client.wait(deadline) {
                sender.take()?;
            }
        }
        Ok(sender)
    }

    /// Starts a thread with the first group of the population, and sends to it from now on.
    pub fn start_thread(&mut self, people: &Population) -> Result<ThreadId> {
        let group = *people.school.groups.first().context("the population has no group")?;
        self.start_thread_with(people, vec![Recipient::Group { group }])
    }

    /// Starts a thread with these, and sends to it from now on.
    pub fn start_thread_with(&mut self, people: &Population, to: Vec<Recipient>) -> Result<ThreadId> {
        let (client_id, sent_at) = (self.client_id(), self.sent_at());
        let start = StartThread {
            as_profile: None,
            space: *people.school.spaces.first().context("the population has no space")?,
            client_id,
            sent_at,
            to,
            subject: "A load test".to_owned(),
            regarding: Vec::new(),
            parts: vec![Part::text("This thread is read by nobody.")],
        };
        self.thread = None;
        self.request(Request::StartThread(start))?;
        self.answered(0)?;
        self.thread.context("the server started no thread")
    }

    /// Sends to this thread from now on.
    pub fn turn_to(&mut self, thread: ThreadId) {
        self.thread = Some(thread);
    }

    /// Sends a round, each message when it is due. Returns the number after its last.
    pub fn send_round(&mut self, schedule: Schedule) -> Result<u32> {
        let first = self.next_number;
        let start = clock::now() + clock::in_nanoseconds(schedule.interval);
        for place in 0..schedule.messages {
            let due = schedule.due(start, place);
            while clock::now() < due {
                if self.client.wait(due) {
                    self.take()?;
                }
            }
            // More than these would be refused; what waits for them is late, and its latency says so.
            self.answered(limits::REQUESTS_UNDER_WAY - 1)?;
            self.send_message(Label {
                number: first + place,
                due,
            })?;
        }
        self.next_number = first + schedule.messages;
        self.answered(0)?;
        Ok(self.next_number)
    }

    /// The number that the next message gets.
    pub fn next_number(&self) -> u32 {
        self.next_number
    }

    /// Sends messages of the greatest length, as many as a session may, until it is over. They are no part of a round.
    pub fn send_long_until(&mut self, is_over: &AtomicBool) -> Result<()> {
        let text = "long ".repeat(limits::TEXT_BYTES / 5);
        let mut due = clock::now();
        while !is_over.load(Ordering::Relaxed) {
            due += clock::in_nanoseconds(LONG_EVERY);
            while clock::now() < due {
                if self.client.wait(due) {
                    self.take()?;
                }
            }
            self.answered(limits::REQUESTS_UNDER_WAY - 1)?;
            self.send_text(text.clone())?;
        }
        self.answered(0)
    }

    /// Does something else, and reads meanwhile: a session that does not answer pings is closed.
    pub fn while_reading<T>(&mut self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let reading = scope.spawn(|| self.read_until(&is_over));
            let done = work();
            is_over.store(true, Ordering::Relaxed);
            reading.join().map_err(|_| anyhow!("the reading thread ended"))??;
            done
        })
    }

    /// Reads until it is over, so that the server keeps nothing for this session.
    pub fn read_until(&mut self, is_over: &AtomicBool) -> Result<()> {
        while !is_over.load(Ordering::Relaxed) {
            if self.client.wait(clock::now() + clock::in_nanoseconds(LOOK_AGAIN)) {
                self.take()?;
            }
        }
        Ok(())
    }

    fn send_message(&mut self, label: Label) -> Result<()> {
        self.send_text(label.text())
    }

    /// Sends a text, without waiting for the answer.
    fn send_text(&mut self, text: String) -> Result<()> {
        let send = SendMessage {
            thread: self.thread.context("no thread was started")?,
            client_id: self.client_id(),
            sent_at: self.sent_at(),
            parts: vec![Part::text(text)],
            reply_to: None,
            membership_version: None,
        };
        self.request(Request::SendMessage(send))
    }

    fn request(&mut self, request: Request) -> Result<()> {
        self.last_request += 1;
        let id = self.last_request;
        self.under_way.insert(id);
        let frame = Encoding::MessagePack.encode(&ClientFrame::Request { id, request })?;
        Ok(self.client.send(&frame)?)
    }

    /// Waits until at most so many requests are not answered.
    fn answered(&mut self, most: usize) -> Result<()> {
        let deadline = clock::now() + clock::in_nanoseconds(PATIENCE);
        while self.under_way.len() > most {
            ensure!(clock::now() < deadline, "the server does not answer");
            if self.client.wait(deadline) {
                self.take()?;
            }
        }
        Ok(())
    }

    /// Takes what the server sent.
    fn take(&mut self) -> Result<()> {
        let mut frames = Vec::new();
        self.client
            .on_ready(&mut self.scratch, |bytes| frames.push(decode(bytes)))?;
        for frame in frames {
            match frame? {
                ServerFrame::Welcome(welcome) => {
                    let now_ms = clock::now() / 1_000_000;
                    self.server_ahead_ms = welcome.server_time.as_millis().saturating_sub(now_ms).max(1);
                }
                ServerFrame::Reply { id, reply } => {
                    self.under_way.remove(&id);
                    if let (Reply::Sent(sent), None) = (reply, self.thread) {
                        self.thread = Some(sent.thread);
                    }
                }
                ServerFrame::Error { error, .. } => {
                    let detail = error.detail.unwrap_or_default();
                    bail!("the server refuses a request: {} {detail}", error.message)
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The time now, as the server knows it, and later than any before.
    fn sent_at(&mut self) -> Timestamp {
        let now = clock::now() / 1_000_000 + self.server_ahead_ms;
        self.last_sent_at = now.max(self.last_sent_at + 1);
        Timestamp::saturating(self.last_sent_at)
    }

    /// A new id: the clock and a count make it one that nobody else has.
    fn client_id(&self) -> ClientId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&clock::now().to_be_bytes());
        bytes[8..12].copy_from_slice(&self.last_request.to_be_bytes());
        ClientId::from_bytes(bytes)
    }
}
