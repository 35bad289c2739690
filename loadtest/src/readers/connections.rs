//! The connections of one kind in a reader.

use std::os::fd::{AsFd, OwnedFd};

use anyhow::{Result, anyhow};
use rustix::event::epoll::{self, EventData, EventFlags};

use super::opening::{Opened, Opening};
use super::reader::{Reader, Sight, Stage};
use super::round::{Round, Seen};
use super::target::Targets;
use super::{Progress, Whose};
use crate::client::{Client, SCRATCH_BYTES, TlsMode};
use crate::clock;

/// The first few ends say why; a thousand that go the same way would say no more.
const TOLD: u64 = 3;

/// All connections of a kind. One that has ended keeps its place, and what it was not shown counts as lost.
pub struct Connections {
    readers: Vec<Reader>,
    targets: Targets,
    opening: Option<Opening>,
    sight: Sight,
    scratch: Box<[u8]>,
    /// What the kind's places begin with in the epoll.
    base: u64,
}

impl Connections {
    /// None yet. In an epoll their places begin with `base`.
    pub fn new(base: u64) -> Self {
        Self {
            readers: Vec::new(),
            targets: Targets::default(),
            opening: None,
            sight: Sight::default(),
            scratch: vec![0; SCRATCH_BYTES].into(),
            base,
        }
    }

    /// Begins to open more.
    pub fn open(&mut self, target: super::Target, first: usize, count: usize, at_once: usize) -> Result<()> {
        let before = self.readers.len();
        let target = self.targets.place(target)?;
        for number in first..first + count {
            self.readers.push(Reader::new(target, u32::try_from(number)?));
        }
        let places = before..before + count;
        self.opening = Some(Opening::new(places, TlsMode::Tickets, at_once, clock::now())?);
        Ok(())
    }

    /// Cuts connections, and begins to open them again.
    pub fn storm(&mut self, whose: Whose, tls: TlsMode, at_once: usize) -> Result<()> {
        let stage = match whose {
            Whose::Everyone => Stage::Live,
            Whose::Stalled => Stage::Stalled,
        };
        let places: Vec<usize> = (0..self.readers.len())
            .filter(|place| self.readers[*place].stage == stage)
            .collect();
        for place in &places {
            let reader = &mut self.readers[*place];
            reader.stage = Stage::Waiting;
            if let Some(client) = reader.client.take() {
                client.cut();
            }
        }
        self.opening = Some(Opening::new(places.into_iter(), tls, at_once, clock::now())?);
        Ok(())
    }

    /// Reads nothing more of the sessions of the first so many people.
    pub fn stall(&mut self, epoll: &OwnedFd, people: usize) -> Result<()> {
        for reader in &mut self.readers {
            let person = self.targets.person(reader.target, usize::try_from(reader.number)?);
            if let Some(client) = &reader.client
                && reader.stage == Stage::Live
                && person.is_some_and(|person| person < people)
            {
                reader.stage = Stage::Stalled;
                epoll::delete(epoll, client.socket())?;
            }
        }
        Ok(())
    }

    /// Goes on with what is being opened. Returns what it came to, once all are open.
    pub fn advance(&mut self, epoll: &OwnedFd) -> Result<Option<Opened>> {
        let Some(mut opening) = self.opening.take() else {
            return Ok(None);
        };
        while let Some(place) = opening.overdue(clock::now()) {
            self.fail(&mut opening, place, &anyhow!("it takes too long"))?;
        }
        while let Some(place) = opening.next(clock::now()) {
            let reader = &mut self.readers[place];
            let number = usize::try_from(reader.number)?;
            let begun = self
                .targets
                .connect(reader.target, number, opening.tls, reader.cursor.as_deref());
            match begun {
                Ok(client) => {
                    let wanted = if client.is_connecting() {
                        EventFlags::IN | EventFlags::OUT
                    } else {
                        EventFlags::IN
                    };
                    let data = EventData::new_u64(self.base + u64::try_from(place)?);
                    epoll::add(epoll, client.socket().as_fd(), data, wanted)?;
                    let is_open = client.is_open() && !self.targets.greets(reader.target);
                    reader.stage = if is_open { Stage::Live } else { Stage::Opening };
                    reader.client = Some(client);
                    reader.delivered.on_connection();
                    if is_open {
                        opening.on_open(place, clock::now());
                    }
                }
                Err(error) => self.fail(&mut opening, place, &error)?,
            }
        }
        if opening.left() == 0 {
            return Ok(Some(opening.finish()));
        }
        self.opening = Some(opening);
        Ok(None)
    }

    /// Reads what a connection has.
    pub fn on_ready(&mut self, epoll: &OwnedFd, place: usize) -> Result<()> {
        let Some(reader) = self.readers.get_mut(place) else {
            return Ok(());
        };
        let (before, was_connecting) = (reader.stage, reader.client.as_ref().is_some_and(Client::is_connecting));
        let mut none = Opened::default();
        let opened = self.opening.as_mut().map_or(&mut none, |opening| &mut opening.opened);
        let outcome = reader.on_ready(&mut self.scratch, &mut self.sight, opened);
        if let Err(error) = outcome {
            return self.on_end(place, before, &error);
        }
        let Some(client) = &reader.client else { return Ok(()) };
        if was_connecting && !client.is_connecting() {
            let data = EventData::new_u64(self.base + u64::try_from(place)?);
            epoll::modify(epoll, client.socket().as_fd(), data, EventFlags::IN)?;
        }
        if !self.targets.greets(reader.target) && reader.stage == Stage::Opening && client.is_open() {
            reader.stage = Stage::Live;
        }
        if before != Stage::Live
            && reader.stage == Stage::Live
            && let Some(opening) = &mut self.opening
        {
            opening.on_open(place, clock::now());
        }
        Ok(())
    }

    fn on_end(&mut self, place: usize, before: Stage, error: &anyhow::Error) -> Result<()> {
        if matches!(before, Stage::Opening | Stage::CatchingUp)
            && let Some(mut opening) = self.opening.take()
        {
            let failed = self.fail(&mut opening, place, error);
            self.opening = Some(opening);
            return failed;
        }
        if self.progress().closed < TOLD {
            eprintln!("samtale-loadtest: a connection ended: {error:#}");
        }
        let reader = &mut self.readers[place];
        (reader.stage, reader.client) = (Stage::Ended, None);
        Ok(())
    }

    fn fail(&mut self, opening: &mut Opening, place: usize, error: &anyhow::Error) -> Result<()> {
        let reader = &mut self.readers[place];
        (reader.stage, reader.client) = (Stage::Waiting, None);
        opening.on_failed(place, error, clock::now())
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let mut progress = Progress {
            failed: self.opening.as_ref().map_or(0, |opening| opening.opened.failed),
            deliveries: self.deliveries(),
            ..Progress::default()
        };
        for reader in &self.readers {
            *match reader.stage {
                Stage::Waiting | Stage::Opening | Stage::CatchingUp => &mut progress.opening,
                Stage::Live => &mut progress.open,
                Stage::Stalled => &mut progress.stalled,
                Stage::Ended => &mut progress.closed,
            } += 1;
        }
        progress
    }

    /// Expects a round. Stalled sessions still wait for what came before.
    pub fn begin(&mut self, first: u32) -> Result<()> {
        self.sight.round = Some(Round::new()?);
        for reader in self.readers.iter_mut().filter(|reader| reader.stage != Stage::Stalled) {
            reader.delivered.begin(first);
        }
        Ok(())
    }

    /// How many messages of the round have not come to connections that read.
    pub fn missing(&self, end: u32) -> u64 {
        self.reading().map(|reader| reader.delivered.lost(end)).sum()
    }

    /// Ends the round. What stalled sessions did not read is not lost: it waits for them.
    pub fn finish(&mut self, end: u32) -> Option<Seen> {
        let round = self.sight.round.take()?;
        let closed = self.progress().closed;
        Some(round.end(self.reading().map(|reader| &reader.delivered), end, closed))
    }

    fn reading(&self) -> impl Iterator<Item = &Reader> {
        self.readers.iter().filter(|reader| reader.stage != Stage::Stalled)
    }

    fn deliveries(&self) -> u64 {
        self.sight.round.as_ref().map_or(0, Round::deliveries)
    }
}
