//! The labels of events that came just now. All clients are sent the same bytes, so one of them reads an event and the
//! rest compare: a process with thousands of clients would otherwise spend its time decoding the same thing.

use crate::messages::Label;

/// How many events can be under way at once and still be recognised.
const KEPT: usize = 32;

/// The labels of the newest events.
#[derive(Debug, Default)]
pub struct Recent {
    events: Vec<(Box<[u8]>, Label)>,
    /// Which to replace next.
    oldest: usize,
    /// Which was asked for last: most likely it is the next one too.
    last: usize,
}

impl Recent {
    /// The label of an event that came just now.
    pub fn known(&mut self, bytes: &[u8]) -> Option<Label> {
        if let Some((known, label)) = self.events.get(self.last)
            && **known == *bytes
        {
            return Some(*label);
        }
        let place = self.events.iter().position(|(known, _)| **known == *bytes)?;
        self.last = place;
        Some(self.events[place].1)
    }

    /// An event that was not known, and its label.
    pub fn remember(&mut self, bytes: &[u8], label: Label) {
        if self.events.len() < KEPT {
            self.last = self.events.len();
            self.events.push((bytes.into(), label));
        } else {
            self.last = self.oldest;
            self.events[self.oldest] = (bytes.into(), label);
            self.oldest = (self.oldest + 1) % KEPT;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::framed;

    #[test]
    fn an_event_is_recognised_before_and_after_it_was_forgotten() {
        let mut recent = Recent::default();
        for number in (0..100).chain([0, 99, 98, 0]) {
            let label = Label { number, due: 7 };
            let frame = framed(label).unwrap();
            if recent.known(&frame[4..]).is_none() {
                recent.remember(&frame[4..], label);
            }
            assert_eq!(recent.known(&frame[4..]), Some(label));
        }
        assert_eq!(recent.events.len(), KEPT);
        assert_eq!(recent.known(b"no frame"), None);
    }
}
