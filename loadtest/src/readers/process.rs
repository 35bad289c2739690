//! A reader's process: one thread that waits for its sockets and its orders in one `epoll`.

use std::io::Write;
use std::os::fd::OwnedFd;

use anyhow::{Context, Result, bail};
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;

use super::connections::Connections;
use super::opening::Opened;
use super::{Answer, Kind, Order};
use crate::clock;
use crate::orders::Orders;
use crate::sockets;

/// Sockets that one wait tells of.
const EVENTS: usize = 512;
/// The places of the floor's connections, above those of any number of sessions.
const FLOOR: u64 = 1 << 40;
/// What the orders wait under.
const ORDERS: u64 = u64::MAX;
/// How long a wait is that waits for nothing in particular.
const LOOK_AGAIN_NS: u64 = 20_000_000;
/// How often a reader tells how far it is, unasked.
const TELL_NS: u64 = 1_000_000_000;

/// Reads for whoever started this process, until they go.
pub fn run() -> Result<()> {
    sockets::raise_descriptor_limit();
    let mut process = Process::new()?;
    while let Some(order) = process.next_order()? {
        let answer = match process.follow(order) {
            Ok(answer) => answer,
            Err(error) => Answer::Failed(format!("{error:#}")),
        };
        say(&answer)?;
    }
    Ok(())
}

fn say(answer: &Answer) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(answer)?)?;
    Ok(out.flush()?)
}

struct Process {
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
    sessions: Connections,
    floor: Connections,
    orders: Orders,
}

impl Process {
    fn new() -> Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, std::io::stdin(), EventData::new_u64(ORDERS), EventFlags::IN)?;
        Ok(Self {
            epoll,
            events: Vec::with_capacity(EVENTS),
            sessions: Connections::new(0),
            floor: Connections::new(FLOOR),
            orders: Orders::default(),
        })
    }

    fn of(&mut self, kind: Kind) -> &mut Connections {
        match kind {
            Kind::Session => &mut self.sessions,
            Kind::Floor => &mut self.floor,
        }
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

    /// Waits for at most so long, and reads what there is.
    fn look(&mut self, wait_ns: Option<u64>) -> Result<()> {
        let timeout = wait_ns.map(clock::timespec);
        self.events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for index in 0..self.events.len() {
            let data = self.events[index].data.u64();
            if data == ORDERS {
                self.orders.read()?;
                continue;
            }
            match data.checked_sub(FLOOR) {
                None => self.sessions.on_ready(&self.epoll, usize::try_from(data)?)?,
                Some(place) => self.floor.on_ready(&self.epoll, usize::try_from(place)?)?,
            }
        }
        Ok(())
    }

    fn follow(&mut self, order: Order) -> Result<Answer> {
        match order {
            Order::Open {
                target,
                first,
                count,
                at_once,
            } => {
                let kind = target.kind;
                self.of(kind).open(target, first, count, at_once)?;
                self.opened(kind)
            }
            Order::Storm { whose, tls, at_once } => {
                self.sessions.storm(whose, tls, at_once)?;
                self.opened(Kind::Session)
            }
            Order::Stall { people } => {
                self.sessions.stall(&self.epoll, people)?;
                Ok(Answer::Done)
            }
            Order::Look { kind } => Ok(Answer::Progress(self.of(kind).progress())),
            Order::Begin { kind, first } => {
                self.of(kind).begin(first)?;
                Ok(Answer::Done)
            }
            Order::Finish { kind, end, within_ms } => self.finish(kind, end, within_ms),
        }
    }

    /// Opens what is to be opened, and tells now and then how far it is.
    fn opened(&mut self, kind: Kind) -> Result<Answer> {
        let mut told = clock::now();
        loop {
            if let Some(opened) = self.advance(kind)? {
                return Ok(Answer::Opened(Box::new(opened)));
            }
            self.look(Some(LOOK_AGAIN_NS))?;
            if self.orders.is_over() {
                bail!("nobody waits for these connections any more");
            }
            if clock::now() - told >= TELL_NS {
                told = clock::now();
                say(&Answer::Progress(self.of(kind).progress()))?;
            }
        }
    }

    fn advance(&mut self, kind: Kind) -> Result<Option<Opened>> {
        match kind {
            Kind::Session => self.sessions.advance(&self.epoll),
            Kind::Floor => self.floor.advance(&self.epoll),
        }
    }

    fn finish(&mut self, kind: Kind, end: u32, within_ms: u64) -> Result<Answer> {
        let deadline = clock::now() + within_ms * 1_000_000;
        while self.of(kind).missing(end) > 0 && clock::now() < deadline && !self.orders.is_over() {
            self.look(Some(LOOK_AGAIN_NS))?;
        }
        // What came twice comes right behind: one more look, so that it is counted in its own round.
        self.look(Some(LOOK_AGAIN_NS))?;
        let seen = self.of(kind).finish(end).context("no round was begun")?;
        Ok(Answer::Seen(Box::new(seen)))
    }
}
