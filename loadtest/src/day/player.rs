//! A player: one thread with the sockets of its people, and a list of what is due when. Nothing waits for an answer: what
//! is due is done when it is due, and what is late counts from when it was due.

mod acting;
mod hearing;
mod leaving;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags};
use rustix::io::Errno;
use samtale_protocol::{MessageId, ThreadId};

use super::cast::Cast;
use super::hours::{share_of_peak, visits};
use super::ledger::Ledger;
use super::person::{Person, Stage};
use super::{Part, Told};
use crate::client::SCRATCH_BYTES;
use crate::clock;
use crate::messages::Label;
use crate::nation::Draw;
use crate::readers::{counts, histogram};
use crate::sockets;

const SECOND: u64 = 1_000_000_000;
/// How long the conversations may take to be started.
const STARTING: u64 = 120 * SECOND;
/// How long everyone may take to catch up in the evening, as long as something comes: someone who was away for half an hour at
/// ten times the load has a whole journal to hear of.
const EVENING: u64 = 30 * 60 * SECOND;
/// Who has not caught up when nothing has come for so long will not.
const STUCK: u64 = 60 * SECOND;
/// Nothing more comes when nothing has come for so long.
const QUIET: u64 = SECOND;
/// How long a wait is that waits for nothing in particular.
const LOOK_AGAIN: u64 = 10_000_000;
/// Sockets that one wait tells of.
const EVENTS: usize = 512;
/// From one who comes to the next, where many come for no reason of their own.
const APART: u64 = 1_000_000;

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Action {
    /// Someone has a reason to be there.
    Come(usize),
    /// They have one less.
    Leave(usize),
    /// The same, once their connection has nothing open.
    Go(usize),
    /// They try again.
    Again(usize),
    /// A message of anyone's.
    Write,
    /// A message that was due at this moment, and that nobody had room for.
    WriteLate(u64),
    /// A head writes to all guardians: the school is closed.
    Announce(usize, u64),
}

/// A conversation under way.
#[derive(Clone, Copy, Debug, Default)]
struct Talk {
    id: Option<ThreadId>,
    newest: Option<MessageId>,
    last_sent_at: u64,
}

/// An event as it was decoded: thousands of sessions are told the same bytes.
#[derive(Clone, Copy)]
struct Heard {
    thread: usize,
    label: Label,
    message: MessageId,
    reply_to: Option<MessageId>,
}

struct Player {
    part: Part,
    cast: Cast,
    people: Vec<Person>,
    talks: Vec<Talk>,
    by_id: HashMap<ThreadId, usize>,
    ledger: Ledger,
    due: BinaryHeap<Reverse<(u64, Action)>>,
    draw: Draw,
    epoll: OwnedFd,
    scratch: Box<[u8]>,
    /// The newest events, and what they are.
    recent: Vec<(Vec<u8>, Heard)>,
    /// Staff who are there, and everyone else.
    present: [Vec<usize>; 2],
    server_ahead_ms: u64,
    last_client_id: u64,
    told: Told,
    latencies: Histogram<u64>,
    arrivals: Histogram<u64>,
    open: u64,
    last_heard: u64,
    ends: u64,
}

/// Plays the part in a file, and tells what it saw.
pub fn play(part: &Path) -> Result<()> {
    sockets::raise_descriptor_limit();
    let text = std::fs::read_to_string(part).context("the part can not be read")?;
    let part: Part = serde_json::from_str(&text).context("the part can not be read")?;
    let cast = Cast::of(&part)?;
    let mut player = Player::new(part, cast)?;
    player.start_conversations()?;
    say("started", &serde_json::json!({}))?;
    // Everyone who plays begins when all can.
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let start: u64 = line.trim().parse().context("the time of the day's beginning")?;
    player.day(start)?;
    player.evening()?;
    say("told", &player.finish())
}

fn say(what: &str, told: &impl serde::Serialize) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::json!({ what: told }))?;
    Ok(out.flush()?)
}

impl Player {
    fn new(part: Part, cast: Cast) -> Result<Self> {
        let (people, threads) = (cast.people.len(), cast.threads.len());
        let told = Told {
            people: people as u64,
            threads: threads as u64,
            ..Told::default()
        };
        Ok(Self {
            people: (0..people).map(|_| Person::default()).collect(),
            talks: vec![Talk::default(); threads],
            by_id: HashMap::new(),
            ledger: Ledger::of(threads),
            due: BinaryHeap::new(),
            draw: Draw::new(part.nation.seed, (1 << 40) + part.player as u64),
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            scratch: vec![0; SCRATCH_BYTES].into(),
            recent: Vec::new(),
            present: [Vec::new(), Vec::new()],
            server_ahead_ms: 0,
            last_client_id: 0,
            told,
            latencies: histogram()?,
            arrivals: histogram()?,
            open: 0,
            last_heard: 0,
            ends: u64::MAX,
            part,
            cast,
        })
    }

    /// Those who start a conversation come, and start it.
    fn start_conversations(&mut self) -> Result<()> {
        let mut starters: Vec<usize> = self.cast.threads.iter().map(|thread| thread.starter).collect();
        starters.sort_unstable();
        starters.dedup();
        let now = clock::now();
        for (place, person) in starters.iter().enumerate() {
            self.comes(now + APART * place as u64, *person);
        }
        let deadline = now + STARTING;
        while self.talks.iter().any(|talk| talk.id.is_none()) {
            ensure!(clock::now() < deadline, "the conversations are not all started in time");
            self.step()?;
        }
        for person in starters {
            self.due.push(Reverse((clock::now(), Action::Leave(person))));
        }
        while self.people.iter().any(|person| person.stage != Stage::Away) {
            ensure!(
                clock::now() < deadline,
                "those who started the conversations do not get away"
            );
            self.step()?;
        }
        Ok(())
    }

    /// The day: whatever is due, when it is due.
    fn day(&mut self, start: u64) -> Result<()> {
        let hours = self.part.hours;
        let at = |second: f64| start + nanoseconds((second - hours.from) / hours.speed);
        self.ends = at(hours.to);
        for person in 0..self.people.len() {
            let day = visits(&mut self.draw, self.cast.people[person].role);
            for (from, to) in day
                .into_iter()
                .filter(|(from, to)| *to > hours.from && *from < hours.to)
            {
                self.comes(at(from.max(hours.from)), person);
                self.due.push(Reverse((at(to), Action::Leave(person))));
            }
        }
        let announced = self.cast.threads.iter().position(|thread| thread.is_for_all);
        if let Some(thread) = announced {
            // In the middle of the part that is played.
            let moment = at(f64::midpoint(hours.from, hours.to));
            self.due.push(Reverse((moment, Action::Announce(thread, moment))));
        }
        self.due.push(Reverse((start, Action::Write)));
        let mut tells = start;
        while clock::now() < self.ends {
            self.step()?;
            if clock::now() >= tells {
                tells += SECOND;
                let second = clock::now() / SECOND;
                self.told.by_second.entry(second).or_default()[2] = self.open;
                self.tell_progress()?;
            }
        }
        Ok(())
    }

    fn tell_progress(&self) -> Result<()> {
        let so_far = Told {
            open: self.open,
            latencies_us: counts(&self.latencies),
            by_second: std::collections::BTreeMap::new(),
            ..self.told.clone()
        };
        say("progress", &so_far)
    }

    /// Everyone who was there comes once more, and catches up.
    fn evening(&mut self) -> Result<()> {
        // Whatever would come later does not.
        self.due.clear();
        self.told.is_evening = true;
        let deadline = clock::now() + EVENING;
        let came: Vec<usize> = (0..self.people.len())
            .filter(|person| self.people[*person].first_live.is_some())
            .collect();
        let now = clock::now();
        for (place, person) in came.iter().enumerate() {
            self.comes(now + APART * place as u64, *person);
        }
        let mut tells = now;
        loop {
            self.step()?;
            let there = |person: &&usize| {
                let person = &self.people[**person];
                person.stage == Stage::Live && person.is_done()
            };
            let missing = came.len() - came.iter().filter(there).count();
            self.told.not_caught_up = missing as u64;
            let now = clock::now();
            let silent = now.saturating_sub(self.last_heard);
            if (missing == 0 && silent > QUIET) || silent > STUCK || now > deadline {
                return Ok(());
            }
            if now >= tells {
                tells += SECOND;
                self.tell_progress()?;
            }
        }
    }

    fn finish(&mut self) -> Told {
        for person in 0..self.people.len() {
            let own = &self.people[person];
            // Who never came has nothing to miss; who did not catch up is counted as that.
            let (Some(since), Stage::Live) = (own.first_live, own.stage) else {
                continue;
            };
            for thread in &self.cast.people[person].threads {
                let untold = self.ledger.untold(person, *thread, since);
                self.told.lost += untold.lost;
                self.told.learned_from_pages += untold.learned_from_pages;
            }
        }
        self.told.reordered = self.ledger.out_of_order();
        self.told.latencies_us = counts(&self.latencies);
        self.told.arrivals_us = counts(&self.arrivals);
        std::mem::take(&mut self.told)
    }

    /// Someone is to come at a moment.
    fn comes(&mut self, moment: u64, person: usize) {
        self.people[person].to_come += 1;
        self.due.push(Reverse((moment, Action::Come(person))));
    }

    /// Does what is due, and hears what there is.
    fn step(&mut self) -> Result<()> {
        let now = clock::now();
        while let Some(Reverse((moment, action))) = self.due.peek().copied() {
            if moment > now {
                break;
            }
            self.due.pop();
            self.act(moment, action)?;
        }
        let next = self.due.peek().map_or(u64::MAX, |next| next.0.0);
        let wait = next.saturating_sub(clock::now()).min(LOOK_AGAIN);
        let mut events: Vec<epoll::Event> = Vec::with_capacity(EVENTS);
        match epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&clock::timespec(wait))) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in events {
            let data = event.data;
            self.on_ready(usize::try_from(data.u64())?)?;
        }
        Ok(())
    }

    /// When the next message is due, if one was due at `moment`.
    fn next_write(&mut self, moment: u64) -> u64 {
        let hours = self.part.hours;
        let day_second = hours.to - nanoseconds_back(self.ends.saturating_sub(moment)) * hours.speed;
        let share = share_of_peak(day_second).max(0.001);
        let per_second = self.part.messages_per_second * share / crate::figure::float(self.part.players as u64);
        // Arrivals that know nothing of each other.
        let apart = -(1.0 - self.draw.share()).ln() / per_second.max(0.001);
        moment + nanoseconds(apart).max(1)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "times of a run")]
fn nanoseconds(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1e9) as u64
}

fn nanoseconds_back(nanoseconds: u64) -> f64 {
    crate::figure::float(nanoseconds) / 1e9
}
