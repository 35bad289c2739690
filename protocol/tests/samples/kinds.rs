//! The name of every variant. A new variant does not compile until it is named here, and a name without a golden frame
//! fails the coverage test.

use samtale_protocol::messages::Part;
use samtale_protocol::threads::Recipient;
use samtale_protocol::*;

macro_rules! kinds {
    ($list:ident, $function:ident($type:ty): $($pattern:pat => $name:literal,)+) => {
        /// All names.
        pub const $list: &[&str] = &[$($name),+];

        /// The name on the wire.
        pub fn $function(value: &$type) -> &'static str {
            match value { $($pattern => $name),+ }
        }
    };
}

kinds! { CLIENT_FRAMES, client_frame(ClientFrame):
    ClientFrame::Hello(_) => "hello",
    ClientFrame::Request { .. } => "request",
}

kinds! { SERVER_FRAMES, server_frame(ServerFrame):
    ServerFrame::Welcome(_) => "welcome",
    ServerFrame::Reply { .. } => "reply",
    ServerFrame::Error { .. } => "error",
    ServerFrame::Event { .. } => "event",
    ServerFrame::Signal { .. } => "signal",
    ServerFrame::Resumed { .. } => "resumed",
    ServerFrame::Resync { .. } => "resync",
    ServerFrame::Cursor { .. } => "cursor",
}

kinds! { REQUESTS, request(Request):
    Request::StartThread(_) => "start_thread",
    Request::SendMessage(_) => "send_message",
    Request::ReplyToSender(_) => "reply_to_sender",
    Request::EditMessage(_) => "edit_message",
    Request::RecallMessage(_) => "recall_message",
    Request::History(_) => "history",
    Request::MarkRead(_) => "mark_read",
    Request::Inbox(_) => "inbox",
    Request::OpenThread(_) => "open_thread",
    Request::AddMembers(_) => "add_members",
    Request::RemoveMembers(_) => "remove_members",
    Request::LeaveThread(_) => "leave_thread",
    Request::RenameThread(_) => "rename_thread",
    Request::SetThreadSettings(_) => "set_thread_settings",
    Request::SaveDraft(_) => "save_draft",
    Request::LoadDraft(_) => "load_draft",
    Request::ListGroups { .. } => "list_groups",
    Request::ListPeople(_) => "list_people",
    Request::Names(_) => "names",
    Request::Explain(_) => "explain",
    Request::IssueActivationCodes(_) => "issue_activation_codes",
    Request::ListLogins => "list_logins",
    Request::EndLogin { .. } => "end_login",
    Request::WatchPresence(_) => "watch_presence",
    Request::SetPresenceVisibility(_) => "set_presence_visibility",
    Request::Typing(_) => "typing",
}

kinds! { REPLIES, reply(Reply):
    Reply::Sent(_) => "sent",
    Reply::Message(_) => "message",
    Reply::History(_) => "history",
    Reply::Read(_) => "read",
    Reply::Inbox(_) => "inbox",
    Reply::Thread(_) => "thread",
    Reply::MembershipChanged(_) => "membership_changed",
    Reply::Renamed(_) => "renamed",
    Reply::ThreadSettings(_) => "thread_settings",
    Reply::Draft(_) => "draft",
    Reply::Groups(_) => "groups",
    Reply::People(_) => "people",
    Reply::Explanation(_) => "explanation",
    Reply::ActivationCodes { .. } => "activation_codes",
    Reply::Logins { .. } => "logins",
    Reply::Online(_) => "online",
    Reply::Done => "done",
}

kinds! { EVENTS, event(Event):
    Event::Message(_) => "message",
    Event::Thread(_) => "thread",
    Event::Membership { .. } => "membership",
    Event::Read { .. } => "read",
    Event::ThreadSettings(_) => "thread_settings",
    Event::Draft(_) => "draft",
    Event::Directory { .. } => "directory",
    Event::Profiles { .. } => "profiles",
    Event::Unknown => "unknown",
}

kinds! { SIGNALS, signal(Signal):
    Signal::Typing { .. } => "typing",
    Signal::Presence { .. } => "presence",
    Signal::Unknown => "unknown",
}

kinds! { PARTS, part(Part):
    Part::Text { .. } => "text",
    Part::Unknown => "unknown",
}

kinds! { RECIPIENTS, recipient(Recipient):
    Recipient::Profile { .. } => "profile",
    Recipient::Group { .. } => "group",
    Recipient::GroupRole { .. } => "group_role",
    Recipient::Guardians { .. } => "guardians",
}
