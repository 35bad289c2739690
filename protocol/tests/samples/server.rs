//! A frame of every kind that a server sends.

use std::time::Duration;

use samtale_protocol::frames::Welcome;
use samtale_protocol::messages::{HistoryPage, Message, MessageReference, Part, Sent};
use samtale_protocol::people::{
    ActivationCode, Explanation, Group, GroupKind, Groups, Login, OwnProfile, PeoplePage, Person, Role, Rule,
};
use samtale_protocol::presence::Online;
use samtale_protocol::threads::{
    Draft, InboxEntry, InboxPage, Member, MembershipChanged, Thread, ThreadDetails, ThreadSettings,
};
use samtale_protocol::*;

use super::*;

/// A frame of every kind, by the name of its golden file.
pub fn server_frames() -> Vec<(String, ServerFrame)> {
    let mut frames = vec![
        ("welcome".to_owned(), ServerFrame::Welcome(welcome())),
        (
            "resumed".to_owned(),
            ServerFrame::Resumed {
                space: space(1),
                events: 300,
            },
        ),
        ("resync".to_owned(), ServerFrame::Resync { space: space(1) }),
        (
            "cursor".to_owned(),
            ServerFrame::Cursor {
                cursor: ByteString((0..=40).collect()),
            },
        ),
    ];
    let replies = message_replies()
        .into_iter()
        .chain(thread_replies())
        .chain(people_replies());
    for (index, (name, reply)) in replies.enumerate() {
        let id = u32::try_from(index).unwrap_or(0) + 1;
        frames.push((format!("reply_{name}"), ServerFrame::Reply { id, reply }));
    }
    for (index, (name, event)) in events().into_iter().enumerate() {
        let id = event_id(u8::try_from(index).unwrap_or(0));
        frames.push((
            format!("event_{name}"),
            ServerFrame::Event {
                space: space(1),
                id,
                event,
            },
        ));
    }
    for (name, signal) in signals() {
        frames.push((format!("signal_{name}"), ServerFrame::Signal { signal }));
    }
    frames.extend(errors());
    frames
}

fn welcome() -> Welcome {
    let profiles = Role::ALL.into_iter().zip(1..).map(|(role, number)| OwnProfile {
        profile: profile(number),
        space: space(number),
        space_name: "Skovbrynet Skole & SFO".to_owned(),
        role,
        name: "Åse Ærøskøbing".to_owned(),
    });
    Welcome {
        server_time: MORNING,
        person: person(1),
        session: session(1),
        profiles: profiles.collect(),
        expires_at: MORNING.plus(Duration::from_secs(900)),
        ping_interval_ms: 25_000,
        presence_hidden: false,
    }
}

fn message_replies() -> Vec<(&'static str, Reply)> {
    let recalled = Message {
        version: 3,
        parts: vec![],
        recalled_at: Some(MORNING),
        ..a_message()
    };
    let page = HistoryPage {
        messages: vec![a_message(), recalled.clone()],
        more: true,
        withheld: withheld(),
    };
    let empty = HistoryPage {
        messages: vec![],
        more: false,
        withheld: vec![],
    };
    let sent = Sent {
        thread: thread(1),
        message: message_id(1),
        client_id: client_id(1),
    };
    vec![
        ("sent", Reply::Sent(sent)),
        ("message", Reply::Message(recalled)),
        ("history", Reply::History(page)),
        ("history_empty", Reply::History(empty)),
        ("read", Reply::Read(read_marker())),
        ("read_nothing", Reply::Read(ReadMarker::default())),
    ]
}

fn thread_replies() -> Vec<(&'static str, Reply)> {
    let linked = MessageReference {
        thread: thread(2),
        message: message_id(2),
    };
    let full = Thread {
        regarding: vec![profile(7)],
        linked_to: Some(linked),
        ..a_thread()
    };
    let entry = InboxEntry {
        thread: a_thread(),
        profile: profile(2),
        last_message: message_id(1),
        last_author: profile(1),
        preview: "Kære forældre,".to_owned(),
        unread: 50,
        read: ReadMarker::default(),
        muted: true,
        marked: false,
        left_at: Some(MORNING),
    };
    let member = Member {
        profile: profile(1),
        role: Role::Employee,
        name: "Åse Ærøskøbing".to_owned(),
        joined_at: MORNING,
        left_at: None,
        read: Some(read_marker()),
    };
    let gone = Member {
        profile: profile(2),
        role: Role::Guardian,
        left_at: Some(MORNING),
        read: None,
        ..member.clone()
    };
    let details = ThreadDetails {
        thread: full.clone(),
        members: vec![member, gone],
        more: false,
        families: 24,
        may_write: true,
        withheld: withheld(),
    };
    vec![
        (
            "inbox",
            Reply::Inbox(InboxPage {
                entries: vec![entry],
                more: true,
                withheld: withheld(),
            }),
        ),
        (
            "inbox_empty",
            Reply::Inbox(InboxPage {
                entries: vec![],
                more: false,
                withheld: vec![],
            }),
        ),
        ("thread", Reply::Thread(details)),
        (
            "membership_changed",
            Reply::MembershipChanged(MembershipChanged {
                thread: thread(1),
                membership_version: 4,
            }),
        ),
        ("renamed", Reply::Renamed(full)),
        ("thread_settings", Reply::ThreadSettings(thread_settings())),
        ("draft", Reply::Draft(draft())),
    ]
}

fn people_replies() -> Vec<(&'static str, Reply)> {
    let groups = [GroupKind::Class, GroupKind::Team, GroupKind::Custom]
        .into_iter()
        .zip(1..)
        .map(|(kind, number)| Group {
            group: group(number),
            kind,
            name: "3.A".to_owned(),
            members: 22,
            mine: number == 1,
        });
    let child = Person {
        profile: profile(7),
        role: Role::Child,
        name: "Bo".to_owned(),
        groups: vec![group(1)],
        children: vec![],
    };
    let guardian = Person {
        profile: profile(2),
        role: Role::Guardian,
        groups: vec![],
        children: vec![profile(7)],
        ..child.clone()
    };
    let code = ActivationCode {
        profile: profile(2),
        name: "Bo".to_owned(),
        username: "bo.andersen".to_owned(),
        code: "K7QM-2XWD-9RTF-H4VB".to_owned(),
        expires_at: MORNING,
    };
    let login = Login {
        session: session(1),
        client: "samtale-chat/0.1".to_owned(),
        since: MORNING,
        current: true,
    };
    let mut replies = vec![
        (
            "groups",
            Reply::Groups(Groups {
                groups: groups.collect(),
                withheld: withheld(),
            }),
        ),
        (
            "people",
            Reply::People(PeoplePage {
                people: vec![child, guardian],
                more: true,
                withheld: withheld(),
            }),
        ),
        ("activation_codes", Reply::ActivationCodes { codes: vec![code] }),
        ("logins", Reply::Logins { logins: vec![login] }),
        (
            "online",
            Reply::Online(Online {
                space: space(1),
                profiles: vec![profile(1)],
            }),
        ),
        ("done", Reply::Done),
    ];
    let rules = [
        ("explanation_table_allows", Rule::TableAllows),
        ("explanation_municipality_forbids", Rule::MunicipalityForbids),
        ("explanation_institution_forbids", Rule::InstitutionForbids),
        ("explanation_not_visible", Rule::NotVisible),
        ("explanation_groups_are_for_staff", Rule::GroupsAreForStaff),
        ("explanation_has_left", Rule::HasLeft),
        ("explanation_nobody_there", Rule::NobodyThere),
    ];
    replies.extend(rules.map(|(name, rule)| {
        let to = (rule != Rule::NobodyThere).then_some(Role::Guardian);
        (
            name,
            Reply::Explanation(Explanation {
                allowed: rule == Rule::TableAllows,
                rule,
                from: Role::Child,
                to,
            }),
        )
    }));
    replies
}

fn events() -> Vec<(&'static str, Event)> {
    let edited = Message {
        version: 2,
        parts: vec![Part::text("Ny tekst"), Part::Unknown],
        reply_to: Some(message_id(2)),
        edited_at: Some(MORNING),
        ..a_message()
    };
    let membership = |left_at| Event::Membership {
        thread: thread(1),
        membership_version: 4,
        profile: profile(2),
        joined_at: MORNING,
        left_at,
    };
    let read = Event::Read {
        thread: thread(1),
        profile: profile(2),
        version: 5,
        read: read_marker(),
    };
    vec![
        ("message", Event::Message(a_message())),
        ("message_edited", Event::Message(edited)),
        ("thread", Event::Thread(a_thread())),
        ("membership_joined", membership(None)),
        ("membership_left", membership(Some(MORNING))),
        ("read", read),
        ("thread_settings", Event::ThreadSettings(thread_settings())),
        ("draft", Event::Draft(draft())),
        ("directory", Event::Directory { version: 128 }),
        ("profiles", Event::Profiles { version: 65_536 }),
        ("unknown", Event::Unknown),
    ]
}

fn signals() -> Vec<(&'static str, Signal)> {
    vec![
        (
            "typing",
            Signal::Typing {
                thread: thread(1),
                profile: profile(2),
            },
        ),
        (
            "presence",
            Signal::Presence {
                space: space(1),
                profile: profile(2),
                online: true,
            },
        ),
        ("unknown", Signal::Unknown),
    ]
}

/// One refusal per code, and one that belongs to no request.
fn errors() -> Vec<(String, ServerFrame)> {
    let mut frames = Vec::new();
    for code in ErrorCode::ALL {
        let error = Refusal::new(*code).in_language(Language::English);
        let name = serde_json::to_value(code).unwrap_or_default();
        let name = format!("error_{}", name.as_str().unwrap_or_default());
        frames.push((name, ServerFrame::Error { id: Some(7), error }));
    }
    let error = Refusal::new(ErrorCode::TooMany)
        .detail("more than 8 requests under way")
        .after(Duration::from_millis(1500));
    frames.push(("error_without_id".to_owned(), ServerFrame::Error { id: None, error }));
    frames
}

fn thread_settings() -> ThreadSettings {
    ThreadSettings {
        thread: thread(1),
        version: 2,
        muted: true,
        marked: false,
    }
}

fn draft() -> Draft {
    Draft {
        thread: thread(1),
        version: 3,
        text: "Jeg tænkte på".to_owned(),
    }
}
