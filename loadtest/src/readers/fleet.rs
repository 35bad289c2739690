//! The reader processes of a run, seen from whoever starts them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Answer, Kind, Opened, Order, Progress, Seen, Target, Whose};
use crate::client::TlsMode;
use crate::clock;
use crate::scenarios::progress;

/// Connections of one process, both kinds together: below the 20,000 descriptors that it may have.
const PER_PROCESS: usize = 18_000;
/// How long a reader waits for messages that have not come when the last was sent.
const WITHIN_MS: u64 = 20_000;
/// A reader tells how far it is every second; one that says nothing for this long hangs.
const SILENCE: Duration = Duration::from_secs(120);
/// How often a line says how far all are.
const TELL_NS: u64 = 2_000_000_000;
/// Answers that wait to be looked at: each reader has one under way, and a line per second of how far it is.
const WAITING: usize = 256;
/// Connections that are opened at once, all readers together.
pub const AT_ONCE: usize = 128;

/// Reader processes. They end with this value, or with the process that holds it.
pub struct Fleet {
    readers: Vec<Reader>,
    answers: Receiver<(usize, Result<Answer>)>,
    /// Connections of each kind that were opened.
    opened: [usize; 2],
}

struct Reader {
    child: Child,
    orders: Option<ChildStdin>,
}

impl Fleet {
    /// Starts as many processes as this many connections need.
    pub fn start(connections: usize) -> Result<Self> {
        let count = connections.div_ceil(PER_PROCESS).max(1);
        let (say, answers) = sync_channel(WAITING);
        let readers: Result<Vec<Reader>> = (0..count).map(|place| Reader::start(place, say.clone())).collect();
        Ok(Self {
            readers: readers?,
            answers,
            opened: [0; 2],
        })
    }

    /// Opens connections, spread over the processes.
    pub fn open(&mut self, target: &Target, count: usize) -> Result<Opened> {
        let share = count.div_ceil(self.readers.len());
        let kind = target.kind as usize;
        let before = self.opened[kind];
        let end = before + count;
        let at_once = AT_ONCE.div_ceil(self.readers.len());
        for (index, reader) in self.readers.iter_mut().enumerate() {
            let first = (before + index * share).min(end);
            reader.ask(&Order::Open {
                target: target.clone(),
                first,
                count: share.min(end - first),
                at_once,
            })?;
        }
        self.opened[kind] = end;
        self.all_opened()
    }

    /// Cuts sessions, all at once, and waits until they are back.
    pub fn storm(&mut self, whose: Whose, tls: TlsMode, at_once: usize) -> Result<Opened> {
        let at_once = at_once.div_ceil(self.readers.len());
        self.ask_all(&Order::Storm { whose, tls, at_once })?;
        self.all_opened()
    }

    /// Reads nothing more of the sessions of the first so many people.
    pub fn stall(&mut self, people: usize) -> Result<()> {
        self.ask_all(&Order::Stall { people })?;
        self.all_done()
    }

    /// How far all sessions are.
    pub fn look(&mut self) -> Result<Progress> {
        self.look_at(Kind::Session)
    }

    /// How far all connections of a kind are.
    pub fn look_at(&mut self, kind: Kind) -> Result<Progress> {
        self.ask_all(&Order::Look { kind })?;
        let mut all = Progress::default();
        for _ in 0..self.readers.len() {
            match self.next_answer()?.1 {
                Answer::Progress(one) => all.add(one),
                other => bail!("a reader answers {other:?}"),
            }
        }
        Ok(all)
    }

    /// Expects a round.
    pub fn begin(&mut self, kind: Kind, first: u32) -> Result<()> {
        self.ask_all(&Order::Begin { kind, first })?;
        self.all_done()
    }

    /// What all saw of the round, once all of it has come or the time is over.
    pub fn finish(&mut self, kind: Kind, end: u32) -> Result<Seen> {
        let within_ms = WITHIN_MS;
        self.ask_all(&Order::Finish { kind, end, within_ms })?;
        let mut all = Seen::default();
        for _ in 0..self.readers.len() {
            match self.next_answer()?.1 {
                Answer::Seen(seen) => all.add(*seen),
                other => bail!("a reader answers {other:?}"),
            }
        }
        Ok(all)
    }

    fn ask_all(&mut self, order: &Order) -> Result<()> {
        self.readers.iter_mut().try_for_each(|reader| reader.ask(order))
    }

    fn all_done(&mut self) -> Result<()> {
        for _ in 0..self.readers.len() {
            match self.next_answer()?.1 {
                Answer::Done => {}
                other => bail!("a reader answers {other:?}"),
            }
        }
        Ok(())
    }

    /// Waits until all have opened what they were asked to, and says how far they are meanwhile.
    fn all_opened(&mut self) -> Result<Opened> {
        let mut all = Opened::default();
        let mut far = vec![Progress::default(); self.readers.len()];
        let (mut left, mut told, mut before) = (self.readers.len(), clock::now(), 0);
        while left > 0 {
            let (place, answer) = self.next_answer()?;
            match answer {
                Answer::Opened(opened) => {
                    (far[place].open, far[place].opening) = (far[place].open + far[place].opening, 0);
                    all.add(*opened);
                    left -= 1;
                }
                Answer::Progress(one) => far[place] = one,
                other => bail!("a reader answers {other:?}"),
            }
            let time = clock::now() - told;
            if left > 0 && time >= TELL_NS {
                let mut now = Progress::default();
                far.iter().for_each(|one| now.add(*one));
                let rate = now.open.saturating_sub(before) * 1_000_000_000 / time;
                progress(&format!(
                    "{} open, {rate} more per second, {} to go; {} attempts failed",
                    now.open, now.opening, now.failed
                ));
                (told, before) = (clock::now(), now.open);
            }
        }
        Ok(all)
    }

    fn next_answer(&mut self) -> Result<(usize, Answer)> {
        let (place, answer) = self.answers.recv_timeout(SILENCE).map_err(|error| match error {
            RecvTimeoutError::Timeout => anyhow::anyhow!("a reader says nothing"),
            RecvTimeoutError::Disconnected => anyhow::anyhow!("all readers are gone"),
        })?;
        match answer? {
            Answer::Failed(why) => bail!("a reader failed: {why}"),
            answer => Ok((place, answer)),
        }
    }
}

impl Reader {
    fn start(place: usize, say: SyncSender<(usize, Result<Answer>)>) -> Result<Self> {
        let program = std::env::current_exe().context("this program's own path is not known")?;
        let mut child = Command::new(program)
            .arg("readers")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("a reader does not start")?;
        let orders = child.stdin.take();
        let answers = child.stdout.take().context("a reader has no output")?;
        // Ends with the reader's output, or when nobody asks any more.
        std::thread::spawn(move || pass_on(place, answers, &say));
        Ok(Self { child, orders })
    }

    fn ask(&mut self, order: &Order) -> Result<()> {
        let orders = self.orders.as_mut().context("the reader was told to end")?;
        writeln!(orders, "{}", serde_json::to_string(order)?).context("a reader is gone")
    }
}

fn pass_on(place: usize, answers: ChildStdout, say: &SyncSender<(usize, Result<Answer>)>) {
    for line in BufReader::new(answers).lines() {
        let answer = line
            .context("a reader is gone")
            .and_then(|line| serde_json::from_str(&line).context("a reader's answer can not be read"));
        if say.send((place, answer)).is_err() {
            return;
        }
    }
    let _ = say.send((place, Err(anyhow::anyhow!("a reader is gone"))));
}

impl Drop for Reader {
    fn drop(&mut self) {
        // Its input ends, and with it the reader; the kill is for one that hangs.
        drop(self.orders.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
