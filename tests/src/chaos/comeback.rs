//! How soon delivery is back once Redis is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use samtale_protocol::{MessageId, ProfileId};

use crate::checker::{Note, Noted, View};

/// Redis was gone, and is there again.
#[derive(Clone, Debug)]
pub struct Comeback {
    /// When it answered `PING`, in milliseconds of the notebook.
    pub at_ms: u64,
    /// The clients that were connected then.
    pub connected: BTreeSet<u32>,
}

/// From when Redis answers again until the first message that somebody sent after that, and was told is stored, has come
/// to everybody else whom it is for and who was connected when Redis came back: whoever sees it last counts. The clients
/// are spread over all gateways, so by then messages cross between them again; and what people wrote during the outage
/// went before it. `None` when nothing was sent, or somebody never saw it, which the checker then names.
///
/// Who is not connected comes back at a time of their own, which says nothing of Redis. Who comes and goes may miss a
/// message rightly, so those whom it is for are the ones who were in its thread all the time.
pub(super) fn back_after(comeback: &Comeback, earlier: &[Noted], notes: &[Noted]) -> Option<Duration> {
    let view = View::after(earlier, notes);
    let later = view.sends.values().filter(|send| send.asked.1 >= comeback.at_ms);
    let stored = later.filter_map(|send| send.told.map(|(_, message)| (send, message)));
    let (send, message) = stored.min_by_key(|(send, _)| send.asked)?;
    let shown = first_shown(message, notes);
    let awaited = comeback.connected.iter().filter(|device| {
        let is_for = |profile: &ProfileId| view.is_constant(send.thread, *profile);
        **device != send.device && view.profiles.get(device).is_some_and(is_for)
    });
    let seen: Option<Vec<u64>> = awaited.map(|device| shown.get(device).copied()).collect();
    let last = seen?.into_iter().max()?;
    Some(Duration::from_millis(last.saturating_sub(comeback.at_ms)))
}

/// When each client was first shown a message.
fn first_shown(message: MessageId, notes: &[Noted]) -> BTreeMap<u32, u64> {
    let mut shown = BTreeMap::new();
    for noted in notes {
        if matches!(&noted.note, Note::Shown { seen, .. } if seen.message == message) {
            shown.entry(noted.device).or_insert(noted.at_ms);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::Seen;
    use samtale_protocol::{ClientId, ThreadId, Timestamp};

    const THREAD: ThreadId = ThreadId::from_bytes([9; 16]);

    fn noted(moment: u64, at_ms: u64, device: u32, note: Note) -> Noted {
        Noted {
            moment,
            at_ms,
            device,
            note,
        }
    }

    fn profile(device: u8) -> ProfileId {
        ProfileId::from_bytes([device; 16])
    }

    fn sent(moment: u64, at_ms: u64, number: u8) -> [Noted; 2] {
        let client = ClientId::from_bytes([number; 16]);
        let asked = Note::Asked {
            thread: THREAD,
            client,
            sent_at: Timestamp::default(),
            reply_to: None,
        };
        let told = Note::Told {
            thread: THREAD,
            client,
            message: MessageId::from_bytes([number; 16]),
        };
        [noted(moment, at_ms, 0, asked), noted(moment + 1, at_ms + 5, 0, told)]
    }

    fn shown(moment: u64, at_ms: u64, device: u32, number: u8) -> Noted {
        let seen = Seen {
            message: MessageId::from_bytes([number; 16]),
            version: 1,
            client: None,
            reply_to: None,
        };
        let note = Note::Shown {
            thread: THREAD,
            seen,
            by_event: true,
        };
        noted(moment, at_ms, device, note)
    }

    #[test]
    fn whoever_is_connected_and_sees_the_first_later_message_last_counts() {
        let mut notes: Vec<Noted> = (0..4_u8)
            .map(|device| {
                let profile = profile(device);
                noted(u64::from(device), 0, u32::from(device), Note::Began { profile })
            })
            .collect();
        let members = (0..4).map(profile).collect();
        notes.push(noted(
            4,
            0,
            0,
            Note::Given {
                thread: THREAD,
                members,
            },
        ));
        notes.extend(sent(5, 900, 1));
        notes.extend(sent(7, 1_100, 2));
        notes.extend(sent(9, 1_200, 3));
        notes.extend([shown(11, 1_250, 1, 2), shown(12, 1_300, 1, 1), shown(13, 1_400, 2, 2)]);
        notes.push(shown(14, 9_000, 3, 2));
        let comeback = |connected: &[u32]| Comeback {
            at_ms: 1_000,
            connected: connected.iter().copied().collect(),
        };
        let after = |connected| back_after(&comeback(connected), &[], &notes);
        assert_eq!(after(&[0, 1]), Some(Duration::from_millis(250)));
        assert_eq!(after(&[0, 1, 2]), Some(Duration::from_millis(400)));
        assert_eq!(after(&[0, 1, 2, 3]), Some(Duration::from_secs(8)));
        notes.pop();
        assert_eq!(back_after(&comeback(&[0, 1, 2, 3]), &[], &notes), None);
    }
}
