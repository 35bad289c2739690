//! What the client has seen of each thread: the newest message, which its own must come after, and the version of the
//! membership, which it tells with a send.

use std::collections::HashMap;
use std::time::Duration;

use samtale_protocol::{Event, MessageId, Reply, ThreadId, Timestamp};

/// The threads remembered. Only those with messages of the last seconds matter: older ids are below the time anyway.
const THREADS: usize = 512;
/// Ids this far below the newest can be forgotten: clocks of nodes are one second apart at most.
const MARGIN: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, Default)]
struct SeenThread {
    newest_at: Timestamp,
    membership_version: u64,
}

/// The threads that the client has seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    threads: HashMap<ThreadId, SeenThread>,
}

impl Seen {
    /// The first time that is above all ids seen in the thread.
    pub(super) fn above(&self, thread: ThreadId) -> Timestamp {
        match self.threads.get(&thread) {
            Some(seen) => seen.newest_at.plus(Duration::from_millis(1)),
            None => Timestamp::default(),
        }
    }

    /// The newest version of the thread's membership that was seen.
    pub(super) fn membership_version(&self, thread: ThreadId) -> Option<u64> {
        let version = self.threads.get(&thread)?.membership_version;
        (version > 0).then_some(version)
    }

    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::Message(message) => self.message(message.thread, message.message),
            Event::Thread(thread) => self.membership(thread.thread, thread.membership_version),
            Event::Membership {
                thread,
                membership_version,
                ..
            } => self.membership(*thread, *membership_version),
            _ => {}
        }
    }

    pub(super) fn reply(&mut self, reply: &Reply) {
        match reply {
            Reply::Sent(sent) => self.message(sent.thread, sent.message),
            Reply::Message(message) => self.message(message.thread, message.message),
            Reply::History(page) => {
                for message in &page.messages {
                    self.message(message.thread, message.message);
                }
            }
            Reply::Inbox(page) => {
                for entry in &page.entries {
                    self.message(entry.thread.thread, entry.last_message);
                    self.membership(entry.thread.thread, entry.thread.membership_version);
                }
            }
            Reply::Thread(details) => self.membership(details.thread.thread, details.thread.membership_version),
            Reply::Renamed(thread) => self.membership(thread.thread, thread.membership_version),
            Reply::MembershipChanged(changed) => self.membership(changed.thread, changed.membership_version),
            _ => {}
        }
    }

    fn message(&mut self, thread: ThreadId, message: MessageId) {
        let seen = self.thread(thread);
        seen.newest_at = seen.newest_at.max(message.sent_at());
    }

    fn membership(&mut self, thread: ThreadId, version: u64) {
        let seen = self.thread(thread);
        seen.membership_version = seen.membership_version.max(version);
    }

    fn thread(&mut self, thread: ThreadId) -> &mut SeenThread {
        if self.threads.len() >= THREADS && !self.threads.contains_key(&thread) {
            self.forget_old();
        }
        self.threads.entry(thread).or_default()
    }

    fn forget_old(&mut self) {
        let newest = self
            .threads
            .values()
            .map(|seen| seen.newest_at)
            .max()
            .unwrap_or_default();
        self.threads.retain(|_, seen| seen.newest_at > newest.minus(MARGIN));
        if self.threads.len() >= THREADS {
            // Five hundred threads with a message in the same minute: only the newest second can matter.
            self.threads
                .retain(|_, seen| seen.newest_at > newest.minus(MARGIN / 60));
        }
    }
}
