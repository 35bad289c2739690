//! The list of tables. Every engine keeps exactly these.
//!
//! The first column of every partition is the space: each row belongs to one, is encrypted with its keys, and is gone
//! with them. Key columns hold ids, numbers and times only, because they are not encrypted.

use std::time::Duration;

/// What a key column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Sixteen bytes.
    Id,
    /// A number.
    Number,
    /// Milliseconds since 1970.
    Time,
}

/// A key column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnKind,
}

/// How rows of a table are written; never both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteKind {
    /// With a timestamp: the highest wins, whatever the order of arrival.
    Plain,
    /// Only if the row's version is the expected one.
    CompareAndSet,
}

/// A table.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The columns that choose the partition.
    pub partition: &'static [Column],
    /// The columns that order its rows.
    pub clustering: &'static [Column],
    /// How its rows are written.
    pub kind: WriteKind,
    /// How long its rows live; `None` is for ever.
    pub lifetime: Option<Duration>,
    /// What the body holds.
    pub body: &'static str,
}

/// How long the journal remembers: a client that was away for longer is told to load anew.
pub const JOURNAL_LIFETIME: Duration = Duration::from_secs(14 * 24 * 60 * 60);

const fn id(name: &'static str) -> Column {
    Column {
        name,
        kind: ColumnKind::Id,
    }
}

const fn number(name: &'static str) -> Column {
    Column {
        name,
        kind: ColumnKind::Number,
    }
}

macro_rules! tables {
    ($($name:ident = $text:literal, [$($partition:expr),+], [$($clustering:expr),*], $kind:ident, $lifetime:expr, $body:literal;)+) => {
        $(
            #[doc = $body]
            pub static $name: Table = Table {
                name: $text,
                partition: &[$($partition),+],
                clustering: &[$($clustering),*],
                kind: WriteKind::$kind,
                lifetime: $lifetime,
                body: $body,
            };
        )+

        /// Every table.
        pub static ALL: &[&Table] = &[$(&$name),+];
    };
}

tables! {
    PEOPLE = "people", [id("space"), id("person")], [], Plain, None,
        "A person: user name, whether the account is disabled, whether presence is hidden.";
    PASSWORDS = "passwords", [id("space"), id("person")], [], Plain, None, "The hash of a person's password.";
    USERNAMES = "usernames", [id("space"), id("username_hmac")], [], CompareAndSet, None, "Whose user name it is.";
    PERSON_PROFILES = "person_profiles", [id("space"), id("person")], [id("home_space"), id("profile")], Plain, None,
        "A profile of a person, in its home space.";
    ACTIVATION_CODES = "activation_codes", [id("space"), id("code_hmac")], [], CompareAndSet, None,
        "Whose activation code it is, until when, and whether it was used.";
    PERSON_CODES = "person_codes", [id("space"), id("person")], [], Plain, None,
        "The newest activation code of a person: older ones no longer work.";
    LOGINS = "logins", [id("space"), id("person")], [id("session")], CompareAndSet, None,
        "A login on a device: the client's name, since when, and the hash of its refresh token.";
    NODES = "nodes", [id("space")], [id("node")], Plain, Some(JOURNAL_LIFETIME),
        "A node: when it was last known to live, and since when it has facts that may not be in the log.";
    SPACES = "spaces", [id("space")], [id("home_space")], CompareAndSet, None,
        "A municipality or an institution: its name, parent and settings.";
    PROFILES = "profiles", [id("space")], [id("profile")], Plain, None,
        "A person in this space: name, role, protection, roster id, and until when.";
    RELATIONS = "relations", [id("space")], [id("guardian"), id("child")], Plain, None,
        "Guardian-of: kind, custody, contact, pickup, and dates.";
    GROUPS = "groups", [id("space")], [id("group")], Plain, None, "A class, team or custom group.";
    GROUP_MEMBERS = "group_members", [id("space")], [id("group"), id("profile")], Plain, None,
        "A member of a group: from when, and until when.";
    DIRECTORY_VERSIONS = "directory_versions", [id("space")], [], CompareAndSet, None,
        "The version of the space's people, groups and relations.";
    THREADS = "threads", [id("space"), id("thread")], [], CompareAndSet, None,
        "A thread: subject, starter, children it regards, groups it goes to, version of its membership.";
    MEMBERS = "members", [id("space"), id("thread")], [id("profile")], Plain, None,
        "A member of a thread: from, to, visible from, and by which recipient.";
    PROFILE_THREADS = "profile_threads", [id("space"), id("profile")], [id("thread")], Plain, None,
        "The same membership, found by the profile.";
    GROUP_THREADS = "group_threads", [id("space"), id("group")], [id("thread")], Plain, None,
        "A thread that goes to the group, also to those who join later.";
    MESSAGES = "messages", [id("space"), id("thread"), number("quarter")], [id("message")], Plain, None,
        "A message, its tombstone, or a void where a late write must not appear.";
    SETTLEMENTS = "settlements", [id("space"), id("thread"), number("quarter")], [id("message")], CompareAndSet, None,
        "What became of a send that was retried late: stored, or never. Decided once.";
    THREAD_HEADS = "thread_heads", [id("space"), number("shard")], [id("thread")], Plain, None,
        "The newest message of a thread and the ids of the last ones.";
    THREAD_SETTINGS = "thread_settings", [id("space"), id("profile")], [id("thread")], Plain, None,
        "A person's own settings for a thread.";
    READ_MARKERS = "read_markers", [id("space"), id("thread")], [id("profile")], Plain, None,
        "What someone has read of a thread.";
    OWN_READ_MARKERS = "own_read_markers", [id("space"), id("profile")], [id("thread")], Plain, None,
        "The same, found by the profile.";
    DRAFTS = "drafts", [id("space"), id("profile")], [id("thread")], Plain, None, "An unfinished message.";
    JOURNAL = "journal", [id("space"), number("minute")], [id("event")], Plain, Some(JOURNAL_LIFETIME),
        "A fact that clients learn about: what changed and who may know. Names its object, holds none of its text.";
    JOURNAL_MINUTES = "journal_minutes", [id("space"), number("day")], [number("minute")], Plain, Some(JOURNAL_LIFETIME),
        "A minute in which the space's journal has rows: a reader skips the others.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_named_once_and_partitioned_by_space_first() {
        for (place, table) in ALL.iter().enumerate() {
            assert_eq!(table.partition[0], id("space"), "{}", table.name);
            assert!(
                ALL[..place].iter().all(|other| other.name != table.name),
                "{} is there twice",
                table.name
            );
        }
    }
}
