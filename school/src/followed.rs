//! What a node keeps in memory of a space is kept current by the space's log. So it is kept only while the node follows the
//! space, and only what was read since it began to: what was read before may be old by then, and nobody would tell.

use samtale_protocol::SpaceId;

use crate::school::Memory;

/// One time of following a space: another whenever it begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Following(u64);

impl Memory {
    /// How the node follows a space at this moment, if it does.
    pub fn following(&self, space: SpaceId) -> Option<Following> {
        self.followed.get(&space).copied()
    }

    /// Whether what was read is kept: `since` is what [`Memory::following`] said before it was read.
    pub fn keeps(&self, space: SpaceId, since: Option<Following>) -> bool {
        since.is_some() && self.following(space) == since
    }

    /// The node hears of everything in the space from here on; while the log is away, as soon as it is back. Nothing is kept
    /// of it yet, since it was not followed.
    pub fn begin_following(&mut self, space: SpaceId) {
        self.times_followed += 1;
        self.followed.insert(space, Following(self.times_followed));
    }

    /// The node hears of nothing in the space from here on.
    pub fn end_following(&mut self, space: SpaceId) {
        self.followed.remove(&space);
        self.directories.remove(&space);
        self.heads.remove(&space);
        self.threads.retain(|_, state| state.space != space);
    }
}
