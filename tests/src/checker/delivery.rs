//! Nothing lost, nothing twice, complete or said so.

use std::collections::{BTreeMap, BTreeSet};

use samtale_protocol::{ClientId, ErrorCode, MessageId, ProfileId, ThreadId};

use crate::checker::view::{Send, Turn};
use crate::checker::{JOURNAL_REACH_MS, Note, Promise, SKEW_MS, Seen, View, Violation, violation};

/// Everything that was lost, came twice, or was silently left out.
pub fn check(view: &View<'_>) -> Vec<Violation> {
    let mut violations = lost(view);
    violations.extend(twice(view));
    violations.extend(holes(view));
    violations.extend(changes(view));
    violations.extend(answers(view));
    violations
}

/// Messages that were acknowledged and are not in the thread of someone who should have them.
fn lost(view: &View<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for ((device, thread), kept) in &view.kept {
        let Some(profile) = view.profiles.get(device) else {
            continue;
        };
        let has: BTreeSet<MessageId> = kept.iter().copied().flatten().map(|seen| seen.message).collect();
        for (client, send) in view.sends.iter().filter(|(_, send)| send.thread == *thread) {
            let Some((told_at, message)) = send.told else { continue };
            if has.contains(&message) || !should_have(view, *thread, *profile, send, told_at) {
                continue;
            }
            let what = format!("{message} ({client}), told at {told_at} ms, is not in {thread} of device {device}");
            violations.push(violation(Promise::NothingLost, what));
        }
    }
    violations
}

/// Whether a member must find an acknowledged message, beyond doubt.
fn should_have(view: &View<'_>, thread: ThreadId, profile: ProfileId, send: &Send, told_at: u64) -> bool {
    let turns = view.turns(thread, profile);
    let (additions, removals): (Vec<&Turn>, Vec<&Turn>) = turns.iter().partition(|turn| turn.is_addition);
    if view.is_given(thread, profile) && (additions.is_empty() || removals.is_empty()) {
        return removals
            .first()
            .is_none_or(|removal| told_at + SKEW_MS < removal.asked.1);
    }
    // Added: what was sent after it was told, if whatever took them out before was over before it was asked. With their
    // group they come only unless they were taken out by hand.
    additions.iter().any(|added| {
        added.told.is_some_and(|(_, told)| told + SKEW_MS < send.asked.1)
            && removals.iter().all(|removal| {
                removal.told.is_some_and(|(_, told)| told + SKEW_MS < added.asked.1)
                    && (removal.with_group || !added.with_group)
            })
    })
}

/// Sends with two replies, or that are two messages somewhere.
fn twice(view: &View<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for noted in view.notes {
        if let Note::Told { client, message, .. } = &noted.note {
            let first = view
                .sends
                .get(client)
                .and_then(|send| send.told)
                .map(|(_, first)| first);
            if first.is_some_and(|first| first != *message) {
                let what = format!("{client} was told as {message} and as {first:?}");
                violations.push(violation(Promise::NothingTwice, what));
            }
        }
    }
    let kept = view
        .kept
        .iter()
        .filter_map(|(place, kept)| Some((place, "thread", (*kept)?)));
    let screens = view.screens.iter().map(|(place, screen)| (place, "screen", *screen));
    for ((device, thread), what, messages) in kept.chain(screens) {
        let mut known: BTreeMap<ClientId, MessageId> = BTreeMap::new();
        for Seen { message, client, .. } in messages {
            let Some(client) = client else { continue };
            let first = *known.entry(*client).or_insert(*message);
            if first != *message {
                let what = format!("{client} is {first} and {message} on the {what} of device {device}, {thread}");
                violations.push(violation(Promise::NothingTwice, what));
            }
        }
    }
    violations
}

/// Screens that lack what their thread has, or the other way round; and resyncs while the journal reached.
fn holes(view: &View<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    let told: BTreeSet<MessageId> = view
        .sends
        .values()
        .filter_map(|send| send.told)
        .map(|(_, message)| message)
        .collect();
    for ((device, thread), kept) in &view.kept {
        let (Some(profile), Some(kept)) = (view.profiles.get(device), kept) else {
            continue;
        };
        if !view.is_constant(*thread, *profile) {
            continue;
        }
        let ids = |messages: &[Seen]| messages.iter().map(|seen| seen.message).collect::<BTreeSet<_>>();
        let screen = ids(view.screens.get(&(*device, *thread)).copied().unwrap_or_default());
        let kept = ids(kept);
        // What nobody was told of may have got no further than storage, as when its author was taken out meanwhile.
        for message in kept.difference(&screen).filter(|message| told.contains(*message)) {
            let what = format!("{message} of {thread} is missing on the screen of device {device}");
            violations.push(violation(Promise::CompleteOrSaidSo, what));
        }
        for message in screen.difference(&kept) {
            let what = format!("{message} of {thread} is on the screen of device {device} and nowhere else");
            violations.push(violation(Promise::NothingLost, what));
        }
    }
    for noted in view.notes {
        match &noted.note {
            Note::Resync {
                cursor_age_ms: Some(age),
            } if *age < JOURNAL_REACH_MS => {
                let what = format!("device {} was told to resync with a cursor of {age} ms", noted.device);
                violations.push(violation(Promise::CompleteOrSaidSo, what));
            }
            _ => {}
        }
    }
    violations
}

/// Changes that were acknowledged and are gone, and screens that show another version than the thread has.
fn changes(view: &View<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut open: BTreeMap<MessageId, i64> = BTreeMap::new();
    let mut told: BTreeMap<MessageId, u64> = BTreeMap::new();
    for noted in view.notes {
        match &noted.note {
            Note::ChangeAsked { message } => *open.entry(*message).or_default() += 1,
            Note::ChangeTold { message, version } => {
                *open.entry(*message).or_default() -= 1;
                let newest = told.entry(*message).or_default();
                *newest = (*newest).max(*version);
            }
            _ => {}
        }
    }
    for ((device, thread), kept) in &view.kept {
        let screen = view.screens.get(&(*device, *thread)).copied().unwrap_or_default();
        let is_constant = view
            .profiles
            .get(device)
            .is_some_and(|profile| view.is_constant(*thread, *profile));
        for seen in kept.iter().copied().flatten() {
            if told.get(&seen.message).is_some_and(|version| seen.version < *version) {
                let what = format!("a change of {} is not in {thread} of device {device}", seen.message);
                violations.push(violation(Promise::NothingLost, what));
            }
            let shown = screen.iter().find(|shown| shown.message == seen.message);
            let is_settled = open.get(&seen.message).is_none_or(|open| *open <= 0);
            if is_constant && is_settled && shown.is_some_and(|shown| shown.version != seen.version) {
                let what = format!("device {device} shows an old version of {} in {thread}", seen.message);
                violations.push(violation(Promise::CompleteOrSaidSo, what));
            }
        }
    }
    violations
}

/// Requests that were refused though they were in order, or never answered.
fn answers(view: &View<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for noted in view.notes {
        let what = match &noted.note {
            Note::Stuck { what } => format!("device {} still waits for {what}", noted.device),
            Note::Refused {
                code:
                    code @ (ErrorCode::ClientIdReused | ErrorCode::BadRequest | ErrorCode::Internal | ErrorCode::TooLarge),
                detail,
            } => format!(
                "device {} was refused at {} ms: {code:?} {detail}",
                noted.device, noted.at_ms
            ),
            _ => continue,
        };
        violations.push(violation(Promise::Answered, what));
    }
    violations
}
