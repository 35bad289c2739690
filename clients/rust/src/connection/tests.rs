//! Every transition of the state machine, with plain values.

use samtale_protocol::events::Event;
use samtale_protocol::frames::{Hello, Welcome};
use samtale_protocol::messages::{Message, Part, SendMessage, Sent};
use samtale_protocol::requests::Request;
use samtale_protocol::threads::StartThread;
use samtale_protocol::{
    ClientId, CloseCode, ErrorCode, EventId, MessageId, PersonId, ProfileId, Refusal, SessionId, SpaceId, ThreadId,
    Timestamp,
};

use samtale_protocol::login::LoginReply;
use samtale_protocol::{ClientFrame, ServerFrame};

use super::*;
use crate::backoff;
use crate::errors::SendError;
use crate::login::LoginError;
use crate::outbox::{Outgoing, Record};

const NOON: Timestamp = Timestamp::saturating(1_800_000_000_000);
const PING_INTERVAL: Duration = Duration::from_secs(25);

const fn seconds(seconds: u64) -> Moment {
    Duration::from_secs(seconds)
}

const fn millis(millis: u64) -> Moment {
    Duration::from_millis(millis)
}

fn start() -> Start {
    Start {
        may_log_in: true,
        refresh_token: None,
        device: DeviceId::from_bytes([1; 16]),
        client: "test".to_owned(),
        language: Language::Danish,
        cursor: None,
        outbox: Vec::new(),
        request_timeout: seconds(30),
        seed: 1,
    }
}

fn tokens(name: &str) -> Input {
    Input::LoggedIn(LoginReply {
        access_token: format!("access {name}"),
        refresh_token: format!("refresh {name}"),
        expires_in: 600,
        profiles: Vec::new(),
    })
}

fn welcome_at(server_time: Timestamp) -> Input {
    Input::Frame(Box::new(ServerFrame::Welcome(Welcome {
        server_time,
        person: PersonId::from_bytes([2; 16]),
        session: SessionId::from_bytes([3; 16]),
        profiles: Vec::new(),
        expires_at: server_time.plus(seconds(600)),
        ping_interval_ms: 25_000,
        presence_hidden: false,
    })))
}

/// A connection that is live since `now`, where the server's time is then noon.
fn live_at(now: Moment, start: Start) -> (Connection, Vec<Action>) {
    let mut connection = Connection::new(start);
    connection.apply(now, Input::Tick);
    connection.apply(now, tokens("1"));
    connection.apply(now, Input::Opened);
    let actions = connection.apply(now, welcome_at(NOON));
    assert!(matches!(connection.state(), State::Live(_)));
    (connection, actions)
}

fn live() -> Connection {
    live_at(seconds(0), start()).0
}

fn closed(code: CloseCode, wait: Option<Duration>) -> Input {
    Input::Closed {
        code: Some(code.number()),
        reason: code.reason(wait),
    }
}

fn frame(frame: ServerFrame) -> Input {
    Input::Frame(Box::new(frame))
}

fn hello_of(actions: &[Action]) -> &Hello {
    let hello = actions.iter().find_map(|action| match action {
        Action::Transmit(frame) => match frame.as_ref() {
            ClientFrame::Hello(hello) => Some(hello),
            ClientFrame::Request { .. } => None,
        },
        _ => None,
    });
    hello.expect("a hello")
}

fn requests_of(actions: &[Action]) -> Vec<(u32, Request)> {
    let requests = actions.iter().filter_map(|action| match action {
        Action::Transmit(frame) => match frame.as_ref() {
            ClientFrame::Request { id, request } => Some((*id, request.clone())),
            ClientFrame::Hello(_) => None,
        },
        _ => None,
    });
    requests.collect()
}

fn sends_of(actions: &[Action]) -> Vec<(u32, SendMessage)> {
    let sends = requests_of(actions)
        .into_iter()
        .filter_map(|(id, request)| match request {
            Request::SendMessage(send) => Some((id, send)),
            _ => None,
        });
    sends.collect()
}

fn updates_of(actions: &[Action]) -> Vec<&Update> {
    let updates = actions.iter().filter_map(|action| match action {
        Action::Deliver(update) => Some(update),
        _ => None,
    });
    updates.collect()
}

fn retry_at(connection: &Connection) -> Moment {
    match connection.state() {
        State::Disconnected { retry_at, .. } => *retry_at,
        state => panic!("disconnected, not {state:?}"),
    }
}

fn outgoing(thread: u8, client_id: u8) -> Outgoing {
    Outgoing::SendMessage(SendMessage {
        thread: ThreadId::from_bytes([thread; 16]),
        client_id: ClientId::from_bytes([client_id; 16]),
        sent_at: Timestamp::default(),
        parts: vec![Part::text("hej")],
        reply_to: None,
        membership_version: None,
    })
}

fn send(thread: u8, client_id: u8) -> Input {
    Input::Send {
        ticket: client_id.into(),
        outgoing: outgoing(thread, client_id),
    }
}

fn sent(id: u32, send: &SendMessage) -> Input {
    let message = MessageId::first_at(send.sent_at);
    frame(ServerFrame::Reply {
        id,
        reply: Reply::Sent(Sent {
            thread: send.thread,
            message,
            client_id: send.client_id,
        }),
    })
}

fn refusal(id: u32, refusal: impl Into<Refusal>) -> Input {
    frame(ServerFrame::Error {
        id: Some(id),
        error: refusal.into(),
    })
}

// Connecting.

#[test]
fn it_logs_in_opens_says_hello_and_is_live() {
    let mut connection = Connection::new(start());
    assert_eq!(connection.deadline(), Some(seconds(0)));
    assert_eq!(connection.apply(seconds(0), Input::Tick), [Action::LogIn]);
    let actions = connection.apply(seconds(1), tokens("1"));
    let told = Update::LoggedIn {
        refresh_token: Secret::new("refresh 1"),
    };
    assert_eq!(actions, [Action::Deliver(told), Action::Open]);
    let actions = connection.apply(seconds(2), Input::Opened);
    assert_eq!(hello_of(&actions).access_token, "access 1");
    assert_eq!(hello_of(&actions).cursor, None);
    let actions = connection.apply(seconds(3), welcome_at(NOON));
    assert!(matches!(updates_of(&actions)[..], [Update::Connected(_)]));
    assert_eq!(
        connection.state(),
        &State::Live(Live {
            since: seconds(3),
            heard_at: seconds(3),
            silence: PING_INTERVAL * 2
        })
    );
}

#[test]
fn a_refresh_token_is_used_first_and_a_password_when_it_is_refused() {
    let mut connection = Connection::new(Start {
        refresh_token: Some(Secret::new("old")),
        ..start()
    });
    assert_eq!(
        connection.apply(seconds(0), Input::Tick),
        [Action::Refresh(Secret::new("old"))]
    );
    let refused = || Input::LoginFailed(LoginError::Refused(ErrorCode::InvalidToken.into()));
    assert_eq!(connection.apply(seconds(0), refused()), [Action::LogIn]);

    let mut without = Connection::new(Start {
        may_log_in: false,
        refresh_token: Some(Secret::new("old")),
        ..start()
    });
    without.apply(seconds(0), Input::Tick);
    without.apply(seconds(0), refused());
    assert!(matches!(
        without.state(),
        State::Stopped {
            reason: StopReason::LoginRefused { refusal: Some(_), .. }
        }
    ));
}

#[test]
fn a_wrong_password_stops_and_a_busy_server_does_not() {
    let mut connection = Connection::new(start());
    connection.apply(seconds(0), Input::Tick);
    let busy = Refusal::new(ErrorCode::Overloaded).after(seconds(7));
    connection.apply(seconds(1), Input::LoginFailed(LoginError::Refused(busy)));
    assert_eq!(retry_at(&connection), seconds(8));
    assert_eq!(connection.apply(seconds(8), Input::Tick), [Action::LogIn]);
    let wrong = LoginError::Refused(ErrorCode::WrongCredentials.into());
    let actions = connection.apply(seconds(9), Input::LoginFailed(wrong));
    assert!(matches!(
        updates_of(&actions)[..],
        [Update::Stopped {
            reason: StopReason::LoginRefused { .. }
        }]
    ));
    assert_eq!(connection.deadline(), None);
    assert!(connection.apply(seconds(90), Input::Tick).is_empty());
}

#[test]
fn each_failure_doubles_the_longest_wait_and_a_proven_connection_starts_anew() {
    let mut connection = live();
    let mut now = seconds(1);
    connection.apply(
        now,
        Input::Closed {
            code: None,
            reason: "reset".to_owned(),
        },
    );
    for failures in 1..12 {
        assert!(retry_at(&connection) - now <= backoff::ceiling(failures - 1));
        now = retry_at(&connection);
        assert_eq!(connection.apply(now, Input::Tick), [Action::Open]);
        connection.apply(
            now,
            Input::OpenFailed {
                reason: "refused".to_owned(),
                told_wait: None,
            },
        );
        assert!(matches!(connection.state(), State::Disconnected { attempt, .. } if *attempt == failures + 1));
    }
    now = retry_at(&connection);
    connection.apply(now, Input::Tick);
    connection.apply(now, Input::Opened);
    connection.apply(now, welcome_at(NOON));
    connection.apply(
        now + PROVEN,
        Input::Closed {
            code: None,
            reason: "reset".to_owned(),
        },
    );
    assert!(matches!(connection.state(), State::Disconnected { attempt: 1, .. }));
}

#[test]
fn no_welcome_in_time_is_a_failure() {
    let mut connection = Connection::new(start());
    connection.apply(seconds(0), Input::Tick);
    connection.apply(seconds(0), tokens("1"));
    connection.apply(seconds(1), Input::Opened);
    assert_eq!(connection.deadline(), Some(seconds(11)));
    let actions = connection.apply(seconds(11), Input::Tick);
    assert_eq!(actions[0], Action::Close);
    assert!(matches!(
        updates_of(&actions)[..],
        [Update::Disconnected {
            reason: DisconnectReason::HandshakeTimeout,
            ..
        }]
    ));
}

// Close codes.

#[test]
fn a_told_wait_is_kept_to_the_millisecond() {
    let mut connection = live();
    connection.apply(seconds(9), closed(CloseCode::Restarting, Some(millis(3210))));
    assert_eq!(retry_at(&connection), millis(12_210));
    assert_eq!(connection.apply(millis(12_209), Input::Tick), []);
    assert_eq!(connection.apply(millis(12_210), Input::Tick), [Action::Open]);
}

#[test]
fn an_expired_token_is_refreshed_first() {
    let mut connection = live();
    connection.apply(seconds(9), closed(CloseCode::TokenExpired, None));
    let now = retry_at(&connection);
    assert_eq!(
        connection.apply(now, Input::Tick),
        [Action::Refresh(Secret::new("refresh 1"))]
    );
    connection.apply(now, tokens("2"));
    let actions = connection.apply(now, Input::Opened);
    assert_eq!(hello_of(&actions).access_token, "access 2");
}

#[test]
fn a_token_that_ends_soon_is_refreshed_before_it_is_used() {
    let mut connection = live();
    connection.apply(
        seconds(590),
        Input::Closed {
            code: Some(1006),
            reason: String::new(),
        },
    );
    let now = retry_at(&connection);
    assert_eq!(
        connection.apply(now, Input::Tick),
        [Action::Refresh(Secret::new("refresh 1"))]
    );
}

#[test]
fn an_invalid_token_gets_one_refresh_and_then_stops() {
    let mut connection = live();
    connection.apply(seconds(9), closed(CloseCode::InvalidToken, None));
    let now = retry_at(&connection);
    assert_eq!(
        connection.apply(now, Input::Tick),
        [Action::Refresh(Secret::new("refresh 1"))]
    );
    connection.apply(now, tokens("2"));
    connection.apply(now, Input::Opened);
    connection.apply(now, closed(CloseCode::InvalidToken, None));
    let State::Stopped { reason } = connection.state() else {
        panic!("stopped")
    };
    assert_eq!(reason.close_code(), Some(CloseCode::InvalidToken));
}

#[test]
fn codes_that_say_so_stop_and_all_others_come_back() {
    for code in CloseCode::ALL {
        let mut connection = live();
        let actions = connection.apply(seconds(9), closed(*code, None));
        let stopped = matches!(connection.state(), State::Stopped { .. });
        let expected = !code.come_back() && *code != CloseCode::InvalidToken;
        assert_eq!(stopped, expected, "{code}");
        assert!(actions.contains(&Action::Close));
    }
    for code in [None, Some(1000), Some(1011), Some(4321)] {
        let mut connection = live();
        connection.apply(
            seconds(9),
            Input::Closed {
                code,
                reason: String::new(),
            },
        );
        assert!(matches!(connection.state(), State::Disconnected { .. }), "{code:?}");
    }
}

// Liveness and resume.

#[test]
fn silence_for_twice_the_ping_interval_ends_it_and_anything_heard_does_not() {
    let mut connection = live();
    assert_eq!(connection.deadline(), Some(seconds(50)));
    connection.apply(seconds(49), Input::Heard);
    assert_eq!(connection.apply(seconds(50), Input::Tick), []);
    assert_eq!(connection.deadline(), Some(seconds(99)));
    let actions = connection.apply(seconds(99), Input::Tick);
    assert_eq!(actions[0], Action::Close);
    assert!(matches!(
        updates_of(&actions)[..],
        [Update::Disconnected {
            reason: DisconnectReason::Silence,
            ..
        }]
    ));
}

#[test]
fn the_newest_cursor_is_in_the_next_hello_and_kept_after_what_came_before_it() {
    let mut connection = live();
    let space = SpaceId::from_bytes([4; 16]);
    for number in 1..=2 {
        let cursor = ByteString(vec![number]);
        let actions = connection.apply(seconds(1), frame(ServerFrame::Cursor { cursor: cursor.clone() }));
        assert_eq!(actions, [Action::KeepCursor(cursor)]);
    }
    connection.apply(seconds(9), closed(CloseCode::SlowReader, None));
    let now = retry_at(&connection);
    connection.apply(now, Input::Tick);
    let actions = connection.apply(now, Input::Opened);
    assert_eq!(hello_of(&actions).cursor, Some(ByteString(vec![2])));
    connection.apply(now, welcome_at(NOON));
    let actions = connection.apply(now, frame(ServerFrame::Resumed { space, events: 3 }));
    assert_eq!(updates_of(&actions), [&Update::Resumed { space, events: 3 }]);
    let actions = connection.apply(now, frame(ServerFrame::Resync { space }));
    assert_eq!(updates_of(&actions), [&Update::Resync { space }]);
}

#[test]
fn a_cursor_of_an_earlier_run_is_in_the_first_hello() {
    let cursor = Some(ByteString(vec![7]));
    let mut connection = Connection::new(Start {
        cursor: cursor.clone(),
        ..start()
    });
    connection.apply(seconds(0), Input::Tick);
    connection.apply(seconds(0), tokens("1"));
    assert_eq!(hello_of(&connection.apply(seconds(0), Input::Opened)).cursor, cursor);
}

// Requests.

fn ask(ticket: Ticket) -> Input {
    Input::Request {
        ticket,
        request: Request::ListLogins,
    }
}

fn done(id: u32) -> Input {
    frame(ServerFrame::Reply { id, reply: Reply::Done })
}

fn answers_of(actions: &[Action]) -> Vec<(Ticket, &Result<Reply, RequestError>)> {
    let answers = actions.iter().filter_map(|action| match action {
        Action::Answer { ticket, result } => Some((*ticket, result.as_ref())),
        _ => None,
    });
    answers.collect()
}

#[test]
fn eight_requests_are_under_way_and_the_rest_wait_for_a_slot() {
    let mut connection = live();
    let ids: Vec<u32> = (0..8)
        .flat_map(|ticket| requests_of(&connection.apply(seconds(1), ask(ticket))))
        .map(|r| r.0)
        .collect();
    assert_eq!(ids.len(), 8);
    assert!(requests_of(&connection.apply(seconds(1), ask(8))).is_empty());
    let actions = connection.apply(seconds(2), done(ids[3]));
    assert_eq!(answers_of(&actions), [(3, &Ok(Reply::Done))]);
    assert_eq!(requests_of(&actions).len(), 1);
    for ticket in 0..64 {
        assert!(connection.has_room());
        connection.apply(seconds(2), ask(100 + ticket));
    }
    assert!(!connection.has_room());
}

#[test]
fn a_request_waits_for_a_connection_and_no_longer_than_it_may() {
    let mut connection = Connection::new(start());
    connection.apply(seconds(0), Input::Tick);
    assert!(connection.apply(seconds(0), ask(1)).is_empty());
    assert!(connection.apply(seconds(20), ask(2)).is_empty());
    assert_eq!(connection.deadline(), Some(seconds(30)));
    let actions = connection.apply(seconds(30), Input::Tick);
    assert_eq!(answers_of(&actions), [(1, &Err(RequestError::TimedOut))]);
    connection.apply(seconds(31), tokens("1"));
    connection.apply(seconds(31), Input::Opened);
    let actions = connection.apply(seconds(31), welcome_at(NOON));
    assert_eq!(requests_of(&actions).len(), 1);
}

#[test]
fn what_is_under_way_when_the_connection_ends_is_answered_with_that() {
    let mut connection = live();
    connection.apply(seconds(1), ask(1));
    let actions = connection.apply(
        seconds(2),
        Input::Closed {
            code: None,
            reason: String::new(),
        },
    );
    assert_eq!(answers_of(&actions), [(1, &Err(RequestError::Disconnected))]);
    connection.apply(seconds(2), ask(2));
    let actions = connection.apply(seconds(3), Input::Stop);
    assert_eq!(answers_of(&actions), [(2, &Err(RequestError::Stopped))]);
    assert_eq!(
        updates_of(&actions),
        [&Update::Stopped {
            reason: StopReason::Asked
        }]
    );
    assert_eq!(
        answers_of(&connection.apply(seconds(4), ask(3))),
        [(3, &Err(RequestError::Stopped))]
    );
}

#[test]
fn a_refusal_reaches_the_caller() {
    let mut connection = live();
    let id = requests_of(&connection.apply(seconds(1), ask(1)))[0].0;
    let actions = connection.apply(seconds(1), refusal(id, ErrorCode::NotFound));
    assert_eq!(
        answers_of(&actions),
        [(1, &Err(RequestError::Refused(ErrorCode::NotFound.into())))]
    );
}

// The outbox.

#[test]
fn a_send_is_queued_stamped_transmitted_and_sent_only_when_the_server_says_so() {
    let mut connection = live();
    let actions = connection.apply(seconds(10), send(5, 1));
    let sent_at = NOON.plus(seconds(10));
    let entry = Entry {
        client_id: ClientId::from_bytes([1; 16]),
        sent_at: None,
        outgoing: outgoing(5, 1),
    };
    assert_eq!(actions[0], Action::Persist(Record::Queued { entry }));
    assert_eq!(
        actions[1],
        Action::Persist(Record::Stamped {
            client_id: ClientId::from_bytes([1; 16]),
            sent_at
        })
    );
    let (id, message) = sends_of(&actions).remove(0);
    assert_eq!(message.sent_at, sent_at);
    assert_eq!(
        actions.last(),
        Some(&Action::Taken {
            ticket: 1,
            result: Ok(())
        })
    );
    assert!(updates_of(&actions).is_empty());
    let actions = connection.apply(seconds(11), sent(id, &message));
    assert_eq!(
        actions[0],
        Action::Persist(Record::Done {
            client_id: message.client_id
        })
    );
    assert!(
        matches!(updates_of(&actions)[..], [Update::Sent(Sent { client_id, .. })] if *client_id == message.client_id)
    );
    assert_eq!(connection.outbox().len(), 0);
    // Queued again: it is not sent again, and the answer is the same.
    let actions = connection.apply(seconds(12), send(5, 1));
    assert!(sends_of(&actions).is_empty() && connection.outbox().len() == 0);
    assert!(matches!(updates_of(&actions)[..], [Update::Sent(_)]));
}

#[test]
fn a_send_comes_after_everything_seen_in_its_thread() {
    let mut connection = live();
    let thread = ThreadId::from_bytes([5; 16]);
    let ahead = NOON.plus(millis(1500));
    let event = Event::Message(Message {
        thread,
        message: MessageId::first_at(ahead),
        author: ProfileId::from_bytes([6; 16]),
        sent_at: ahead,
        version: 1,
        parts: vec![Part::text("?")],
        reply_to: None,
        edited_at: None,
        recalled_at: None,
    });
    let (space, id) = (SpaceId::from_bytes([4; 16]), EventId::from_bytes([7; 16]));
    connection.apply(seconds(0), frame(ServerFrame::Event { space, id, event }));
    let actions = connection.apply(seconds(0), send(5, 1));
    assert_eq!(sends_of(&actions)[0].1.sent_at, ahead.plus(millis(1)));
    let actions = connection.apply(seconds(0), send(6, 2));
    assert_eq!(sends_of(&actions)[0].1.sent_at, NOON);
}

#[test]
fn one_thread_goes_one_by_one_and_threads_side_by_side() {
    let mut connection = live();
    let (id, first) = sends_of(&connection.apply(seconds(1), send(5, 1))).remove(0);
    assert!(sends_of(&connection.apply(seconds(1), send(5, 2))).is_empty());
    assert_eq!(sends_of(&connection.apply(seconds(1), send(6, 3))).len(), 1);
    let actions = connection.apply(seconds(1), sent(id, &first));
    let (_, second) = sends_of(&actions).remove(0);
    assert_eq!(second.client_id, ClientId::from_bytes([2; 16]));
    assert!(second.sent_at > first.sent_at);
}

#[test]
fn six_slots_are_the_outbox_s_and_two_stay_for_the_screen() {
    let mut connection = live();
    let under_way: usize = (1..=8)
        .map(|n| sends_of(&connection.apply(seconds(1), send(n, n))).len())
        .sum();
    assert_eq!(under_way, 6);
    assert_eq!(requests_of(&connection.apply(seconds(1), ask(100))).len(), 1);
}

#[test]
fn after_a_reconnect_the_same_goes_out_in_order_with_the_same_time() {
    let mut connection = live();
    let (_, first) = sends_of(&connection.apply(seconds(1), send(5, 1))).remove(0);
    connection.apply(seconds(1), send(5, 2));
    connection.apply(seconds(9), closed(CloseCode::NoPong, None));
    let now = retry_at(&connection);
    connection.apply(now, Input::Tick);
    connection.apply(now, Input::Opened);
    let actions = connection.apply(now, welcome_at(NOON.plus(seconds(9))));
    let (id, again) = sends_of(&actions).remove(0);
    assert_eq!(again, first);
    assert!(!actions.iter().any(|action| matches!(action, Action::Persist(_))));
    let (_, second) = sends_of(&connection.apply(now, sent(id, &again))).remove(0);
    assert_eq!(second.client_id, ClientId::from_bytes([2; 16]));
}

#[test]
fn what_an_earlier_process_left_goes_out_first_with_its_time() {
    let stamp = Some(NOON.minus(seconds(100)));
    let entry = |number, sent_at| Entry {
        client_id: ClientId::from_bytes([number; 16]),
        sent_at,
        outgoing: outgoing(number, number),
    };
    let outbox = vec![entry(1, stamp), entry(2, None)];
    let (_, actions) = live_at(seconds(0), Start { outbox, ..start() });
    let sends = sends_of(&actions);
    assert_eq!(Some(sends[0].1.sent_at), stamp);
    assert_eq!(sends[1].1.sent_at, NOON);
}

#[test]
fn restamp_gets_another_later_time_at_once() {
    let mut connection = live();
    let (id, first) = sends_of(&connection.apply(seconds(1), send(5, 1))).remove(0);
    assert!(sends_of(&connection.apply(seconds(1), refusal(id, ErrorCode::Restamp))).len() == 1);
    let (mut connection, _) = live_at(seconds(0), start());
    connection.apply(seconds(1), send(5, 1));
    let actions = connection.apply(seconds(20), refusal(id, ErrorCode::Restamp));
    let (_, second) = sends_of(&actions).remove(0);
    assert_eq!(second.client_id, first.client_id);
    assert_eq!(second.sent_at, NOON.plus(seconds(20)));
    let (client_id, sent_at) = (second.client_id, second.sent_at);
    assert!(actions.contains(&Action::Persist(Record::Stamped { client_id, sent_at })));
}

#[test]
fn a_restamp_in_the_same_millisecond_never_repeats_the_void_time() {
    let mut connection = live();
    let (id, first) = sends_of(&connection.apply(seconds(1), send(5, 1))).remove(0);
    let (_, second) = sends_of(&connection.apply(seconds(1), refusal(id, ErrorCode::Restamp))).remove(0);
    assert_eq!(second.sent_at, first.sent_at.plus(millis(1)));
}

#[test]
fn clock_ahead_waits_a_second_and_the_second_time_learns_the_time_anew() {
    let mut connection = live();
    let (id, first) = sends_of(&connection.apply(seconds(1), send(5, 1))).remove(0);
    let actions = connection.apply(seconds(1), refusal(id, ErrorCode::ClockAhead));
    assert!(sends_of(&actions).is_empty());
    assert_eq!(connection.deadline(), Some(seconds(2)));
    let (id, second) = sends_of(&connection.apply(seconds(2), Input::Tick)).remove(0);
    assert_eq!(second.sent_at, first.sent_at.plus(seconds(1)));
    let actions = connection.apply(seconds(2), refusal(id, ErrorCode::ClockAhead));
    assert!(matches!(
        updates_of(&actions)[..],
        [Update::Disconnected {
            reason: DisconnectReason::ClockAhead,
            ..
        }]
    ));
    let now = seconds(9);
    connection.apply(now, Input::Tick);
    connection.apply(now, Input::Opened);
    let actions = connection.apply(now, welcome_at(NOON.minus(seconds(3600))));
    assert_eq!(sends_of(&actions)[0].1.sent_at, NOON.minus(seconds(3600)));
}

#[test]
fn what_may_pass_is_tried_again_with_the_same_time() {
    let mut connection = live();
    let (id, first) = sends_of(&connection.apply(seconds(1), send(5, 1))).remove(0);
    let busy = Refusal::new(ErrorCode::Overloaded).after(seconds(3));
    assert!(sends_of(&connection.apply(seconds(1), refusal(id, busy))).is_empty());
    assert_eq!(connection.deadline(), Some(seconds(4)));
    let (id, second) = sends_of(&connection.apply(seconds(4), Input::Tick)).remove(0);
    assert_eq!(second, first);
    connection.apply(seconds(4), refusal(id, ErrorCode::StorageUnavailable));
    assert!(connection.deadline().unwrap() <= seconds(4) + backoff::ceiling(1));
}

#[test]
fn what_never_will_be_is_said_and_the_next_of_the_thread_goes_on() {
    let mut connection = live();
    let (id, first) = sends_of(&connection.apply(seconds(1), send(5, 1))).remove(0);
    connection.apply(seconds(1), send(5, 2));
    let actions = connection.apply(seconds(1), refusal(id, ErrorCode::NotPermitted));
    let failed = Update::SendFailed {
        client_id: first.client_id,
        refusal: ErrorCode::NotPermitted.into(),
    };
    assert_eq!(updates_of(&actions), [&failed]);
    assert!(actions.contains(&Action::Persist(Record::Done {
        client_id: first.client_id
    })));
    assert_eq!(sends_of(&actions)[0].1.client_id, ClientId::from_bytes([2; 16]));
}

#[test]
fn a_send_without_an_answer_means_a_dead_connection_and_a_late_answer_counts() {
    let mut connection = live();
    let (id, first) = sends_of(&connection.apply(seconds(1), send(5, 1))).remove(0);
    connection.apply(seconds(30), Input::Heard);
    assert_eq!(connection.apply(seconds(30), Input::Tick), []);
    let actions = connection.apply(seconds(31), Input::Tick);
    let reason = DisconnectReason::NoAnswer;
    assert!(matches!(updates_of(&actions)[..], [Update::Disconnected { reason: of, .. }] if *of == reason));
    connection.apply(seconds(60), Input::Tick);
    connection.apply(seconds(60), Input::Opened);
    let actions = connection.apply(seconds(60), welcome_at(NOON.plus(seconds(60))));
    assert_eq!(sends_of(&actions)[0].1, first);
    let actions = connection.apply(seconds(61), sent(id + 77, &first));
    assert!(matches!(updates_of(&actions)[..], [Update::Sent(_)]));
    assert_eq!(connection.outbox().len(), 0);
}

#[test]
fn before_the_token_ends_it_is_renewed_on_a_new_connection_between_requests() {
    let mut connection = live();
    connection.apply(seconds(560), Input::Heard);
    connection.apply(seconds(570), ask(1));
    assert_eq!(connection.apply(seconds(581), Input::Tick), []);
    connection.apply(seconds(582), done(1));
    assert_eq!(connection.deadline(), Some(seconds(580)));
    let actions = connection.apply(seconds(582), Input::Tick);
    let reason = DisconnectReason::TokenEnds;
    let told = Update::Disconnected {
        retry_in: seconds(0),
        reason,
    };
    assert_eq!(actions, [Action::Close, Action::Deliver(told)]);
    assert_eq!(
        connection.apply(seconds(582), Input::Tick),
        [Action::Refresh(Secret::new("refresh 1"))]
    );
}

#[test]
fn the_outbox_refuses_what_can_not_be_a_message_and_a_reused_id() {
    let mut connection = Connection::new(start());
    connection.apply(seconds(0), send(5, 1));
    let taken = |actions: Vec<Action>| match actions.into_iter().next_back() {
        Some(Action::Taken { result, .. }) => result,
        action => panic!("taken or not, and not {action:?}"),
    };
    assert_eq!(taken(connection.apply(seconds(0), send(5, 1))), Ok(()));
    assert_eq!(connection.outbox().len(), 1);
    assert_eq!(
        taken(connection.apply(seconds(0), send(6, 1))),
        Err(SendError::ClientIdReused)
    );
    let empty = Outgoing::StartThread(StartThread {
        as_profile: None,
        space: SpaceId::from_bytes([4; 16]),
        client_id: ClientId::from_bytes([9; 16]),
        sent_at: Timestamp::default(),
        to: Vec::new(),
        subject: String::new(),
        regarding: Vec::new(),
        parts: Vec::new(),
    });
    let input = Input::Send {
        ticket: 9,
        outgoing: empty,
    };
    assert!(matches!(
        taken(connection.apply(seconds(0), input)),
        Err(SendError::Invalid(_))
    ));
}

#[test]
fn an_outbox_that_can_not_be_written_stops_everything() {
    let mut connection = live();
    let actions = connection.apply(seconds(1), Input::OutboxFailed("disk full".to_owned()));
    let reason = StopReason::OutboxFailed("disk full".to_owned());
    assert_eq!(actions, [Action::Close, Action::Deliver(Update::Stopped { reason })]);
}
