//! A demo school, made from a seed: Kløvermoseskolen in Lærkedal, neither of which exists. About 600 people in classes 0.A to 9.B, an
//! after-school club, families of every shape, and some living conversations.
//!
//! The school is a [`Roster`]; [`files`] writes it as OneRoster 1.2 files, so that it comes in through the same import as any other
//! school. The same seed and day always make the same school; the day matters for ages, terms and the dates of foster homes.
//!
//! Three people are the same in every demo ([`cast`]): Anne Holm, who is the class teacher of 3.A, Freja Lindgaard, who is in 3.A,
//! and her mother Mette.

mod buildings;
mod chance;
mod conversations;
mod enrolling;
mod families;
mod family_shapes;
mod making;
mod names;
mod numbering;
mod school_year;
mod staff;
mod usernames;

#[cfg(test)]
mod tests;

use jiff::civil::Date;

pub use conversations::{Conversation, Message, Recipient, conversations};
pub use families::Family;
pub use family_shapes::FamilyShape;

use crate::roster::{self, Roster, RosterFiles};
use making::Making;

/// A demo school.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demo {
    /// Who is there.
    pub roster: Roster,
    /// The families; that of the cast comes first.
    pub families: Vec<Family>,
    seed: u64,
    staff: Offices,
}

/// The staff that conversations are written for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Offices {
    head: String,
    secretary: String,
}

/// The people to log in as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cast {
    /// The class teacher of 3.A.
    pub teacher: Login,
    /// The mother of a child in 3.A.
    pub guardian: Login,
    /// Her child.
    pub child: Login,
}

/// Someone to log in as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The roster's id.
    pub sourced_id: String,
    /// What they log in as.
    pub username: String,
    /// What they are called.
    pub name: String,
}

/// Makes the demo school of a seed, as it is on a day.
pub fn generate(seed: u64, today: Date) -> Demo {
    let mut making = Making::new(seed, today);
    buildings::build(&mut making);
    let staff = staff::hire(&mut making);
    let settled = families::settle(&mut making, &staff);
    enrolling::enroll(&mut making, &staff, &settled.pupils);
    numbering::number(&mut making.roster);
    let offices = Offices {
        head: staff.head,
        secretary: staff.secretary,
    };
    Demo {
        roster: making.roster,
        families: settled.families,
        seed,
        staff: offices,
    }
}

/// The school as OneRoster 1.2 files.
pub fn files(demo: &Demo) -> RosterFiles {
    roster::write(&demo.roster)
}

/// The people to log in as: the same in every demo.
pub fn cast(demo: &Demo) -> Cast {
    let login = |username: &str| {
        let mut people = demo.roster.people.iter();
        let found = people.find(|person| person.username.as_deref() == Some(username));
        Login {
            sourced_id: found.map(|person| person.sourced_id.clone()).unwrap_or_default(),
            username: username.to_owned(),
            name: found
                .map(|person| format!("{} {}", person.given_name, person.family_name))
                .unwrap_or_default(),
        }
    };
    Cast {
        teacher: login("anne.holm"),
        guardian: login("mette.lindgaard"),
        child: login("freja.lindgaard"),
    }
}
