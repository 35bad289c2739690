//! The loop of a connection: reads the client's frames, and writes what waits when the socket takes more.
//!
//! tokio-tungstenite reads; what it writes itself (pongs, the answer to a close) goes through the same outbox as
//! everything else, so frames never mix.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, Stream};
use samtale_protocol::{CloseCode, limits};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::connection::Connection;
use crate::link::{Link, State};
use crate::outbox::{Outcome, READ_BYTES};
use crate::shard::Shard;

/// How long a close frame may take to be written.
const CLOSING: Duration = Duration::from_secs(5);

/// How long the client has to read the close frame and end its side. Closed at once with something unread, the
/// connection would be reset, and the close frame lost with it.
const LINGER: Duration = Duration::from_secs(2);

/// What is read and thrown away meanwhile; who sends more has stopped listening.
const LINGER_BYTES: usize = 1024 * 1024;

/// Reads of 1 KiB cost least for small frames, and an idle session keeps no more than this.
const READ_BUFFER: usize = 1024;

/// How tungstenite is set up: no frame above our limit is buffered, nothing is gathered before it is written.
pub fn web_socket_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(limits::CLIENT_FRAME_BYTES)
        .max_message_size(Some(limits::CLIENT_FRAME_BYTES))
        .max_frame_size(Some(limits::CLIENT_FRAME_BYTES))
}

/// A connection's socket as tungstenite sees it.
pub struct Io(pub Rc<Link>);

impl AsyncRead for Io {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(self.0.wire().poll_read(context, buffer))?;
        let read = buffer.filled().len() - before;
        self.0.check(self.0.inbound().on_read(read));
        // Nothing that comes after is looked at.
        if self.0.state() != State::Open {
            buffer.set_filled(before);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Io {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.send_bytes(&Bytes::copy_from_slice(bytes));
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Reads and writes until the connection ends.
pub async fn run(shard: Rc<Shard>, connection: Rc<Connection>, mut socket: WebSocketStream<Io>) {
    std::future::poll_fn(|context| poll(&shard, &connection, &mut socket, context)).await;
    finish(&connection.link).await;
}

/// Lets a close frame out, within bounds, and ends the link.
pub async fn finish(link: &Link) {
    if link.state() == State::Closing {
        // Boxed, because timers are large and every idle session would keep room for them.
        Box::pin(async {
            let flushed = std::future::poll_fn(|context| poll_flush(link, context));
            let flushed = tokio::time::timeout(CLOSING, flushed).await;
            if flushed.is_ok() && link.state() == State::Closing {
                link.wire().end_writing();
                let _ = tokio::time::timeout(LINGER, linger(link)).await;
            }
        })
        .await;
    }
    link.end();
}

/// Reads until the client ends its side.
async fn linger(link: &Link) {
    let mut scratch = [0; READ_BUFFER];
    let mut left = LINGER_BYTES;
    while left > 0 {
        let read = std::future::poll_fn(|context| {
            let mut buffer = ReadBuf::new(&mut scratch);
            let read = ready!(link.wire().poll_read(context, &mut buffer));
            Poll::Ready(read.map(|()| buffer.filled().len()))
        });
        match read.await {
            Ok(read @ 1..) => left = left.saturating_sub(read),
            _ => return,
        }
    }
}

fn poll(
    shard: &Rc<Shard>,
    connection: &Rc<Connection>,
    socket: &mut WebSocketStream<Io>,
    context: &mut Context<'_>,
) -> Poll<()> {
    let link = &connection.link;
    loop {
        if link.state() != State::Open {
            return Poll::Ready(());
        }
        link.wake_with(context.waker());
        if link.waiting() > 0 && poll_flush(link, context).is_pending() && link.waiting() > READ_BYTES {
            return Poll::Pending;
        }
        match ready!(Pin::new(&mut *socket).poll_next(context)) {
            Some(Ok(Message::Binary(bytes))) if connection.session.borrow().encoding().is_binary() => {
                link.inbound().on_message();
                shard.on_client_frame(connection, &bytes);
            }
            Some(Ok(Message::Text(text))) if !connection.session.borrow().encoding().is_binary() => {
                link.inbound().on_message();
                shard.on_client_frame(connection, text.as_bytes());
            }
            Some(Ok(Message::Binary(_) | Message::Text(_))) => link.close(CloseCode::BadFrame, None),
            Some(Ok(Message::Ping(payload) | Message::Pong(payload))) => {
                link.check(link.inbound().on_control(payload.len()));
                connection.session.borrow_mut().on_sign_of_life();
            }
            Some(Ok(Message::Close(_))) => {
                // tungstenite has the answer ready, and writes it when it is asked to.
                let _ = Pin::new(&mut *socket).poll_flush(context);
                link.leave();
                return Poll::Ready(());
            }
            Some(Ok(Message::Frame(_))) | None => return Poll::Ready(()),
            Some(Err(error)) => {
                end_with(link, &error);
                return Poll::Ready(());
            }
        }
    }
}

fn poll_flush(link: &Link, context: &mut Context<'_>) -> Poll<()> {
    loop {
        match link.flush() {
            Outcome::Queued | Outcome::Full => match ready!(link.wire().poll_writable(context)) {
                Ok(()) => {}
                Err(_) => {
                    link.end();
                    return Poll::Ready(());
                }
            },
            Outcome::Gone => {
                link.end();
                return Poll::Ready(());
            }
            Outcome::Written => return Poll::Ready(()),
        }
    }
}

/// Answers what is wrong on the level of WebSocket frames.
fn end_with(link: &Link, error: &Error) {
    match close_code_of(error) {
        Some(code) => link.close(code, None),
        None => link.end(),
    }
}

/// The close code for a fault of the client; `None` when the socket itself ended.
pub fn close_code_of(error: &Error) -> Option<CloseCode> {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => Some(CloseCode::FrameTooLarge),
        Error::Protocol(_) | Error::Utf8(_) | Error::Capacity(_) => Some(CloseCode::BadFrame),
        _ => None,
    }
}
