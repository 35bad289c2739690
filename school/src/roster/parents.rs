//! Records that stand above one another: organisations, sessions. A parent may be written below its child, so this comes when all
//! rows are read.

use std::collections::HashMap;

use super::index::Index;
use super::limits::MAX_ORGANISATION_DEPTH;
use super::problem::{Place, Problems, shown};

/// The column that names the parent.
pub(super) const COLUMN: &str = "parentSourcedId";

/// That one record says another is its parent.
pub(super) struct Claim {
    /// The record, by its position.
    pub(super) child: usize,
    /// The id of its parent.
    pub(super) parent: String,
    /// Where it says so.
    pub(super) place: Place,
}

/// The claims that lead somewhere and not round in a ring: position and parent's id.
pub(super) fn resolve(claims: Vec<Claim>, index: &Index, problems: &mut Problems) -> Vec<(usize, String)> {
    let mut above: HashMap<usize, usize> = HashMap::new();
    let mut resolved = Vec::new();
    for Claim { child, parent, place } in claims {
        let otherwise = "taken as having no parent";
        let Some((position, id)) = index.follow(&parent, &place, COLUMN, otherwise, problems) else {
            continue;
        };
        if leads_back(child, position, &above) {
            let message = format!(
                "{} {} is below its own child, or too deep; {otherwise}",
                index.what,
                shown(&id)
            );
            problems.error(&place, Some(COLUMN), message);
            continue;
        }
        above.insert(child, position);
        resolved.push((child, id));
    }
    resolved
}

/// Whether going up from a parent comes back to the child, or does not end.
fn leads_back(child: usize, parent: usize, above: &HashMap<usize, usize>) -> bool {
    let mut current = parent;
    for _ in 0..MAX_ORGANISATION_DEPTH {
        if current == child {
            return true;
        }
        match above.get(&current) {
            Some(next) => current = *next,
            None => return false,
        }
    }
    true
}
