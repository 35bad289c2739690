//! Frames made to hurt: cut short, bent, nested, oversized, and claiming more than they hold.

mod samples;

use samples::{client_frames, server_frames};
use samtale_protocol::frames::{Unreadable, request_id};
use samtale_protocol::{ClientFrame, CloseCode, Encoding, ErrorCode, Event, Language, ServerFrame, limits};

/// Every golden frame of both sides in an encoding.
fn all_frames(encoding: Encoding) -> Vec<Vec<u8>> {
    let client = client_frames()
        .into_iter()
        .map(|(_, frame)| encoding.encode(&frame).unwrap_or_default());
    let server = server_frames()
        .into_iter()
        .map(|(_, frame)| encoding.encode(&frame).unwrap_or_default());
    client.chain(server).collect()
}

fn read_by_all(encoding: Encoding, bytes: &[u8]) -> bool {
    request_id(encoding, bytes);
    let client = ClientFrame::decode(encoding, bytes);
    if let Err(error) = &client {
        Unreadable::judge(encoding, bytes, error);
    }
    ServerFrame::decode(encoding, bytes).is_ok() || client.is_ok()
}

#[test]
fn a_frame_cut_anywhere_is_refused() {
    for encoding in Encoding::ALL {
        for frame in all_frames(encoding) {
            for end in 0..frame.len() {
                assert!(!read_by_all(encoding, &frame[..end]), "cut at {end} of {frame:02x?}");
            }
        }
    }
}

#[test]
fn a_frame_with_anything_after_it_is_refused() {
    for encoding in Encoding::ALL {
        for frame in all_frames(encoding) {
            for tail in [&b"\0"[..], b"{}", b"\x80", b"\xc0", b","] {
                assert!(!read_by_all(encoding, &[&frame, tail].concat()));
            }
        }
    }
}

#[test]
fn a_frame_with_any_byte_bent_is_read_or_refused() {
    for encoding in Encoding::ALL {
        for frame in all_frames(encoding) {
            for at in 0..frame.len() {
                for byte in [0x00, 0x5b, 0xdf, frame[at] ^ 1] {
                    let mut bent = frame.clone();
                    bent[at] = byte;
                    read_by_all(encoding, &bent);
                }
            }
        }
    }
}

#[test]
fn a_claim_of_four_gib_anywhere_is_read_or_refused() {
    for frame in all_frames(Encoding::MessagePack) {
        for at in 0..frame.len() {
            for marker in [0xc6, 0xc9, 0xdb, 0xdd, 0xdf] {
                let claim = [marker, 0xff, 0xff, 0xff, 0xff];
                let whole = [&frame[..at], &claim, &frame[at..]].concat();
                read_by_all(Encoding::MessagePack, &whole);
            }
        }
    }
}

#[test]
fn nesting_is_bounded_in_both_encodings() {
    for levels in [17, 1_000, 60_000] {
        let json = [br#"{"t":"request","id":7,"request":"#.as_slice(), &vec![b'['; levels]].concat();
        let packed = [
            b"\x83\xa1t\xa7request\xa2id\x07\xa7request".as_slice(),
            &vec![0x91; levels],
        ]
        .concat();
        for (encoding, bytes) in [(Encoding::Json, json), (Encoding::MessagePack, packed)] {
            let error = ClientFrame::decode(encoding, &bytes)
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default();
            assert!(error.contains("nested deeper"), "{error}");
            assert_eq!(request_id(encoding, &bytes), Some(7));
        }
    }
}

#[test]
fn both_encodings_allow_the_same_nesting() {
    for (levels, allowed) in [(limits::NESTING_DEPTH - 1, true), (limits::NESTING_DEPTH, false)] {
        let deep = (0..levels).fold(serde_json::Value::Null, |inner, _| serde_json::json!([inner]));
        let frame = serde_json::json!({"t": "resync", "space": "019fea41-ab00-7aaa-aaaa-000000000001", "deep": deep});
        for encoding in Encoding::ALL {
            let bytes = encoding.encode(&frame).unwrap_or_default();
            assert_eq!(
                ServerFrame::decode(encoding, &bytes).is_ok(),
                allowed,
                "{levels} levels in {encoding:?}"
            );
        }
    }
}

#[test]
fn frames_above_the_limit_are_refused_before_they_are_read() {
    for (limit, is_client) in [(limits::CLIENT_FRAME_BYTES, true), (limits::SERVER_FRAME_BYTES, false)] {
        let text = |bytes: usize| if is_client { hello(bytes) } else { cursor(bytes) };
        let fitting = text(limit - text(0).len());
        assert_eq!(fitting.len(), limit);
        let above = text(limit - text(0).len() + 1);
        let read = |bytes: &[u8]| match is_client {
            true => ClientFrame::decode(Encoding::Json, bytes).map(drop),
            false => ServerFrame::decode(Encoding::Json, bytes).map(drop),
        };
        assert!(read(&fitting).is_ok());
        let error = read(&above).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(&format!("the limit is {limit}")), "{error}");
    }
}

fn hello(token: usize) -> Vec<u8> {
    let token = "a".repeat(token);
    format!(r#"{{"t":"hello","version":1,"access_token":"{token}","device":"019fea41-ab00-7555-9555-000000000001","client":""}}"#)
        .into_bytes()
}

fn cursor(padding: usize) -> Vec<u8> {
    format!(r#"{{"t":"cursor","cursor":"","padding":"{}"}}"#, "a".repeat(padding)).into_bytes()
}

#[test]
fn what_cannot_be_answered_closes_and_what_can_is_answered() {
    for encoding in Encoding::ALL {
        let judge = |frame: serde_json::Value| {
            let bytes = encoding.encode(&frame).unwrap_or_default();
            let error = ClientFrame::decode(encoding, &bytes)
                .err()
                .unwrap_or_else(|| panic!("read: {frame}"));
            Unreadable::judge(encoding, &bytes, &error)
        };
        let refused = judge(serde_json::json!({"t": "request", "id": 9, "request": {"op": "inbox", "limit": "ten"}}));
        assert!(matches!(refused, Unreadable::Refuse { id: 9, ref error } if error.code == ErrorCode::BadRequest));
        let closed = judge(serde_json::json!({"t": "subscribe", "id": 9}));
        assert!(matches!(
            closed,
            Unreadable::Close {
                code: CloseCode::BadFrame,
                ..
            }
        ));
    }
}

#[test]
fn a_language_that_is_not_spoken_becomes_english() {
    for (name, language) in [
        ("da", Language::Danish),
        ("en", Language::English),
        ("kl", Language::English),
    ] {
        let read: Result<Language, _> = Encoding::Json.decode(format!("\"{name}\"").as_bytes());
        assert_eq!(read.ok(), Some(language));
    }
}

#[test]
fn a_token_never_stands_in_an_error() {
    let frame = br#"{"t":"hello","version":"s3cret-token","access_token":"s3cret-token","device":1,"client":""}"#;
    let error = ClientFrame::decode(Encoding::Json, frame)
        .err()
        .map(|error| format!("{error} {error:?}"));
    assert!(error.is_some_and(|error| !error.contains("s3cret")));
}

#[test]
fn an_unknown_event_keeps_its_place() {
    let frame = br#"{"t":"event","space":"019fea41-ab00-7aaa-aaaa-000000000001","id":"019fea41-ab00-7333-b333-000000000000","event":{"kind":"weather","degrees":-3.5}}"#;
    let read = ServerFrame::decode(Encoding::Json, frame).ok();
    assert!(matches!(
        read,
        Some(ServerFrame::Event {
            event: Event::Unknown,
            ..
        })
    ));
}
