//! What waits for a socket that does not take more: nothing, as long as the reader keeps up.

use std::collections::VecDeque;
use std::io;

use bytes::{Buf, Bytes};

use crate::wire::Wire;

/// What one session may have waiting, in bytes. One more event, and the session is told to come back.
pub const BYTES: usize = 64 * 1024;

/// With this much waiting, the session's own requests wait too: a reader that stalls asks for nothing more.
pub const READ_BYTES: usize = 16 * 1024;

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is on the socket.
    Written,
    /// It waits.
    Queued,
    /// There is no room for it.
    Full,
    /// The socket is broken.
    Gone,
}

/// The bounded queue of a session. Empty, it holds no memory.
#[derive(Default)]
pub struct Outbox {
    queue: Option<Box<Queue>>,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    bytes: usize,
}

impl Outbox {
    /// Writes a whole frame to the socket, or queues what the socket does not take.
    pub fn write(&mut self, wire: &dyn Wire, frame: &Bytes) -> Outcome {
        if let Some(queue) = &mut self.queue {
            if queue.bytes + frame.len() > BYTES {
                return Outcome::Full;
            }
            queue.push(frame.clone());
            return Outcome::Queued;
        }
        match wire.try_write(frame) {
            Ok(written) if written == frame.len() && !wire.has_unsent() => Outcome::Written,
            Ok(written) => self.start(frame.slice(written..)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.start(frame.clone()),
            Err(_) => Outcome::Gone,
        }
    }

    /// Writes what waits. `Written` when nothing waits any more.
    pub fn flush(&mut self, wire: &dyn Wire) -> Outcome {
        let Some(queue) = &mut self.queue else {
            return Outcome::Written;
        };
        while let Some(frame) = queue.frames.front_mut() {
            match wire.try_write(frame) {
                Ok(written) => {
                    queue.bytes -= written;
                    frame.advance(written);
                    if frame.is_empty() {
                        queue.frames.pop_front();
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Outcome::Queued,
                Err(_) => return Outcome::Gone,
            }
        }
        match wire.try_flush() {
            Ok(()) => {
                self.queue = None;
                Outcome::Written
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Outcome::Queued,
            Err(_) => Outcome::Gone,
        }
    }

    /// Drops what waits, but for a frame that is partly on the socket, and queues a last frame behind it.
    pub fn end_with(&mut self, wire: &dyn Wire, frame: &Bytes) -> Outcome {
        if let Some(queue) = &mut self.queue {
            queue.frames.truncate(1);
            queue.bytes = queue.frames.iter().map(Bytes::len).sum();
        }
        match self.write(wire, frame) {
            Outcome::Full => {
                // The one frame that is partly out may alone fill the bound; a close frame is small.
                if let Some(queue) = &mut self.queue {
                    queue.push(frame.clone());
                }
                Outcome::Queued
            }
            outcome => outcome,
        }
    }

    /// How many bytes wait. What the wire has taken and not sent counts as one: it is bounded by itself, and the loop
    /// has to know that something waits.
    pub fn waiting(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.bytes.max(1))
    }

    fn start(&mut self, frame: Bytes) -> Outcome {
        let mut queue = Box::<Queue>::default();
        if !frame.is_empty() {
            queue.push(frame);
        }
        self.queue = Some(queue);
        Outcome::Queued
    }
}

impl Queue {
    fn push(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.frames.push_back(frame);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::task::{Context, Poll};

    use tokio::io::ReadBuf;

    use super::*;

    #[derive(Default)]
    struct Slow {
        room: Cell<usize>,
        taken: RefCell<Vec<u8>>,
    }

    impl Wire for Slow {
        fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.room.get());
            if count == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.room.set(self.room.get() - count);
            self.taken.borrow_mut().extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn poll_writable(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }

        fn poll_read(&self, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    #[test]
    fn frames_stay_whole_and_in_order_whatever_the_socket_takes() {
        let (wire, mut outbox) = (Slow::default(), Outbox::default());
        wire.room.set(3);
        assert_eq!(outbox.write(&wire, &Bytes::from_static(b"hello")), Outcome::Queued);
        assert_eq!(outbox.write(&wire, &Bytes::from_static(b" world")), Outcome::Queued);
        wire.room.set(4);
        assert_eq!(outbox.flush(&wire), Outcome::Queued);
        wire.room.set(100);
        assert_eq!(outbox.flush(&wire), Outcome::Written);
        assert_eq!(outbox.write(&wire, &Bytes::from_static(b"!")), Outcome::Written);
        assert_eq!(*wire.taken.borrow(), b"hello world!");
        assert_eq!(outbox.waiting(), 0);
    }

    /// Takes everything at once, and puts it on the socket when it is let.
    #[derive(Default)]
    struct Records(Slow, RefCell<Vec<u8>>);

    impl Wire for Records {
        fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
            self.try_flush()?;
            self.1.borrow_mut().extend_from_slice(bytes);
            match self.try_flush() {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
                _ => Ok(bytes.len()),
            }
        }

        fn try_flush(&self) -> io::Result<()> {
            let mut unsent = self.1.borrow_mut();
            while !unsent.is_empty() {
                let sent = self.0.try_write(&unsent)?;
                unsent.drain(..sent);
            }
            Ok(())
        }

        fn has_unsent(&self) -> bool {
            !self.1.borrow().is_empty()
        }

        fn poll_writable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.0.poll_writable(context)
        }

        fn poll_read(&self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            self.0.poll_read(context, buffer)
        }
    }

    #[test]
    fn what_the_wire_took_and_did_not_send_is_waited_for() {
        let (wire, mut outbox) = (Records::default(), Outbox::default());
        wire.0.room.set(3);
        assert_eq!(outbox.write(&wire, &Bytes::from_static(b"hello")), Outcome::Queued);
        assert_eq!(outbox.waiting(), 1);
        assert_eq!(outbox.write(&wire, &Bytes::from_static(b" world")), Outcome::Queued);
        wire.0.room.set(1);
        assert_eq!(outbox.flush(&wire), Outcome::Queued);
        wire.0.room.set(5);
        assert_eq!(outbox.flush(&wire), Outcome::Queued);
        assert!(outbox.waiting() > 0, "the second frame is a record that is partly out");
        wire.0.room.set(100);
        assert_eq!(outbox.flush(&wire), Outcome::Written);
        assert_eq!(*wire.0.taken.borrow(), b"hello world");
        assert_eq!(outbox.waiting(), 0);
    }

    #[test]
    fn a_full_outbox_ends_with_the_close_frame_after_the_frame_that_is_partly_out() {
        let (wire, mut outbox) = (Slow::default(), Outbox::default());
        wire.room.set(1);
        let frame = Bytes::from(vec![7; 40_000]);
        assert_eq!(outbox.write(&wire, &frame), Outcome::Queued);
        assert_eq!(outbox.write(&wire, &frame), Outcome::Full);
        assert!(outbox.waiting() <= BYTES);
        assert_eq!(outbox.end_with(&wire, &Bytes::from_static(b"close")), Outcome::Queued);
        wire.room.set(100_000);
        assert_eq!(outbox.flush(&wire), Outcome::Written);
        let taken = wire.taken.borrow();
        assert_eq!(taken.len(), 40_005);
        assert!(taken.ends_with(b"close"));
    }
}
