//! The shapes families have: who is in one, what they are to the children, and what they may.

use jiff::ToSpan;
use jiff::civil::Date;

use super::chance::Chance;
use super::making::Right;
use crate::roster::{Kinship, Role};

/// The shape of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FamilyShape {
    /// Mother and father.
    Together,
    /// Mother and father in two homes, both with custody.
    TwoHomes,
    /// Mother and father in two homes; one has custody, the other may only be in contact.
    OneCustodyHolder,
    /// One parent.
    OneParent,
    /// One parent and a grandmother who may fetch the children.
    WithGrandmother,
    /// Parents in two homes, and the partner of one.
    WithStepParent,
    /// Two mothers.
    TwoMothers,
    /// Foster parents, and a mother who keeps custody.
    Foster,
    /// The same, after another foster home that has ended.
    SecondFosterHome,
    /// A mother and children whose names nobody else may see.
    NameProtected,
    /// One of the parents works at the school.
    ParentIsEmployee,
}

impl FamilyShape {
    /// All shapes: every demo has at least one family of each.
    pub const ALL: [Self; 11] = [
        Self::Together,
        Self::TwoHomes,
        Self::OneCustodyHolder,
        Self::OneParent,
        Self::WithGrandmother,
        Self::WithStepParent,
        Self::TwoMothers,
        Self::Foster,
        Self::SecondFosterHome,
        Self::NameProtected,
        Self::ParentIsEmployee,
    ];
}

/// How often the shapes come that come by chance.
pub(super) const BY_CHANCE: &[(usize, FamilyShape)] = &[
    (61, FamilyShape::Together),
    (20, FamilyShape::TwoHomes),
    (6, FamilyShape::OneCustodyHolder),
    (5, FamilyShape::OneParent),
    (2, FamilyShape::WithGrandmother),
    (5, FamilyShape::WithStepParent),
    (1, FamilyShape::TwoMothers),
];

/// Someone of a family who is not a child of it.
pub(super) struct Member {
    /// A woman.
    pub(super) woman: bool,
    /// Has the last name the children have.
    pub(super) shares_name: bool,
    /// Works at the school, so is here already.
    pub(super) employee: bool,
    /// A generation older than parents.
    pub(super) grandparent: bool,
    /// What they are in the roster.
    pub(super) role: Role,
    /// What they may.
    pub(super) right: Right,
}

/// Who is in a family.
pub(super) fn members(shape: FamilyShape, today: Date, chance: &mut Chance) -> Vec<Member> {
    let one_name = chance.percent(55);
    let mother = parent(true, Kinship::Mother);
    let father = parent(false, Kinship::Father);
    match shape {
        FamilyShape::Together => vec![mother.named(one_name), father],
        FamilyShape::TwoHomes => vec![mother, father.named(false)],
        FamilyShape::OneCustodyHolder => vec![mother, father.named(false).without_custody(chance.percent(70))],
        FamilyShape::OneParent if chance.percent(20) => vec![father],
        FamilyShape::OneParent | FamilyShape::NameProtected => vec![mother],
        FamilyShape::WithGrandmother => vec![mother, grandmother()],
        FamilyShape::WithStepParent => vec![mother, father.named(false), step_father()],
        FamilyShape::TwoMothers => vec![mother, parent(true, Kinship::Mother).named(one_name)],
        FamilyShape::Foster => foster_home(today),
        FamilyShape::SecondFosterHome => {
            let mut members = foster_home(today);
            members.push(former_foster_mother(today));
            members
        }
        FamilyShape::ParentIsEmployee => vec![
            Member {
                employee: true,
                ..mother
            },
            father.named(false),
        ],
    }
}

impl Member {
    fn named(self, shares_name: bool) -> Self {
        Self { shares_name, ..self }
    }

    /// A parent who lives elsewhere and does not fetch the children.
    fn without_custody(self, contact: bool) -> Self {
        let right = Right {
            custody: false,
            contact,
            pickup: false,
            ..self.right
        };
        Self { right, ..self }
    }
}

fn parent(woman: bool, kinship: Kinship) -> Member {
    let right = Right {
        kinship,
        custody: true,
        contact: true,
        pickup: true,
        begin_date: None,
        end_date: None,
    };
    Member {
        woman,
        shares_name: true,
        employee: false,
        grandparent: false,
        role: Role::Parent,
        right,
    }
}

fn grandmother() -> Member {
    let mother = parent(true, Kinship::Relative);
    let right = Right {
        custody: false,
        contact: false,
        ..mother.right
    };
    Member {
        shares_name: false,
        grandparent: true,
        role: Role::Relative,
        right,
        ..mother
    }
}

fn step_father() -> Member {
    let father = parent(false, Kinship::Step);
    let right = Right {
        custody: false,
        ..father.right
    };
    Member {
        shares_name: false,
        role: Role::Relative,
        right,
        ..father
    }
}

/// In Denmark foster parents look after a child without custody, which stays with the parents.
fn foster_home(today: Date) -> Vec<Member> {
    let since = today.saturating_sub(400.days());
    let foster = |woman| {
        let parent = parent(woman, Kinship::Foster);
        let right = Right {
            custody: false,
            begin_date: Some(since),
            ..parent.right
        };
        Member {
            shares_name: false,
            role: Role::Guardian,
            right,
            ..parent
        }
    };
    let mother = parent(true, Kinship::Mother);
    let right = Right {
        pickup: false,
        ..mother.right
    };
    vec![Member { right, ..mother }, foster(true), foster(false)]
}

fn former_foster_mother(today: Date) -> Member {
    let parent = parent(true, Kinship::Foster);
    let right = Right {
        custody: false,
        begin_date: Some(today.saturating_sub(1_500.days())),
        end_date: Some(today.saturating_sub(401.days())),
        ..parent.right
    };
    Member {
        shares_name: false,
        role: Role::Guardian,
        right,
        ..parent
    }
}
