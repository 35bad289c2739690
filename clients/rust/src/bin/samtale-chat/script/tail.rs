//! `tail`: events as they arrive.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use samtale_client::Update;
use samtale_protocol::{EventId, ServerFrame};
use tokio::time::Instant;

use super::print;
use crate::failure::Failure;
use crate::session::Session;

/// The events remembered, so that one which a resume repeats is printed once: more than a resume of some minutes.
const REMEMBERED: usize = 10_000;

/// Prints a line per event, for `seconds` or until interrupted. A line is the frame as the server sends it; `resync` is
/// printed too, because it says that lines may be missing.
pub async fn tail(session: &mut Session, seconds: Option<u64>, signals: bool) -> Result<(), Failure> {
    eprintln!("samtale-chat: connected");
    let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut seen = Seen::default();
    loop {
        let update = tokio::select! {
            () = over(end) => return Ok(()),
            update = session.update() => update,
        };
        match update {
            Some(Update::Event { space, id, event }) if seen.is_new(id) => {
                print(&ServerFrame::Event {
                    space,
                    id,
                    event: *event,
                })?;
            }
            Some(Update::Resync { space }) => print(&ServerFrame::Resync { space })?,
            Some(Update::Signal(signal)) if signals => print(&ServerFrame::Signal { signal })?,
            Some(Update::Connected(_)) => eprintln!("samtale-chat: connected"),
            Some(Update::Disconnected { retry_in, reason }) => {
                eprintln!("samtale-chat: {reason}; back in {:.1} s", retry_in.as_secs_f64());
            }
            Some(Update::Stopped { reason }) => return Err(reason.into()),
            Some(_) => {}
            None => return Ok(()),
        }
    }
}

async fn over(end: Option<Instant>) {
    let interrupted = tokio::signal::ctrl_c();
    match end {
        Some(end) => tokio::select! {
            () = tokio::time::sleep_until(end) => {}
            _ = interrupted => {}
        },
        None => {
            // When the signal can not be heard, it ends the program in its own way.
            let _ = interrupted.await;
        }
    }
}

#[derive(Default)]
struct Seen {
    ids: HashSet<EventId>,
    order: VecDeque<EventId>,
}

impl Seen {
    fn is_new(&mut self, id: EventId) -> bool {
        if !self.ids.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_new_once_and_the_memory_is_bounded() {
        let mut seen = Seen::default();
        let id = |number: usize| EventId::from_bytes((number as u128).to_be_bytes());
        assert!((0..REMEMBERED * 2).all(|number| seen.is_new(id(number))));
        assert!(!seen.is_new(id(REMEMBERED * 2 - 1)));
        assert_eq!(seen.ids.len(), REMEMBERED);
    }
}
