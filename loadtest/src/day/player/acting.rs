//! What people do: come, and write.

use std::cmp::Reverse;
use std::os::fd::AsFd;

use anyhow::Result;
use rustix::event::epoll::{self, EventData, EventFlags};
use samtale_protocol::messages::{Part, SendMessage};
use samtale_protocol::people::Role;
use samtale_protocol::threads::StartThread;
use samtale_protocol::{ClientId, Request, Timestamp, limits};

use super::super::person::{Asked, Outgoing, Stage};
use super::{Action, Player, nanoseconds};
use crate::clock;
use crate::messages::Label;

/// How soon what could not be done is tried again.
pub(super) const SOON: u64 = 20_000_000;
/// How soon someone whose connection ended comes back.
pub(super) const COME_BACK: u64 = 200_000_000;
/// Of the messages, those that staff write.
const BY_STAFF: f64 = 0.7;
/// Of the messages of others, those that answer one.
const ANSWERS: f64 = 0.6;
/// How long it takes until the last has looked at an announcement, and how long they look: seconds of the day.
const ALARMED: f64 = 600.0;
const LOOKS: f64 = 180.0;
/// Numbers of connections of one player: source addresses are told apart by them.
const CONNECTIONS: usize = 20_000;
/// Attempts to find someone who has room for a message.
const ATTEMPTS: usize = 8;

impl Player {
    pub(super) fn act(&mut self, moment: u64, action: Action) -> Result<()> {
        match action {
            Action::Come(person) => {
                let of = &mut self.people[person];
                of.to_come = of.to_come.saturating_sub(1);
                of.wanted += 1;
                self.come(person)?;
            }
            Action::Again(person) => self.come(person)?,
            Action::Leave(person) => {
                let wanted = &mut self.people[person].wanted;
                *wanted = wanted.saturating_sub(1);
                self.leave(person)?;
            }
            Action::Go(person) => self.leave(person)?,
            Action::Write => {
                let next = self.next_write(moment);
                self.due.push(Reverse((next, Action::Write)));
                self.told.due += 1;
                self.write_by_anyone(moment)?;
            }
            Action::WriteLate(due) => self.write_by_anyone(due)?,
            Action::Announce(thread, due) => self.announce(thread, due)?,
        }
        Ok(())
    }

    /// Comes, unless they are there or on the way, or have no reason any more.
    fn come(&mut self, number: usize) -> Result<()> {
        let (players, player) = (self.part.servers.len(), self.part.player);
        let person = &self.people[number];
        if person.wanted == 0 || !matches!(person.stage, Stage::Away | Stage::Closing) {
            return Ok(());
        }
        if person.stage == Stage::Closing {
            // They do not wait for the end of the connection before.
            self.is_away(number);
        }
        let person = &mut self.people[number];
        self.told.arrivals += 1;
        // Another server each time: the cursor holds on all of them.
        let server = self.part.servers[(number + person.connection as usize) % players];
        let connection = player * CONNECTIONS + number;
        let token = &self.cast.people[number].token;
        if person.come(server, connection, token, clock::now()).is_err() {
            self.told.failed += 1;
            (person.client, person.stage) = (None, Stage::Away);
            self.due
                .push(Reverse((clock::now() + COME_BACK, Action::Again(number))));
            return Ok(());
        }
        self.open += 1;
        self.told.most_open = self.told.most_open.max(self.open);
        if let Some(client) = &person.client {
            let wanted = if client.is_connecting() {
                EventFlags::OUT
            } else {
                EventFlags::IN
            };
            epoll::add(
                &self.epoll,
                client.socket().as_fd(),
                EventData::new_u64(number as u64),
                wanted,
            )?;
        }
        Ok(())
    }

    /// Someone who is there writes in one of their conversations.
    fn write_by_anyone(&mut self, due: u64) -> Result<()> {
        let [staff, others] = &self.present;
        let first = usize::from(self.draw.share() >= BY_STAFF);
        let side = match (staff.is_empty(), others.is_empty()) {
            (true, true) => {
                self.told.unwritten += 1;
                return Ok(());
            }
            (true, false) => 1,
            (false, true) => 0,
            (false, false) => first,
        };
        for _ in 0..ATTEMPTS {
            let present = &self.present[side];
            let author = present[self.draw.below(present.len())];
            let threads = &self.cast.people[author].threads;
            let thread = threads.get(self.draw.below(threads.len())).copied();
            // To all guardians the head writes, and nobody else.
            let thread = thread.filter(|thread| !self.cast.threads[*thread].is_for_all);
            let has_room = self.people[author].under_way.len() + 2 < limits::REQUESTS_UNDER_WAY;
            if let Some(thread) = thread.filter(|_| has_room) {
                let answers = side == 1 && self.draw.share() < ANSWERS;
                return self.write(author, thread, due, answers);
            }
        }
        self.due
            .push(Reverse((clock::now() + SOON / 4, Action::WriteLate(due))));
        Ok(())
    }

    fn write(&mut self, author: usize, thread: usize, due: u64, answers: bool) -> Result<()> {
        let Some(id) = self.talks[thread].id else { return Ok(()) };
        let number = self.ledger.write(thread, author, due);
        let message = SendMessage {
            thread: id,
            client_id: self.client_id(),
            sent_at: self.sent_at(thread),
            parts: vec![Part::text(Label { number, due }.text())],
            reply_to: self.talks[thread].newest.filter(|_| answers),
            membership_version: None,
        };
        let person = &mut self.people[author];
        person.outbox.push(Outgoing {
            thread,
            number,
            message: message.clone(),
        });
        let asked = person.ask(Request::SendMessage(message), Asked::Send(thread, number));
        if let Err(why) = asked {
            self.on_end(author, &why);
        }
        Ok(())
    }

    /// Starts the conversations that are theirs to start.
    pub(super) fn start_own(&mut self, number: usize) {
        for thread in self.cast.people[number].threads.clone() {
            let of = &self.cast.threads[thread];
            let has_room = self.people[number].under_way.len() + 2 < limits::REQUESTS_UNDER_WAY;
            let is_asked = self.people[number]
                .under_way
                .values()
                .any(|asked| *asked == Asked::Start(thread));
            if of.starter != number || self.talks[thread].id.is_some() || !has_room || is_asked {
                continue;
            }
            let (space, to) = (of.space, of.to.clone());
            let start = StartThread {
                as_profile: None,
                space,
                client_id: self.client_id(),
                sent_at: self.sent_at(thread),
                to,
                subject: "A school day".to_owned(),
                regarding: Vec::new(),
                parts: vec![Part::text("Good morning.")],
            };
            if let Err(why) = self.people[number].ask(Request::StartThread(start), Asked::Start(thread)) {
                self.on_end(number, &why);
                return;
            }
        }
    }

    /// The head says that the school is closed, and everyone who is told looks.
    fn announce(&mut self, thread: usize, due: u64) -> Result<()> {
        let head = self.cast.threads[thread].starter;
        if self.people[head].stage != Stage::Live {
            if self.people[head].wanted == 0 {
                self.people[head].wanted += 1;
                self.come(head)?;
            }
            self.due
                .push(Reverse((clock::now() + SOON, Action::Announce(thread, due))));
            return Ok(());
        }
        self.write(head, thread, due, false)?;
        let speed = self.part.hours.speed;
        for person in 0..self.people.len() {
            if self.cast.people[person].threads.contains(&thread) {
                let comes = clock::now() + nanoseconds(self.draw.share() * ALARMED / speed);
                self.comes(comes, person);
                self.due
                    .push(Reverse((comes + nanoseconds(LOOKS / speed), Action::Leave(person))));
            }
        }
        Ok(())
    }

    /// The time now, as the server knows it, and later than any before in the thread.
    fn sent_at(&mut self, thread: usize) -> Timestamp {
        let now = clock::now() / 1_000_000 + self.server_ahead_ms;
        let last = &mut self.talks[thread].last_sent_at;
        *last = now.max(*last + 1);
        Timestamp::saturating(*last)
    }

    fn client_id(&mut self) -> ClientId {
        self.last_client_id += 1;
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&(clock::now() ^ (self.part.player as u64) << 56).to_be_bytes());
        bytes[8..].copy_from_slice(&self.last_client_id.to_be_bytes());
        ClientId::from_bytes(bytes)
    }
}

impl super::super::cast::Player {
    /// Among whom of those present they are counted: staff first.
    pub(super) fn side(&self) -> usize {
        usize::from(matches!(self.role, Role::Child | Role::Guardian))
    }
}
