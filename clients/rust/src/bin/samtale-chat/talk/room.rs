//! What the person sees and does: their threads, and the open one.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use samtale_protocol::messages::{MarkRead, Message, Part};
use samtale_protocol::threads::InboxEntry;
use samtale_protocol::{ClientId, MessageId, ProfileId, Request, SpaceId, ThreadId};

use super::commands::Line;
use super::names::Names;
use super::screen::Screen;
use super::texts::{Texts, fill};
use crate::failure::Failure;
use crate::recipients;
use crate::session::Session;

/// The threads in the list.
const THREADS: usize = 50;
/// The messages shown at once.
const PAGE: usize = 20;
/// The names shown of a large thread.
const MEMBERS: usize = 12;

/// The time for the last lines to be stored.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What the person sees.
pub struct Room {
    pub(super) session: Session,
    pub(super) screen: Screen,
    pub(super) texts: &'static Texts,
    pub(super) names: Names,
    /// By their numbers, from one.
    pub(super) threads: Vec<InboxEntry>,
    pub(super) open: Option<Open>,
    /// What was typed and is not acknowledged.
    pub(super) typed: HashMap<ClientId, String>,
    /// Threads to open once their first message is stored.
    pub(super) started: Vec<ClientId>,
    pub(super) live: bool,
    /// Who was last shown as writing, and when.
    pub(super) typing: Option<(ProfileId, Instant)>,
}

/// The open thread.
pub(super) struct Open {
    pub(super) thread: ThreadId,
    pub(super) space: SpaceId,
    pub(super) subject: String,
    /// The versions of the messages on the screen.
    pub(super) shown: HashMap<MessageId, u64>,
}

impl Room {
    /// An empty room.
    pub fn new(session: Session, screen: Screen, texts: &'static Texts) -> Self {
        let (names, threads, typed, started) = (Names::default(), Vec::new(), HashMap::new(), Vec::new());
        Self {
            session,
            screen,
            texts,
            names,
            threads,
            open: None,
            typed,
            started,
            live: true,
            typing: None,
        }
    }

    /// Says hello and lists the threads.
    pub async fn greet(&mut self) -> Result<(), Failure> {
        let name = self
            .session
            .profiles()
            .first()
            .map(|own| own.name.clone())
            .unwrap_or_default();
        self.say(self.texts.welcome, &[&name])?;
        self.list_threads().await
    }

    /// Shows where to type.
    pub fn prompt(&self) -> Result<(), Failure> {
        self.screen.prompt(self.open.as_ref().map_or("", |open| &open.subject))
    }

    /// Waits a little for what was typed to be stored, so that lines from a pipe arrive, and ends the login. What is
    /// not stored by then stays in the outbox.
    pub async fn leave(mut self) {
        let stored = async {
            while self.live && !self.typed.is_empty() {
                let Some(update) = self.session.update().await else {
                    return;
                };
                if self.on_update(update).await.is_err() {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(LAST_WORDS, stored).await;
        self.session.end().await;
    }

    /// Does what was typed.
    pub async fn on_line(&mut self, line: &Line) -> Result<(), Failure> {
        match line {
            Line::Empty | Line::Quit => Ok(()),
            Line::Text(text) => self.send(text).await,
            Line::Threads => self.list_threads().await,
            Line::Open(number) => self.open_number(number).await,
            Line::New { to, subject, text } => self.start(to, subject, text).await,
            Line::BadNew => self.say(self.texts.new_usage, &[]),
            Line::People(search) => self.list_people(search.as_deref()).await,
            Line::Members => self.list_members(usize::MAX).await,
            Line::History => self.show_older().await,
            Line::Help => self.say(self.texts.help, &[]),
            Line::Unknown(word) => self.say(self.texts.unknown_command, &[word]),
        }
    }

    pub(super) fn say(&self, text: &str, values: &[&str]) -> Result<(), Failure> {
        self.screen.say(&fill(text, values))
    }

    async fn send(&mut self, text: &str) -> Result<(), Failure> {
        let Some(open) = &self.open else {
            return self.say(self.texts.nothing_open, &[]);
        };
        let client_id = self.session.client.send(open.thread, vec![Part::text(text)]).await?;
        self.typed.insert(client_id, text.to_owned());
        if self.live {
            Ok(())
        } else {
            self.say(self.texts.queued, &[])
        }
    }

    async fn start(&mut self, to: &[String], subject: &str, text: &str) -> Result<(), Failure> {
        let (space, to) = recipients::resolve(&mut self.session, to).await?;
        let parts = vec![Part::text(text)];
        let client_id = self
            .session
            .client
            .start_thread(space, to, subject.to_owned(), parts)
            .await?;
        self.typed.insert(client_id, text.to_owned());
        self.started.push(client_id);
        Ok(())
    }

    pub(super) async fn load_threads(&mut self) -> Result<(), Failure> {
        self.threads = self.session.inbox(THREADS).await?.items;
        let mut authors: HashMap<SpaceId, Vec<_>> = HashMap::new();
        for entry in &self.threads {
            authors.entry(entry.thread.space).or_default().push(entry.last_author);
        }
        for (space, authors) in authors {
            self.names.find(&mut self.session, space, authors).await?;
        }
        Ok(())
    }

    async fn list_threads(&mut self) -> Result<(), Failure> {
        self.load_threads().await?;
        if self.threads.is_empty() {
            return self.say(self.texts.no_threads, &[]);
        }
        for (index, entry) in self.threads.iter().enumerate() {
            let unread = match entry.unread {
                0 => String::new(),
                50.. => format!(" ({})", fill(self.texts.unread, &["50+"])),
                count => format!(" ({})", fill(self.texts.unread, &[&count.to_string()])),
            };
            let time = self.screen.time(entry.last_message.sent_at());
            let author = self.name(entry.last_author);
            let preview = one_line(&entry.preview);
            let subject = &entry.thread.subject;
            self.screen.say(&format!(
                "{:>3}  {subject}{unread}\n     {time} {author}: {preview}",
                index + 1
            ))?;
        }
        Ok(())
    }

    async fn open_number(&mut self, number: &str) -> Result<(), Failure> {
        let index = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        match index
            .and_then(|index| self.threads.get(index))
            .map(|entry| entry.thread.thread)
        {
            Some(thread) => self.open_thread(thread).await,
            None => self.say(self.texts.no_such_number, &[number]),
        }
    }

    pub(super) async fn open_thread(&mut self, thread: ThreadId) -> Result<(), Failure> {
        let details = self.session.thread(thread).await?;
        for member in &details.members {
            self.names.learn(member.profile, &member.name);
        }
        let (space, subject) = (details.thread.space, details.thread.subject);
        self.say(self.texts.opened, &[&subject])?;
        self.open = Some(Open {
            thread,
            space,
            subject,
            shown: HashMap::new(),
        });
        self.list_members(MEMBERS).await?;
        let page = self.session.history(thread, None, PAGE).await?;
        self.show_page(&page.messages).await?;
        self.say_withheld(page.withheld.iter().map(|withheld| withheld.count).sum())
    }

    async fn list_members(&mut self, most: usize) -> Result<(), Failure> {
        let Some(open) = &self.open else {
            return self.say(self.texts.nothing_open, &[]);
        };
        let details = self.session.thread(open.thread).await?;
        let present = details.members.iter().filter(|member| member.left_at.is_none());
        let mut names: Vec<&str> = present.map(|member| member.name.as_str()).collect();
        let rest = names.len().saturating_sub(most);
        names.truncate(most);
        let mut list = names.join(", ");
        if rest > 0 {
            list.push_str(&format!(" +{rest}"));
        }
        self.say(self.texts.members, &[&list])?;
        self.say_withheld(details.withheld.iter().map(|withheld| withheld.count).sum())
    }

    async fn list_people(&mut self, search: Option<&str>) -> Result<(), Failure> {
        let spaces: Vec<SpaceId> = self.session.profiles().iter().map(|own| own.space).collect();
        let mut found = false;
        for space in spaces {
            let people = self.session.people(space, search).await?;
            for person in &people.items {
                found = true;
                let role = self.texts.roles[person.role as usize];
                self.screen.say(&format!("  {} ({role})", person.name))?;
            }
            self.say_withheld(people.withheld.iter().map(|withheld| withheld.count).sum())?;
        }
        if found {
            Ok(())
        } else {
            self.say(self.texts.nobody, &[])
        }
    }

    async fn show_older(&mut self) -> Result<(), Failure> {
        let Some(open) = &self.open else {
            return self.say(self.texts.nothing_open, &[]);
        };
        let (thread, oldest) = (open.thread, open.shown.keys().min().copied());
        let page = self.session.history(thread, oldest, PAGE).await?;
        if !page.more {
            self.say(self.texts.no_more_history, &[])?;
        }
        self.show_page(&page.messages).await?;
        self.say_withheld(page.withheld.iter().map(|withheld| withheld.count).sum())
    }

    /// Shows messages and says that they are read.
    async fn show_page(&mut self, messages: &[Message]) -> Result<(), Failure> {
        let Some(space) = self.open.as_ref().map(|open| open.space) else {
            return Ok(());
        };
        self.names
            .find(&mut self.session, space, messages.iter().map(|message| message.author))
            .await?;
        for message in messages {
            self.show_message(message)?;
        }
        self.mark_read(messages.iter().map(|message| message.message).collect());
        Ok(())
    }

    /// Says that messages are read, without waiting: a lost mark is made again with the next message.
    pub(super) fn mark_read(&mut self, messages: Vec<MessageId>) {
        let Some(open) = &self.open else { return };
        if messages.is_empty() {
            return;
        }
        let (thread, client) = (open.thread, self.session.client.clone());
        tokio::spawn(async move { client.request(Request::MarkRead(MarkRead { thread, messages })).await });
        if let Some(entry) = self.threads.iter_mut().find(|entry| entry.thread.thread == thread) {
            entry.unread = 0;
        }
    }

    fn say_withheld(&self, count: u32) -> Result<(), Failure> {
        if count == 0 {
            Ok(())
        } else {
            self.say(self.texts.withheld, &[&count.to_string()])
        }
    }
}

/// The beginning of a text, on one line.
pub(super) fn one_line(text: &str) -> String {
    const LONGEST: usize = 70;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
