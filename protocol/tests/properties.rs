//! Properties: whatever a frame holds, it comes back the same, in either encoding; whatever bytes come in, reading them
//! ends with a frame or an error.
//!
//! Arbitrary frames are the samples of every kind with every value replaced, lists made longer and shorter, and optional
//! fields left out: so a new kind is covered as soon as it has a golden frame.

mod samples;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use samples::{client_frames, server_frames};
use samtale_protocol::frames::request_id;
use samtale_protocol::time::LARGEST_INTEGER;
use samtale_protocol::{ClientFrame, Encoding, ServerFrame};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What replaces one value of a sample.
#[derive(Clone, Debug)]
struct Filling {
    text: String,
    number: u64,
    bytes: [u8; 16],
    flag: bool,
    length: usize,
}

fn fillings() -> impl Strategy<Value = Vec<Filling>> {
    let numbers = prop_oneof![
        0..=LARGEST_INTEGER,
        Just(LARGEST_INTEGER),
        0..300_u64,
        Just(u64::from(u32::MAX))
    ];
    let filling = (any::<String>(), numbers, any::<[u8; 16]>(), any::<bool>(), 0..4_usize).prop_map(
        |(text, number, bytes, flag, length)| Filling {
            text,
            number,
            bytes,
            flag,
            length,
        },
    );
    proptest::collection::vec(filling, 1..24)
}

/// Names from closed lists, which stay as they are.
const CLOSED: [&str; 8] = ["t", "op", "kind", "role", "reason", "rule", "code", "language"];
/// Fields of 32 bits.
const SMALL: [&str; 6] = ["id", "limit", "count", "members", "families", "unread"];

/// The sample with every value replaced by the next filling.
fn fill<'a>(key: &str, value: &mut Value, next: &mut impl Iterator<Item = &'a Filling>) {
    let Some(filling) = next.next() else { return };
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                fill(key, value, next);
            }
        }
        Value::Array(items) => {
            let pattern = items.clone();
            *items = pattern
                .into_iter()
                .cycle()
                .take(if items.is_empty() { 0 } else { filling.length })
                .collect();
            items.iter_mut().for_each(|item| fill(key, item, next));
        }
        Value::Bool(flag) => *flag = filling.flag,
        Value::Number(number) => *number = filling.number.min(largest(key)).into(),
        Value::String(text) if is_id(text) => *text = uuid::Uuid::from_bytes(filling.bytes).to_string(),
        Value::String(text) if key == "cursor" => *text = STANDARD.encode(&filling.text),
        // `from` and `to` of an explanation are roles.
        Value::String(text) if !CLOSED.contains(&key) && key != "from" && key != "to" => *text = filling.text.clone(),
        Value::String(_) | Value::Null => {}
    }
}

fn is_id(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok()
}

fn largest(key: &str) -> u64 {
    match key {
        "version" => LARGEST_INTEGER,
        key if key.ends_with("_at") || key == "since" || key == "server_time" => (1 << 48) - 1,
        key if SMALL.contains(&key) => u64::from(u32::MAX),
        _ => LARGEST_INTEGER,
    }
}

/// Reads the filled sample, and checks that it survives both encodings and means the same in each.
fn comes_back<T>(sample: &T, fillings: &[Filling], decode: fn(Encoding, &[u8]) -> Option<T>)
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let mut value = serde_json::to_value(sample).unwrap_or_default();
    fill("", &mut value, &mut fillings.iter().cycle());
    if value["t"] == "hello" && value["version"].as_u64() > Some(u64::from(u32::MAX)) {
        value["version"] = 1.into();
    }
    let frame: T = serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"));
    for encoding in Encoding::ALL {
        let bytes = encoding.encode(&frame).unwrap_or_default();
        let read = decode(encoding, &bytes);
        assert_eq!(read.as_ref(), Some(&frame));
        assert_eq!(encoding.encode(&read).ok(), Some(bytes));
    }
}

fn decode_client(encoding: Encoding, bytes: &[u8]) -> Option<ClientFrame> {
    ClientFrame::decode(encoding, bytes).ok()
}

fn decode_server(encoding: Encoding, bytes: &[u8]) -> Option<ServerFrame> {
    ServerFrame::decode(encoding, bytes).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1024) })]

    #[test]
    fn client_frames_come_back_the_same(sample in proptest::sample::select(client_frames()), fillings in fillings()) {
        comes_back(&sample.1, &fillings, decode_client);
    }

    #[test]
    fn server_frames_come_back_the_same(sample in proptest::sample::select(server_frames()), fillings in fillings()) {
        comes_back(&sample.1, &fillings, decode_server);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        for encoding in Encoding::ALL {
            let client = decode_client(encoding, &bytes);
            decode_server(encoding, &bytes);
            let id = request_id(encoding, &bytes);
            if let Some(ClientFrame::Request { id: read, .. }) = client {
                prop_assert_eq!(id, Some(read));
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        decode_client(Encoding::Json, text.as_bytes());
        decode_server(Encoding::Json, text.as_bytes());
        request_id(Encoding::Json, text.as_bytes());
    }

    #[test]
    fn the_id_of_a_request_is_read_from_every_cut_that_holds_it(
        sample in proptest::sample::select(client_frames()),
        cut in any::<proptest::sample::Index>(),
    ) {
        let ClientFrame::Request { id, .. } = sample.1 else { return Ok(()) };
        for encoding in Encoding::ALL {
            let bytes = encoding.encode(&sample.1).unwrap();
            prop_assert_eq!(request_id(encoding, &bytes), Some(id));
            let found = request_id(encoding, &bytes[..cut.index(bytes.len())]);
            prop_assert!(found.is_none() || found == Some(id));
        }
    }
}
