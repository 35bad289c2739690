//! What happens in the session's spaces.

use samtale_protocol::SpaceId;

use super::{Progress, Session};

impl Session {
    /// Whether an event of `space` goes to this session now: not while it catches up, because it then reads it from
    /// the log.
    pub fn on_delivery(&mut self, space: SpaceId) -> bool {
        let live = self.is_live(space);
        self.moved |= live;
        live
    }

    /// Whether the session gets what happens in `space` as it happens.
    pub fn is_live(&self, space: SpaceId) -> bool {
        self.spaces
            .iter()
            .any(|own| own.space == space && own.progress == Progress::Live)
    }

    /// The session has caught up in `space`. Returns whether it now has in all of them.
    pub fn on_caught_up(&mut self, space: SpaceId) -> bool {
        self.moved = true;
        for own in &mut self.spaces {
            if own.space == space {
                own.progress = Progress::Live;
            }
        }
        self.spaces.iter().all(|own| own.progress == Progress::Live)
    }
}
