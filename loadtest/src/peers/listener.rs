//! A process that holds the clients' ends of one server's connections: the same code for all, so that none is read
//! faster than another. One line of JSON asks, one line answers; it ends when nobody can ask any more.

use std::io::Write;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

use anyhow::{Context, Result, bail};
use hdrhistogram::Histogram;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;
use samtale_client::light::LightSession;
use serde::{Deserialize, Serialize};

use super::Speaks;
use super::greeting::{CENTRIFUGO_PING, Greeter, messages_of};
use super::listeners::Heard;
use crate::clock;
use crate::delivered::{Delivered, Was};
use crate::messages::Label;
use crate::orders::Orders;
use crate::pairs::Pairs;
use crate::readers::histogram;
use crate::sockets;

/// Sockets that one wait tells of.
const EVENTS: usize = 512;
/// Connections that are opened between two looks at those that are open.
const OPENED_AT_ONCE: usize = 50;
/// What the orders wait under.
const ORDERS: u64 = u64::MAX;
/// How long a wait is that waits for nothing in particular.
const LOOK_AGAIN_NS: u64 = 20_000_000;

/// What a listener is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Open so many connections more.
    Open {
        /// To what.
        server: SocketAddr,
        /// What it speaks.
        speaks: Speaks,
        /// The number of the first connection of all.
        first: usize,
        /// How many.
        count: usize,
    },
    /// Expect messages from this number on.
    Begin {
        /// The number of the first.
        first: u32,
    },
    /// Tell what was heard so far.
    Look,
    /// Tell what was heard once all has come, or the time is over.
    Finish {
        /// The number after the last message.
        end: u32,
        /// How long to wait.
        within_ms: u64,
    },
}

/// What a listener answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is done.
    Done,
    /// What was heard.
    Heard(Heard),
    /// It could not be done.
    Failed(String),
}

/// Listens for whoever started this process, until they go.
pub fn run() -> Result<()> {
    sockets::raise_descriptor_limit();
    let mut process = Process::new()?;
    while let Some(order) = process.next_order()? {
        let answer = process.follow(order);
        let answer = answer.unwrap_or_else(|error| Answer::Failed(format!("{error:#}")));
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", serde_json::to_string(&answer)?)?;
        out.flush()?;
    }
    Ok(())
}

struct Connection {
    session: LightSession,
    delivered: Delivered,
}

struct Process {
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
    connections: Vec<Option<Connection>>,
    heard: Heard,
    latencies: Histogram<u64>,
    first: u32,
    /// The event that came last, and its label: all clients are sent the same bytes.
    last: (Vec<u8>, Option<Label>),
    orders: Orders,
}

impl Process {
    fn new() -> Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, std::io::stdin(), EventData::new_u64(ORDERS), EventFlags::IN)?;
        Ok(Self {
            epoll,
            events: Vec::with_capacity(EVENTS),
            connections: Vec::new(),
            heard: Heard::default(),
            latencies: histogram()?,
            first: 0,
            last: (Vec::new(), None),
            orders: Orders::default(),
        })
    }

    /// Reads from the sockets until there is an order; `None` when there will be none any more.
    fn next_order(&mut self) -> Result<Option<Order>> {
        loop {
            if let Some(order) = self.orders.take()? {
                return Ok(Some(order));
            }
            if self.orders.is_over() {
                return Ok(None);
            }
            self.look(None)?;
        }
    }

    fn look(&mut self, wait_ns: Option<u64>) -> Result<()> {
        let timeout = wait_ns.map(clock::timespec);
        self.events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for index in 0..self.events.len() {
            match self.events[index].data.u64() {
                ORDERS => self.orders.read()?,
                place => self.on_ready(usize::try_from(place)?),
            }
        }
        Ok(())
    }

    fn on_ready(&mut self, place: usize) {
        loop {
            let Some(connection) = self.connections.get_mut(place).and_then(Option::as_mut) else {
                return;
            };
            let bytes = match connection.session.next_frame() {
                Ok(None) => return,
                Ok(Some(bytes)) => bytes,
                Err(_) => break,
            };
            if !messages_of(&bytes).all(|message| self.on_message(place, message)) {
                break;
            }
        }
        // What it was not told counts as lost: its place is empty, and all of a round is missing there.
        self.heard.closed += 1;
        self.connections[place] = None;
    }

    /// Counts what a connection was told. Returns whether it goes on.
    fn on_message(&mut self, place: usize, bytes: &[u8]) -> bool {
        let Some(connection) = self.connections.get_mut(place).and_then(Option::as_mut) else {
            return false;
        };
        if bytes == CENTRIFUGO_PING {
            return connection.session.send_text("{}").is_ok();
        }
        if self.last.0 != *bytes {
            self.last = (bytes.to_vec(), Label::within(bytes));
        }
        let Some(label) = self.last.1 else { return true };
        match connection.delivered.on_message(label.number) {
            Was::New => {}
            Was::Again => {
                self.heard.duplicated += 1;
                return true;
            }
            _ => self.heard.reordered += 1,
        }
        self.heard.deliveries += 1;
        let now = clock::now();
        *self.heard.by_second.entry(now / 1_000_000_000).or_default() += 1;
        self.latencies.saturating_record(now.saturating_sub(label.due) / 1000);
        true
    }

    fn follow(&mut self, order: Order) -> Result<Answer> {
        match order {
            Order::Open {
                server,
                speaks,
                first,
                count,
            } => {
                let greeter = Greeter::new(server, speaks)?;
                for opened in 0..count {
                    self.open(&greeter, first)?;
                    if opened % OPENED_AT_ONCE == 0 {
                        self.look(Some(0))?;
                    }
                    if self.orders.is_over() {
                        bail!("nobody waits for these connections any more");
                    }
                }
                Ok(Answer::Done)
            }
            Order::Begin { first } => {
                let closed = self.heard.closed;
                self.heard = Heard {
                    closed,
                    ..Heard::default()
                };
                self.latencies.clear();
                self.first = first;
                let open = self.connections.iter_mut().flatten();
                open.for_each(|connection| connection.delivered.begin(first));
                Ok(Answer::Done)
            }
            Order::Look => Ok(Answer::Heard(self.heard.clone())),
            Order::Finish { end, within_ms } => self.finish(end, within_ms),
        }
    }

    fn open(&mut self, greeter: &Greeter, first: usize) -> Result<()> {
        let number = self.connections.len();
        let session = greeter.listener(first + number);
        let session = session.with_context(|| format!("connection {number} does not begin"))?;
        let data = EventData::new_u64(u64::try_from(number)?);
        epoll::add(&self.epoll, session.stream().as_fd(), data, EventFlags::IN)?;
        self.connections.push(Some(Connection {
            session,
            delivered: Delivered::default(),
        }));
        Ok(())
    }

    fn finish(&mut self, end: u32, within_ms: u64) -> Result<Answer> {
        let count = u64::from(end.saturating_sub(self.first));
        let all = count * self.connections.len() as u64;
        let deadline = clock::now() + within_ms * 1_000_000;
        while self.heard.deliveries < all && clock::now() < deadline && !self.orders.is_over() {
            self.look(Some(LOOK_AGAIN_NS))?;
        }
        self.look(Some(LOOK_AGAIN_NS))?;
        let lost = self.connections.iter().map(|connection| match connection {
            Some(connection) => connection.delivered.lost(end),
            None => count,
        });
        self.heard.lost = lost.sum();
        self.heard.latencies_us = Pairs::of(&self.latencies);
        Ok(Answer::Heard(self.heard.clone()))
    }
}
