//! The checker of a day: only what was asked, what was answered and what was shown. Nothing that is stored is missing,
//! no connection is told anything twice, and all are told in one order.

use std::collections::{HashMap, HashSet};

use samtale_protocol::MessageId;

/// A message that someone wrote.
#[derive(Clone, Copy, Debug, Default)]
struct Written {
    /// When it was due.
    due: u64,
    /// Its id, once the server said that it is stored.
    stored: Option<MessageId>,
}

/// A bit per message.
#[derive(Clone, Debug, Default)]
struct Bits(Vec<u64>);

/// What someone was shown of a thread.
#[derive(Clone, Debug, Default)]
struct Shown {
    /// Which messages.
    ever: Bits,
    /// Which of them this connection told.
    here: Bits,
    /// The last one that this connection told.
    last: Option<u32>,
    /// Which connection.
    connection: u32,
}

/// What a showing was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Was {
    /// New to this person.
    New,
    /// Known from an earlier connection, or from a page of history.
    Repeated,
    /// Told by this very connection before.
    Twice,
}

/// All threads of a player.
#[derive(Debug, Default)]
pub struct Ledger {
    threads: Vec<Vec<Written>>,
    /// Of each thread, which message a connection told right after which.
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
    pub fn write(&mut self, thread: usize, due: u64) -> u32 {
        let all = &mut self.threads[thread];
        all.push(Written {
            due,
            ..Written::default()
        });
        u32::try_from(all.len() - 1).unwrap_or(u32::MAX)
    }

    /// The server says that it is stored.
    pub fn store(&mut self, thread: usize, number: u32, message: MessageId) {
        if let Some(written) = self.written(thread, number) {
            written.stored = Some(message);
        }
    }

    /// Someone was told it over a connection.
    pub fn show(&mut self, person: usize, thread: usize, number: u32, connection: u32) -> Was {
        if number as usize >= self.threads[thread].len() {
            return Was::Twice;
        }
        let shown = self.shown.entry((person, thread)).or_default();
        if shown.connection != connection {
            (shown.connection, shown.last) = (connection, None);
            shown.here.0.clear();
        }
        if !shown.here.set(number) {
            return Was::Twice;
        }
        if let Some(last) = shown.last.replace(number) {
            self.after[thread].insert((last, number));
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

    /// Someone read it in a page of history.
    pub fn learn(&mut self, person: usize, thread: usize, number: u32) -> bool {
        self.shown.entry((person, thread)).or_default().ever.set(number)
    }

    /// How many messages are stored, were due after someone first came, and were not shown to them.
    pub fn lost(&self, person: usize, thread: usize, since: u64) -> u64 {
        let nothing = Shown::default();
        let shown = self.shown.get(&(person, thread)).unwrap_or(&nothing);
        let written = self.threads[thread].iter().enumerate();
        let missing = written
            .filter(|(number, message)| message.stored.is_some() && message.due > since && !shown.ever.has(*number));
        missing.count() as u64
    }

    fn written(&mut self, thread: usize, number: u32) -> Option<&mut Written> {
        self.threads[thread].get_mut(number as usize)
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

    fn has(&self, number: usize) -> bool {
        self.0
            .get(number / 64)
            .is_some_and(|word| word & (1 << (number % 64)) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNE: usize = 0;
    const METTE: usize = 1;
    const TOVE: usize = 2;

    #[test]
    fn what_is_missing_twice_or_out_of_order_is_found() {
        let mut ledger = Ledger::of(1);
        for due in 10..14 {
            let number = ledger.write(0, due);
            ledger.store(0, number, MessageId::from_bytes([1; 16]));
        }
        for number in [0, 2, 1] {
            assert_eq!(ledger.show(ANNE, 0, number, 1), Was::New);
        }
        // Who comes later begins later, and that is no other order.
        assert_eq!(ledger.show(TOVE, 0, 2, 1), Was::New);
        assert_eq!(ledger.show(TOVE, 0, 1, 1), Was::New);
        assert_eq!(ledger.out_of_order(), 0);
        assert_eq!(ledger.show(METTE, 0, 0, 1), Was::New);
        assert_eq!(ledger.show(METTE, 0, 1, 1), Was::New);
        assert_eq!(ledger.show(METTE, 0, 2, 1), Was::New);
        assert_eq!(ledger.out_of_order(), 2);
        assert_eq!(ledger.show(METTE, 0, 2, 1), Was::Twice);
        assert_eq!(
            ledger.show(METTE, 0, 2, 2),
            Was::Repeated,
            "a new connection may tell it again"
        );
        assert_eq!(ledger.lost(METTE, 0, 0), 1);
        assert_eq!(
            ledger.lost(METTE, 0, 13),
            0,
            "what was written before one came is not missed"
        );
        assert!(ledger.learn(METTE, 0, 3));
        assert_eq!(ledger.lost(METTE, 0, 0), 0);
        assert_eq!(ledger.write(0, 20), 4);
        assert_eq!(ledger.lost(METTE, 0, 0), 0, "nobody said that it is stored");
    }
}
