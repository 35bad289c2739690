//! The session that sends: it starts the thread of the run, and sends each message when it is due.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use samtale_client::ServerAddress;
use samtale_client::light::{LightSession, decode};
use samtale_protocol::messages::{Part, SendMessage};
use samtale_protocol::threads::{Recipient, StartThread};
use samtale_protocol::{ClientFrame, ClientId, Reply, Request, ServerFrame, ThreadId, Timestamp, limits};

use crate::clock;
use crate::messages::Label;
use crate::population::Population;
use crate::schedule::Schedule;
use crate::sockets;

/// How long the server may take to answer. A thread with thousands of members is thousands of rows.
const PATIENCE: Duration = Duration::from_secs(60);

/// A session that sends.
pub struct Sender {
    session: LightSession,
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
    pub fn open(server: SocketAddr, people: &Population, number: usize) -> Result<Self> {
        let stream = sockets::open(server, number)?;
        let address: ServerAddress = format!("http://{server}").parse()?;
        let (session, welcome) = LightSession::open(stream, &address, people.sender().hello(number))?;
        session.stream().set_nonblocking(true)?;
        let now_ms = clock::now() / 1_000_000;
        Ok(Self {
            session,
            server_ahead_ms: welcome.server_time.as_millis().saturating_sub(now_ms),
            last_sent_at: 0,
            last_request: 0,
            under_way: HashSet::new(),
            next_number: 0,
            thread: None,
        })
    }

    /// Starts a thread with the first group of the population, and sends to it from now on.
    pub fn start_thread(&mut self, people: &Population) -> Result<()> {
        let group = *people.school.groups.first().context("the population has no group")?;
        let (client_id, sent_at) = (self.client_id(), self.sent_at());
        let start = StartThread {
            as_profile: None,
            space: *people.school.spaces.first().context("the population has no space")?,
            client_id,
            sent_at,
            to: vec![Recipient::Group { group }],
            subject: "A load test".to_owned(),
            regarding: Vec::new(),
            parts: vec![Part::text("This thread is read by nobody.")],
        };
        self.thread = None;
        self.request(Request::StartThread(start))?;
        self.answered(0)?;
        ensure!(self.thread.is_some(), "the server started no thread");
        Ok(())
    }

    /// Sends a round, each message when it is due. Returns the number of its first message and that after its last.
    ///
    /// `begin` is called with the number of the first message before it is sent.
    pub fn send_round(&mut self, schedule: Schedule, begin: impl FnOnce(u32) -> Result<()>) -> Result<u32> {
        let first = self.next_number;
        begin(first)?;
        let start = clock::now() + clock::in_nanoseconds(schedule.interval);
        for place in 0..schedule.messages {
            let due = schedule.due(start, place);
            while clock::now() < due {
                if clock::wait_for(self.session.stream(), due) {
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

    fn send_message(&mut self, label: Label) -> Result<()> {
        let send = SendMessage {
            thread: self.thread.context("no thread was started")?,
            client_id: self.client_id(),
            sent_at: self.sent_at(),
            parts: vec![Part::text(label.text())],
            reply_to: None,
            membership_version: None,
        };
        self.request(Request::SendMessage(send))
    }

    fn request(&mut self, request: Request) -> Result<()> {
        self.last_request += 1;
        let id = self.last_request;
        self.under_way.insert(id);
        Ok(self.session.send(&ClientFrame::Request { id, request })?)
    }

    /// Waits until at most so many requests are not answered.
    fn answered(&mut self, most: usize) -> Result<()> {
        let deadline = clock::now() + clock::in_nanoseconds(PATIENCE);
        while self.under_way.len() > most {
            ensure!(clock::now() < deadline, "the server does not answer");
            if clock::wait_for(self.session.stream(), deadline) {
                self.take()?;
            }
        }
        Ok(())
    }

    /// Takes what the server sent.
    fn take(&mut self) -> Result<()> {
        while let Some(bytes) = self.session.next_frame()? {
            match decode(&bytes)? {
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
