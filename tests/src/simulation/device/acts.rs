//! What a person does with a device.

use samtale_protocol::messages::MessageReference;
use samtale_protocol::{ClientId, MessageId, ProfileId, ThreadId};

use crate::simulation::device::Device;
use crate::simulation::device::errands::{Answer, Send, Want};

/// Errands that a device may have open; with more the person waits.
const PATIENCE: usize = 30;

impl Device {
    /// The person does something, as long as the device keeps up.
    pub fn act(&mut self) {
        if self.errands.len() > PATIENCE {
            return;
        }
        let threads: Vec<ThreadId> = self
            .screen
            .threads
            .iter()
            .filter(|(_, shown)| !shown.is_left)
            .map(|(thread, _)| *thread)
            .collect();
        let Some(thread) = self.random.pick(&threads).copied() else {
            return;
        };
        match self.random.below(100) {
            0..6 => self.send_again(),
            6..14 => self.change(thread, true),
            14..17 => self.change(thread, false),
            17..26 if self.me.role.is_staff() => self.add(thread),
            26..33 if self.me.role.is_staff() => self.remove(thread),
            33..35 if self.me.role.is_staff() => {
                self.want(Want::Rename(thread, format!("About {}", self.next_request)))
            }
            35 => self.want(Want::Leave(thread)),
            36..40 => {
                if let Some(newest) = self.newest_in(thread) {
                    self.want(Want::MarkRead(thread, vec![newest]));
                }
            }
            40..42 => self.want(Want::Open(thread)),
            42..44 => self.want(Want::Typing(thread)),
            44..47 => self.load(thread),
            47..52 => self.answer_alone(thread),
            _ => self.send(thread),
        }
    }

    fn send(&mut self, thread: ThreadId) {
        let client = ClientId::from_bytes(self.random.id());
        let answers = self.random.chance(300);
        let messages: Vec<MessageId> = self
            .screen
            .thread(thread)
            .messages
            .keys()
            .rev()
            .take(5)
            .copied()
            .filter(|_| answers)
            .collect();
        let reply_to = self.random.pick(&messages).copied();
        let long = if self.random.chance(80) {
            self.random.below(8_000)
        } else {
            self.random.below(40)
        };
        let text = format!("{client} {}", "æ".repeat(usize::try_from(long).unwrap_or(0)));
        self.want(Want::Send(Send {
            thread,
            client,
            sent_at: None,
            text,
            reply_to,
        }));
    }

    /// Answers one of the newest messages of others so that only its author reads it.
    fn answer_alone(&mut self, source: ThreadId) {
        let newest: Vec<(MessageId, ProfileId)> = self
            .screen
            .thread(source)
            .others
            .iter()
            .rev()
            .take(5)
            .copied()
            .collect();
        let Some((message, to)) = self.random.pick(&newest).copied() else {
            return;
        };
        let client = ClientId::from_bytes(self.random.id());
        self.want(Want::Answer(Answer {
            source,
            message,
            to,
            client,
            sent_at: None,
            text: format!("{client} for you alone"),
        }));
    }

    /// Sends something that was acknowledged again, as a client does that forgot that it was.
    fn send_again(&mut self) {
        if !self.sent_before.is_empty() {
            let place = self.random.below(self.sent_before.len() as u64);
            let want = self.sent_before.swap_remove(usize::try_from(place).unwrap_or(0));
            self.want(want);
        }
    }

    fn change(&mut self, thread: ThreadId, is_edit: bool) {
        let own = self.screen.thread(thread).own.clone();
        let Some(message) = self.random.pick(&own).copied() else {
            return;
        };
        let is_open = |want: &Want| matches!(want, Want::Change(which, _) if which.message == message);
        if self.errands.iter().any(|errand| is_open(&errand.want)) {
            return;
        }
        let Some(client) = self
            .screen
            .thread(thread)
            .messages
            .get(&message)
            .and_then(|seen| seen.client)
        else {
            return;
        };
        let text = is_edit.then(|| format!("{client} edited {}", self.next_request));
        self.want(Want::Change(MessageReference { thread, message }, text));
    }

    fn add(&mut self, thread: ThreadId) {
        let people = std::rc::Rc::clone(&self.shared.people);
        let from_the_beginning = self.random.chance(400);
        if let Some(someone) = self
            .random
            .pick(&people.all)
            .filter(|someone| someone.profile != self.me.profile)
        {
            self.want(Want::Add(thread, someone.profile, from_the_beginning));
        }
    }

    fn remove(&mut self, thread: ThreadId) {
        let people = std::rc::Rc::clone(&self.shared.people);
        if let Some(someone) = self
            .random
            .pick(&people.all)
            .filter(|someone| someone.profile != self.me.profile)
        {
            self.want(Want::Remove(thread, someone.profile));
        }
    }

    /// What is said once someone is out, at once and often through another node: they must not hear of it.
    pub fn talk_behind(&mut self, thread: ThreadId) {
        if self.is_living() && self.random.chance(800) {
            self.send(thread);
            self.send(thread);
            self.hurries_away = self.random.chance(600);
        }
    }
}
