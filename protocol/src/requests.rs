//! What a client may ask for, and what it is answered with.

use serde::{Deserialize, Serialize};

use crate::ids::{SessionId, SpaceId};
use crate::messages::{
    EditMessage, History, HistoryPage, MarkRead, Message, MessageReference, ReadMarker, ReplyToSender, SendMessage,
    Sent,
};
use crate::people::{
    ActivationCode, Explain, Explanation, Groups, IssueActivationCodes, ListPeople, Login, Names, PeoplePage,
};
use crate::presence::{Online, SetPresenceVisibility, WatchPresence};
use crate::threads::{
    AddMembers, Draft, Inbox, InboxPage, MembershipChanged, OpenThread, RemoveMembers, RenameThread, SaveDraft,
    SetThreadSettings, StartThread, Thread, ThreadDetails, ThreadReference, ThreadSettings,
};

/// A request. Each names the reply it gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Request {
    /// Starts a thread → `sent`.
    StartThread(StartThread),
    /// Sends a message → `sent`.
    SendMessage(SendMessage),
    /// Answers the author of a message alone → `sent`.
    ReplyToSender(ReplyToSender),
    /// Replaces the text of one's own message → `message`.
    EditMessage(EditMessage),
    /// Takes one's own message back: the text goes, its place stays → `message`.
    RecallMessage(MessageReference),
    /// A page of a thread → `history`.
    History(History),
    /// Says what was read → `read`.
    MarkRead(MarkRead),
    /// A page of one's threads → `inbox`.
    Inbox(Inbox),
    /// A thread and its members → `thread`.
    OpenThread(OpenThread),
    /// Adds people to a thread → `membership_changed`.
    AddMembers(AddMembers),
    /// Takes people out of a thread → `membership_changed`.
    RemoveMembers(RemoveMembers),
    /// Leaves a thread → `membership_changed`.
    LeaveThread(ThreadReference),
    /// Gives a thread another subject → `renamed`.
    RenameThread(RenameThread),
    /// One's own settings for a thread → `thread_settings`.
    SetThreadSettings(SetThreadSettings),
    /// Keeps an unfinished message → `draft`.
    SaveDraft(SaveDraft),
    /// One's unfinished message of a thread → `draft`.
    LoadDraft(ThreadReference),
    /// The groups of a space → `groups`.
    ListGroups {
        /// The space.
        space: SpaceId,
    },
    /// The people of a space → `people`.
    ListPeople(ListPeople),
    /// The people behind profile ids → `people`.
    Names(Names),
    /// Whether one may start a thread with someone → `explanation`.
    Explain(Explain),
    /// New activation codes for a class, for its staff → `activation_codes`.
    IssueActivationCodes(IssueActivationCodes),
    /// One's logins → `logins`.
    ListLogins,
    /// Ends one of one's logins, and its sockets → `done`.
    EndLogin {
        /// The login.
        session: SessionId,
    },
    /// Says whom the screen shows → `online`.
    WatchPresence(WatchPresence),
    /// Whether others may see that one is online → `done`.
    SetPresenceVisibility(SetPresenceVisibility),
    /// Says that one is writing in a thread; at most every three seconds → `done`.
    Typing(ThreadReference),
}

impl Request {
    /// What it asks for, as its `op` on the wire says.
    pub const fn op(&self) -> &'static str {
        match self {
            Self::StartThread(_) => "start_thread",
            Self::SendMessage(_) => "send_message",
            Self::ReplyToSender(_) => "reply_to_sender",
            Self::EditMessage(_) => "edit_message",
            Self::RecallMessage(_) => "recall_message",
            Self::History(_) => "history",
            Self::MarkRead(_) => "mark_read",
            Self::Inbox(_) => "inbox",
            Self::OpenThread(_) => "open_thread",
            Self::AddMembers(_) => "add_members",
            Self::RemoveMembers(_) => "remove_members",
            Self::LeaveThread(_) => "leave_thread",
            Self::RenameThread(_) => "rename_thread",
            Self::SetThreadSettings(_) => "set_thread_settings",
            Self::SaveDraft(_) => "save_draft",
            Self::LoadDraft(_) => "load_draft",
            Self::ListGroups { .. } => "list_groups",
            Self::ListPeople(_) => "list_people",
            Self::Names(_) => "names",
            Self::Explain(_) => "explain",
            Self::IssueActivationCodes(_) => "issue_activation_codes",
            Self::ListLogins => "list_logins",
            Self::EndLogin { .. } => "end_login",
            Self::WatchPresence(_) => "watch_presence",
            Self::SetPresenceVisibility(_) => "set_presence_visibility",
            Self::Typing(_) => "typing",
        }
    }
}

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reply {
    /// It is stored.
    Sent(Sent),
    /// The message as it is now.
    Message(Message),
    /// A page of a thread.
    History(HistoryPage),
    /// What one has read now.
    Read(ReadMarker),
    /// A page of one's threads.
    Inbox(InboxPage),
    /// A thread and its members.
    Thread(ThreadDetails),
    /// The members changed.
    MembershipChanged(MembershipChanged),
    /// The thread as it is now.
    Renamed(Thread),
    /// One's own settings now.
    ThreadSettings(ThreadSettings),
    /// One's unfinished message now.
    Draft(Draft),
    /// The groups of a space.
    Groups(Groups),
    /// A page of people.
    People(PeoplePage),
    /// Whether it is allowed, and why.
    Explanation(Explanation),
    /// The codes, to be printed.
    ActivationCodes {
        /// A code per person.
        codes: Vec<ActivationCode>,
    },
    /// One's logins.
    Logins {
        /// A login per device.
        logins: Vec<Login>,
    },
    /// Who of the watched is online.
    Online(Online),
    /// It is done.
    Done,
}
