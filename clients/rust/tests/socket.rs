//! The client against a server in the test, over real sockets: reconnecting, resuming, and the outbox.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test, what must not fail may end it"
)]

mod support;

use std::time::{Duration, Instant};

use samtale_client::{
    Client, ClientOptions, Credentials, FileCursor, Outbox, RequestError, Secret, StopReason, Update,
};
use samtale_protocol::messages::Part;
use samtale_protocol::{
    ByteString, CloseCode, Encoding, ErrorCode, Event, EventId, Refusal, Reply, Request, ServerFrame, SpaceId, ThreadId,
};

use support::{BOUND, NOON, Server, connected, wait_for};

const SPACE: SpaceId = SpaceId::from_bytes([3; 16]);
const THREAD: ThreadId = ThreadId::from_bytes([4; 16]);

fn event(version: u64) -> ServerFrame {
    ServerFrame::Event {
        space: SPACE,
        id: EventId::from_bytes([5; 16]),
        event: Event::Directory { version },
    }
}

fn version_of(update: Update) -> Option<u64> {
    match update {
        Update::Event { event, .. } => match *event {
            Event::Directory { version } => Some(version),
            _ => None,
        },
        _ => None,
    }
}

fn text() -> Vec<Part> {
    vec![Part::text("Hej, æøå 👋")]
}

#[tokio::test]
async fn it_logs_in_and_hears_events_in_both_encodings() {
    for encoding in Encoding::ALL {
        let mut server = Server::start().await;
        let (client, mut updates) = Client::connect(ClientOptions {
            encoding,
            ..server.options()
        });
        assert_eq!(server.login().await, "/v1/login mette");
        let (mut socket, hello) = server.live().await;
        assert_eq!(socket.encoding, encoding);
        assert_eq!(hello.access_token, "access for mette");
        socket.tell(event(7)).await;
        assert_eq!(wait_for(&mut updates, version_of).await, 7);
        client.stop().await;
        let reason = wait_for(&mut updates, |update| match update {
            Update::Stopped { reason } => Some(reason),
            _ => None,
        });
        assert_eq!(reason.await, StopReason::Asked);
        assert_eq!(updates.next().await, None);
    }
}

#[tokio::test]
async fn a_wrong_password_stops_it_with_the_server_s_words() {
    let server = Server::start().await;
    let credentials = Credentials::Password {
        username: "nobody".to_owned(),
        password: Secret::new("x"),
    };
    let (client, mut updates) = Client::connect(ClientOptions {
        credentials,
        ..server.options()
    });
    let reason = wait_for(&mut updates, |update| match update {
        Update::Stopped { reason } => Some(reason),
        _ => None,
    });
    let StopReason::LoginRefused {
        refusal: Some(refusal), ..
    } = reason.await
    else {
        panic!("refused")
    };
    assert_eq!(refusal.code, ErrorCode::WrongCredentials);
    assert_eq!(client.request(Request::ListLogins).await, Err(RequestError::Stopped));
}

#[tokio::test]
async fn on_drain_it_comes_back_after_the_told_wait_with_its_cursor_and_resumes() {
    let mut server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cursor");
    let cursor = || Some(Box::new(FileCursor::at(&path)) as Box<_>);
    let (client, mut updates) = Client::connect(ClientOptions {
        cursor: cursor(),
        ..server.options()
    });
    let (mut socket, hello) = server.live().await;
    assert_eq!(hello.cursor, None);
    socket.tell(event(1)).await;
    socket
        .tell(ServerFrame::Cursor {
            cursor: ByteString(vec![9]),
        })
        .await;
    let closed_at = Instant::now();
    socket
        .close(CloseCode::Restarting, Some(Duration::from_millis(300)))
        .await;
    let (mut socket, hello) = server.live().await;
    assert!(closed_at.elapsed() >= Duration::from_millis(290));
    assert_eq!(hello.cursor, Some(ByteString(vec![9])));
    socket.tell(event(2)).await;
    socket
        .tell(ServerFrame::Resumed {
            space: SPACE,
            events: 1,
        })
        .await;
    socket
        .tell(ServerFrame::Cursor {
            cursor: ByteString(vec![10]),
        })
        .await;
    assert_eq!(wait_for(&mut updates, version_of).await, 1);
    let retry_in = wait_for(&mut updates, |update| match update {
        Update::Disconnected { retry_in, .. } => Some(retry_in),
        _ => None,
    });
    assert_eq!(retry_in.await, Duration::from_millis(300));
    assert_eq!(wait_for(&mut updates, version_of).await, 2);
    wait_for(&mut updates, |update| {
        (update
            == Update::Resumed {
                space: SPACE,
                events: 1,
            })
        .then_some(())
    })
    .await;
    client.stop().await;
    while updates.next().await.is_some() {}

    // Another process goes on from there.
    let (_client, _updates) = Client::connect(ClientOptions {
        cursor: cursor(),
        ..server.options()
    });
    assert_eq!(server.live().await.1.cursor, Some(ByteString(vec![10])));
}

#[tokio::test]
async fn a_server_that_is_cut_off_is_found_again() {
    let mut server = Server::start().await;
    let (client, mut updates) = server.client();
    let (mut socket, _) = server.live().await;
    connected(&mut updates).await;
    let asked = tokio::spawn({
        let client = client.clone();
        async move { client.request(Request::ListLogins).await }
    });
    socket.request().await;
    drop(socket);
    assert_eq!(asked.await.unwrap(), Err(RequestError::Disconnected));
    let (mut socket, _) = server.live().await;
    connected(&mut updates).await;
    let asked = tokio::spawn(async move { client.request(Request::ListLogins).await });
    let (id, _) = socket.request().await;
    socket.tell(ServerFrame::Reply { id, reply: Reply::Done }).await;
    assert_eq!(asked.await.unwrap(), Ok(Reply::Done));
}

#[tokio::test]
async fn an_expired_token_is_refreshed_and_a_revoked_login_is_believed() {
    let mut server = Server::start().await;
    let (_client, mut updates) = server.client();
    assert_eq!(server.login().await, "/v1/login mette");
    let (socket, _) = server.live().await;
    socket.close(CloseCode::TokenExpired, None).await;
    assert_eq!(server.login().await, "/v1/refresh mette+");
    let (socket, hello) = server.live().await;
    assert_eq!(hello.access_token, "access for mette+");
    socket.close(CloseCode::Revoked, None).await;
    let reason = wait_for(&mut updates, |update| match update {
        Update::Stopped { reason } => Some(reason),
        _ => None,
    });
    assert_eq!(reason.await.close_code(), Some(CloseCode::Revoked));
}

#[tokio::test]
async fn a_send_whose_answer_is_lost_goes_out_again_unchanged_and_is_sent_once() {
    let mut server = Server::start().await;
    let (client, mut updates) = server.client();
    let (mut socket, _) = server.live().await;
    connected(&mut updates).await;
    let first_id = client.send(THREAD, text()).await.unwrap();
    let second_id = client.send(THREAD, text()).await.unwrap();
    let (_, first) = socket.send_message().await;
    assert!(first.sent_at >= NOON && first.sent_at < NOON.plus(BOUND));
    drop(socket);
    let (mut socket, _) = server.live().await;
    let (id, again) = socket.send_message().await;
    assert_eq!((again.client_id, again.sent_at), (first_id, first.sent_at));
    socket.acknowledge(id, &again).await;
    let (id, second) = socket.send_message().await;
    assert_eq!(second.client_id, second_id);
    assert!(second.sent_at > first.sent_at);
    socket.acknowledge(id, &second).await;
    for expected in [first_id, second_id] {
        let sent = wait_for(&mut updates, |update| match update {
            Update::Sent(sent) => Some(sent.client_id),
            _ => None,
        });
        assert_eq!(sent.await, expected);
    }
}

#[tokio::test]
async fn a_send_survives_the_process_with_its_id_and_time() {
    let mut server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outbox");
    let outbox = Outbox::open(&path).unwrap();
    let (client, updates) = Client::connect(ClientOptions {
        outbox,
        ..server.options()
    });
    let (mut socket, _) = server.live().await;
    let client_id = client.send(THREAD, text()).await.unwrap();
    let (_, first) = socket.send_message().await;
    drop((client, updates, socket));

    let outbox = reopened(&path).await;
    assert_eq!(outbox.entries()[0].sent_at, Some(first.sent_at));
    let (_client, mut updates) = Client::connect(ClientOptions {
        outbox,
        ..server.options()
    });
    let (mut socket, _) = server.live().await;
    let (id, again) = socket.send_message().await;
    assert_eq!(again, first);
    socket.acknowledge(id, &again).await;
    let sent = wait_for(&mut updates, |update| match update {
        Update::Sent(sent) => Some(sent.client_id),
        _ => None,
    });
    assert_eq!(sent.await, client_id);
    drop((_client, updates));
    assert!(reopened(&path).await.entries().is_empty());
}

/// The client's task lets go of the file soon after its last handle is gone.
async fn reopened(path: &std::path::Path) -> Outbox {
    let reopened = async {
        loop {
            match Outbox::open(path) {
                Ok(outbox) => return outbox,
                // tidy: waits because a lock on a file can only be asked for, not awaited
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    tokio::time::timeout(BOUND, reopened)
        .await
        .expect("the outbox is free in time")
}

#[tokio::test]
async fn a_send_queued_offline_gets_its_time_when_it_goes_out() {
    let mut server = Server::start().await;
    let (client, _updates) = server.client();
    let mut socket = server.socket().await;
    let client_id = client.send(THREAD, text()).await.unwrap();
    socket.hello().await;
    let later = NOON.plus(Duration::from_secs(3600));
    socket.welcome(later).await;
    let (_, send) = socket.send_message().await;
    assert_eq!(send.client_id, client_id);
    assert!(send.sent_at >= later);
}

#[tokio::test]
async fn restamp_gives_a_new_time_and_keeps_the_id() {
    let mut server = Server::start().await;
    let (client, mut updates) = server.client();
    let (mut socket, _) = server.live().await;
    let client_id = client.send(THREAD, text()).await.unwrap();
    let (id, first) = socket.send_message().await;
    socket
        .tell(ServerFrame::Error {
            id: Some(id),
            error: ErrorCode::Restamp.into(),
        })
        .await;
    let (id, second) = socket.send_message().await;
    assert_eq!(second.client_id, client_id);
    assert!(second.sent_at > first.sent_at);
    socket.acknowledge(id, &second).await;
    wait_for(&mut updates, |update| matches!(update, Update::Sent(_)).then_some(())).await;
    client.send(THREAD, text()).await.unwrap();
    let (id, third) = socket.send_message().await;
    let refusal = Refusal::new(ErrorCode::NotPermitted);
    socket
        .tell(ServerFrame::Error {
            id: Some(id),
            error: refusal.clone(),
        })
        .await;
    let failed = wait_for(&mut updates, |update| match update {
        Update::SendFailed { client_id, refusal } => Some((client_id, refusal)),
        _ => None,
    });
    assert_eq!(failed.await, (third.client_id, refusal));
}

#[tokio::test]
async fn a_slow_application_gets_everything_in_order_and_may_still_ask() {
    let mut server = Server::start().await;
    let (client, mut updates) = Client::connect(ClientOptions {
        updates: 1,
        ..server.options()
    });
    let (mut socket, _) = server.live().await;
    let telling = tokio::spawn(async move {
        for version in 0..2000 {
            socket.tell(event(version)).await;
        }
        socket
    });
    // The application is behind by far, and the request goes out all the same.
    let asked = tokio::spawn(async move { client.request(Request::ListLogins).await });
    for expected in 0..2000 {
        assert_eq!(wait_for(&mut updates, version_of).await, expected);
    }
    let mut socket = telling.await.unwrap();
    let (id, _) = socket.request().await;
    socket.tell(ServerFrame::Reply { id, reply: Reply::Done }).await;
    assert_eq!(asked.await.unwrap(), Ok(Reply::Done));
}

#[tokio::test]
async fn a_client_that_nobody_holds_any_more_says_goodbye() {
    let mut server = Server::start().await;
    let (client, updates) = server.client();
    let (socket, _) = server.live().await;
    drop((client, updates));
    // Ends with the client's close frame, in time.
    socket.close(CloseCode::Restarting, None).await;
}
