//! What one session was shown: nothing lost, nothing twice, one order.
//!
//! A session that comes back may be told again what came behind its cursor; a client knows those messages by their ids and
//! shows them once. On one connection nothing comes twice.

/// Follows the messages of a round, which are numbered one after the other.
#[derive(Clone, Debug, Default)]
pub struct Delivered {
    /// The number that comes next if all is well.
    next: u32,
    /// The number after the highest that this connection told.
    here: u32,
    /// Which of the 64 numbers below that it told, the highest in the lowest bit.
    told: u64,
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
    /// One that was there already, told again by a connection that had not told it.
    Repeated,
    /// One that this connection had told already.
    Again,
}

impl Delivered {
    /// Begins a round whose first message has this number.
    pub fn begin(&mut self, first: u32) {
        self.next = first;
        self.missing.clear();
    }

    /// The session has another connection.
    pub fn on_connection(&mut self) {
        (self.here, self.told) = (0, 0);
    }

    /// A message came.
    pub fn on_message(&mut self, number: u32) -> Was {
        let is_told_here = self.tell(number);
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
            None if is_told_here => Was::Again,
            None => Was::Repeated,
        }
    }

    /// This connection tells a number. Returns whether it had told it already.
    fn tell(&mut self, number: u32) -> bool {
        if let Some(below) = self.here.checked_sub(number + 1) {
            let bit = 1_u64.checked_shl(below).unwrap_or_default();
            let is_told = self.told & bit != 0;
            self.told |= bit;
            return is_told;
        }
        let further = number + 1 - self.here;
        self.told = self.told.checked_shl(further).unwrap_or_default() | 1;
        self.here = number + 1;
        false
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

    #[test]
    fn a_connection_may_repeat_what_another_told() {
        let mut delivered = Delivered::default();
        delivered.begin(0);
        assert!((0..4).all(|number| delivered.on_message(number) == Was::New));
        delivered.on_connection();
        assert_eq!(delivered.on_message(2), Was::Repeated);
        assert_eq!(delivered.on_message(3), Was::Repeated);
        assert_eq!(delivered.on_message(3), Was::Again);
        assert_eq!(delivered.on_message(4), Was::New);
        assert_eq!(
            delivered.on_message(1),
            Was::Repeated,
            "told by the other connection alone"
        );
        assert_eq!(delivered.on_message(1), Was::Again);
        assert_eq!(delivered.lost(5), 0);
    }
}
