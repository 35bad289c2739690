//! The WebSocket: frames in, frames out, with bounded buffers. It knows nothing of state or of waiting to come back.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use samtale_protocol::{ClientFrame, Encoding, ServerFrame, limits};
use thiserror::Error;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode as WireCode;
use tokio_tungstenite::tungstenite::{Error as WebSocketError, Message, protocol::CloseFrame};

use crate::address::ServerAddress;
use crate::stream::ServerStream;

/// The time for the TCP connection and the upgrade.
pub const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// The time in which the socket must take what is written; a server that reads nothing for so long is gone.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(20);
/// The time for a goodbye.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(1);
/// tungstenite's default is 128 KiB, allocated at once and kept by each client of a process with thousands.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// Requests are small; one of the largest size passes through on its own.
const WRITE_BUFFER_BYTES: usize = 4 * 1024;

/// An open WebSocket.
#[derive(Debug)]
pub struct Transport {
    socket: WebSocketStream<ServerStream>,
    encoding: Encoding,
}

/// What came over the socket.
#[derive(Debug)]
pub enum Incoming {
    /// A frame.
    Frame(Box<ServerFrame>),
    /// Something that shows that the server lives, and is no frame: a ping, or a frame that a newer server may send.
    Heard,
    /// The socket is closed; nothing comes after.
    Closed {
        /// The close code, if the server said one.
        code: Option<u16>,
        /// The reason beside it, or how it broke.
        reason: String,
    },
}

/// Why the socket could not be opened.
#[derive(Debug, Error)]
pub enum TransportError {
    /// No TCP connection, or no TLS over it.
    #[error("no connection to the server")]
    Connect(#[source] std::io::Error),
    /// The upgrade to WebSocket failed.
    #[error("the server did not open a WebSocket")]
    Upgrade(#[source] Box<WebSocketError>),
    /// The server chose no subprotocol that we offered.
    #[error("the server does not speak {0}")]
    Subprotocol(&'static str),
    /// It took too long.
    #[error("the server did not answer in time")]
    TimedOut,
}

impl TransportError {
    /// The wait that the server told with its refusal, as a `Retry-After` header in seconds.
    pub fn told_wait(&self) -> Option<Duration> {
        let Self::Upgrade(error) = self else { return None };
        let WebSocketError::Http(response) = error.as_ref() else {
            return None;
        };
        let seconds = response
            .headers()
            .get(header::RETRY_AFTER)?
            .to_str()
            .ok()?
            .trim()
            .parse()
            .ok()?;
        Some(Duration::from_secs(seconds))
    }
}

impl Transport {
    /// Opens the socket at `/v1/ws`.
    pub async fn open(server: &ServerAddress, encoding: Encoding) -> Result<Self, TransportError> {
        let opening = Self::open_unbounded(server, encoding);
        tokio::time::timeout(OPEN_TIMEOUT, opening)
            .await
            .map_err(|_| TransportError::TimedOut)?
    }

    async fn open_unbounded(server: &ServerAddress, encoding: Encoding) -> Result<Self, TransportError> {
        let upgrade = |error| TransportError::Upgrade(Box::new(error));
        let mut request = server.socket_url().into_client_request().map_err(upgrade)?;
        let subprotocol = HeaderValue::from_static(encoding.subprotocol());
        request
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, subprotocol);
        let stream = server.open().await.map_err(TransportError::Connect)?;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(WRITE_BUFFER_BYTES)
            .max_write_buffer_size(WRITE_BUFFER_BYTES + limits::REQUESTS_UNDER_WAY * 2 * limits::CLIENT_FRAME_BYTES)
            .max_message_size(Some(limits::SERVER_FRAME_BYTES))
            .max_frame_size(Some(limits::SERVER_FRAME_BYTES));
        let opened = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
        match opened {
            Ok((socket, _)) => Ok(Self { socket, encoding }),
            Err(WebSocketError::Protocol(ProtocolError::SecWebSocketSubProtocolError(_))) => {
                Err(TransportError::Subprotocol(encoding.subprotocol()))
            }
            Err(error) => Err(upgrade(error)),
        }
    }

    /// Puts a frame into the write buffer. [`Transport::flush`] sends what is there.
    pub async fn feed(&mut self, frame: &ClientFrame) -> Result<(), String> {
        let bytes = self.encoding.encode(frame).map_err(|error| error.to_string())?;
        let message = if self.encoding.is_binary() {
            Message::binary(bytes)
        } else {
            Message::text(String::from_utf8(bytes).map_err(|error| error.to_string())?)
        };
        in_time(self.socket.feed(message)).await
    }

    /// Sends what is in the write buffer.
    pub async fn flush(&mut self) -> Result<(), String> {
        in_time(self.socket.flush()).await
    }

    /// The next thing from the server. Nothing is lost when the future is dropped. Pings are answered on the way.
    pub async fn next(&mut self) -> Incoming {
        match self.socket.next().await {
            Some(Ok(Message::Binary(bytes))) if self.encoding.is_binary() => self.decode(&bytes),
            Some(Ok(Message::Text(text))) if !self.encoding.is_binary() => self.decode(text.as_bytes()),
            Some(Ok(Message::Close(Some(frame)))) => Incoming::Closed {
                code: Some(frame.code.into()),
                reason: frame.reason.to_string(),
            },
            Some(Ok(Message::Close(None))) => closed("without a code"),
            Some(Ok(_)) => Incoming::Heard,
            Some(Err(error)) => closed(&error.to_string()),
            None => closed("the connection ended"),
        }
    }

    /// Says goodbye, without waiting for an answer.
    pub async fn close(mut self) {
        let frame = CloseFrame {
            code: WireCode::Normal,
            reason: "".into(),
        };
        // Not worth a wait: a server that does not hear it finds out by its ping.
        let _ = tokio::time::timeout(GOODBYE_TIMEOUT, self.socket.close(Some(frame))).await;
    }

    fn decode(&self, bytes: &[u8]) -> Incoming {
        match self.encoding.decode(bytes) {
            Ok(frame) => Incoming::Frame(Box::new(frame)),
            Err(error) => {
                // Most likely a kind of frame that a newer server sends. Its content stays out of the log.
                tracing::warn!(%error, bytes = bytes.len(), "a frame from the server is skipped");
                Incoming::Heard
            }
        }
    }
}

fn closed(reason: &str) -> Incoming {
    Incoming::Closed {
        code: None,
        reason: reason.to_owned(),
    }
}

async fn in_time(writing: impl Future<Output = Result<(), WebSocketError>>) -> Result<(), String> {
    match tokio::time::timeout(WRITE_TIMEOUT, writing).await {
        Ok(written) => written.map_err(|error| error.to_string()),
        Err(_) => Err("the server takes nothing any more".to_owned()),
    }
}
