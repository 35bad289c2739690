//! Records of threads: the thread, its members and messages, and what each person keeps of it.

use samtale_protocol::messages::{MessageReference, Part, ReadMarker};
use samtale_protocol::threads::{Recipient, Thread};
use samtale_protocol::{ClientId, GroupId, MessageId, ProfileId, SpaceId, ThreadId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::key::{Key, KeyValue};
use crate::people::records;
use crate::schema::{self, Table};
use crate::store::Record;

/// A thread. Its row's version is the thread's version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadRecord {
    /// What it is about.
    pub subject: String,
    /// Who started it.
    pub starter: ProfileId,
    /// When.
    pub started_at: Timestamp,
    /// The children it regards.
    #[serde(default)]
    pub regarding: Vec<ProfileId>,
    /// The message it grew out of.
    #[serde(default)]
    pub linked_to: Option<MessageReference>,
    /// The groups it goes to, also for those who join later.
    #[serde(default)]
    pub follows: Vec<Recipient>,
    /// Rises with each change of its members.
    pub membership_version: u64,
    /// Which change made it what it is. Two that happen at a time may leave the same behind, such as one member less each;
    /// taken for one, the members of the second would change without a version of their own.
    #[serde(default)]
    pub change: [u8; 16],
    /// The newest change of its members that was begun, as the write timestamp of its rows. 0 in records from before this was
    /// kept.
    #[serde(default)]
    pub members_begun: u64,
    /// The changes of its members that were begun and are not finished, oldest first. Their rows do not hold.
    #[serde(default)]
    pub members_unfinished: Vec<u64>,
}

/// The unfinished changes that a thread remembers beyond the next one that is finished. Each is a write that failed half-way;
/// what older ones left behind holds from that version on.
const UNFINISHED: usize = 64;

/// The most that it remembers at all, should so many fail one after the other.
const MOST_UNFINISHED: usize = 1_024;

impl ThreadRecord {
    /// Says that rows of members are about to be written with this timestamp, which is above all before.
    pub fn begin_member_change(&mut self, timestamp: u64) {
        self.members_begun = timestamp;
        self.members_unfinished.push(timestamp);
        self.forget_unfinished(MOST_UNFINISHED);
    }

    /// Says that the rows with this timestamp are all written, and makes the next version of the members of them.
    pub fn finish_member_change(&mut self, timestamp: u64) {
        self.members_unfinished.retain(|unfinished| *unfinished != timestamp);
        self.forget_unfinished(UNFINISHED);
        self.membership_version += 1;
    }

    fn forget_unfinished(&mut self, but: usize) {
        let forgotten = self.members_unfinished.len().saturating_sub(but);
        self.members_unfinished.drain(..forgotten);
    }

    /// Whether the newest change that was begun is not finished: it is under way, or has failed.
    pub fn is_member_change_open(&self) -> bool {
        self.members_unfinished.last() == Some(&self.members_begun)
    }

    /// Whether a row that was written with this timestamp belongs to a change that was begun after this record was read.
    pub fn is_behind(&self, row: &MemberRecord, written: u64) -> bool {
        row.before.is_some() && written > self.members_begun
    }

    /// The member of a row that was written with this timestamp, as of this version; `None` if they had not come yet.
    pub fn member_that_holds(&self, mut row: MemberRecord, written: u64) -> Option<MemberRecord> {
        // In a record from before the beginnings were kept, nothing is known to be unfinished.
        let is_newer = self.members_begun != 0 && written > self.members_begun;
        match row.before.take() {
            Some(before) if is_newer || self.members_unfinished.contains(&written) => match before {
                Before::Absent => None,
                Before::Member(before) => Some(*before),
            },
            _ => Some(row),
        }
    }
}

/// What someone was in a thread before a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Before {
    /// They had never been in it.
    Absent,
    /// They were, or had been, a member.
    Member(Box<MemberRecord>),
}

/// A member of a thread. One row per member, changed on its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRecord {
    /// Since when.
    pub joined_at: Timestamp,
    /// Until when. They can read the thread up to then.
    #[serde(default)]
    pub left_at: Option<Timestamp>,
    /// From which time on they can read the thread.
    pub visible_from: Timestamp,
    /// The group by which they are in it; those added by hand have none, and stay when the group changes.
    #[serde(default)]
    pub through: Option<GroupId>,
    /// Whether the right to read ended with the membership, as when custody or a place at the school ends.
    #[serde(default)]
    pub closed: bool,
    /// Whether they left, or were taken out, by hand: then following their group does not bring them back.
    #[serde(default)]
    pub stays_out: bool,
    /// When it was last asked that it be so, by whoever changed it, or found that it was so already. What was asked for earlier
    /// and comes later must not change it.
    #[serde(default)]
    pub asked_at: Timestamp,
    /// What it was before the change that wrote it, which counts while that is not finished. `None` in the rows that were
    /// written with the thread, which always hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Before>,
}

/// What a message says, or why nothing stands in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MessageRecord {
    /// A message.
    Sent {
        /// Who wrote it.
        author: ProfileId,
        /// The client's own id.
        client_id: ClientId,
        /// SHA-256 of what was sent first: a retry says the same.
        content_hash: [u8; 32],
        /// Rises with each change.
        version: u64,
        /// What it says.
        parts: Vec<Part>,
        /// The message it answers.
        #[serde(default)]
        reply_to: Option<MessageId>,
        /// When it was last edited.
        #[serde(default)]
        edited_at: Option<Timestamp>,
        /// When it was recalled.
        #[serde(default)]
        recalled_at: Option<Timestamp>,
    },
    /// A send that came too late, and must never appear here.
    Void {},
}

/// What became of a send that was retried so late that its outcome had to be decided. A decision holds for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettlementRecord {
    /// Someone looked for the row in vain and is about to look again: whoever finds it now decides that it is stored.
    Closing,
    /// It is stored.
    Stored,
    /// It is not stored, and never will be.
    Never,
}

/// The newest message of a thread, with the thread itself, so that a list of threads needs no row of each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadHeadRecord {
    /// The thread as it was when the head was written.
    pub thread: Thread,
    /// Its id.
    pub last_message: MessageId,
    /// Who wrote it.
    pub last_author: ProfileId,
    /// The beginning of what it says.
    pub preview: String,
    /// The version of that message which the preview is of.
    #[serde(default)]
    pub last_version: u64,
    /// The last messages with their authors, the newest last: what unread counts are counted from.
    pub recent: Vec<(MessageId, ProfileId)>,
}

/// A person's own settings for a thread.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadSettingsRecord {
    /// No notice of new messages.
    #[serde(default)]
    pub muted: bool,
    /// A mark on it.
    #[serde(default)]
    pub marked: bool,
}

/// What someone has read of a thread, found by the thread.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMarkerRecord {
    /// What.
    pub read: ReadMarker,
}

/// What someone has read of a thread, found by the profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnReadMarkerRecord {
    /// What.
    pub read: ReadMarker,
}

/// A membership, found by the profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileThreadRecord {
    /// The membership.
    pub member: MemberRecord,
}

/// A thread that goes to a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupThreadRecord {}

/// An unfinished message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftRecord {
    /// The text.
    pub text: String,
}

/// How many partitions the heads of a space's threads are spread over. 20,000 threads, what a large institution gathers
/// in years, make some 15 MB a partition; and a list of threads reads all of them, so they are few.
pub const HEAD_SHARDS: u64 = 2;

/// How many of a thread's last messages its head names; unread counts go so far.
pub const RECENT_MESSAGES: usize = 50;

/// A quarter of a year: how much of a thread stands in one partition.
const QUARTER_MILLIS: u64 = 91 * 24 * 60 * 60 * 1000;

/// The number of the quarter that a message of this time stands in.
pub const fn quarter(time: Timestamp) -> u64 {
    time.as_millis() / QUARTER_MILLIS
}

/// The key of a thread.
pub fn thread_key(space: SpaceId, thread: ThreadId) -> Key {
    Key::new(thread_partition(space, thread), [])
}

/// The partition of a thread's members and read markers.
pub fn thread_partition(space: SpaceId, thread: ThreadId) -> [KeyValue; 2] {
    [space.into(), thread.into()]
}

/// The partition of a profile's memberships, settings, markers and drafts.
pub fn profile_partition(space: SpaceId, profile: ProfileId) -> [KeyValue; 2] {
    [space.into(), profile.into()]
}

/// The key of a member, or of what they have read, found by the thread.
pub fn member_key(space: SpaceId, thread: ThreadId, profile: ProfileId) -> Key {
    Key::new(thread_partition(space, thread), [profile.into()])
}

/// The key of what a profile keeps of a thread.
pub fn profile_thread_key(space: SpaceId, profile: ProfileId, thread: ThreadId) -> Key {
    Key::new(profile_partition(space, profile), [thread.into()])
}

/// The key of a thread that goes to a group.
pub fn group_thread_key(space: SpaceId, group: GroupId, thread: ThreadId) -> Key {
    Key::new([space.into(), group.into()], [thread.into()])
}

/// The partition of a thread's messages in a quarter.
pub fn message_partition(space: SpaceId, thread: ThreadId, quarter: u64) -> [KeyValue; 3] {
    [space.into(), thread.into(), quarter.into()]
}

/// The key of a message, and of its settlement.
pub fn message_key(space: SpaceId, thread: ThreadId, message: MessageId) -> Key {
    Key::new(
        message_partition(space, thread, quarter(message.sent_at())),
        [message.into()],
    )
}

/// The key of a thread's head.
pub fn head_key(space: SpaceId, thread: ThreadId) -> Key {
    let shard = u64::from(thread.as_bytes()[15]) % HEAD_SHARDS;
    Key::new(head_partition(space, shard), [thread.into()])
}

/// The partition of a shard of heads.
pub fn head_partition(space: SpaceId, shard: u64) -> [KeyValue; 2] {
    [space.into(), shard.into()]
}

records! {
    ThreadRecord in THREADS;
    MemberRecord in MEMBERS;
    ProfileThreadRecord in PROFILE_THREADS;
    GroupThreadRecord in GROUP_THREADS;
    MessageRecord in MESSAGES;
    SettlementRecord in SETTLEMENTS;
    ThreadHeadRecord in THREAD_HEADS;
    ThreadSettingsRecord in THREAD_SETTINGS;
    ReadMarkerRecord in READ_MARKERS;
    OwnReadMarkerRecord in OWN_READ_MARKERS;
    DraftRecord in DRAFTS;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(members_begun: u64) -> ThreadRecord {
        ThreadRecord {
            subject: String::new(),
            starter: ProfileId::from_bytes([1; 16]),
            started_at: Timestamp::default(),
            regarding: Vec::new(),
            linked_to: None,
            follows: Vec::new(),
            membership_version: 1,
            change: [0; 16],
            members_begun,
            members_unfinished: Vec::new(),
        }
    }

    fn member(before: Option<Before>) -> MemberRecord {
        MemberRecord {
            joined_at: Timestamp::default(),
            left_at: None,
            visible_from: Timestamp::default(),
            through: None,
            closed: false,
            stays_out: false,
            asked_at: Timestamp::default(),
            before,
        }
    }

    #[test]
    fn a_row_holds_once_its_change_is_finished_and_without_one_always() {
        let mut thread = record(10);
        let changed = || member(Some(Before::Absent));
        thread.begin_member_change(20);
        assert!(thread.is_member_change_open());
        assert_eq!(thread.member_that_holds(changed(), 20), None);
        assert_eq!(thread.member_that_holds(member(None), 20), Some(member(None)));
        assert!(thread.is_behind(&changed(), 21) && !thread.is_behind(&member(None), 21));
        assert_eq!(thread.member_that_holds(changed(), 21), None);
        thread.finish_member_change(20);
        assert!(!thread.is_member_change_open());
        assert_eq!(thread.member_that_holds(changed(), 20), Some(member(None)));
        assert_eq!(thread.membership_version, 2);
    }

    #[test]
    fn in_a_record_from_before_all_rows_hold() {
        let changed = member(Some(Before::Absent));
        assert_eq!(record(0).member_that_holds(changed, 20), Some(member(None)));
    }

    #[test]
    fn failed_changes_are_forgotten_with_a_new_version_and_beyond_a_bound() {
        let mut thread = record(1);
        let many = u64::try_from(MOST_UNFINISHED).unwrap();
        let absent = || member(Some(Before::Absent));
        (2..many + 2).for_each(|timestamp| thread.begin_member_change(timestamp));
        assert_eq!(thread.member_that_holds(absent(), 2), None);
        thread.begin_member_change(many + 2);
        assert_eq!(thread.member_that_holds(absent(), 2), Some(member(None)));
        thread.finish_member_change(many + 2);
        assert_eq!(thread.members_unfinished.len(), UNFINISHED);
        assert_eq!(thread.member_that_holds(absent(), many), None);
    }
}
