//! What one session was shown: nothing lost, nothing twice, one order.

/// Follows the messages of a round, which are numbered one after the other.
#[derive(Clone, Debug, Default)]
pub struct Delivered {
    /// The number that comes next if all is well.
    next: u32,
    /// Numbers that were passed over and have not come since. Empty as long as all is well.
    missing: Vec<u32>,
}

/// What a message was to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Was {
    /// The next one, or one after a gap.
    New,
    /// One that was passed over before.
    Late,
    /// One that was there already.
    Again,
}

impl Delivered {
    /// Begins a round whose first message has this number.
    pub fn begin(&mut self, first: u32) {
        self.next = first;
        self.missing.clear();
    }

    /// A message came.
    pub fn on_message(&mut self, number: u32) -> Was {
        if number >= self.next {
            self.missing.extend(self.next..number);
            self.next = number + 1;
            return Was::New;
        }
        match self.missing.iter().position(|missing| *missing == number) {
            Some(place) => {
                self.missing.swap_remove(place);
                Was::Late
            }
            None => Was::Again,
        }
    }

    /// How many never came, of a round that ended before the number `end`.
    pub fn lost(&self, end: u32) -> u64 {
        u64::from(end.saturating_sub(self.next)) + self.missing.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_order_and_whole() {
        let mut delivered = Delivered::default();
        delivered.begin(7);
        assert!((7..20).all(|number| delivered.on_message(number) == Was::New));
        assert_eq!(delivered.lost(20), 0);
        assert_eq!(delivered.lost(22), 2);
    }

    #[test]
    fn what_is_late_was_not_lost_and_what_comes_again_is_told() {
        let mut delivered = Delivered::default();
        delivered.begin(0);
        assert_eq!(delivered.on_message(0), Was::New);
        assert_eq!(delivered.on_message(3), Was::New);
        assert_eq!(delivered.lost(4), 2);
        assert_eq!(delivered.on_message(1), Was::Late);
        assert_eq!(delivered.on_message(1), Was::Again);
        assert_eq!(delivered.on_message(3), Was::Again);
        assert_eq!(delivered.lost(4), 1);
    }
}
