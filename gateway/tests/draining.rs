//! Going down in good order, with sessions that have requests in hand.

mod support;

use std::time::Duration;

use samtale_protocol::CloseCode;
use support::{Running, SOON, list_logins, masked};

/// Sessions enough for the told times to show that they are spread.
const SESSIONS: usize = 60;
/// Requests that each session has in hand when the server is told to stop.
const REQUESTS: u32 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_in_hand_is_answered_and_every_client_told_another_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Running::start(folder.path(), SESSIONS, |_| {}).await;
    let mut sessions = Vec::new();
    for person in 0..SESSIONS {
        sessions.push(server.session(person).await);
    }
    let unidentified = server.socket().await;
    // In one write, which the server reads at once: one answer shows that the rest is in hand, or answered already.
    let requests: Vec<u8> = (1..=REQUESTS)
        .flat_map(|id| masked(0x81, list_logins(id).as_bytes()))
        .collect();
    for session in &mut sessions {
        session.send_bytes(&requests).await;
    }
    for session in &mut sessions {
        session.until(|frame| frame["t"] == "reply").await;
    }
    server.shutdown.cancel();

    let mut waits = Vec::new();
    let mut answers = 0;
    for mut session in sessions {
        let mut answered = 1;
        let (code, reason) = loop {
            let frame = session.next().await.expect("it ended without a close frame");
            if frame.opcode == 8 {
                let (code, reason) = frame.payload.split_at(2);
                let code = u16::from_be_bytes([code[0], code[1]]);
                break (code, String::from_utf8(reason.to_vec()).expect("text"));
            }
            let frame = String::from_utf8(frame.payload).expect("text");
            answered += u32::from(frame.contains("\"t\":\"reply\"") || frame.contains("\"overloaded\""));
        };
        assert_eq!(code, CloseCode::Restarting.number(), "{reason}");
        waits.push(CloseCode::told_wait(&reason).expect("a wait"));
        answers += answered;
    }
    assert_eq!(
        answers,
        REQUESTS * u32::try_from(SESSIONS).expect("few"),
        "a request was not answered"
    );
    let mut unidentified = unidentified;
    let (code, reason) = unidentified.closed().await.expect("a close frame");
    assert_eq!(
        code,
        CloseCode::Restarting.number(),
        "a socket without a session is told too"
    );
    assert!(CloseCode::told_wait(&reason).is_some());

    waits.sort_unstable();
    let longest = waits.last().copied().unwrap_or_default();
    assert!(longest <= Duration::from_millis(20_500), "{longest:?}");
    for window in 0..4 {
        let from = Duration::from_millis(500 + 5_000 * window);
        let share = waits
            .iter()
            .filter(|wait| (from..from + Duration::from_secs(5)).contains(wait))
            .count();
        assert!(
            (SESSIONS / 8..=SESSIONS / 2).contains(&share),
            "{share} of {SESSIONS} from {from:?}: {waits:?}"
        );
    }
    assert!(
        tokio::net::TcpStream::connect(server.address).await.is_err(),
        "it takes nothing new"
    );
    tokio::time::timeout(SOON, server.serving)
        .await
        .expect("it does not end")
        .expect("it ends well");
}
