//! Records of a space's directory: the space itself, profiles, relations and groups.

use samtale_protocol::people::{GroupKind, Role};
use samtale_protocol::{GroupId, PersonId, ProfileId, SpaceId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::key::{Key, KeyValue};
use crate::people::records;
use crate::schema::{self, Table};
use crate::store::Record;

/// What kind of space it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpaceKind {
    /// A municipality.
    Municipality,
    /// A school, after-school centre or daycare.
    Institution,
}

/// Who may see what others have read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadReceipts {
    /// Everyone in the thread.
    Everyone,
    /// Staff in the thread.
    #[default]
    Staff,
    /// Nobody.
    Nobody,
}

/// A pair of roles of the table of who may start a thread with whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForbiddenPair {
    /// Who starts.
    pub from: Role,
    /// With whom.
    pub to: Role,
}

/// A space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpaceRecord {
    /// What kind it is.
    pub kind: SpaceKind,
    /// Its name.
    pub name: String,
    /// The municipality of an institution.
    #[serde(default)]
    pub parent: Option<SpaceId>,
    /// What the roster calls it.
    #[serde(default)]
    pub roster_id: Option<String>,
    /// Pairs that may not start a thread here. A municipality sets them for all its institutions; an institution can
    /// only add to them.
    #[serde(default)]
    pub forbidden: Vec<ForbiddenPair>,
    /// Who may see what others have read.
    #[serde(default)]
    pub read_receipts: ReadReceipts,
}

/// A person in a space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileRecord {
    /// Who it is.
    pub person: PersonId,
    /// Their role here.
    pub role: Role,
    /// Given names.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Whether other families may not see the name.
    #[serde(default)]
    pub name_protected: bool,
    /// What the roster calls them.
    #[serde(default)]
    pub roster_id: Option<String>,
    /// Since when they are no longer here.
    #[serde(default)]
    pub left_at: Option<Timestamp>,
}

/// A guardian of a child. A right, not a label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelationRecord {
    /// What they are to the child, in the family's own words: mother, father, foster parent …
    pub kind: String,
    /// Whether they hold custody.
    pub custody: bool,
    /// Whether they are contacted about the child.
    pub contact: bool,
    /// Whether they may fetch the child.
    pub pickup: bool,
    /// From when.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// Until when.
    #[serde(default)]
    pub to: Option<Timestamp>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRecord {
    /// What kind it is.
    pub kind: GroupKind,
    /// Its name.
    pub name: String,
    /// What the roster calls it.
    #[serde(default)]
    pub roster_id: Option<String>,
    /// Since when it is no more.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMemberRecord {
    /// From when.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// Until when.
    #[serde(default)]
    pub to: Option<Timestamp>,
}

/// The version of a space's directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryVersionRecord {
    /// An import has begun and not come to its end: whoever imports next goes through everything again.
    #[serde(default)]
    pub unfinished: bool,
}

/// The partition of everything in a space's directory.
pub fn space_partition(space: SpaceId) -> [KeyValue; 1] {
    [space.into()]
}

/// The key of a space, among all spaces.
pub fn space_key(space: SpaceId) -> Key {
    Key::new([SpaceId::SYSTEM.into()], [space.into()])
}

/// The key of a profile.
pub fn profile_key(space: SpaceId, profile: ProfileId) -> Key {
    Key::new([space.into()], [profile.into()])
}

/// The key of a relation.
pub fn relation_key(space: SpaceId, guardian: ProfileId, child: ProfileId) -> Key {
    Key::new([space.into()], [guardian.into(), child.into()])
}

/// The key of a group.
pub fn group_key(space: SpaceId, group: GroupId) -> Key {
    Key::new([space.into()], [group.into()])
}

/// The key of a member of a group.
pub fn group_member_key(space: SpaceId, group: GroupId, profile: ProfileId) -> Key {
    Key::new([space.into()], [group.into(), profile.into()])
}

/// The key of the directory's version.
pub fn directory_version_key(space: SpaceId) -> Key {
    Key::new([space.into()], [])
}

records! {
    SpaceRecord in SPACES;
    ProfileRecord in PROFILES;
    RelationRecord in RELATIONS;
    GroupRecord in GROUPS;
    GroupMemberRecord in GROUP_MEMBERS;
    DirectoryVersionRecord in DIRECTORY_VERSIONS;
}
