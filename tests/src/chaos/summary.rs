//! The counts of a run, from what clients wrote down and nothing else.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::checker::{Note, Noted, Promise, Violation};

/// What came of a run, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Messages that somebody sent, each once.
    pub sent: usize,
    /// Those that the server said it has.
    pub acknowledged: usize,
    /// Messages that came to screens by themselves, over all screens.
    pub delivered: usize,
    /// Resumes of a space that were answered completely.
    pub replayed: usize,
    /// Resumes of a space that ended in loading anew.
    pub resynced: usize,
    /// Broken: acknowledged and missing, silently left out, or never answered.
    pub lost: usize,
    /// Broken: one send that is two messages.
    pub duplicated: usize,
    /// Broken: not in order, or not in the same.
    pub reordered: usize,
    /// Broken: shown to somebody whom it is not for.
    pub leaked: usize,
}

impl Summary {
    /// Counts.
    pub fn of(notes: &[Noted], violations: &[Violation]) -> Self {
        let count = |of: fn(&Note) -> bool| notes.iter().filter(|noted| of(&noted.note)).count();
        let named = |of: fn(&Note) -> Option<samtale_protocol::ClientId>| {
            let ids: BTreeSet<_> = notes.iter().filter_map(|noted| of(&noted.note)).collect();
            ids.len()
        };
        let broken = |promises: &[Promise]| {
            let counted = violations
                .iter()
                .filter(|violation| promises.contains(&violation.promise));
            counted.count()
        };
        Self {
            sent: named(|note| match note {
                Note::Asked { client, .. } => Some(*client),
                _ => None,
            }),
            acknowledged: named(|note| match note {
                Note::Told { client, .. } => Some(*client),
                _ => None,
            }),
            delivered: count(|note| matches!(note, Note::Shown { by_event: true, .. })),
            replayed: count(|note| matches!(note, Note::Resumed { .. })),
            resynced: count(|note| matches!(note, Note::Resync { .. })),
            lost: broken(&[Promise::NothingLost, Promise::CompleteOrSaidSo, Promise::Answered]),
            duplicated: broken(&[Promise::NothingTwice]),
            reordered: broken(&[Promise::OneOrder]),
            leaked: broken(&[Promise::OnlyItsAudience]),
        }
    }

    /// Whether no promise was broken.
    pub fn is_clean(&self) -> bool {
        self.lost + self.duplicated + self.reordered + self.leaked == 0
    }

    /// The same as one line of JSON.
    pub fn json(&self) -> Value {
        json!({
            "sent": self.sent,
            "acknowledged": self.acknowledged,
            "delivered": self.delivered,
            "replayed": self.replayed,
            "resynced": self.resynced,
            "lost": self.lost,
            "duplicated": self.duplicated,
            "reordered": self.reordered,
            "leaked": self.leaked,
        })
    }
}
