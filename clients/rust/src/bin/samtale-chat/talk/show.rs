//! What arrives, as lines.

use std::time::{Duration, Instant};

use samtale_client::{DisconnectReason, Update};
use samtale_protocol::messages::{Message, Part, Sent};
use samtale_protocol::{ClientId, Event, MessageId, ProfileId, Refusal, Signal, SpaceId, ThreadId};

use super::room::{Room, one_line};
use crate::failure::Failure;

/// Whoever goes on writing is shown again after this time.
const TYPING_AGAIN: Duration = Duration::from_secs(30);

/// The version of a message that is shown as it was typed: the server's version of it is not known yet, and below any.
const AS_TYPED: u64 = 0;

impl Room {
    /// Shows an update.
    pub async fn on_update(&mut self, update: Update) -> Result<(), Failure> {
        let shown = match update {
            Update::Connected(_) => self.on_connected(),
            // Nothing that a person would notice.
            Update::Disconnected {
                reason: DisconnectReason::TokenEnds,
                ..
            } => Ok(()),
            Update::Disconnected { retry_in, reason } => self.on_disconnected(retry_in, &reason),
            Update::Event { space, event, .. } => self.on_event(space, *event).await,
            Update::Signal(Signal::Typing { thread, profile }) => self.on_typing(thread, profile).await,
            Update::Resync { .. } => self.on_resync().await,
            Update::Sent(sent) => self.on_sent(sent).await,
            Update::SendFailed { client_id, refusal } => self.on_refused(client_id, &refusal),
            _ => Ok(()),
        };
        match shown {
            // A name that could not be asked for must not end the talk: the connection comes back.
            Err(failure) if !failure.ends_the_program() => self.screen.say(&failure.in_words()),
            shown => shown,
        }
    }

    /// How someone is called.
    pub(super) fn name(&self, profile: ProfileId) -> String {
        if self.session.is_me(profile) {
            return self.texts.me.to_owned();
        }
        self.names.of(profile).unwrap_or(self.texts.someone).to_owned()
    }

    /// Shows a message of the open thread, unless this version of it is on the screen.
    pub(super) fn show_message(&mut self, message: &Message) -> Result<(), Failure> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let before = open.shown.insert(message.message, message.version);
        let unchanged = message.edited_at.is_none() && message.recalled_at.is_none();
        if before.is_some_and(|before| before >= message.version || (before == AS_TYPED && unchanged)) {
            return Ok(());
        }
        let text = match message.recalled_at {
            Some(_) => self.texts.recalled.to_owned(),
            None => self.text_of(&message.parts),
        };
        let mark = if message.edited_at.is_some() {
            self.texts.edited
        } else {
            ""
        };
        self.show_text(message.message, message.author, &text, mark)
    }

    fn on_connected(&mut self) -> Result<(), Failure> {
        if std::mem::replace(&mut self.live, true) {
            return Ok(());
        }
        self.say(self.texts.connected_again, &[])
    }

    fn on_disconnected(&mut self, retry_in: Duration, reason: &DisconnectReason) -> Result<(), Failure> {
        self.live = false;
        let [closed, unreachable, login, silent] = self.texts.trouble;
        let why = match reason {
            DisconnectReason::Closed { .. } => closed,
            DisconnectReason::Unreachable(_) => unreachable,
            DisconnectReason::LoginFailed(_) => login,
            _ => silent,
        };
        let seconds = retry_in.as_secs_f64().ceil().to_string();
        self.say(self.texts.disconnected, &[&seconds, why])
    }

    async fn on_event(&mut self, space: SpaceId, event: Event) -> Result<(), Failure> {
        match event {
            Event::Message(message) => self.on_message(space, message).await,
            Event::Thread(thread) => {
                let Some(open) = self.open.as_mut().filter(|open| open.thread == thread.thread) else {
                    return Ok(());
                };
                if open.subject == thread.subject {
                    return Ok(());
                }
                open.subject.clone_from(&thread.subject);
                self.say(self.texts.renamed, &[&thread.subject])
            }
            Event::Membership {
                thread,
                profile,
                left_at,
                ..
            } if self.is_open(thread) => {
                self.names.find(&mut self.session, space, [profile]).await?;
                let text = if left_at.is_some() {
                    self.texts.left
                } else {
                    self.texts.joined
                };
                self.say(text, &[&self.name(profile)])
            }
            Event::Directory { .. } => {
                self.names.forget();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn on_message(&mut self, space: SpaceId, message: Message) -> Result<(), Failure> {
        self.names.find(&mut self.session, space, [message.author]).await?;
        if self.is_open(message.thread) {
            self.show_message(&message)?;
            if !self.session.is_me(message.author) {
                self.mark_read(vec![message.message]);
            }
            return Ok(());
        }
        let known = self
            .threads
            .iter()
            .position(|entry| entry.thread.thread == message.thread);
        let Some(index) = known else {
            return self.on_message_in_unlisted(message).await;
        };
        let entry = &mut self.threads[index];
        // Edits, recalls and what a resume repeats are no news.
        if message.message <= entry.last_message || self.session.is_me(message.author) {
            return Ok(());
        }
        entry.last_message = message.message;
        entry.unread = entry.unread.saturating_add(1);
        self.say_elsewhere(index, &message)
    }

    /// A thread that the list does not have yet goes to its end, so that the numbers on the screen stay true.
    async fn on_message_in_unlisted(&mut self, message: Message) -> Result<(), Failure> {
        let newest = self.session.inbox(1).await?.items;
        let Some(entry) = newest.into_iter().find(|entry| entry.thread.thread == message.thread) else {
            return Ok(());
        };
        self.threads.push(entry);
        match self.session.is_me(message.author) {
            true => Ok(()),
            false => self.say_elsewhere(self.threads.len() - 1, &message),
        }
    }

    fn say_elsewhere(&self, index: usize, message: &Message) -> Result<(), Failure> {
        let subject = &self.threads[index].thread.subject;
        let (number, author) = ((index + 1).to_string(), self.name(message.author));
        self.say(
            self.texts.elsewhere,
            &[&number, subject, &author, &one_line(&self.text_of(&message.parts))],
        )
    }

    async fn on_typing(&mut self, thread: ThreadId, profile: ProfileId) -> Result<(), Failure> {
        let Some(open) = self.open.as_ref().filter(|open| open.thread == thread) else {
            return Ok(());
        };
        if self.session.is_me(profile) {
            return Ok(());
        }
        // It is renewed every few seconds; one line is enough.
        let again = self.typing.replace((profile, Instant::now()));
        if again.is_some_and(|(before, at)| before == profile && at.elapsed() < TYPING_AGAIN) {
            return Ok(());
        }
        let space = open.space;
        self.names.find(&mut self.session, space, [profile]).await?;
        self.say(self.texts.typing, &[&self.name(profile)])
    }

    /// What happened meanwhile is not known: what is on the screen is asked for again.
    async fn on_resync(&mut self) -> Result<(), Failure> {
        self.load_threads().await?;
        match self.open.as_ref().map(|open| open.thread) {
            Some(thread) => self.open_thread(thread).await,
            None => Ok(()),
        }
    }

    async fn on_sent(&mut self, sent: Sent) -> Result<(), Failure> {
        let typed = self.typed.remove(&sent.client_id);
        if let Some(index) = self.started.iter().position(|started| *started == sent.client_id) {
            self.started.swap_remove(index);
            return self.open_thread(sent.thread).await;
        }
        // The event may come before this or after; whichever is first shows the text.
        let Some(text) = typed.filter(|_| self.is_open(sent.thread)) else {
            return Ok(());
        };
        let Some(open) = &mut self.open else { return Ok(()) };
        if open.shown.contains_key(&sent.message) {
            return Ok(());
        }
        open.shown.insert(sent.message, AS_TYPED);
        let (time, me) = (self.screen.time(sent.message.sent_at()), self.texts.me);
        self.screen.say(&format!("[{time}] {me}: {text}"))
    }

    fn on_refused(&mut self, client_id: ClientId, refusal: &Refusal) -> Result<(), Failure> {
        self.started.retain(|started| *started != client_id);
        let text = self.typed.remove(&client_id).unwrap_or_default();
        self.say(self.texts.refused, &[&one_line(&text), &refusal.message])
    }

    fn is_open(&self, thread: ThreadId) -> bool {
        self.open.as_ref().is_some_and(|open| open.thread == thread)
    }

    fn text_of(&self, parts: &[Part]) -> String {
        let texts = parts.iter().map(|part| match part {
            Part::Text { text } => text.as_str(),
            Part::Unknown => self.texts.unknown_part,
        });
        texts.collect::<Vec<_>>().join("\n")
    }

    fn show_text(&self, message: MessageId, author: ProfileId, text: &str, mark: &str) -> Result<(), Failure> {
        let (time, name) = (self.screen.time(message.sent_at()), self.name(author));
        // The lines of one message stay together, so that nobody can write in another's name.
        let text = text.replace('\n', "\n        ");
        let space = if mark.is_empty() { "" } else { " " };
        self.screen.say(&format!("[{time}] {name}: {text}{space}{mark}"))
    }
}
