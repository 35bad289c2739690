//! The loop of a connection: reads the client's frames, and writes what waits when the socket takes more.

use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use samtale_protocol::CloseCode;
use tokio::io::ReadBuf;

use crate::client_frames::{ClientFrames, Incoming};
use crate::connection::Connection;
use crate::framing;
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

/// Reads and writes until the connection ends, but for a close frame.
pub fn run<'a>(
    shard: &'a Rc<Shard>,
    connection: &'a Rc<Connection>,
    frames: &'a mut ClientFrames,
) -> impl Future<Output = ()> + 'a {
    std::future::poll_fn(move |context| poll(shard, connection, frames, context))
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
    let mut thrown_away = [0; 1024];
    let mut left = LINGER_BYTES;
    while left > 0 {
        let read = std::future::poll_fn(|context| {
            let mut buffer = ReadBuf::new(&mut thrown_away);
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
    frames: &mut ClientFrames,
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
        match ready!(frames.poll_next(link, context)) {
            Ok(Incoming::Message { is_text, payload }) => {
                if connection.session.borrow().encoding().is_binary() == is_text {
                    link.close(CloseCode::BadFrame, None);
                } else {
                    link.inbound().on_message(frames.unread());
                    shard.on_client_frame(connection, &payload);
                }
            }
            Ok(Incoming::Ping(payload)) => {
                let length = payload.len();
                link.send_bytes(&framing::pong(payload));
                on_control(connection, length);
            }
            Ok(Incoming::Pong(length)) => on_control(connection, length),
            Ok(Incoming::Close(code)) => {
                link.send_bytes(&framing::close_answer(code));
                link.leave();
                return Poll::Ready(());
            }
            Ok(Incoming::End) => return Poll::Ready(()),
            Err(code) => {
                link.close(code, None);
                return Poll::Ready(());
            }
        }
    }
}

fn on_control(connection: &Connection, payload: usize) {
    let link = &connection.link;
    link.check(link.inbound().on_control(payload));
    connection.session.borrow_mut().on_sign_of_life();
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
