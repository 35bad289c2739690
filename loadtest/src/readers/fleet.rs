//! The reader processes of a run, seen from whoever starts them.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};

use super::{Answer, Kind, Order, Seen};

/// Connections of one process, both kinds together: below the 20,000 descriptors that it may have.
const PER_PROCESS: usize = 18_000;
/// How long a reader waits for messages that have not come when the last was sent.
const WITHIN_MS: u64 = 20_000;

/// Reader processes. They end with this value, or with the process that holds it.
pub struct Fleet {
    readers: Vec<Reader>,
    /// Connections of each kind that were opened.
    opened: [usize; 2],
}

struct Reader {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Fleet {
    /// Starts as many processes as this many connections need.
    pub fn start(connections: usize) -> Result<Self> {
        let count = connections.div_ceil(PER_PROCESS).max(1);
        let readers: Result<Vec<Reader>> = (0..count).map(|_| Reader::start()).collect();
        Ok(Self {
            readers: readers?,
            opened: [0; 2],
        })
    }

    /// Opens connections, spread over the processes.
    pub fn open(&mut self, kind: Kind, server: SocketAddr, people: Option<&Path>, count: usize) -> Result<()> {
        let share = count.div_ceil(self.readers.len());
        let before = self.opened[kind as usize];
        let end = before + count;
        for (index, reader) in self.readers.iter_mut().enumerate() {
            let first = (before + index * share).min(end);
            let order = Order::Open {
                kind,
                server,
                people: people.map(Path::to_path_buf),
                first,
                count: share.min(end - first),
            };
            reader.ask(&order)?;
        }
        self.opened[kind as usize] = end;
        self.readers.iter_mut().try_for_each(Reader::done)
    }

    /// Expects a round.
    pub fn begin(&mut self, kind: Kind, first: u32) -> Result<()> {
        for reader in &mut self.readers {
            reader.ask(&Order::Begin { kind, first })?;
            reader.done()?;
        }
        Ok(())
    }

    /// What all saw of the round, once all of it has come or the time is over.
    pub fn finish(&mut self, kind: Kind, end: u32) -> Result<Seen> {
        let within_ms = WITHIN_MS;
        for reader in &mut self.readers {
            reader.ask(&Order::Finish { kind, end, within_ms })?;
        }
        let mut all = Seen::default();
        for reader in &mut self.readers {
            match reader.answer()? {
                Answer::Seen(seen) => all.add(*seen),
                other => bail!("a reader answers {other:?}"),
            }
        }
        Ok(all)
    }
}

impl Reader {
    fn start() -> Result<Self> {
        let program = std::env::current_exe().context("this program's own path is not known")?;
        let mut child = Command::new(program)
            .arg("readers")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("a reader does not start")?;
        let orders = child.stdin.take();
        let answers = child.stdout.take().context("a reader has no output")?;
        Ok(Self {
            child,
            orders,
            answers: BufReader::new(answers),
        })
    }

    fn ask(&mut self, order: &Order) -> Result<()> {
        let orders = self.orders.as_mut().context("the reader was told to end")?;
        writeln!(orders, "{}", serde_json::to_string(order)?).context("a reader is gone")
    }

    fn answer(&mut self) -> Result<Answer> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            bail!("a reader is gone");
        }
        match serde_json::from_str(&line).context("a reader's answer can not be read")? {
            Answer::Failed(why) => bail!("a reader failed: {why}"),
            answer => Ok(answer),
        }
    }

    fn done(&mut self) -> Result<()> {
        match self.answer()? {
            Answer::Done => Ok(()),
            other => bail!("a reader answers {other:?}"),
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // Its input ends, and with it the reader; the kill is for one that hangs.
        drop(self.orders.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
