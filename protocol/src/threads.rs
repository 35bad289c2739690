//! Threads: conversations, their members, and a person's list of them.

use serde::{Deserialize, Serialize};

use crate::ids::{ClientId, GroupId, MessageId, ProfileId, SpaceId, ThreadId};
use crate::messages::{MessageReference, Part, ReadMarker};
use crate::people::{Role, Withheld};
use crate::time::Timestamp;

/// Whom a thread goes to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Recipient {
    /// One profile.
    Profile {
        /// Whose.
        profile: ProfileId,
    },
    /// Everyone in a group, also those who join later, from the day they join.
    Group {
        /// The group.
        group: GroupId,
    },
    /// Those of a group with one role.
    GroupRole {
        /// The group.
        group: GroupId,
        /// The role.
        role: Role,
    },
    /// The guardians, with a right to contact, of the children in a group.
    Guardians {
        /// The group.
        group: GroupId,
    },
}

/// A thread as it is now. State, never a delta: a higher `version` replaces a lower one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Thread {
    /// Its home space.
    pub space: SpaceId,
    /// The thread.
    pub thread: ThreadId,
    /// Rises with each change of the thread itself.
    pub version: u64,
    /// Rises with each change of its members.
    pub membership_version: u64,
    /// What it is about.
    pub subject: String,
    /// Who started it.
    pub starter: ProfileId,
    /// When it was started.
    pub started_at: Timestamp,
    /// The children it regards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regarding: Vec<ProfileId>,
    /// The message it grew out of, when it began as a reply to a sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linked_to: Option<MessageReference>,
}

/// Starts a thread with its first message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StartThread {
    /// The home space; the caller has a profile there.
    pub space: SpaceId,
    /// The client's own id: of the thread, and of its first message. The same on every retry.
    pub client_id: ClientId,
    /// As in `send_message`.
    pub sent_at: Timestamp,
    /// To whom.
    pub to: Vec<Recipient>,
    /// What it is about.
    pub subject: String,
    /// The children it regards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regarding: Vec<ProfileId>,
    /// The first message.
    pub parts: Vec<Part>,
    /// Which of one's profiles in the space acts, for who has two there; otherwise the one with most rights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_profile: Option<ProfileId>,
}

/// Asks for a page of the caller's threads, latest activity first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Inbox {
    /// Only threads of this space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space: Option<SpaceId>,
    /// Only threads with activity before that of the last entry of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<MessageId>,
    /// Only threads whose subject contains this, or the name of someone who started it, wrote in it lately or whom it
    /// regards; whatever the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// At most this many, 100 at the most.
    pub limit: u32,
}

/// A thread in a person's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InboxEntry {
    /// The thread.
    pub thread: Thread,
    /// The caller's profile in it.
    pub profile: ProfileId,
    /// Its newest message that the caller may see.
    pub last_message: MessageId,
    /// Who wrote that.
    pub last_author: ProfileId,
    /// The beginning of what it says.
    pub preview: String,
    /// How many messages of others the caller has not read; 50 means 50 or more.
    pub unread: u32,
    /// What the caller has read.
    pub read: ReadMarker,
    /// Whether the caller wants no notice of new messages.
    #[serde(default)]
    pub muted: bool,
    /// Whether the caller has put a mark on it.
    #[serde(default)]
    pub marked: bool,
    /// When the caller left; they read it up to then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Timestamp>,
}

/// A page of a person's threads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InboxPage {
    /// The threads, latest activity first.
    pub entries: Vec<InboxEntry>,
    /// Whether there are more.
    pub more: bool,
    /// What is not shown, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<Withheld>,
}

/// Names a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThreadReference {
    /// The thread.
    pub thread: ThreadId,
}

/// A member of a thread, as the caller may see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Member {
    /// Who.
    pub profile: ProfileId,
    /// Their role in the space.
    pub role: Role,
    /// Their name.
    pub name: String,
    /// Since when.
    pub joined_at: Timestamp,
    /// Until when, if they have left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Timestamp>,
    /// What they have read, where the policy shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<ReadMarker>,
}

/// A thread with its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThreadDetails {
    /// The thread.
    pub thread: Thread,
    /// A page of its members.
    pub members: Vec<Member>,
    /// Whether there are more members after the last.
    pub more: bool,
    /// How many families a reply to all reaches.
    pub families: u32,
    /// Whether the caller may write here now.
    pub may_write: bool,
    /// Who is not shown, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<Withheld>,
}

/// Asks for a thread and a page of its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OpenThread {
    /// The thread.
    pub thread: ThreadId,
    /// Only members after this one: the last of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ProfileId>,
}

/// Adds people to a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AddMembers {
    /// The thread.
    pub thread: ThreadId,
    /// Whom.
    pub to: Vec<Recipient>,
    /// Whether they may read it from the beginning; otherwise from now on.
    #[serde(default)]
    pub from_the_beginning: bool,
}

/// Takes people out of a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RemoveMembers {
    /// The thread.
    pub thread: ThreadId,
    /// Whom.
    pub profiles: Vec<ProfileId>,
}

/// What a change of members led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MembershipChanged {
    /// The thread.
    pub thread: ThreadId,
    /// The version of its membership now.
    pub membership_version: u64,
}

/// Gives a thread another subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RenameThread {
    /// The thread.
    pub thread: ThreadId,
    /// What it is about.
    pub subject: String,
}

/// One's own settings for a thread. What is left out stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SetThreadSettings {
    /// The thread.
    pub thread: ThreadId,
    /// No notice of new messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted: Option<bool>,
    /// A mark on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marked: Option<bool>,
}

/// One's own settings for a thread, as they are now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThreadSettings {
    /// The thread.
    pub thread: ThreadId,
    /// Rises with each change.
    pub version: u64,
    /// No notice of new messages.
    pub muted: bool,
    /// A mark on it.
    pub marked: bool,
}

/// Keeps an unfinished message on the server, so that it follows the person between devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SaveDraft {
    /// The thread.
    pub thread: ThreadId,
    /// The text; empty deletes the draft.
    pub text: String,
}

/// An unfinished message as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Draft {
    /// The thread.
    pub thread: ThreadId,
    /// Rises with each change.
    pub version: u64,
    /// The text; empty means there is none any more.
    pub text: String,
}
