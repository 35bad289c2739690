//! A session's socket under TLS: the stream and the connection's keys, without a task or a buffer of its own.
//!
//! rustls turns text into records and back and does no I/O. What it made and the socket did not take stays with it: at
//! most one record, because nothing new is given to it before.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::task::{Context, Poll, ready};

use rustls::ServerConnection;
use tokio::io::ReadBuf;
use tokio::net::TcpStream;

use crate::wire::{Wire, end_writing};

/// The text of a whole record (RFC 8446, section 5.1).
const RECORD_BYTES: usize = 16 * 1024;

/// A TLS connection after its handshake.
pub struct TlsWire {
    stream: TcpStream,
    // Boxed: a kilobyte that a plain session does not need.
    connection: RefCell<Box<ServerConnection>>,
}

impl TlsWire {
    /// The wire of an accepted connection.
    pub fn new(stream: TcpStream, connection: Box<ServerConnection>) -> Self {
        Self {
            stream,
            connection: RefCell::new(connection),
        }
    }

    fn send_records(&self, connection: &mut ServerConnection) -> io::Result<()> {
        while connection.wants_write() {
            connection.write_tls(&mut Tcp(&self.stream))?;
        }
        Ok(())
    }
}

impl Wire for TlsWire {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut connection = self.connection.borrow_mut();
        self.send_records(&mut connection)?;
        let mut taken = 0;
        while taken < bytes.len() {
            let record = bytes.len().min(taken + RECORD_BYTES);
            taken += connection.writer().write(&bytes[taken..record])?;
            match self.send_records(&mut connection) {
                Ok(()) => {}
                // Taken all the same: the record is made, and goes out with the next flush.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }

    fn try_flush(&self) -> io::Result<()> {
        self.send_records(&mut self.connection.borrow_mut())
    }

    fn has_unsent(&self) -> bool {
        self.connection.borrow().wants_write()
    }

    fn poll_writable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_write_ready(context)
    }

    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut connection = self.connection.borrow_mut();
        loop {
            match connection.reader().read(buffer.initialize_unfilled()) {
                Ok(read) => {
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
                // The stream ended without a word of TLS. Frames say themselves whether they are whole.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Poll::Ready(Ok(())),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
            ready!(self.stream.poll_read_ready(context))?;
            match connection.read_tls(&mut Tcp(&self.stream)) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Poll::Ready(Err(error)),
            }
            let processed = connection.process_new_packets();
            // What TLS itself has to say: an alert, or new keys. If the socket takes nothing now, it goes with the next write.
            let _ = self.send_records(&mut connection);
            if let Err(error) = processed {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
            }
        }
    }

    fn end_writing(&self) {
        let mut connection = self.connection.borrow_mut();
        connection.send_close_notify();
        // Whether it was heard makes no difference to us.
        let _ = self.send_records(&mut connection);
        end_writing(&self.stream);
    }
}

/// The socket as rustls wants it: it says `WouldBlock` rather than wait.
struct Tcp<'a>(&'a TcpStream);

impl Read for Tcp<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(bytes)
    }
}

impl Write for Tcp<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
