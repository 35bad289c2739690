//! What a device makes of the server's frames.

use std::time::Duration;

use samtale_protocol::messages::HistoryPage;
use samtale_protocol::threads::InboxPage;
use samtale_protocol::{ErrorCode, Event, MessageId, Refusal, Reply, ServerFrame, ThreadId};

use crate::checker::{Note, Seen};
use crate::simulation::device::Device;
use crate::simulation::device::errands::{Errand, Want};
use crate::simulation::device::screen::seen;

impl Device {
    /// A message from the server.
    pub fn on_message(&mut self, bytes: &[u8]) {
        let Ok(frame) = self.encoding.decode::<ServerFrame>(bytes) else {
            return self.note(Note::Stuck {
                what: "a frame that can be read".to_owned(),
            });
        };
        match frame {
            ServerFrame::Welcome(welcome) => {
                let own = i64::try_from((self.clock)()).unwrap_or(0);
                self.learned = i64::try_from(welcome.server_time.as_millis()).unwrap_or(0) - own;
            }
            ServerFrame::Reply { id, reply } => {
                if let Some(errand) = self.take_errand(id) {
                    self.on_reply(errand.want, reply);
                }
            }
            ServerFrame::Error { id, error } => {
                if let Some(errand) = id.and_then(|id| self.take_errand(id)) {
                    self.on_refusal(errand, error);
                }
            }
            ServerFrame::Event { event, .. } => self.on_event(event),
            ServerFrame::Signal { .. } => {}
            ServerFrame::Resumed { events, .. } => self.trace(&format!("has resumed with {events} events")),
            ServerFrame::Resync { .. } => {
                let now = self.shared.world.elapsed_ms();
                self.note(Note::Resync {
                    cursor_age_ms: self.cursor.as_ref().map(|(_, came_at)| now - came_at),
                });
                self.load_everything();
            }
            ServerFrame::Cursor { cursor } => {
                self.has_caught_up = true;
                self.cursor = Some((cursor, self.shared.world.elapsed_ms()));
            }
        }
    }

    fn take_errand(&mut self, id: u32) -> Option<Errand> {
        let place = self.errands.iter().position(|errand| errand.request == Some(id))?;
        Some(self.errands.remove(place))
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Message(message) => {
                self.notice_thread(message.thread);
                self.screen.show(&message, self.me.profile);
                self.note(Note::Shown {
                    thread: message.thread,
                    seen: seen(&message),
                    by_event: true,
                });
            }
            Event::Thread(thread) => {
                self.notice_thread(thread.thread);
                let shown = self.screen.thread(thread.thread);
                shown.membership_version = shown.membership_version.max(thread.membership_version);
            }
            Event::Membership {
                thread,
                membership_version,
                profile,
                joined_at,
                left_at,
            } => {
                self.notice_thread(thread);
                let shown = self.screen.thread(thread);
                if membership_version < shown.membership_version {
                    return;
                }
                shown.membership_version = membership_version;
                shown.newest = shown.newest.max(joined_at).max(left_at.unwrap_or_default());
                if profile == self.me.profile {
                    let comes = shown.is_left && left_at.is_none();
                    shown.is_left = left_at.is_some();
                    if comes {
                        self.load(thread);
                    }
                }
                if left_at.is_some() {
                    self.note(Note::RemoveTold { thread, profile });
                }
            }
            _ => {}
        }
    }

    /// At the end everyone tries to read every thread that anyone knows of.
    fn know_thread(&self, thread: ThreadId) {
        let mut threads = self.shared.threads.borrow_mut();
        if !threads.contains(&thread) {
            threads.push(thread);
        }
    }

    /// A thread that is new to the screen is loaded.
    fn notice_thread(&mut self, thread: ThreadId) {
        self.know_thread(thread);
        if !self.screen.threads.contains_key(&thread) {
            self.screen.thread(thread);
            self.load(thread);
        }
    }

    fn on_reply(&mut self, want: Want, reply: Reply) {
        match (want, reply) {
            (want @ (Want::Send(_) | Want::Answer(_)), Reply::Sent(sent)) => {
                self.know_thread(sent.thread);
                self.note(Note::Told {
                    thread: sent.thread,
                    client: sent.client_id,
                    message: sent.message,
                });
                if self.random.chance(150) {
                    self.sent_before.push(want);
                }
            }
            (Want::Change(..), Reply::Message(message)) => {
                self.note(Note::ChangeTold {
                    message: message.message,
                    version: message.version,
                });
                self.screen.show(&message, self.me.profile);
            }
            (Want::Add(thread, profile, _), Reply::MembershipChanged(changed)) => {
                self.notice_version(thread, changed.membership_version);
                self.note(Note::AddTold { thread, profile });
            }
            (Want::Remove(thread, profile), Reply::MembershipChanged(changed)) => {
                self.notice_version(thread, changed.membership_version);
                self.note(Note::RemoveTold { thread, profile });
                self.talk_behind(thread);
            }
            (Want::Leave(thread), Reply::MembershipChanged(changed)) => {
                self.notice_version(thread, changed.membership_version);
                self.screen.thread(thread).is_left = true;
            }
            (Want::Inbox(_), Reply::Inbox(page)) => self.on_inbox(page),
            (Want::Load(thread, _, limit), Reply::History(page)) => self.on_page(thread, limit, page),
            (Want::Compare(thread, _, loaded), Reply::History(page)) => self.on_compared(thread, loaded, page),
            (Want::MarkRead(..), Reply::Read(_))
            | (Want::Open(_), Reply::Thread(_))
            | (Want::Rename(..), Reply::Renamed(_))
            | (Want::Typing(_), Reply::Done) => {}
            (want, reply) => self.note(Note::Stuck {
                what: format!("an answer to {want:?} that fits it, not {reply:?}"),
            }),
        }
    }

    fn notice_version(&mut self, thread: ThreadId, version: u64) {
        let shown = self.screen.thread(thread);
        shown.membership_version = shown.membership_version.max(version);
    }

    fn on_inbox(&mut self, page: InboxPage) {
        let last = page.entries.last().map(|entry| entry.last_message);
        for entry in page.entries {
            let thread = entry.thread.thread;
            self.notice_thread(thread);
            let shown = self.screen.thread(thread);
            shown.membership_version = shown.membership_version.max(entry.thread.membership_version);
            shown.is_left = entry.left_at.is_some();
        }
        if page.more && last.is_some() {
            self.want(Want::Inbox(last));
        }
    }

    fn on_page(&mut self, thread: ThreadId, limit: u32, page: HistoryPage) {
        for message in &page.messages {
            if let Some(seen) = self.screen.show(message, self.me.profile) {
                self.note(Note::Shown {
                    thread,
                    seen,
                    by_event: false,
                });
            }
        }
        if let Some(last) = page.messages.last().filter(|_| page.more) {
            self.want(Want::Load(thread, last.message, limit));
        }
    }

    fn on_compared(&mut self, thread: ThreadId, mut loaded: Vec<Seen>, page: HistoryPage) {
        loaded.extend(page.messages.iter().map(seen));
        match page.messages.last().filter(|_| page.more) {
            Some(last) => self.want(Want::Compare(thread, last.message, loaded)),
            None => self.note(Note::Kept {
                thread,
                messages: Some(loaded),
            }),
        }
    }

    fn on_refusal(&mut self, mut errand: Errand, refusal: Refusal) {
        self.trace(&format!(
            "is refused {:?}: {:?} {:?}",
            errand.want, refusal.code, refusal.detail
        ));
        let now = self.shared.world.elapsed_ms();
        let wait = refusal.retry_after_ms.unwrap_or_else(|| self.random.between(50, 1_500));
        errand.request = None;
        errand.not_before = now + u64::try_from(Duration::from_millis(wait).as_millis()).unwrap_or(0);
        match (refusal.code, &mut errand.want) {
            (ErrorCode::Restamp | ErrorCode::ClockAhead, Want::Send(send)) => {
                send.sent_at = None;
                self.errands.push(errand);
            }
            (ErrorCode::Restamp | ErrorCode::ClockAhead, Want::Answer(answer)) => {
                answer.sent_at = None;
                self.errands.push(errand);
            }
            (ErrorCode::Internal, _) => self.refused(refusal),
            (code, _) if code.is_retryable() => self.errands.push(errand),
            (ErrorCode::NotFound | ErrorCode::NotPermitted, Want::Compare(thread, ..)) => {
                let thread = *thread;
                self.note(Note::Kept { thread, messages: None });
            }
            _ => self.refused(refusal),
        }
    }

    fn refused(&self, refusal: Refusal) {
        self.note(Note::Refused {
            code: refusal.code,
            detail: refusal.detail.unwrap_or_default(),
        });
    }

    /// The newest message of a thread on the screen.
    pub(super) fn newest_in(&self, thread: ThreadId) -> Option<MessageId> {
        self.screen.threads.get(&thread)?.messages.keys().next_back().copied()
    }
}
