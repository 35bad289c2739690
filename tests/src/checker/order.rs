//! One order: answers after their questions, and what someone had seen before what they wrote.

use std::collections::BTreeMap;

use samtale_protocol::{ClientId, MessageId, ThreadId, Timestamp};

use crate::checker::{Note, Promise, View, Violation, violation};

/// Every message that stands in the wrong place.
pub fn check(view: &View<'_>) -> Vec<Violation> {
    let mut violations = unsorted(view);
    let mut seen: BTreeMap<(u32, ThreadId), MessageId> = BTreeMap::new();
    let mut after: BTreeMap<(ClientId, Timestamp), Option<MessageId>> = BTreeMap::new();
    for noted in view.notes {
        match &noted.note {
            Note::Shown {
                thread, seen: shown, ..
            } => {
                let newest = seen.entry((noted.device, *thread)).or_insert(shown.message);
                *newest = (*newest).max(shown.message);
            }
            Note::Asked {
                thread,
                client,
                sent_at,
                ..
            } => {
                let newest = seen.get(&(noted.device, *thread)).copied();
                after.entry((*client, *sent_at)).or_insert(newest);
            }
            // What they had seen in the thread of the two need not be known to whoever answers in another.
            Note::AnswerAsked { client, sent_at, .. } => {
                after.entry((*client, *sent_at)).or_insert(None);
            }
            Note::Told { client, message, .. } => {
                let Some(newest) = after.get(&(*client, message.sent_at())) else {
                    let what = format!("{client} was told as {message}, whose time it never fixed");
                    violations.push(violation(Promise::OneOrder, what));
                    continue;
                };
                if newest.is_some_and(|newest| newest > *message) {
                    let what = format!("{message} stands before {newest:?}, which its author had seen");
                    violations.push(violation(Promise::OneOrder, what));
                }
            }
            _ => {}
        }
    }
    violations
}

/// Screens and threads that are not in the order of ids, and answers before their questions.
fn unsorted(view: &View<'_>) -> Vec<Violation> {
    let kept = view.kept.iter().filter_map(|(place, kept)| Some((place, (*kept)?)));
    let screens = view.screens.iter().map(|(place, screen)| (place, *screen));
    let mut violations = Vec::new();
    for ((device, thread), messages) in kept.chain(screens) {
        if !messages.is_sorted_by_key(|seen| seen.message) {
            let what = format!("{thread} of device {device} is not in the order of ids");
            violations.push(violation(Promise::OneOrder, what));
        }
        for seen in messages
            .iter()
            .filter(|seen| seen.reply_to.is_some_and(|question| question >= seen.message))
        {
            let what = format!(
                "{} stands before its question in {thread} of device {device}",
                seen.message
            );
            violations.push(violation(Promise::OneOrder, what));
        }
    }
    violations
}
