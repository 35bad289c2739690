//! The bytes of a connection, plain or through TLS. Never blocks.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use rustls::ClientConnection;

use super::Ended;
use super::tls::TlsClient;

/// A socket, and its TLS if it has one.
#[derive(Debug)]
pub struct Stream {
    socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
}

impl Stream {
    /// A stream over a socket that does not block.
    pub fn new(socket: TcpStream, tls: Option<&TlsClient>) -> Result<Self, Ended> {
        let tls = tls.map(TlsClient::connection).transpose()?;
        Ok(Self {
            socket,
            tls: tls.map(Box::new),
        })
    }

    /// The socket.
    pub fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Whether TLS's handshake is done, or there is none.
    pub fn is_secured(&self) -> bool {
        self.tls.as_ref().is_none_or(|tls| !tls.is_handshaking())
    }

    /// Whether TLS may hold bytes that the socket knows nothing of.
    pub fn holds_more(&self) -> bool {
        self.tls.is_some()
    }

    /// Reads; `None` when nothing is there, 0 at the end.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Ended> {
        let Some(tls) = &mut self.tls else {
            return ready(self.socket.read(buffer));
        };
        loop {
            match ready(tls.reader().read(buffer))? {
                Some(read) => return Ok(Some(read)),
                None => match ready(tls.read_tls(&mut self.socket))? {
                    Some(0) => return Ok(Some(0)),
                    Some(_) => {
                        tls.process_new_packets().map_err(std::io::Error::other)?;
                        if !flush(tls, &mut self.socket)? {
                            return Err(Ended::Full);
                        }
                    }
                    None => return Ok(None),
                },
            }
        }
    }

    /// Writes all; `false` if the socket does not take it.
    pub fn write(&mut self, bytes: &[u8]) -> Result<bool, Ended> {
        match &mut self.tls {
            None => Ok(ready(self.socket.write(bytes))? == Some(bytes.len())),
            Some(tls) => {
                // Before the handshake is done it keeps them until then.
                tls.writer().write_all(bytes)?;
                flush(tls, &mut self.socket)
            }
        }
    }
}

fn flush(tls: &mut ClientConnection, socket: &mut TcpStream) -> Result<bool, Ended> {
    while tls.wants_write() {
        if ready(tls.write_tls(socket))?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn ready(outcome: std::io::Result<usize>) -> Result<Option<usize>, Ended> {
    match outcome {
        Ok(count) => Ok(Some(count)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
