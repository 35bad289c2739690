//! What they write to each other: a handful of conversations, so that a new demo looks lived in. They are data; whoever starts the demo
//! sends them through the server as the people who wrote them.

mod class_3a;
mod everyday;
mod room;
mod whole_school;

use super::Demo;
use super::chance::Chance;
use room::Rooms;

use crate::roster::Person;

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Who starts it, by the roster's id; the first message is theirs.
    pub starter: String,
    /// Whom they start it with.
    pub recipients: Vec<Recipient>,
    /// What it is about.
    pub subject: String,
    /// Which children it is about.
    pub regarding: Vec<String>,
    /// What is written, oldest first.
    pub messages: Vec<Message>,
}

/// Whom a conversation is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// A person, by the roster's id.
    Person(String),
    /// The guardians of a class's or team's children.
    GuardiansOf(String),
    /// Everyone in a class or team.
    Class(String),
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who writes it, by the roster's id.
    pub author: String,
    /// What they write.
    pub text: String,
    /// How long ago.
    pub minutes_ago: u32,
}

const HOUR: u32 = 60;
const DAY: u32 = 24 * HOUR;

/// The conversations of a demo school: the same for the same school. Everyone who writes is among those it was started with.
pub fn conversations(demo: &Demo) -> Vec<Conversation> {
    let mut rooms = Rooms::new(demo, Chance::new(demo.seed, 4));
    let written = [
        class_3a::forest_trip(&mut rooms),
        class_3a::lice(&mut rooms),
        class_3a::ill_today(&mut rooms),
        class_3a::birthday(&mut rooms),
        class_3a::parents_evening(&mut rooms),
        class_3a::reading_week(&mut rooms),
        class_3a::blue_hat(&mut rooms),
        class_3a::substitute(&mut rooms),
        everyday::forgotten_lunch(&mut rooms),
        everyday::changing_homes(&mut rooms),
        everyday::foster_home(&mut rooms),
        everyday::trouble_in_the_break(&mut rooms),
        everyday::photo_consent(&mut rooms),
        whole_school::holiday_club(&mut rooms),
        whole_school::traffic(&mut rooms),
        whole_school::project_week(&mut rooms),
        whole_school::concert(&mut rooms),
        whole_school::work_experience(&mut rooms),
        whole_school::german_words(&mut rooms),
    ];
    written.into_iter().flatten().collect()
}

impl Conversation {
    fn start(starter: &Person, recipients: Vec<Recipient>, subject: &str) -> Self {
        Self {
            starter: starter.sourced_id.clone(),
            recipients,
            subject: subject.to_owned(),
            regarding: Vec::new(),
            messages: Vec::new(),
        }
    }

    fn about(mut self, child: &Person) -> Self {
        self.regarding.push(child.sourced_id.clone());
        self
    }

    fn says(mut self, author: &Person, minutes_ago: u32, text: impl Into<String>) -> Self {
        self.messages.push(Message {
            author: author.sourced_id.clone(),
            text: text.into(),
            minutes_ago,
        });
        self
    }
}
