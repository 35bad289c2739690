//! A session without a runtime, a task or a state machine, for load tests: a process holds thousands of them and asks
//! its own `epoll` which one has something. It comes back from nothing; applications use [`crate::Client`].

use std::io::ErrorKind;
use std::net::TcpStream;

use bytes::Bytes;
use samtale_protocol::frames::{Hello, Welcome};
use samtale_protocol::{ClientFrame, Encoding, ServerFrame, limits};
use thiserror::Error;
use tokio_tungstenite::tungstenite::client::{IntoClientRequest, client_with_config};
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, HandshakeError, Message, WebSocket};

use crate::address::ServerAddress;

/// What a light session speaks.
const ENCODING: Encoding = Encoding::MessagePack;
/// Events are small, and a process has thousands of these buffers.
const READ_BUFFER_BYTES: usize = 1024;

/// An open WebSocket over a stream of the caller's, which also decides whether it blocks.
#[derive(Debug)]
pub struct LightSession {
    socket: WebSocket<TcpStream>,
}

/// Why a light session did not begin, or is over.
#[derive(Debug, Error)]
pub enum LightError {
    /// The upgrade to WebSocket failed.
    #[error("the server did not open a WebSocket")]
    Upgrade(#[source] Box<Error>),
    /// The server answered `hello` with something else than `welcome`.
    #[error("the server did not say welcome, but {0}")]
    NotWelcome(String),
    /// The server closed it.
    #[error("the server closed the session with {code:?} {reason}")]
    Closed {
        /// The close code, if the server said one.
        code: Option<u16>,
        /// The reason beside it.
        reason: String,
    },
    /// It broke.
    #[error("the session broke")]
    Broken(#[source] Box<Error>),
    /// A frame that could not be written or read.
    #[error("a frame is not as it should be: {0}")]
    Frame(String),
}

impl LightSession {
    /// Upgrades a stream that blocks, says hello, and waits for the welcome. The stream's timeouts bound each step.
    pub fn open(stream: TcpStream, server: &ServerAddress, hello: Hello) -> Result<(Self, Welcome), LightError> {
        let url = format!("ws://{}/v1/ws", server.authority());
        let mut session = Self::upgraded(stream, &url, Some(ENCODING.subprotocol()))?;
        session.send(&ClientFrame::Hello(hello))?;
        let Some(bytes) = session.next_frame()? else {
            return Err(LightError::NotWelcome("nothing in time".to_owned()));
        };
        match decode(&bytes)? {
            ServerFrame::Welcome(welcome) => Ok((session, welcome)),
            ServerFrame::Error { error, .. } => Err(LightError::NotWelcome(error.message)),
            _ => Err(LightError::NotWelcome("another frame".to_owned())),
        }
    }

    /// A WebSocket to any server, which nobody has said anything over yet: for what Samtale is compared with.
    pub fn upgraded(stream: TcpStream, url: &str, subprotocol: Option<&'static str>) -> Result<Self, LightError> {
        let upgrade = |error| LightError::Upgrade(Box::new(error));
        let mut request = url.into_client_request().map_err(upgrade)?;
        if let Some(subprotocol) = subprotocol {
            let subprotocol = HeaderValue::from_static(subprotocol);
            request
                .headers_mut()
                .insert(header::SEC_WEBSOCKET_PROTOCOL, subprotocol);
        }
        let (socket, _) = client_with_config(request, stream, Some(config())).map_err(|error| match error {
            HandshakeError::Failure(error) => upgrade(error),
            HandshakeError::Interrupted(_) => upgrade(Error::Io(ErrorKind::TimedOut.into())),
        })?;
        Ok(Self { socket })
    }

    /// A session that was never greeted: whatever is at the other end writes whole frames of [`framed`].
    pub fn ungreeted(stream: TcpStream) -> Self {
        Self {
            socket: WebSocket::from_raw_socket(stream, Role::Client, Some(config())),
        }
    }

    /// The stream, to wait for it.
    pub fn stream(&self) -> &TcpStream {
        self.socket.get_ref()
    }

    /// The bytes of the next frame, for [`decode`]; `None` when a stream that does not block has no more, or one that
    /// blocks had none in time. Pings are answered on the way.
    pub fn next_frame(&mut self) -> Result<Option<Bytes>, LightError> {
        loop {
            match self.socket.read() {
                Ok(Message::Binary(bytes)) => return Ok(Some(bytes)),
                // Ours sends none where MessagePack was agreed; others may.
                Ok(Message::Text(text)) => return Ok(Some(text.into())),
                Ok(Message::Close(frame)) => {
                    return Err(LightError::Closed {
                        code: frame.as_ref().map(|frame| frame.code.into()),
                        reason: frame.map(|frame| frame.reason.to_string()).unwrap_or_default(),
                    });
                }
                Ok(_) => {}
                Err(error) if is_not_ready(&error) => return Ok(None),
                Err(error) => return Err(LightError::Broken(Box::new(error))),
            }
        }
    }

    /// Sends a frame. What the socket does not take at once goes out with the next call.
    pub fn send(&mut self, frame: &ClientFrame) -> Result<(), LightError> {
        let bytes = ENCODING
            .encode(frame)
            .map_err(|error| LightError::Frame(error.to_string()))?;
        self.send_message(Message::binary(bytes))
    }

    /// Sends bytes of the caller's as one frame.
    pub fn send_bytes(&mut self, bytes: Bytes) -> Result<(), LightError> {
        self.send_message(Message::Binary(bytes))
    }

    /// Sends a text of the caller's as one frame.
    pub fn send_text(&mut self, text: &str) -> Result<(), LightError> {
        self.send_message(Message::text(text))
    }

    fn send_message(&mut self, message: Message) -> Result<(), LightError> {
        match self.socket.send(message) {
            Err(error) if !is_not_ready(&error) => Err(LightError::Broken(Box::new(error))),
            _ => Ok(()),
        }
    }
}

/// Reads the bytes of a frame.
pub fn decode(bytes: &[u8]) -> Result<ServerFrame, LightError> {
    ServerFrame::decode(ENCODING, bytes).map_err(|error| LightError::Frame(error.to_string()))
}

/// A server's frame as it goes to a socket, for a floor that sends the same bytes as a server.
pub fn framed(frame: &ServerFrame) -> Result<Bytes, LightError> {
    let payload = ENCODING
        .encode(frame)
        .map_err(|error| LightError::Frame(error.to_string()))?;
    let mut bytes = Vec::new();
    // Writing into a vector does not fail.
    let _ = Frame::message(payload, OpCode::Data(Data::Binary), true).format(&mut bytes);
    Ok(bytes.into())
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(2 * limits::CLIENT_FRAME_BYTES)
        .max_message_size(Some(limits::SERVER_FRAME_BYTES))
        .max_frame_size(Some(limits::SERVER_FRAME_BYTES))
}

fn is_not_ready(error: &Error) -> bool {
    matches!(error, Error::Io(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use samtale_protocol::SpaceId;

    use super::*;

    fn pair() -> (TcpStream, LightSession) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        client
            .set_read_timeout(Some(std::time::Duration::from_millis(100)))
            .unwrap();
        server.set_nodelay(true).unwrap();
        (server, LightSession::ungreeted(client))
    }

    #[test]
    fn frames_are_read_whole_however_they_are_cut() {
        let (mut server, mut session) = pair();
        let frame = ServerFrame::Resync {
            space: SpaceId::from_bytes([7; 16]),
        };
        let bytes = framed(&frame).unwrap();
        let (first, second) = bytes.split_at(5);
        server.write_all(&bytes).unwrap();
        server.write_all(first).unwrap();
        let read = session.next_frame().unwrap().unwrap();
        assert_eq!(decode(&read).unwrap(), frame);
        assert!(session.next_frame().unwrap().is_none());
        server.write_all(second).unwrap();
        assert_eq!(decode(&session.next_frame().unwrap().unwrap()).unwrap(), frame);
    }

    #[test]
    fn a_broken_end_is_an_error_and_not_silence() {
        let (server, mut session) = pair();
        drop(server);
        assert!(matches!(session.next_frame(), Err(LightError::Broken(_))));
    }

    #[test]
    fn bytes_that_are_no_frame_are_refused() {
        assert!(decode(&[0xc1]).is_err());
    }
}
