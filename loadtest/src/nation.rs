//! A nation from a seed: municipalities, institutions, classes, families and staff. One municipality at a time is in
//! memory; the same seed makes the same nation, to the last name.

mod draw;
mod figures;
mod municipality;
mod names;
mod written;

use std::iter;

pub use draw::Draw;

use samtale_protocol::people::Role;
use samtale_protocol::{GroupId, PersonId, ProfileId, SpaceId};
use serde::{Deserialize, Serialize};

pub use figures::{INSTITUTIONS, MUNICIPALITIES, PEOPLE};
pub use written::{Written, write};

/// A nation that was not drawn yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nation {
    /// About how many people, children included.
    pub people: usize,
    /// What everything is drawn from.
    pub seed: u64,
}

/// What kind an institution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InstitutionKind {
    /// A school with its after-school care.
    School,
    /// A daycare.
    Daycare,
}

/// An institution with everyone in it, as a line of the file that `samtale populate --nation` reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Institution {
    /// Its space.
    pub space: SpaceId,
    /// What kind it is.
    pub kind: InstitutionKind,
    /// Its name.
    pub name: String,
    /// Its municipality.
    pub municipality: Municipality,
    /// Its classes or rooms.
    pub groups: Vec<Group>,
    /// Its people: children, their guardians, staff.
    pub people: Vec<Member>,
}

/// What stands above institutions, and sets the table of who may write to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Municipality {
    /// Its space.
    pub space: SpaceId,
    /// Its name.
    pub name: String,
}

/// A class, or a room of a daycare.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Its id.
    pub group: GroupId,
    /// Its name.
    pub name: String,
}

/// Someone in an institution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Who: the same in every institution that they are in.
    pub person: PersonId,
    /// Their profile here.
    pub profile: ProfileId,
    /// What they are here.
    pub role: Role,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Their user name, in the first of their institutions only: there the account is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The groups that they belong to, by place.
    pub groups: Vec<usize>,
    /// The children here whose guardian they are, by place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub guardian_of: Vec<usize>,
    /// Whether they use the platform themselves: small children do not.
    pub uses_it: bool,
    /// Whether a login is made for them: they get a real socket.
    pub logs_in: bool,
}

impl Nation {
    /// How many municipalities it has: a small nation is a part of a large one, not all of it in small.
    pub fn municipalities(&self) -> usize {
        (self.people * MUNICIPALITIES / PEOPLE).max(1)
    }

    /// About how many institutions it has.
    pub fn institutions(&self) -> usize {
        (self.people * INSTITUTIONS / PEOPLE).max(1)
    }

    /// All institutions, municipality by municipality.
    pub fn draw(self) -> impl Iterator<Item = Institution> {
        let shares = self.shares();
        let all: f64 = shares.iter().sum();
        shares.into_iter().enumerate().flat_map(move |(number, share)| {
            municipality::draw(municipality::Order {
                seed: self.seed,
                number,
                share: share / all,
                nation: self,
            })
        })
    }

    /// How large municipalities are: one is much larger than all others, as it is.
    fn shares(&self) -> Vec<f64> {
        let mut draw = Draw::new(self.seed, u64::MAX);
        let mut shares: Vec<f64> = iter::repeat_with(|| (draw.normal() * figures::MUNICIPALITY_SPREAD).exp())
            .take(self.municipalities())
            .collect();
        shares.sort_by(|a, b| b.total_cmp(a));
        if shares.len() > 10
            && let Some(capital) = shares.first_mut()
        {
            *capital *= 1.5;
        }
        shares
    }
}

#[cfg(test)]
mod tests;
