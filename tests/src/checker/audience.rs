//! No one sees what they may not.

use samtale_protocol::{ProfileId, ThreadId};

use crate::checker::view::Turn;
use crate::checker::{Note, Noted, Promise, SKEW_MS, Seen, View, Violation, violation};

/// Every message that was shown to someone outside its audience.
pub fn check(view: &View<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for noted in view.notes {
        let Some(profile) = view.profiles.get(&noted.device) else {
            continue;
        };
        match &noted.note {
            Note::Shown { thread, seen, by_event } => {
                violations.extend(shown(view, noted, *thread, *profile, seen, *by_event));
            }
            Note::Kept {
                thread,
                messages: Some(messages),
            } => {
                for seen in messages {
                    violations.extend(shown(view, noted, *thread, *profile, seen, true));
                }
            }
            _ => {}
        }
    }
    violations
}

/// Why this device should not have been shown this message, if so. What it asked for may be as old as the lists of a
/// node that hears of a change a little later; what came by itself, and what it finds in the end, may not.
fn shown(
    view: &View<'_>,
    noted: &Noted,
    thread: ThreadId,
    profile: ProfileId,
    seen: &Seen,
    is_strict: bool,
) -> Option<Violation> {
    let turns = view.turns(thread, profile);
    let additions: Vec<&Turn> = turns.iter().filter(|turn| turn.is_addition).collect();
    let is_given = view.is_given(thread, profile);
    if !is_given && !additions.iter().any(|added| added.asked.0 < noted.moment) {
        let what = format!(
            "device {} is shown {} of {thread}, where it never was",
            noted.device, seen.message
        );
        return Some(violation(Promise::OnlyItsAudience, what));
    }
    let send = view.sends.get(&seen.client?)?;
    let known = view.known_removals.get(&(send.device, thread, profile));
    if is_strict && known.is_some_and(|known| *known < send.asked.0) && stays_out(turns) {
        let what = format!(
            "device {} is shown {} of {thread}, sent after its sender knew that it was out",
            noted.device, seen.message
        );
        return Some(violation(Promise::OnlyItsAudience, what));
    }
    let from_now_on = additions.iter().all(|added| !added.from_the_beginning);
    let first = additions.first()?;
    let told_at = send.told?.0;
    if !is_given && from_now_on && told_at + SKEW_MS < first.asked.1 {
        let what = format!(
            "device {} is shown {} of {thread}, from before it came",
            noted.device, seen.message
        );
        return Some(violation(Promise::OnlyItsAudience, what));
    }
    None
}

/// Whether, after the first time that someone was taken out, nobody let them in again or may have. If that was by hand and
/// they were in it, their group does not let them in.
fn stays_out(turns: &[Turn]) -> bool {
    let Some(place) = turns.iter().position(|turn| !turn.is_addition) else {
        return false;
    };
    let (before, removal) = (&turns[..place], &turns[place]);
    let is_over = |turn: &Turn| turn.told.is_some_and(|(_, told)| told + SKEW_MS < removal.asked.1);
    let keeps_out = |added: &Turn| {
        added.with_group && !removal.with_group && removal.told.is_some_and(|(_, told)| told + SKEW_MS < added.asked.1)
    };
    before.iter().all(is_over) && turns[place..].iter().all(|turn| !turn.is_addition || keeps_out(turn))
}

#[cfg(test)]
mod tests {
    use samtale_protocol::MessageId;

    use super::*;
    use crate::checker::check_after;

    const ANNE: ProfileId = ProfileId::from_bytes([1; 16]);
    const BO: ProfileId = ProfileId::from_bytes([2; 16]);
    const THREAD: ThreadId = ThreadId::from_bytes([3; 16]);

    fn noted(moment: u64, device: u32, note: Note) -> Noted {
        Noted {
            moment,
            at_ms: moment * 10 * SKEW_MS,
            device,
            note,
        }
    }

    fn is_shown(moment: u64, device: u32, thread: ThreadId) -> Noted {
        let seen = Seen {
            message: MessageId::from_bytes([4; 16]),
            version: 1,
            client: None,
            reply_to: None,
        };
        let by_event = true;
        noted(moment, device, Note::Shown { thread, seen, by_event })
    }

    #[test]
    fn what_is_shown_of_an_earlier_run_is_judged_by_who_was_in_it() {
        let members = vec![ANNE];
        let earlier = [
            noted(1, 0, Note::Began { profile: ANNE }),
            noted(
                2,
                0,
                Note::Given {
                    thread: THREAD,
                    members,
                },
            ),
            // Found when it happened, and not named again.
            noted(3, 1, Note::Began { profile: BO }),
            is_shown(4, 1, THREAD),
        ];
        let began = [(5, 10, ANNE), (6, 11, BO)]
            .map(|(moment, device, profile)| noted(moment, device, Note::Began { profile }));
        let found = |device, thread| {
            let notes = [began.as_slice(), &[is_shown(7, device, thread)]].concat();
            check_after(&earlier, &notes)
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(found(10, THREAD), Vec::<String>::new(), "she is in it");
        assert!(
            matches!(&found(11, THREAD)[..], [what] if what.contains("never was")),
            "he is not"
        );
        let unknown = ThreadId::from_bytes([5; 16]);
        assert!(
            matches!(&found(10, unknown)[..], [what] if what.contains("never was")),
            "nobody is"
        );
    }
}
