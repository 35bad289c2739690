//! What a device wants from the server: each errand is repeated, through whatever node, until it is answered.

use samtale_protocol::messages::{EditMessage, History, MarkRead, MessageReference, Part, ReplyToSender, SendMessage};
use samtale_protocol::threads::{
    AddMembers, Inbox, OpenThread, Recipient, RemoveMembers, RenameThread, ThreadReference,
};
use samtale_protocol::{ClientFrame, ClientId, MessageId, ProfileId, Request, ThreadId, Timestamp};

use crate::checker::{Note, Seen};
use crate::simulation::device::Device;
use crate::simulation::wire::ClientEnd;

/// Requests under way at once: one less than the server allows.
const UNDER_WAY: usize = 7;

/// A message to send.
#[derive(Clone, Debug)]
pub struct Send {
    /// Where to.
    pub thread: ThreadId,
    /// Its name.
    pub client: ClientId,
    /// The time it was fixed at; none before it is first sent, and after a restamp.
    pub sent_at: Option<Timestamp>,
    /// What it says.
    pub text: String,
    /// What it answers.
    pub reply_to: Option<MessageId>,
}

/// An answer to a sender alone.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Where the message is.
    pub source: ThreadId,
    /// The message.
    pub message: MessageId,
    /// Its author.
    pub to: ProfileId,
    /// Its name.
    pub client: ClientId,
    /// As of a message to send.
    pub sent_at: Option<Timestamp>,
    /// What it says.
    pub text: String,
}

/// What is wanted.
#[derive(Clone, Debug)]
pub enum Want {
    /// A message is sent.
    Send(Send),
    /// The author of a message is answered alone.
    Answer(Answer),
    /// A message is changed; without a text it is recalled.
    Change(MessageReference, Option<String>),
    /// Someone is added.
    Add(ThreadId, ProfileId, bool),
    /// Someone is taken out.
    Remove(ThreadId, ProfileId),
    /// Oneself leaves.
    Leave(ThreadId),
    /// A thread gets another subject.
    Rename(ThreadId, String),
    /// The list of threads is loaded, from there on.
    Inbox(Option<MessageId>),
    /// A thread is loaded, upwards from there.
    Load(ThreadId, MessageId, u32),
    /// A thread is loaded to compare, with what was loaded so far.
    Compare(ThreadId, MessageId, Vec<Seen>),
    /// Things whose answer nobody waits for.
    MarkRead(ThreadId, Vec<MessageId>),
    /// A thread's members are looked at.
    Open(ThreadId),
    /// Others see that one is writing.
    Typing(ThreadId),
}

/// Something wanted, and how far it is.
#[derive(Clone, Debug)]
pub struct Errand {
    /// What.
    pub want: Want,
    /// The request under way for it.
    pub request: Option<u32>,
    /// Not asked again before this time, in milliseconds.
    pub not_before: u64,
}

impl Errand {
    /// The connection ended: it is asked again on the next.
    pub fn was_cut_off(&mut self) {
        self.request = None;
    }
}

impl Device {
    /// Wants something.
    pub fn want(&mut self, want: Want) {
        self.errands.push(Errand {
            want,
            request: None,
            not_before: 0,
        });
    }

    /// When the next errand is due that waits; never, while an answer has to come first.
    pub fn wakes_at(&self) -> u64 {
        if !self.may_ask() {
            return u64::MAX;
        }
        let waiting = self.errands.iter().filter(|errand| errand.request.is_none());
        waiting.map(|errand| errand.not_before).min().unwrap_or(u64::MAX)
    }

    /// Wants everything that the screen shows, as after a resync.
    pub fn load_everything(&mut self) {
        self.errands
            .retain(|errand| !matches!(errand.want, Want::Inbox(_) | Want::Load(..)));
        self.want(Want::Inbox(None));
        let threads: Vec<ThreadId> = self.screen.threads.keys().copied().collect();
        for thread in threads {
            self.load(thread);
        }
    }

    /// Wants a thread.
    pub fn load(&mut self, thread: ThreadId) {
        let is_wanted = |errand: &Errand| matches!(errand.want, Want::Load(wanted, _, _) if wanted == thread);
        self.errands.retain(|errand| !is_wanted(errand));
        let limit = u32::try_from(self.random.between(3, 100)).unwrap_or(100);
        self.want(Want::Load(thread, MessageId::first_at(Timestamp::default()), limit));
    }

    /// Asks for what is due.
    pub fn flush(&mut self, end: &ClientEnd) {
        let now = self.shared.world.elapsed_ms();
        for place in 0..self.errands.len() {
            if !self.may_ask() {
                return;
            }
            if self.errands[place].request.is_none() && self.errands[place].not_before <= now {
                let id = self.next_request;
                self.next_request += 1;
                self.errands[place].request = Some(id);
                let mut want = self.errands[place].want.clone();
                let request = self.request(&mut want);
                self.errands[place].want = want;
                self.send_frame(end, &ClientFrame::Request { id, request });
            }
        }
    }

    /// Whether it may ask for something more: it was welcomed, and not too much is under way.
    fn may_ask(&self) -> bool {
        let under_way = self.errands.iter().filter(|errand| errand.request.is_some());
        self.learned != 0 && under_way.count() < UNDER_WAY
    }

    fn request(&mut self, want: &mut Want) -> Request {
        match want {
            Want::Send(send) => self.send_request(send),
            Want::Answer(answer) => self.answer_request(answer),
            Want::Change(which, text) => {
                self.note(Note::ChangeAsked { message: which.message });
                let MessageReference { thread, message } = *which;
                match text {
                    Some(text) => Request::EditMessage(EditMessage {
                        thread,
                        message,
                        parts: vec![Part::text(text.as_str())],
                    }),
                    None => Request::RecallMessage(*which),
                }
            }
            Want::Add(thread, profile, from_the_beginning) => {
                let (thread, profile, from_the_beginning) = (*thread, *profile, *from_the_beginning);
                self.note(Note::AddAsked {
                    thread,
                    profile,
                    from_the_beginning,
                });
                Request::AddMembers(AddMembers {
                    thread,
                    to: vec![Recipient::Profile { profile }],
                    from_the_beginning,
                })
            }
            Want::Remove(thread, profile) => {
                self.note(Note::RemoveAsked {
                    thread: *thread,
                    profile: *profile,
                });
                Request::RemoveMembers(RemoveMembers {
                    thread: *thread,
                    profiles: vec![*profile],
                })
            }
            Want::Leave(thread) => {
                self.note(Note::RemoveAsked {
                    thread: *thread,
                    profile: self.me.profile,
                });
                Request::LeaveThread(ThreadReference { thread: *thread })
            }
            Want::Rename(thread, subject) => Request::RenameThread(RenameThread {
                thread: *thread,
                subject: subject.clone(),
            }),
            Want::Inbox(before) => Request::Inbox(Inbox {
                space: None,
                before: *before,
                search: None,
                limit: 2,
            }),
            Want::Load(thread, after, limit) => Request::History(History {
                thread: *thread,
                before: None,
                after: Some(*after),
                limit: *limit,
            }),
            Want::Compare(thread, after, _) => Request::History(History {
                thread: *thread,
                before: None,
                after: Some(*after),
                limit: 100,
            }),
            Want::MarkRead(thread, messages) => Request::MarkRead(MarkRead {
                thread: *thread,
                messages: messages.clone(),
            }),
            Want::Open(thread) => Request::OpenThread(OpenThread {
                thread: *thread,
                after: None,
            }),
            Want::Typing(thread) => Request::Typing(ThreadReference { thread: *thread }),
        }
    }

    /// The time is fixed before the first transmission, after everything seen in the thread, and stays.
    fn send_request(&mut self, send: &mut Send) -> Request {
        let server_time = self.server_time();
        let thread = self.screen.thread(send.thread);
        let next = thread.newest.plus(std::time::Duration::from_millis(1));
        let sent_at = *send.sent_at.get_or_insert(server_time.max(next));
        thread.newest = thread.newest.max(sent_at);
        let membership_version = Some(thread.membership_version).filter(|version| *version > 0);
        let Send {
            thread,
            client,
            reply_to,
            ..
        } = *send;
        self.note(Note::Asked {
            thread,
            client,
            sent_at,
            reply_to,
        });
        Request::SendMessage(SendMessage {
            thread,
            client_id: client,
            sent_at,
            parts: vec![Part::text(send.text.as_str())],
            reply_to,
            membership_version,
        })
    }

    /// Which thread it will be in is not known yet, nor what was seen there.
    fn answer_request(&self, answer: &mut Answer) -> Request {
        let sent_at = *answer.sent_at.get_or_insert_with(|| self.server_time());
        self.note(Note::AnswerAsked {
            source: answer.source,
            to: answer.to,
            client: answer.client,
            sent_at,
        });
        Request::ReplyToSender(ReplyToSender {
            thread: answer.source,
            message: answer.message,
            client_id: answer.client,
            sent_at,
            parts: vec![Part::text(answer.text.as_str())],
        })
    }

    /// Wants every thread there is, to compare.
    pub fn compare(&mut self) {
        self.errands.clear();
        let threads = self.shared.threads.borrow().clone();
        for thread in threads {
            self.want(Want::Compare(
                thread,
                MessageId::first_at(Timestamp::default()),
                Vec::new(),
            ));
        }
    }

    /// Whether everything to compare is loaded; then the screen is written down.
    pub fn has_compared(&mut self) -> bool {
        if !self.errands.is_empty() {
            return false;
        }
        for (thread, shown) in &self.screen.threads {
            let messages = shown.messages.values().copied().collect();
            self.note(Note::Screen {
                thread: *thread,
                messages,
            });
        }
        self.screen.threads.clear();
        true
    }
}
