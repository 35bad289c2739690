//! What a client sends beside whole messages: fragments, control frames, bytes that never become a frame.
//!
//! A message is bounded (`client_frames.rs`), but not how long one may take nor how many fragments without content it may
//! have, and every ping is answered. Each of these keeps a session busy, or memory held, for nothing; the counts here end it.

use std::cell::Cell;
use std::time::Duration;

use samtale_protocol::{CloseCode, limits};

/// The bytes from one whole message to the next, framing included. Twice the largest message: who splits theirs into
/// pieces of eight bytes or more stays below.
const MESSAGE_BYTES: usize = 2 * limits::CLIENT_FRAME_BYTES;

/// The bytes of control frames in one ping interval of 25 s. An answer to a ping is 6 to 131 bytes; a client that pings
/// every second with the largest payload sends 3 KiB.
const CONTROL_BYTES: u16 = 16 * 1024;

/// The intervals in which an unfinished message must end. Three are at least 50 s: the largest message at 11 kbit/s.
const INTERVALS: u8 = 3;

/// When a client that sent too much beside its messages may come back.
pub const COME_BACK: Duration = Duration::from_secs(60);

/// The header of a client's control frame: opcode, length, mask.
const CONTROL_HEADER: usize = 6;

/// The counts of one connection.
#[derive(Default)]
pub struct Inbound {
    /// Bytes since the last whole message, control frames not counted.
    message: Cell<u32>,
    /// Bytes of control frames in this interval.
    control: Cell<u16>,
    /// Intervals that ended with the same message unfinished.
    intervals: Cell<u8>,
}

impl Inbound {
    /// So many bytes were read.
    pub fn on_read(&self, bytes: usize) -> Result<(), CloseCode> {
        let message = self
            .message
            .get()
            .saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        self.message.set(message);
        if message as usize > MESSAGE_BYTES {
            return Err(CloseCode::FrameTooLarge);
        }
        Ok(())
    }

    /// A message is whole; so many bytes behind it were read already, and belong to what comes next.
    pub fn on_message(&self, behind: usize) {
        self.message.set(u32::try_from(behind).unwrap_or(u32::MAX));
        self.intervals.set(0);
    }

    /// A control frame with a payload of so many bytes.
    pub fn on_control(&self, payload: usize) -> Result<(), CloseCode> {
        let bytes = u16::try_from(CONTROL_HEADER + payload).unwrap_or(u16::MAX);
        self.message.set(self.message.get().saturating_sub(u32::from(bytes)));
        self.control.set(self.control.get().saturating_add(bytes));
        if self.control.get() > CONTROL_BYTES {
            return Err(CloseCode::TooMany);
        }
        Ok(())
    }

    /// A ping interval has passed.
    pub fn on_interval(&self) -> Result<(), CloseCode> {
        self.control.set(0);
        let unfinished = self.message.get() > 0;
        self.intervals
            .set(if unfinished { self.intervals.get() + 1 } else { 0 });
        if self.intervals.get() >= INTERVALS {
            return Err(CloseCode::NoPong);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_message_in_pieces_passes_and_fragments_without_end_do_not() {
        let inbound = Inbound::default();
        for _ in 0..3 {
            for _ in 0..limits::CLIENT_FRAME_BYTES / 8 {
                inbound.on_read(14).unwrap_or_else(|code| panic!("{code}"));
            }
            inbound.on_message(0);
        }
        let floods = (0..100_000).position(|_| inbound.on_read(6).is_err());
        assert_eq!(floods, Some(MESSAGE_BYTES / 6));
    }

    #[test]
    fn answers_to_pings_pass_for_ever_and_a_flood_does_not() {
        let inbound = Inbound::default();
        for _ in 0..1_000 {
            for payload in [0, 125] {
                assert_eq!(inbound.on_read(CONTROL_HEADER + payload), Ok(()));
                assert_eq!(inbound.on_control(payload), Ok(()));
            }
            assert_eq!(inbound.on_interval(), Ok(()));
        }
        let flood = (0..10_000).find_map(|_| inbound.on_control(0).err());
        assert_eq!(flood, Some(CloseCode::TooMany));
    }

    #[test]
    fn what_came_in_one_read_with_a_whole_message_is_not_forgotten() {
        let inbound = Inbound::default();
        inbound.on_read(500).unwrap_or_else(|code| panic!("{code}"));
        inbound.on_message(200);
        let ends: Vec<_> = (0..3).map(|_| inbound.on_interval().err()).collect();
        assert_eq!(ends, [None, None, Some(CloseCode::NoPong)]);
    }

    #[test]
    fn a_message_that_is_never_finished_ends_after_three_intervals_and_a_slow_one_that_is_does_not() {
        let inbound = Inbound::default();
        for _ in 0..10 {
            inbound.on_read(10).unwrap_or_else(|code| panic!("{code}"));
            assert_eq!((inbound.on_interval(), inbound.on_interval()), (Ok(()), Ok(())));
            inbound.on_message(0);
        }
        inbound.on_read(10).unwrap_or_else(|code| panic!("{code}"));
        let ends: Vec<_> = (0..3).map(|_| inbound.on_interval().err()).collect();
        assert_eq!(ends, [None, None, Some(CloseCode::NoPong)]);
    }
}
