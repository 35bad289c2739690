//! Commands that write.

use samtale_protocol::messages::{EditMessage, MarkRead, Message, MessageReference, Part, Sent};
use samtale_protocol::threads::{RenameThread, ThreadReference};
use samtale_protocol::{ClientId, ErrorCode, MessageId, Refusal, Reply, Request, ThreadId, limits};
use uuid::Uuid;

use super::print;
use crate::failure::Failure;
use crate::recipients;
use crate::session::{Session, ask};

/// How far back a repeated send is looked for.
const LOOK_BACK: usize = 10 * limits::PAGE;

/// Starts a thread with its first message.
pub async fn start(session: &mut Session, to: &[String], subject: String, text: String) -> Result<(), Failure> {
    let (space, to) = recipients::resolve(session, to).await?;
    let client_id = session
        .client
        .start_thread(space, to, subject, vec![Part::text(text)])
        .await?;
    print(&session.sent(client_id).await?)
}

/// Sends a message. With a client id it may be a repetition, from this process or another, of any age.
pub async fn send(
    session: &mut Session,
    thread: ThreadId,
    text: String,
    client_id: Option<ClientId>,
) -> Result<(), Failure> {
    let parts = vec![Part::text(text)];
    // Looking at the thread first also shows the client the newest id, which the message must come after.
    let look_back = if client_id.is_some() { LOOK_BACK } else { 1 };
    let known = session.history(thread, None, look_back).await?.messages;
    if let Some(client_id) = client_id
        && let Some(sent) = sent_before(session, &known, client_id, &parts)?
    {
        return print(&sent);
    }
    let client_id = client_id.unwrap_or_else(|| ClientId(Uuid::new_v4()));
    let client_id = session.client.send_as(client_id, thread, parts, None).await?;
    print(&session.sent(client_id).await?)
}

/// Says that messages are read.
pub async fn mark_read(session: &mut Session, thread: ThreadId, messages: Vec<MessageId>) -> Result<(), Failure> {
    print(&ask!(
        session,
        Request::MarkRead(MarkRead { thread, messages }),
        Reply::Read
    )?)
}

/// Replaces the text of one's own message.
pub async fn edit(session: &mut Session, thread: ThreadId, message: MessageId, text: String) -> Result<(), Failure> {
    let edit = EditMessage {
        thread,
        message,
        parts: vec![Part::text(text)],
    };
    print(&ask!(session, Request::EditMessage(edit), Reply::Message)?)
}

/// Takes one's own message back.
pub async fn recall(session: &mut Session, thread: ThreadId, message: MessageId) -> Result<(), Failure> {
    print(&ask!(
        session,
        Request::RecallMessage(MessageReference { thread, message }),
        Reply::Message
    )?)
}

/// Leaves a thread.
pub async fn leave(session: &mut Session, thread: ThreadId) -> Result<(), Failure> {
    print(&ask!(
        session,
        Request::LeaveThread(ThreadReference { thread }),
        Reply::MembershipChanged
    )?)
}

/// Gives a thread another subject.
pub async fn rename(session: &mut Session, thread: ThreadId, subject: String) -> Result<(), Failure> {
    print(&ask!(
        session,
        Request::RenameThread(RenameThread { thread, subject }),
        Reply::Renamed
    )?)
}

/// The answer to a send that was stored before under this client id. A message's id is a hash of thread, author and
/// client id beside its time, so it shows whether it is the one, although this process never saw it go out.
fn sent_before(
    session: &Session,
    messages: &[Message],
    client_id: ClientId,
    parts: &[Part],
) -> Result<Option<Sent>, Failure> {
    let is_it = |message: &&Message| {
        let (thread, author) = (message.thread, message.author);
        session.is_me(author)
            && message.message == MessageId::derive(thread, author, client_id, message.message.sent_at())
    };
    let Some(message) = messages.iter().find(is_it) else {
        return Ok(None);
    };
    let changed_since = message.edited_at.is_some() || message.recalled_at.is_some();
    if !changed_since && message.parts != parts {
        return Err(Refusal::new(ErrorCode::ClientIdReused).into());
    }
    Ok(Some(Sent {
        thread: message.thread,
        message: message.message,
        client_id,
    }))
}
