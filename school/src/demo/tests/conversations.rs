//! What they write.

use std::collections::HashSet;

use super::*;
use crate::roster::EnrollmentRole;

/// Everyone a conversation reaches.
fn audience(demo: &Demo, conversation: &Conversation) -> HashSet<String> {
    let mut reached = HashSet::from([conversation.starter.clone()]);
    for recipient in &conversation.recipients {
        match recipient {
            Recipient::Person(person) => reached.extend([person.clone()]),
            Recipient::Class(class) => reached.extend(members(demo, class, |_| true)),
            Recipient::GuardiansOf(class) => {
                let children = members(demo, class, |role| role == EnrollmentRole::Student);
                assert!(!children.is_empty(), "{class}");
                let may = demo
                    .roster
                    .relations
                    .iter()
                    .filter(|relation| relation.contact && relation.end_date.is_none());
                reached.extend(
                    may.filter(|relation| children.contains(&relation.child))
                        .map(|found| found.guardian.clone()),
                );
            }
        }
    }
    reached
}

fn members(demo: &Demo, class: &str, wanted: impl Fn(EnrollmentRole) -> bool) -> HashSet<String> {
    let enrollments = demo.roster.enrollments.iter();
    let found: HashSet<String> = enrollments
        .filter(|found| found.class == class && wanted(found.role))
        .map(|found| found.person.clone())
        .collect();
    assert!(!found.is_empty(), "{class}");
    found
}

#[test]
fn there_are_some_and_they_are_short() {
    for demo in demos() {
        let conversations = conversations(&demo);
        assert!((12..=20).contains(&conversations.len()), "{}", conversations.len());
        for conversation in &conversations {
            let messages = &conversation.messages;
            assert!((2..=8).contains(&messages.len()), "{}", conversation.subject);
            assert_eq!(messages[0].author, conversation.starter);
            assert!(
                messages
                    .windows(2)
                    .all(|pair| pair[0].minutes_ago > pair[1].minutes_ago),
                "{}",
                conversation.subject
            );
        }
    }
}

#[test]
fn whoever_writes_was_asked() {
    for demo in demos() {
        for conversation in conversations(&demo) {
            let audience = audience(&demo, &conversation);
            for message in &conversation.messages {
                assert!(
                    audience.contains(&message.author),
                    "{}: {}",
                    conversation.subject,
                    message.text
                );
            }
        }
    }
}

#[test]
fn nobody_with_a_protected_name_writes_or_is_written_about() {
    for demo in demos() {
        let protected: HashSet<&str> = demo
            .roster
            .people
            .iter()
            .filter(|person| person.name_protected)
            .map(|person| person.sourced_id.as_str())
            .collect();
        for conversation in conversations(&demo) {
            assert!(
                conversation
                    .messages
                    .iter()
                    .all(|message| !protected.contains(message.author.as_str()))
            );
            assert!(
                conversation
                    .regarding
                    .iter()
                    .all(|child| !protected.contains(child.as_str()))
            );
        }
    }
}

#[test]
fn the_cast_have_something_to_read() {
    for demo in demos() {
        let cast = cast(&demo);
        let conversations = conversations(&demo);
        for person in [&cast.teacher, &cast.guardian, &cast.child] {
            let reached = conversations
                .iter()
                .filter(|found| audience(&demo, found).contains(&person.sourced_id));
            assert!(reached.count() >= 2, "{}", person.name);
        }
    }
}

#[test]
fn nobody_writes_before_they_came() {
    for demo in demos() {
        let began = demo
            .roster
            .enrollments
            .iter()
            .filter_map(|found| found.begin_date)
            .max()
            .expect("someone began");
        let oldest = conversations(&demo)
            .iter()
            .map(|found| found.messages[0].minutes_ago)
            .max()
            .expect("a message");
        let first = demo.roster.sessions[0].start_date.expect("a first day");
        assert!(began <= first, "{began}");
        assert!(oldest < 14 * 24 * 60);
    }
}

#[test]
fn they_are_danish_with_signs() {
    let text: String = conversations(&generate(1, today()))
        .into_iter()
        .flat_map(|found| found.messages)
        .map(|found| found.text)
        .collect();
    assert!(text.contains(['æ', 'ø', 'å']) && text.contains('❤') && text.contains('🎉'));
    assert!(
        !text.contains("  ") && !text.contains(" \n"),
        "continued lines leave no gaps"
    );
}

#[test]
fn the_same_demo_writes_the_same() {
    let demo = generate(9, today());
    assert_eq!(conversations(&demo), conversations(&demo));
}
