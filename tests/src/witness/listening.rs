//! What comes to a witness: it is written down, and put on the screen.

use std::time::Duration;

use samtale_client::{StopReason, Update, Updates};
use samtale_protocol::messages::Sent;
use samtale_protocol::{Event, MessageId, ThreadId, Timestamp};

use super::{Blemish, Witness, seen};
use crate::checker::{Note, Seen};

/// Between two attempts to load a thread.
const LOAD_AGAIN: Duration = Duration::from_millis(300);

/// Listens until the client ends.
pub(super) async fn listen(witness: Witness, mut updates: Updates) {
    while let Some(update) = updates.next().await {
        match update {
            Update::Event { event, .. } => on_event(&witness, *event),
            Update::Sent(sent) => on_sent(&witness, &sent),
            Update::SendFailed { client_id, refusal } => {
                let detail = format!("{client_id}: {}", refusal.detail.unwrap_or_default());
                // An earlier attempt may have got through: whoever sees it, it was asked.
                let asked = witness.screen().waiting.remove(&client_id);
                if let Some(asked) = asked {
                    witness.note_asked(client_id, asked, Timestamp::default());
                }
                witness.note(Note::Refused {
                    code: refusal.code,
                    detail,
                });
            }
            Update::Resync { .. } => {
                // Whether this should have been is for the test to say: it knows what it did to the journal.
                witness.note(Note::Resync { cursor_age_ms: None });
                load_anew(&witness);
            }
            Update::Resumed { events, .. } => witness.note(Note::Resumed { events }),
            Update::Connected(_) => witness.screen().is_connected = true,
            Update::Disconnected { .. } => {
                let mut screen = witness.screen();
                screen.cuts += usize::from(screen.is_connected);
                screen.is_connected = false;
            }
            Update::Stopped {
                reason: StopReason::Asked,
            } => {}
            Update::Stopped { reason } => {
                // Said at once: a run waits long for somebody who does not come back.
                eprintln!("device {} stopped: {reason:?}", witness.device);
                let what = format!("the client stopped: {reason:?}");
                witness.note(Note::Stuck { what });
            }
            _ => {}
        }
    }
}

fn on_event(witness: &Witness, event: Event) {
    match event {
        Event::Message(message) => show(witness, message.thread, seen(&message), true),
        Event::Membership {
            thread,
            membership_version,
            profile,
            left_at,
            ..
        } => {
            let mut screen = witness.screen();
            let newest = screen.memberships.entry(thread).or_default();
            // A replay may tell of a leaving that is over.
            if membership_version < *newest {
                return;
            }
            *newest = membership_version;
            drop(screen);
            if left_at.is_some() {
                witness.note(Note::RemoveTold { thread, profile });
            }
        }
        _ => {}
    }
}

fn show(witness: &Witness, thread: ThreadId, seen: Seen, by_event: bool) {
    if witness.overlooks(&seen) {
        return;
    }
    witness.note(Note::Shown { thread, seen, by_event });
    let mut screen = witness.screen();
    let shown = screen.threads.entry(thread).or_default();
    let shown = shown.entry(seen.message).or_insert(seen);
    if shown.version < seen.version {
        *shown = seen;
    }
}

fn on_sent(witness: &Witness, sent: &Sent) {
    let (thread, client, message) = (sent.thread, sent.client_id, sent.message);
    // The SDK fixes the time, and says it only by the message's id.
    let asked = witness.screen().waiting.remove(&client);
    if let Some(asked) = asked {
        witness.note_asked(client, asked, message.sent_at());
    }
    let told = |message| Note::Told {
        thread,
        client,
        message,
    };
    witness.note(told(message));
    if witness.blemish == Some(Blemish::Duplicate) {
        let mut other = *message.as_bytes();
        other[15] ^= 1;
        witness.note(told(MessageId::from_bytes(other)));
    }
}

/// Loads what the screen shows, beside, until that has succeeded: replies come over the connection that is listened to.
fn load_anew(witness: &Witness) {
    let threads: Vec<ThreadId> = witness.screen().threads.keys().copied().collect();
    witness.screen().loading += 1;
    let witness = witness.copy();
    tokio::spawn(async move {
        for thread in threads {
            loop {
                match witness.whole_thread(thread).await {
                    Ok(messages) => {
                        for seen in messages {
                            show(&witness, thread, seen, false);
                        }
                        break;
                    }
                    Err(error) if error.is_retryable() => {
                        // tidy: waits because the server is asked again, until it answers
                        tokio::time::sleep(LOAD_AGAIN).await;
                    }
                    Err(_) => break,
                }
            }
        }
        witness.screen().loading -= 1;
    });
}
