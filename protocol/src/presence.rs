//! Online presence and typing: published, never stored, with no history of who was online.

use serde::{Deserialize, Serialize};

use crate::ids::{ProfileId, SpaceId};

/// Says whom the screen shows. Replaces what was watched before; an empty list ends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WatchPresence {
    /// The space.
    pub space: SpaceId,
    /// The profiles on the screen, 200 at the most.
    pub profiles: Vec<ProfileId>,
}

/// Who of the watched is online now. Those who hide are never among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Online {
    /// The space.
    pub space: SpaceId,
    /// The profiles that are online.
    pub profiles: Vec<ProfileId>,
}

/// Whether others may see that one is online.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SetPresenceVisibility {
    /// Seen by nobody.
    pub hidden: bool,
}
