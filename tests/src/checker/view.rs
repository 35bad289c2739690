//! The notes of a run, found by what they are about.

use std::collections::{BTreeMap, BTreeSet};

use samtale_protocol::{ClientId, MessageId, ProfileId, ThreadId};

use crate::checker::pairs::Pairs;
use crate::checker::{Note, Noted, Seen};

/// A send, over all its retries.
#[derive(Clone, Debug)]
pub struct Send {
    /// The thread.
    pub thread: ThreadId,
    /// Which device sent it.
    pub device: u32,
    /// When it was first asked: moment and milliseconds.
    pub asked: (u64, u64),
    /// When it was first told, and the message's id.
    pub told: Option<(u64, MessageId)>,
    /// What it answers.
    pub reply_to: Option<MessageId>,
}

/// A change of a membership that was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// Whether they were added; otherwise they were taken out.
    pub is_addition: bool,
    /// Whether they were added from the beginning.
    pub from_the_beginning: bool,
    /// Whether they came or went with a group: then it need not be so, if others had said otherwise by hand.
    pub with_group: bool,
    /// By which device.
    pub device: u32,
    /// With which answer to a sender alone, if that let them in.
    pub answer: Option<ClientId>,
    /// When it was asked: moment and milliseconds.
    pub asked: (u64, u64),
    /// When that device was told that it is done; `None` when it never was: then it may happen at any later time.
    pub told: Option<(u64, u64)>,
}

/// The notes, found by what they are about.
pub struct View<'a> {
    /// All notes.
    pub notes: &'a [Noted],
    /// Whose a device is.
    pub profiles: BTreeMap<u32, ProfileId>,
    /// Who answered whom alone.
    pub pairs: Pairs,
    /// The members that threads had before the run, or when they were opened.
    pub given: BTreeMap<ThreadId, BTreeSet<ProfileId>>,
    /// What happened to memberships since, in order.
    pub turns: BTreeMap<(ThreadId, ProfileId), Vec<Turn>>,
    /// When a device first knew that someone is out of a thread.
    pub known_removals: BTreeMap<(u32, ThreadId, ProfileId), u64>,
    /// The sends.
    pub sends: BTreeMap<ClientId, Send>,
    /// What the server gives in the end, by device and thread.
    pub kept: BTreeMap<(u32, ThreadId), Option<&'a [Seen]>>,
    /// What is on the screens in the end, by device and thread.
    pub screens: BTreeMap<(u32, ThreadId), &'a [Seen]>,
}

impl<'a> View<'a> {
    /// Reads notes, and from earlier ones who was in which thread and who sent what.
    pub fn after(earlier: &'a [Noted], notes: &'a [Noted]) -> Self {
        let mut view = Self {
            notes,
            profiles: BTreeMap::new(),
            pairs: Pairs::of(earlier.iter().chain(notes)),
            given: BTreeMap::new(),
            turns: BTreeMap::new(),
            known_removals: BTreeMap::new(),
            sends: BTreeMap::new(),
            kept: BTreeMap::new(),
            screens: BTreeMap::new(),
        };
        for noted in earlier {
            view.read(noted);
        }
        // Those were looked at when they were written.
        view.kept.clear();
        view.screens.clear();
        for noted in notes {
            view.read(noted);
        }
        view
    }

    fn read(&mut self, noted: &'a Noted) {
        let Noted {
            moment,
            at_ms,
            device,
            note,
        } = noted;
        match note {
            Note::Began { profile } => {
                self.profiles.insert(*device, *profile);
            }
            Note::Given { thread, members } => {
                self.given.entry(*thread).or_default().extend(members);
            }
            Note::Asked {
                thread,
                client,
                reply_to,
                ..
            } => {
                self.sent(noted, *client, *thread, *reply_to);
            }
            Note::AnswerAsked { client, .. } => self.answered(noted, *client),
            Note::Told { client, message, .. } => {
                if let Some(send) = self.sends.get_mut(client) {
                    send.told.get_or_insert((*at_ms, *message));
                }
                if let Some((pair, thread)) = self.pairs.of_answer(*client) {
                    for profile in pair.two {
                        self.told(noted, (thread, profile), true, Some(*client));
                    }
                }
            }
            Note::AddAsked {
                thread,
                profile,
                from_the_beginning,
            } => {
                self.asked(noted, (*thread, *profile), Some(*from_the_beginning));
            }
            Note::RemoveAsked { thread, profile } => {
                self.asked(noted, (*thread, *profile), None);
            }
            Note::FollowAsked { thread, profile, comes } => {
                self.asked(noted, (*thread, *profile), comes.then_some(false))
                    .with_group = true;
            }
            Note::FollowTold { thread, profile, comes } => self.told(noted, (*thread, *profile), *comes, None),
            Note::AddTold { thread, profile } => self.told(noted, (*thread, *profile), true, None),
            Note::RemoveTold { thread, profile } => {
                self.told(noted, (*thread, *profile), false, None);
                self.known_removals
                    .entry((*device, *thread, *profile))
                    .or_insert(*moment);
            }
            Note::Kept { thread, messages } => {
                self.kept.insert((*device, *thread), messages.as_deref());
            }
            Note::Screen { thread, messages } => {
                self.screens.insert((*device, *thread), messages);
            }
            Note::Refused { .. }
            | Note::ChangeAsked { .. }
            | Note::ChangeTold { .. }
            | Note::Shown { .. }
            | Note::Resync { .. }
            | Note::Resumed { .. }
            | Note::Stuck { .. } => {}
        }
    }

    fn sent(&mut self, noted: &Noted, client: ClientId, thread: ThreadId, reply_to: Option<MessageId>) {
        self.sends.entry(client).or_insert(Send {
            thread,
            device: noted.device,
            asked: (noted.moment, noted.at_ms),
            told: None,
            reply_to,
        });
    }

    /// An answer to a sender alone opens the thread of the two, or lets in again who had left it.
    fn answered(&mut self, noted: &Noted, client: ClientId) {
        let Some((pair, thread)) = self.pairs.of_answer(client) else {
            return;
        };
        self.sent(noted, client, thread, None);
        self.given.entry(thread).or_default().extend(pair.two);
        for profile in pair.two {
            self.asked(noted, (thread, profile), Some(true)).answer = Some(client);
        }
    }

    fn asked(&mut self, noted: &Noted, whose: (ThreadId, ProfileId), added: Option<bool>) -> &mut Turn {
        let turns = self.turns.entry(whose).or_default();
        turns.push_mut(Turn {
            is_addition: added.is_some(),
            from_the_beginning: added.unwrap_or_default(),
            with_group: false,
            device: noted.device,
            answer: None,
            asked: (noted.moment, noted.at_ms),
            told: None,
        })
    }

    fn told(&mut self, noted: &Noted, whose: (ThreadId, ProfileId), is_addition: bool, answer: Option<ClientId>) {
        let turns = self.turns.get_mut(&whose).into_iter().flatten();
        let is_it =
            |turn: &&mut Turn| (turn.device, turn.is_addition, turn.answer) == (noted.device, is_addition, answer);
        for turn in turns.filter(is_it) {
            turn.told.get_or_insert((noted.moment, noted.at_ms));
        }
    }

    /// Whether a profile was a member of a thread from the beginning.
    pub fn is_given(&self, thread: ThreadId, profile: ProfileId) -> bool {
        self.given
            .get(&thread)
            .is_some_and(|members| members.contains(&profile))
    }

    /// What happened to a membership since.
    pub fn turns(&self, thread: ThreadId, profile: ProfileId) -> &[Turn] {
        self.turns.get(&(thread, profile)).map_or(&[], Vec::as_slice)
    }

    /// Whether a profile was in a thread all the time.
    pub fn is_constant(&self, thread: ThreadId, profile: ProfileId) -> bool {
        self.is_given(thread, profile) && !self.turns(thread, profile).iter().any(|turn| !turn.is_addition)
    }
}
