//! Who may start a thread with whom: a table of roles, set by the municipality, which an institution may only narrow.

use samtale_protocol::people::{Role, Rule};
use samtale_storage::directory::{ForbiddenPair, SpaceRecord};

/// What a municipality forbids until it decides otherwise: children do not start threads with each other or with other
/// families' guardians, nor guardians with children.
pub const DEFAULT_FORBIDDEN: [ForbiddenPair; 3] = [
    ForbiddenPair {
        from: Role::Child,
        to: Role::Child,
    },
    ForbiddenPair {
        from: Role::Child,
        to: Role::Guardian,
    },
    ForbiddenPair {
        from: Role::Guardian,
        to: Role::Child,
    },
];

/// Which rule decides whether `from` may start a thread with `to`. Both kinds of administrators are one row.
pub fn decide(from: Role, to: Role, municipality: Option<&SpaceRecord>, institution: &SpaceRecord) -> Rule {
    if municipality.is_some_and(|space| forbids(space, from, to)) {
        Rule::MunicipalityForbids
    } else if forbids(institution, from, to) {
        Rule::InstitutionForbids
    } else {
        Rule::TableAllows
    }
}

fn forbids(space: &SpaceRecord, from: Role, to: Role) -> bool {
    space
        .forbidden
        .iter()
        .any(|pair| row(pair.from) == row(from) && row(pair.to) == row(to))
}

fn row(role: Role) -> Role {
    if role == Role::MunicipalityAdmin {
        Role::InstitutionAdmin
    } else {
        role
    }
}
