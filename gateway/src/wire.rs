//! The socket under a connection, as the loop and the outbox use it: a TCP stream in a server, a buffer in a simulation.

use std::io;
use std::ops::Deref;
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;
use tokio::net::TcpStream;

/// A byte stream both ways that one thread owns.
pub trait Wire {
    /// Writes as much as goes at once; `WouldBlock` when nothing does.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// Waits until something can be written.
    fn poll_writable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Writes what [`Wire::try_write`] took and could not put on the socket yet; `WouldBlock` when some of it stays.
    fn try_flush(&self) -> io::Result<()> {
        Ok(())
    }

    /// Whether there is such: under TLS what was taken is a record, which goes out as a whole.
    fn has_unsent(&self) -> bool {
        false
    }

    /// Says that nothing more comes, so that the other side need not wait for the end of the stream.
    fn end_writing(&self) {}

    /// Reads what is there. Nothing read means that the other side ended the stream.
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>>;
}

/// A wire of whatever kind. The usual one is in place: each delivery looks at it, and a look elsewhere costs more than the
/// work.
pub enum OwnedWire {
    /// A TCP stream as it is.
    Tcp(TcpStream),
    /// Anything else.
    Other(Box<dyn Wire>),
}

impl Deref for OwnedWire {
    type Target = dyn Wire;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Tcp(stream) => stream,
            Self::Other(wire) => wire.as_ref(),
        }
    }
}

impl Wire for TcpStream {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        Self::try_write(self, bytes)
    }

    fn poll_writable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_write_ready(context)
    }

    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_read_ready(context))?;
            match self.try_read(buffer.initialize_unfilled()) {
                Ok(read) => {
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn end_writing(&self) {
        end_writing(self);
    }
}

/// Ends the sending half of a socket.
pub(crate) fn end_writing(stream: &TcpStream) {
    // The other side may have gone already, and then knows.
    let _ = rustix::net::shutdown(stream, rustix::net::Shutdown::Write);
}
