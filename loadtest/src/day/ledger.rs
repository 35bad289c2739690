//! The checker of a day: only what was asked, what was answered and what was shown. Nothing that is stored is missing,
//! nothing is there twice, and all are told in one order.
//!
//! Whoever is there is told each message once, in the order of the space's log. Whoever comes back is told what they missed
//! from the log or from the journal, where some may come again and in the journal's order (`docs/protocol.md`, "Events"):
//! a device sorts by the message's id, so what is checked of it is that there is one id.

use std::collections::{HashMap, HashSet};

use samtale_protocol::MessageId;

/// A message that someone wrote.
#[derive(Clone, Copy, Debug, Default)]
struct Written {
    /// When it was due.
    due: u64,
    /// Who wrote it.
    author: usize,
    /// Its id, as it was told first.
    id: Option<MessageId>,
    /// Whether the server said that it is stored.
    is_stored: bool,
}

/// A bit per message.
#[derive(Clone, Debug, Default)]
struct Bits(Vec<u64>);

/// What someone was shown of a thread.
#[derive(Clone, Debug, Default)]
struct Shown {
    /// Which messages: told by an event, or read where a space had to be loaded anew.
    ever: Bits,
    /// Which were on a page that they read for no such reason: it makes good for nothing that they were to be told.
    looked_at: Bits,
    /// Which of them this connection told since it had caught up.
    here: Bits,
    /// The last of these.
    last: Option<u32>,
    /// Which connection.
    connection: u32,
}

/// What a showing was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Was {
    /// New to this person.
    New,
    /// Known from an earlier connection, from a space that was loaded anew, or from what was missed.
    Repeated,
    /// Told before by this very connection, which had caught up; or told under another id.
    Twice,
}

/// Over which connection someone was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// The how-manyth of theirs it is.
    pub connection: u32,
    /// Whether it had caught up.
    pub is_live: bool,
}

/// Why someone reads a page of history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// They look at the conversation. What they missed they are told all the same.
    TheyLook,
    /// The server said that it does not know what they missed.
    LoadedAnew,
}

/// What someone was never told, of what is stored and was due after they first came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Untold {
    /// What they were not shown at all.
    pub lost: u64,
    /// What only a page of history showed them, though no space had to be loaded anew: to have been told of it was their
    /// right, by the connection that was open then or by the resume of a later one.
    pub learned_from_pages: u64,
}

/// All threads of a player.
#[derive(Debug, Default)]
pub struct Ledger {
    threads: Vec<Vec<Written>>,
    /// Of each thread, which message a connection that had caught up told right after which.
    after: Vec<HashSet<(u32, u32)>>,
    shown: HashMap<(usize, usize), Shown>,
}

impl Ledger {
    /// One of so many threads.
    pub fn of(threads: usize) -> Self {
        Self {
            threads: vec![Vec::new(); threads],
            after: vec![HashSet::new(); threads],
            shown: HashMap::new(),
        }
    }

    /// Someone writes. Returns the number of the message in its thread.
    pub fn write(&mut self, thread: usize, author: usize, due: u64) -> u32 {
        let all = &mut self.threads[thread];
        all.push(Written {
            due,
            author,
            ..Written::default()
        });
        u32::try_from(all.len() - 1).unwrap_or(u32::MAX)
    }

    /// Whether this person wrote it.
    pub fn is_by(&self, person: usize, thread: usize, number: u32) -> bool {
        let written = self.threads[thread].get(number as usize);
        written.is_some_and(|written| written.author == person)
    }

    /// The server says that it is stored. Returns whether it is known under no other id.
    pub fn store(&mut self, thread: usize, number: u32, message: MessageId) -> bool {
        let is_same = self.is_same(thread, number, message);
        if let Some(written) = self.threads[thread].get_mut(number as usize) {
            written.is_stored = true;
        }
        is_same
    }

    /// Someone was told it over a connection.
    pub fn show(&mut self, person: usize, thread: usize, number: u32, message: MessageId, over: Over) -> Was {
        if !self.is_same(thread, number, message) {
            return Was::Twice;
        }
        let shown = self.shown.entry((person, thread)).or_default();
        if shown.connection != over.connection {
            (shown.connection, shown.last) = (over.connection, None);
            shown.here.0.clear();
        }
        if over.is_live {
            if !shown.here.set(number) {
                return Was::Twice;
            }
            if let Some(last) = shown.last.replace(number) {
                self.after[thread].insert((last, number));
            }
        }
        if shown.ever.set(number) {
            Was::New
        } else {
            Was::Repeated
        }
    }

    /// How many messages there are that some were told in one order and others in another. Each connection's order is a
    /// chain; one order for all is one without a circle. What nothing comes before, or nothing after, is in no circle.
    pub fn out_of_order(&self) -> u64 {
        let circles = self.after.iter().map(|pairs| {
            let mut left: Vec<(u32, u32)> = pairs.iter().copied().collect();
            loop {
                let before: HashSet<u32> = left.iter().map(|pair| pair.0).collect();
                let after: HashSet<u32> = left.iter().map(|pair| pair.1).collect();
                let count = left.len();
                left.retain(|(first, second)| after.contains(first) && before.contains(second));
                if left.len() == count {
                    return before.len() as u64;
                }
            }
        });
        circles.sum()
    }

    /// Someone read it in a page of history. Returns whether it was new to them.
    ///
    /// A page that they only look at does not count as telling them: a page may overtake an event that is on its way, and
    /// would hide one that never comes.
    pub fn learn(&mut self, person: usize, thread: usize, number: u32, because: Because) -> bool {
        let shown = self.shown.entry((person, thread)).or_default();
        match because {
            Because::TheyLook => shown.looked_at.set(number) && !shown.ever.has(number),
            Because::LoadedAnew => shown.ever.set(number),
        }
    }

    /// What someone who has caught up was never told of a thread, who came first at `since`. To be asked in the end: until
    /// then an event may still come, over this connection or in the resume of a later one.
    pub fn untold(&self, person: usize, thread: usize, since: u64) -> Untold {
        let nothing = Shown::default();
        let shown = self.shown.get(&(person, thread)).unwrap_or(&nothing);
        let mut untold = Untold::default();
        for (number, message) in (0..).zip(&self.threads[thread]) {
            if message.is_stored && message.due > since && !shown.ever.has(number) {
                let was_read = shown.looked_at.has(number);
                untold.lost += u64::from(!was_read);
                untold.learned_from_pages += u64::from(was_read);
            }
        }
        untold
    }

    /// Whether a message of the thread has this id, and no other.
    fn is_same(&mut self, thread: usize, number: u32, message: MessageId) -> bool {
        let written = self.threads[thread].get_mut(number as usize);
        written.is_some_and(|written| *written.id.get_or_insert(message) == message)
    }
}

impl Bits {
    /// Returns whether it was not set.
    fn set(&mut self, number: u32) -> bool {
        let (word, bit) = (number as usize / 64, 1 << (number % 64));
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let is_new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        is_new
    }

    fn has(&self, number: u32) -> bool {
        self.0
            .get(number as usize / 64)
            .is_some_and(|word| word & (1 << (number % 64)) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNE: usize = 0;
    const METTE: usize = 1;
    const TOVE: usize = 2;

    const LIVE: Over = Over {
        connection: 1,
        is_live: true,
    };
    const BACK: Over = Over {
        connection: 2,
        is_live: false,
    };

    fn id(number: u32) -> MessageId {
        MessageId::from_bytes([u8::try_from(number).unwrap(); 16])
    }

    /// Four messages, all stored.
    fn ledger() -> Ledger {
        let mut ledger = Ledger::of(1);
        for due in 10..14 {
            let number = ledger.write(0, ANNE, due);
            assert!(ledger.store(0, number, id(number)));
        }
        ledger
    }

    #[test]
    fn what_is_twice_or_out_of_order_is_found() {
        let mut ledger = ledger();
        for number in [0, 2, 1] {
            assert_eq!(ledger.show(ANNE, 0, number, id(number), LIVE), Was::New);
        }
        // Who comes later begins later, and that is no other order.
        assert_eq!(ledger.show(TOVE, 0, 2, id(2), LIVE), Was::New);
        assert_eq!(ledger.show(TOVE, 0, 1, id(1), LIVE), Was::New);
        assert_eq!(ledger.out_of_order(), 0);
        for number in [0, 1, 2] {
            assert_eq!(ledger.show(METTE, 0, number, id(number), LIVE), Was::New);
        }
        assert_eq!(ledger.out_of_order(), 2);
        assert_eq!(ledger.show(METTE, 0, 2, id(2), LIVE), Was::Twice);
        assert_eq!(
            ledger.show(METTE, 0, 3, id(4), LIVE),
            Was::Twice,
            "a message has one id"
        );
        assert!(!ledger.store(0, 3, id(4)));
    }

    #[test]
    fn what_was_missed_may_come_again_and_in_another_order() {
        let mut ledger = ledger();
        for number in [0, 1, 2] {
            assert_eq!(ledger.show(ANNE, 0, number, id(number), LIVE), Was::New);
        }
        assert_eq!(ledger.show(ANNE, 0, 2, id(2), BACK), Was::Repeated);
        assert_eq!(ledger.show(ANNE, 0, 1, id(1), BACK), Was::Repeated);
        assert_eq!(ledger.show(ANNE, 0, 1, id(1), BACK), Was::Repeated);
        let back = Over { is_live: true, ..BACK };
        assert_eq!(ledger.show(ANNE, 0, 3, id(3), back), Was::New);
        assert_eq!(ledger.out_of_order(), 0);
        assert_eq!(ledger.show(ANNE, 0, 3, id(3), back), Was::Twice);
    }

    #[test]
    fn what_is_stored_and_was_not_shown_is_lost() {
        let mut ledger = ledger();
        let lost = |ledger: &Ledger, since| ledger.untold(METTE, 0, since).lost;
        assert_eq!(lost(&ledger, 0), 4);
        assert_eq!(ledger.show(METTE, 0, 0, id(0), LIVE), Was::New);
        assert_eq!(ledger.show(METTE, 0, 1, id(1), BACK), Was::New);
        assert_eq!(lost(&ledger, 0), 2);
        assert_eq!(lost(&ledger, 13), 0, "what was written before one came is not missed");
        let mut anew = |number| ledger.learn(METTE, 0, number, Because::LoadedAnew);
        assert!(anew(2) && anew(3) && !anew(3));
        assert_eq!(ledger.untold(METTE, 0, 0), Untold::default());
        assert_eq!(ledger.write(0, ANNE, 20), 4);
        assert_eq!(lost(&ledger, 0), 0, "nobody said that it is stored");
        assert!(ledger.is_by(ANNE, 0, 4) && !ledger.is_by(METTE, 0, 4));
    }

    #[test]
    fn a_page_hides_nothing_that_was_to_be_told() {
        let mut ledger = ledger();
        assert_eq!(ledger.show(METTE, 0, 0, id(0), LIVE), Was::New);
        let mut look = |number| ledger.learn(METTE, 0, number, Because::TheyLook);
        assert!(!look(0) && look(1) && look(2) && !look(2));
        // What a page overtook comes all the same.
        assert_eq!(ledger.show(METTE, 0, 1, id(1), BACK), Was::New);
        let untold = |lost, learned_from_pages| Untold {
            lost,
            learned_from_pages,
        };
        assert_eq!(ledger.untold(METTE, 0, 0), untold(1, 1));
        assert_eq!(
            ledger.untold(METTE, 0, 12),
            untold(1, 0),
            "the third was due before they came"
        );
        assert!(ledger.learn(METTE, 0, 2, Because::LoadedAnew));
        assert_eq!(ledger.untold(METTE, 0, 0), untold(1, 0));
    }
}
