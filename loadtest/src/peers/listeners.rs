//! A listener process, seen from whoever starts it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::Speaks;
use super::listener::{Answer, Order};
use crate::pairs::Pairs;
use crate::readers::{Kind, Progress};
use crate::sockets::PER_COUNT;

/// How long messages are waited for that have not come when the last was sent.
const WITHIN_MS: u64 = 10_000;

/// Counts that have source addresses of their own: those of the readers, and of all listeners that were started so far.
static COUNTS: AtomicUsize = AtomicUsize::new(Kind::Floor as usize + 1);

/// What the listeners of a server heard.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Heard {
    /// Messages, each listener's counted.
    pub deliveries: u64,
    /// Messages that a listener never heard.
    pub lost: u64,
    /// Messages that one heard again.
    pub duplicated: u64,
    /// Messages that one heard after a later one.
    pub reordered: u64,
    /// Connections that have ended, since the first was opened.
    pub closed: u64,
    /// From when a message was due to when it was heard: microseconds, and how often.
    pub latencies_us: Pairs,
    /// How many messages were heard in each second of the clock.
    pub by_second: BTreeMap<u64, u64>,
}

/// The listeners of one server. They end with this value.
pub struct Listeners {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// The number of the first connection: each server's have source addresses of their own.
    first: usize,
}

impl Listeners {
    /// Starts the process, which has no connection yet.
    pub fn start() -> Result<Self> {
        let program = std::env::current_exe().context("this program's own path is not known")?;
        let mut child = Command::new(program)
            .arg("listen")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("a listener does not start")?;
        let orders = child.stdin.take();
        let answers = child.stdout.take().context("a listener has no output")?;
        Ok(Self {
            child,
            orders,
            answers: BufReader::new(answers),
            first: COUNTS.fetch_add(1, Ordering::Relaxed) * PER_COUNT,
        })
    }

    /// The process, to see what it costs.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Opens so many connections more.
    pub fn open(&mut self, server: SocketAddr, speaks: &Speaks, count: usize) -> Result<()> {
        self.ask(&Order::Open {
            server,
            speaks: speaks.clone(),
            first: self.first,
            count,
        })?;
        self.answer().map(drop)
    }

    /// Expects messages from this number on.
    pub fn begin(&mut self, first: u32) -> Result<()> {
        self.ask(&Order::Begin { first })?;
        self.answer().map(drop)
    }

    /// How far they are.
    pub fn look(&mut self) -> Result<Progress> {
        self.ask(&Order::Look)?;
        let heard = self.answer()?.context("a listener does not say what it heard")?;
        Ok(Progress {
            closed: heard.closed,
            deliveries: heard.deliveries,
            ..Progress::default()
        })
    }

    /// What was heard, once all has come or the time is over.
    pub fn finish(&mut self, end: u32) -> Result<Heard> {
        let within_ms = WITHIN_MS;
        self.ask(&Order::Finish { end, within_ms })?;
        self.answer()?.context("a listener does not say what it heard")
    }

    fn ask(&mut self, order: &Order) -> Result<()> {
        let orders = self.orders.as_mut().context("the listener was told to end")?;
        writeln!(orders, "{}", serde_json::to_string(order)?).context("a listener is gone")
    }

    fn answer(&mut self) -> Result<Option<Heard>> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            bail!("a listener is gone");
        }
        match serde_json::from_str(&line).context("a listener's answer can not be read")? {
            Answer::Failed(why) => bail!("a listener failed: {why}"),
            Answer::Done => Ok(None),
            Answer::Heard(heard) => Ok(Some(heard)),
        }
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        // Its input ends, and with it the process; the kill is for one that hangs.
        drop(self.orders.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
