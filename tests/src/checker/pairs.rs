//! Answers to a sender alone: each names the thread it comes from and whom it answers, and the thread of the two is known once
//! anybody saw one of its messages.

use std::collections::BTreeMap;

use samtale_protocol::{ClientId, ProfileId, ThreadId};

use crate::checker::{Note, Noted, Promise, Seen, Violation, violation};

/// The two, and the thread that they have met in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    source: ThreadId,
    /// The two, in the order of their ids.
    pub two: [ProfileId; 2],
}

/// Which answers belong to which pair, and which thread to which.
#[derive(Debug, Default)]
pub struct Pairs {
    answers: BTreeMap<ClientId, Pair>,
    threads: BTreeMap<Pair, ThreadId>,
    /// What is wrong with them.
    pub violations: Vec<Violation>,
}

impl Pairs {
    /// Reads notes in their order.
    pub fn of<'a>(notes: impl Iterator<Item = &'a Noted>) -> Self {
        let mut pairs = Self::default();
        let mut profiles = BTreeMap::new();
        for Noted { device, note, .. } in notes {
            match note {
                Note::Began { profile } => {
                    profiles.insert(*device, *profile);
                }
                Note::AnswerAsked { source, to, client, .. } => {
                    if let Some(asker) = profiles.get(device) {
                        let mut two = [*asker, *to];
                        two.sort_unstable();
                        pairs.answers.insert(*client, Pair { source: *source, two });
                    }
                }
                Note::Told { thread, client, .. } => pairs.is_in(*thread, *client),
                Note::Shown { thread, seen, .. } => pairs.are_in(*thread, std::slice::from_ref(seen)),
                Note::Kept {
                    thread,
                    messages: Some(messages),
                } => pairs.are_in(*thread, messages),
                _ => {}
            }
        }
        pairs
    }

    /// The pair that an answer belongs to, and their thread; `None` of what is no answer, or was never seen.
    pub fn of_answer(&self, client: ClientId) -> Option<(Pair, ThreadId)> {
        let pair = self.answers.get(&client)?;
        Some((*pair, *self.threads.get(pair)?))
    }

    fn are_in(&mut self, thread: ThreadId, messages: &[Seen]) {
        for client in messages.iter().filter_map(|seen| seen.client) {
            self.is_in(thread, client);
        }
    }

    fn is_in(&mut self, thread: ThreadId, client: ClientId) {
        let Some(pair) = self.answers.get(&client) else {
            return;
        };
        let first = *self.threads.entry(*pair).or_insert(thread);
        if first != thread {
            let what = format!("answers of two to each other are in {first} and in {thread}");
            self.violations.push(violation(Promise::OneOrder, what));
        }
    }
}

#[cfg(test)]
mod tests {
    use samtale_protocol::{MessageId, Timestamp};

    use super::*;
    use crate::checker::check;

    const ANNE: ProfileId = ProfileId::from_bytes([1; 16]);
    const BO: ProfileId = ProfileId::from_bytes([2; 16]);
    const CARL: ProfileId = ProfileId::from_bytes([3; 16]);
    const SOURCE: ThreadId = ThreadId::from_bytes([4; 16]);
    const PAIR: ThreadId = ThreadId::from_bytes([5; 16]);
    const CLIENT: ClientId = ClientId::from_bytes([6; 16]);

    /// What is broken when Anne has answered Bo alone, and these devices did this: 0 is hers, 1 his, 2 Carl's.
    fn broken(then: Vec<(u32, Note)>) -> Vec<String> {
        let sent_at = Timestamp::saturating(1_000);
        let (source, to, client) = (SOURCE, BO, CLIENT);
        let mut notes: Vec<(u32, Note)> = [ANNE, BO, CARL]
            .map(|profile| Note::Began { profile })
            .into_iter()
            .zip(0..)
            .map(|(note, device)| (device, note))
            .collect();
        let asked = Note::AnswerAsked {
            source,
            to,
            client,
            sent_at,
        };
        notes.push((0, asked));
        notes.extend(then);
        let noted = |((device, note), moment): ((u32, Note), u64)| Noted {
            moment,
            at_ms: moment,
            device,
            note,
        };
        let notes: Vec<Noted> = notes.into_iter().zip(0..).map(noted).collect();
        check(&notes).iter().map(ToString::to_string).collect()
    }

    fn seen() -> Seen {
        Seen {
            message: MessageId::derive(PAIR, ANNE, CLIENT, Timestamp::saturating(1_000)),
            version: 1,
            client: Some(CLIENT),
            reply_to: None,
        }
    }

    fn is_told(thread: ThreadId) -> (u32, Note) {
        let (client, message) = (CLIENT, seen().message);
        let told = Note::Told {
            thread,
            client,
            message,
        };
        (0, told)
    }

    fn is_shown(device: u32, thread: ThreadId) -> (u32, Note) {
        let shown = Note::Shown {
            thread,
            seen: seen(),
            by_event: true,
        };
        (device, shown)
    }

    fn kept(device: u32, messages: Vec<Seen>) -> Vec<(u32, Note)> {
        let (thread, screen) = (PAIR, messages.clone());
        let kept = Note::Kept {
            thread,
            messages: Some(messages),
        };
        let screen = Note::Screen {
            thread,
            messages: screen,
        };
        vec![(device, kept), (device, screen)]
    }

    #[test]
    fn an_answer_is_for_the_two_and_for_nobody_else() {
        assert!(broken(vec![is_told(PAIR), is_shown(0, PAIR), is_shown(1, PAIR)]).is_empty());
        let leaked = broken(vec![is_shown(2, PAIR)]);
        assert!(
            matches!(&leaked[..], [what] if what.contains("never was")),
            "{leaked:?}"
        );
    }

    #[test]
    fn an_answer_that_is_not_in_the_thread_of_either_is_lost() {
        assert!(broken([vec![is_told(PAIR)], kept(1, vec![seen()])].concat()).is_empty());
        let lost = broken([vec![is_told(PAIR)], kept(1, Vec::new())].concat());
        assert!(matches!(&lost[..], [what] if what.contains("NothingLost")), "{lost:?}");
    }

    #[test]
    fn two_have_one_thread() {
        let two = broken(vec![is_told(PAIR), is_shown(1, SOURCE)]);
        assert!(two.iter().any(|what| what.contains("answers of two")), "{two:?}");
    }
}
