//! What people are told.

use std::cmp::Reverse;
use std::os::fd::AsFd;

use anyhow::{Result, bail};
use rustix::event::epoll::{self, EventData, EventFlags};
use samtale_client::light::decode;
use samtale_protocol::messages::{History, MarkRead, Message, Part};
use samtale_protocol::threads::Inbox;
use samtale_protocol::{ErrorCode, Event, Refusal, Reply, Request, ServerFrame, SpaceId, limits};

use super::super::ledger::{Because, Over, Was};
use super::super::person::{Asked, Page, Stage};
use super::{Action, Heard, Player, SECOND};
use crate::clock;
use crate::messages::Label;

/// How many of the newest events are kept to be recognised.
const KEPT: usize = 16;
/// Messages of a page.
const PAGE: u32 = 50;
/// How many who come set a read mark.
const MARKS: f64 = 0.5;

impl Player {
    /// A socket has something.
    pub(super) fn on_ready(&mut self, number: usize) -> Result<()> {
        let Some(client) = self.people.get_mut(number).and_then(|person| person.client.as_mut()) else {
            return Ok(());
        };
        let was_connecting = client.is_connecting();
        let mut frames: Vec<Vec<u8>> = Vec::new();
        let outcome = client.on_ready(&mut self.scratch, |frame| frames.push(frame.to_vec()));
        if was_connecting && !client.is_connecting() {
            let data = EventData::new_u64(number as u64);
            epoll::modify(&self.epoll, client.socket().as_fd(), data, EventFlags::IN)?;
        }
        for frame in frames {
            self.on_frame(number, &frame)?;
        }
        if let Err(why) = outcome {
            self.on_end(number, &why);
        }
        Ok(())
    }

    fn on_frame(&mut self, number: usize, bytes: &[u8]) -> Result<()> {
        if let Some((_, heard)) = self.recent.iter().rev().find(|(known, _)| known == bytes) {
            let heard = *heard;
            self.on_message(number, heard);
            return Ok(());
        }
        match decode(bytes)? {
            ServerFrame::Welcome(welcome) => {
                let now_ms = clock::now() / 1_000_000;
                self.server_ahead_ms = welcome.server_time.as_millis().saturating_sub(now_ms);
                self.people[number].stage = Stage::CatchingUp;
            }
            ServerFrame::Cursor { cursor } => {
                self.people[number].cursor = Some(cursor);
                if self.people[number].stage == Stage::CatchingUp {
                    self.on_live(number);
                }
            }
            ServerFrame::Resync { space } => self.on_resync(number, space),
            ServerFrame::Reply { id, reply } => {
                if let Some(asked) = self.people[number].under_way.remove(&id) {
                    self.on_reply(number, asked, reply);
                }
            }
            ServerFrame::Error { id, error } => self.on_error(number, id, &error)?,
            ServerFrame::Event {
                event: Event::Message(message),
                ..
            } => {
                if let Some(heard) = self.heard(&message) {
                    if self.recent.len() >= KEPT {
                        self.recent.remove(0);
                    }
                    self.recent.push((bytes.to_vec(), heard));
                    self.on_message(number, heard);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A message of the day, if it is one of a conversation of ours.
    fn heard(&self, message: &Message) -> Option<Heard> {
        Some(Heard {
            thread: *self.by_id.get(&message.thread)?,
            label: Label::read(&Part::plain_text(&message.parts))?,
            message: message.message,
            reply_to: message.reply_to,
        })
    }

    fn on_message(&mut self, number: usize, heard: Heard) {
        let Heard {
            thread, label, message, ..
        } = heard;
        let now = clock::now();
        self.last_heard = now;
        let newest = &mut self.talks[thread].newest;
        *newest = (*newest).max(Some(message));
        let person = &self.people[number];
        let over = Over {
            connection: person.connection,
            is_live: person.stage == Stage::Live,
        };
        match self.ledger.show(number, thread, label.number, message, over) {
            Was::New => {
                self.told.deliveries += 1;
                let is_there = person.stage == Stage::Live;
                let is_own = self.ledger.is_by(number, thread, label.number);
                self.told.told_to_others += u64::from(is_there && !is_own);
                self.told.by_second.entry(now / SECOND).or_default()[1] += 1;
                self.told.before_question += u64::from(heard.reply_to.is_some_and(|question| question >= message));
                if person.stage == Stage::Live && person.live_since <= label.due {
                    self.latencies.saturating_record(now.saturating_sub(label.due) / 1000);
                }
            }
            Was::Repeated => self.told.repeated += 1,
            Was::Twice => self.told.duplicated += 1,
        }
    }

    /// Someone has caught up: they are there, send what was not stored, and read.
    fn on_live(&mut self, number: usize) {
        let now = clock::now();
        let person = &mut self.people[number];
        (person.stage, person.live_since) = (Stage::Live, now);
        // Now the phone gives up the connection that it had when it fell asleep.
        person.half_open = None;
        person.first_live.get_or_insert(now);
        self.arrivals.saturating_record((now - person.came_at) / 1000);
        let again: Vec<_> = person
            .outbox
            .iter()
            .map(|out| (out.thread, out.number, out.message.clone()))
            .collect();
        for (thread, message_number, message) in again {
            if person
                .ask(Request::SendMessage(message), Asked::Send(thread, message_number))
                .is_err()
            {
                break;
            }
        }
        self.present[self.cast.people[number].side()].push(number);
        self.start_own(number);
        let inbox = Inbox {
            space: None,
            before: None,
            search: None,
            limit: 20,
        };
        let person = &mut self.people[number];
        let _ = person.ask(Request::Inbox(inbox), Asked::Other);
        let threads = &self.cast.people[number].threads;
        let Some(thread) = threads.get(self.draw.below(threads.len())).copied() else {
            return;
        };
        let talk = self.talks[thread];
        if let (Some(id), Some(newest)) = (talk.id, talk.newest) {
            person.to_read.push(Page {
                thread,
                before: None,
                because: Because::TheyLook,
            });
            if self.draw.share() < MARKS {
                let mark = MarkRead {
                    thread: id,
                    messages: vec![newest],
                };
                let _ = person.ask(Request::MarkRead(mark), Asked::Other);
            }
        }
        self.read_on(number);
    }

    /// What a space was is not known any more: its conversations are read anew.
    fn on_resync(&mut self, number: usize, space: SpaceId) {
        let had_cursor = self.people[number].first_live.is_some();
        if !had_cursor {
            return;
        }
        self.told.resyncs += 1;
        for thread in &self.cast.people[number].threads {
            if self.cast.threads[*thread].space == space {
                self.people[number].to_read.push(Page {
                    thread: *thread,
                    before: None,
                    because: Because::LoadedAnew,
                });
            }
        }
        self.read_on(number);
    }

    /// Asks for the next page, while there is room for requests.
    fn read_on(&mut self, number: usize) {
        let person = &mut self.people[number];
        while person.under_way.len() + 3 < limits::REQUESTS_UNDER_WAY
            && let Some(page) = person.to_read.pop()
        {
            let Some(id) = self.talks[page.thread].id else { continue };
            let history = History {
                thread: id,
                before: page.before,
                after: None,
                limit: PAGE,
            };
            let _ = person.ask(Request::History(history), Asked::Page(page));
        }
    }

    fn on_reply(&mut self, number: usize, asked: Asked, reply: Reply) {
        match (asked, reply) {
            (Asked::Start(thread), Reply::Sent(sent)) => {
                self.talks[thread].id = Some(sent.thread);
                self.by_id.insert(sent.thread, thread);
                self.start_own(number);
            }
            (Asked::Send(thread, message), Reply::Sent(sent)) => {
                self.told.stored += 1;
                self.told.recipients += self.cast.threads[thread].members.saturating_sub(1) as u64;
                self.told.by_second.entry(clock::now() / SECOND).or_default()[0] += 1;
                let is_same = self.ledger.store(thread, message, sent.message);
                self.told.duplicated += u64::from(!is_same);
                let outbox = &mut self.people[number].outbox;
                outbox.retain(|out| (out.thread, out.number) != (thread, message));
            }
            (Asked::Page(asked), Reply::History(page)) => {
                self.told.reads += 1;
                // Whoever reads goes on until nothing is new to them.
                let mut news = 0;
                for message in &page.messages {
                    if let Some(heard) = self.heard(message) {
                        news += usize::from(
                            self.ledger
                                .learn(number, heard.thread, heard.label.number, asked.because),
                        );
                    }
                }
                if let Some(oldest) = page.messages.first().filter(|_| page.more && news > 0) {
                    let before = Some(oldest.message);
                    self.people[number].to_read.push(Page { before, ..asked });
                }
            }
            _ => self.told.reads += 1,
        }
        self.read_on(number);
    }

    fn on_error(&mut self, number: usize, id: Option<u32>, error: &Refusal) -> Result<()> {
        let asked = id.and_then(|id| self.people[number].under_way.remove(&id));
        if let Some(Asked::Start(_)) = asked {
            bail!(
                "a conversation can not be started: {} {}",
                error.message,
                error.detail.clone().unwrap_or_default()
            );
        }
        if self.told.refused < 3 {
            eprintln!("samtale-loadtest: refused: {:?} {}", error.code, error.message);
        }
        self.told.refused += 1;
        if let Some(Asked::Send(thread, message)) = asked {
            let outbox = &mut self.people[number].outbox;
            let place = outbox
                .iter()
                .position(|out| (out.thread, out.number) == (thread, message));
            let is_for_later = error.code == ErrorCode::Restamp;
            if let Some(place) = place {
                let mut out = outbox.remove(place);
                if is_for_later {
                    // Nothing of it is stored: it gets a new time, and is the same message still.
                    let now = clock::now() / 1_000_000 + self.server_ahead_ms;
                    out.message.sent_at = samtale_protocol::Timestamp::saturating(now);
                    let request = Request::SendMessage(out.message.clone());
                    outbox.push(out);
                    let _ = self.people[number].ask(request, Asked::Send(thread, message));
                }
            }
        }
        if !self.people[number].is_done() {
            self.due.push(Reverse((clock::now(), Action::Go(number))));
        }
        Ok(())
    }
}
