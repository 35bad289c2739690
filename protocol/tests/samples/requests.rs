//! A frame of every kind that a client sends.

use samtale_protocol::frames::Hello;
use samtale_protocol::messages::{EditMessage, History, MarkRead, MessageReference, ReplyToSender, SendMessage};
use samtale_protocol::people::{Explain, IssueActivationCodes, ListPeople, Names, Role};
use samtale_protocol::presence::{SetPresenceVisibility, WatchPresence};
use samtale_protocol::threads::{
    AddMembers, Inbox, OpenThread, Recipient, RemoveMembers, RenameThread, SaveDraft, SetThreadSettings, StartThread,
    ThreadReference,
};
use samtale_protocol::*;

use super::*;

/// A frame of every kind, by the name of its golden file.
pub fn client_frames() -> Vec<(String, ClientFrame)> {
    let mut frames = vec![
        ("hello".to_owned(), ClientFrame::Hello(hello(None))),
        (
            "hello_with_cursor".to_owned(),
            ClientFrame::Hello(hello(Some(ByteString((0..=40).collect())))),
        ),
    ];
    let requests = message_requests()
        .into_iter()
        .chain(thread_requests())
        .chain(people_requests());
    for (index, (name, request)) in requests.enumerate() {
        let id = u32::try_from(index).unwrap_or(0) + 1;
        frames.push((name.to_owned(), ClientFrame::Request { id, request }));
    }
    frames.push((
        "largest_request_id".to_owned(),
        ClientFrame::Request {
            id: u32::MAX,
            request: Request::ListLogins,
        },
    ));
    frames
}

fn hello(cursor: Option<ByteString>) -> Hello {
    Hello {
        version: VERSION,
        access_token: "v1.example-access-token".to_owned(),
        device: device(1),
        client: "samtale-chat/0.1".to_owned(),
        language: if cursor.is_some() {
            Language::English
        } else {
            Language::Danish
        },
        cursor,
    }
}

fn message_requests() -> Vec<(&'static str, Request)> {
    let send = SendMessage {
        thread: thread(1),
        client_id: client_id(1),
        sent_at: MORNING,
        parts: text(),
        reply_to: None,
        membership_version: None,
    };
    let answer = SendMessage {
        client_id: client_id(2),
        reply_to: Some(message_id(1)),
        membership_version: Some(9_007_199_254_740_991),
        ..send.clone()
    };
    let reply_to_sender = ReplyToSender {
        thread: thread(1),
        message: message_id(1),
        client_id: client_id(3),
        sent_at: MORNING,
        parts: text(),
    };
    let history = History {
        thread: thread(1),
        before: None,
        after: None,
        limit: 50,
    };
    let reference = MessageReference {
        thread: thread(1),
        message: message_id(1),
    };
    vec![
        ("send_message", Request::SendMessage(send)),
        ("send_message_as_answer", Request::SendMessage(answer)),
        ("reply_to_sender", Request::ReplyToSender(reply_to_sender)),
        (
            "edit_message",
            Request::EditMessage(EditMessage {
                thread: thread(1),
                message: message_id(1),
                parts: text(),
            }),
        ),
        ("recall_message", Request::RecallMessage(reference)),
        ("history_newest", Request::History(history.clone())),
        (
            "history_before",
            Request::History(History {
                before: Some(message_id(9)),
                ..history.clone()
            }),
        ),
        (
            "history_after",
            Request::History(History {
                after: Some(message_id(1)),
                ..history
            }),
        ),
        (
            "mark_read",
            Request::MarkRead(MarkRead {
                thread: thread(1),
                messages: vec![message_id(1), message_id(2)],
            }),
        ),
    ]
}

fn thread_requests() -> Vec<(&'static str, Request)> {
    let start = StartThread {
        as_profile: None,
        space: space(1),
        client_id: client_id(4),
        sent_at: MORNING,
        to: recipients(),
        subject: "Tur til Moesgård".to_owned(),
        regarding: vec![profile(7)],
        parts: text(),
    };
    let plain = StartThread {
        as_profile: None,
        client_id: client_id(5),
        to: recipients()[..1].to_vec(),
        regarding: vec![],
        ..start.clone()
    };
    let inbox = Inbox {
        search: None,
        space: None,
        before: None,
        limit: 100,
    };
    let add = AddMembers {
        thread: thread(1),
        to: recipients(),
        from_the_beginning: true,
    };
    let settings = SetThreadSettings {
        thread: thread(1),
        muted: Some(true),
        marked: None,
    };
    let reference = ThreadReference { thread: thread(1) };
    vec![
        ("start_thread", Request::StartThread(start)),
        ("start_thread_with_one", Request::StartThread(plain)),
        ("inbox", Request::Inbox(inbox)),
        (
            "inbox_of_a_space",
            Request::Inbox(Inbox {
                space: Some(space(1)),
                before: Some(message_id(9)),
                search: None,
                limit: 20,
            }),
        ),
        (
            "open_thread",
            Request::OpenThread(OpenThread {
                thread: thread(1),
                after: None,
            }),
        ),
        (
            "open_thread_next_page",
            Request::OpenThread(OpenThread {
                thread: thread(1),
                after: Some(profile(9)),
            }),
        ),
        ("add_members", Request::AddMembers(add)),
        (
            "remove_members",
            Request::RemoveMembers(RemoveMembers {
                thread: thread(1),
                profiles: vec![profile(2), profile(3)],
            }),
        ),
        ("leave_thread", Request::LeaveThread(reference)),
        (
            "rename_thread",
            Request::RenameThread(RenameThread {
                thread: thread(1),
                subject: "Ny dato".to_owned(),
            }),
        ),
        ("set_thread_settings", Request::SetThreadSettings(settings)),
        (
            "save_draft",
            Request::SaveDraft(SaveDraft {
                thread: thread(1),
                text: "Jeg tænkte på".to_owned(),
            }),
        ),
        ("load_draft", Request::LoadDraft(reference)),
        ("typing", Request::Typing(reference)),
    ]
}

fn people_requests() -> Vec<(&'static str, Request)> {
    let people = ListPeople {
        as_profile: None,
        space: space(1),
        group: None,
        search: None,
        after: None,
        limit: 100,
    };
    let found = ListPeople {
        as_profile: None,
        group: Some(group(1)),
        search: Some("åse".to_owned()),
        after: Some(profile(1)),
        ..people.clone()
    };
    vec![
        ("list_groups", Request::ListGroups { space: space(1) }),
        ("list_people", Request::ListPeople(people)),
        ("list_people_by_name", Request::ListPeople(found)),
        (
            "names",
            Request::Names(Names {
                space: space(1),
                profiles: vec![profile(1), profile(2)],
            }),
        ),
        (
            "explain",
            Request::Explain(Explain {
                as_profile: None,
                space: space(1),
                to: Recipient::GroupRole {
                    group: group(1),
                    role: Role::Guardian,
                },
            }),
        ),
        (
            "issue_activation_codes",
            Request::IssueActivationCodes(IssueActivationCodes {
                space: space(1),
                group: group(1),
            }),
        ),
        ("list_logins", Request::ListLogins),
        ("end_login", Request::EndLogin { session: session(2) }),
        (
            "watch_presence",
            Request::WatchPresence(WatchPresence {
                space: space(1),
                profiles: vec![profile(1), profile(2)],
            }),
        ),
        (
            "set_presence_visibility",
            Request::SetPresenceVisibility(SetPresenceVisibility { hidden: true }),
        ),
        (
            "inbox_search",
            Request::Inbox(Inbox {
                space: None,
                before: None,
                search: Some("lærke".to_owned()),
                limit: 20,
            }),
        ),
    ]
}

/// A recipient of every kind.
fn recipients() -> Vec<Recipient> {
    vec![
        Recipient::Profile { profile: profile(2) },
        Recipient::Group { group: group(1) },
        Recipient::GroupRole {
            group: group(1),
            role: Role::Employee,
        },
        Recipient::Guardians { group: group(2) },
    ]
}
