//! People: profiles, groups, relations, and who may talk with whom.

use serde::{Deserialize, Serialize};

use crate::ids::{GroupId, PersonId, ProfileId, SpaceId};
use crate::threads::Recipient;
use crate::time::Timestamp;

/// What someone is in a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A child or pupil.
    Child,
    /// A parent, foster parent or other guardian.
    Guardian,
    /// A teacher, pedagogue or other staff.
    Employee,
    /// Staff who administer the institution.
    InstitutionAdmin,
    /// Staff who administer the municipality.
    MunicipalityAdmin,
}

impl Role {
    /// The whole list.
    pub const ALL: [Self; 5] = [
        Self::Child,
        Self::Guardian,
        Self::Employee,
        Self::InstitutionAdmin,
        Self::MunicipalityAdmin,
    ];

    /// Whether this is someone who works for the institution or the municipality.
    pub const fn is_staff(self) -> bool {
        matches!(self, Self::Employee | Self::InstitutionAdmin | Self::MunicipalityAdmin)
    }
}

/// What kind of group it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GroupKind {
    /// A class, where children belong.
    Class,
    /// A team, a subject, an after-school group.
    Team,
    /// Made by staff by hand.
    Custom,
}

/// One's own profile in a space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OwnProfile {
    /// The profile.
    pub profile: ProfileId,
    /// Its space.
    pub space: SpaceId,
    /// The space's name.
    pub space_name: String,
    /// One's role there.
    pub role: Role,
    /// One's name there.
    pub name: String,
}

/// Someone as another may see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Person {
    /// Their profile in the space.
    pub profile: ProfileId,
    /// Their role.
    pub role: Role,
    /// Their name.
    pub name: String,
    /// The groups they are in, as far as the caller may see those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupId>,
    /// For a guardian: their children that the caller may see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<ProfileId>,
}

/// A group as another may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Group {
    /// The group.
    pub group: GroupId,
    /// What kind it is.
    pub kind: GroupKind,
    /// Its name, such as `3.A`.
    pub name: String,
    /// How many people are in it.
    pub members: u32,
    /// Whether the caller is in it, or their child is.
    pub mine: bool,
}

/// Why something is left out of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WithheldReason {
    /// The family's name and address are protected.
    NameProtected,
    /// The caller's role or relations do not let them see it.
    NotPermitted,
    /// It is from before the caller came. What came after they left is not counted: the number would tell of it.
    OutsideMembership,
    /// It can not be read: the keys are gone, or the row is damaged.
    Unreadable,
}

/// A count of what is left out of a list, with the reason: no list is short in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Withheld {
    /// How many.
    pub count: u32,
    /// Why.
    pub reason: WithheldReason,
}

/// Asks for the people of a space that the caller may see, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListPeople {
    /// The space.
    pub space: SpaceId,
    /// Only members of this group and, for children in it, their guardians.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
    /// Only names that contain this, whatever the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Only those after this one: the last of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ProfileId>,
    /// At most this many, 100 at the most.
    pub limit: u32,
    /// Which of one's profiles in the space acts, for who has two there; otherwise the one with most rights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_profile: Option<ProfileId>,
}

/// A page of people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PeoplePage {
    /// The people, by name in Danish order.
    pub people: Vec<Person>,
    /// Whether there are more.
    pub more: bool,
    /// Who is not shown, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<Withheld>,
}

/// Asks for the names behind profile ids, such as the authors on a screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Names {
    /// The space.
    pub space: SpaceId,
    /// The profiles, 200 at the most.
    pub profiles: Vec<ProfileId>,
}

/// The groups of a space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Groups {
    /// The groups that the caller may see, by name.
    pub groups: Vec<Group>,
    /// Which are not shown, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<Withheld>,
}

/// Asks whether one may start a thread with these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Explain {
    /// The space.
    pub space: SpaceId,
    /// To whom.
    pub to: Recipient,
    /// Which of one's profiles in the space acts, for who has two there; otherwise the one with most rights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_profile: Option<ProfileId>,
}

/// The rule that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The table of who may start a thread with whom allows it.
    TableAllows,
    /// The municipality's table does not allow it.
    MunicipalityForbids,
    /// The institution has narrowed the municipality's table.
    InstitutionForbids,
    /// The caller can not see the recipient.
    NotVisible,
    /// Only staff may write to a whole group.
    GroupsAreForStaff,
    /// The recipient has left the space.
    HasLeft,
    /// There is nobody behind the recipient.
    NobodyThere,
}

/// Whether one may start a thread, and which rule says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Explanation {
    /// Whether it is allowed.
    pub allowed: bool,
    /// Which rule decided.
    pub rule: Rule,
    /// The caller's role.
    pub from: Role,
    /// The role that decided among the recipients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Role>,
}

/// Asks for new activation codes for the people of a group that have not logged in yet, and replaces older ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IssueActivationCodes {
    /// The space.
    pub space: SpaceId,
    /// The class.
    pub group: GroupId,
}

/// A code with which one person sets a password once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActivationCode {
    /// Whose it is.
    pub profile: ProfileId,
    /// Their name.
    pub name: String,
    /// Their user name.
    pub username: String,
    /// The code, to be typed: four groups of four letters and digits.
    pub code: String,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// A login on a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Login {
    /// The login.
    pub session: crate::ids::SessionId,
    /// What the client calls itself.
    pub client: String,
    /// When it began.
    pub since: Timestamp,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// Whose socket it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The person.
    pub person: PersonId,
    /// The login.
    pub session: crate::ids::SessionId,
}
