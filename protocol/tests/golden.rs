//! The wire is pinned: the bytes of a frame of every kind, shared as files with the clients in other languages.
//!
//! `protocol/golden/` holds per frame `NAME.json` and `NAME.msgpack.hex`, in `client/` and `server/` as they are
//! written; in `newer/` frames of a newer program, which read as the `server/` or `client/` frame of the same name; in
//! `refused/` what no program reads. `SAMTALE_BLESS=1 cargo test -p samtale-protocol --test golden` writes the first
//! two anew; look at the difference before it is committed.

mod samples;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::{Path, PathBuf};

use samples::{client_frames, kinds, server_frames};
use samtale_protocol::frames::{ClientFrame, ServerFrame};
use samtale_protocol::{CloseCode, Encoding, Event, Reply, Request, Signal};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name)
}

fn bless() -> bool {
    std::env::var_os("SAMTALE_BLESS").is_some()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .unwrap_or_else(|| panic!("`{digit}` is no hex digit")) as u8
    };
    text.trim_end()
        .as_bytes()
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{}: {error}; SAMTALE_BLESS=1 writes it", path.display()))
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap_or(path)).unwrap_or_else(|error| panic!("{error}"));
    std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

fn encoded<T: Serialize>(encoding: Encoding, frame: &T) -> Vec<u8> {
    encoding.encode(frame).unwrap_or_else(|error| panic!("{error}"))
}

/// What a golden file of an encoding is called, and how its bytes stand in it: one line.
fn file_of(encoding: Encoding, name: &str) -> String {
    match encoding {
        Encoding::Json => format!("{name}.json"),
        Encoding::MessagePack => format!("{name}.msgpack.hex"),
    }
}

fn line_of(encoding: Encoding, bytes: &[u8]) -> String {
    match encoding {
        Encoding::Json => format!("{}\n", String::from_utf8_lossy(bytes)),
        Encoding::MessagePack => format!("{}\n", hex(bytes)),
    }
}

fn bytes_of(path: &Path) -> Vec<u8> {
    let text = read(path);
    match encoding_of(path) {
        Encoding::Json => text.trim_end_matches('\n').as_bytes().to_vec(),
        Encoding::MessagePack => unhex(&text),
    }
}

fn encoding_of(path: &Path) -> Encoding {
    if path.extension().is_some_and(|extension| extension == "json") {
        Encoding::Json
    } else {
        Encoding::MessagePack
    }
}

/// The golden files of a folder, sorted.
fn files_in(name: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files
}

/// Each frame is written as its files say and read back from them, and no file is left over.
fn check_folder<T>(name: &str, frames: &[(String, T)], decode: fn(Encoding, &[u8]) -> Option<T>)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let mut expected = BTreeSet::new();
    for (frame_name, frame) in frames {
        for encoding in Encoding::ALL {
            let path = folder(name).join(file_of(encoding, frame_name));
            let bytes = encoded(encoding, frame);
            if bless() {
                write(&path, &line_of(encoding, &bytes));
            }
            assert_eq!(read(&path), line_of(encoding, &bytes), "{}", path.display());
            assert_eq!(
                decode(encoding, &bytes_of(&path)).as_ref(),
                Some(frame),
                "{}",
                path.display()
            );
            assert!(expected.insert(path), "two frames are called {frame_name}");
        }
    }
    for path in files_in(name) {
        assert!(expected.contains(&path), "{} belongs to no frame", path.display());
    }
}

fn decode_client(encoding: Encoding, bytes: &[u8]) -> Option<ClientFrame> {
    ClientFrame::decode(encoding, bytes).ok()
}

fn decode_server(encoding: Encoding, bytes: &[u8]) -> Option<ServerFrame> {
    ServerFrame::decode(encoding, bytes).ok()
}

#[test]
fn client_frames_are_as_their_files() {
    check_folder("client", &client_frames(), decode_client);
}

#[test]
fn server_frames_are_as_their_files() {
    check_folder("server", &server_frames(), decode_server);
}

#[test]
fn close_codes_are_as_their_file() {
    let listed: Vec<serde_json::Value> = CloseCode::ALL
        .iter()
        .map(|code| serde_json::json!({"code": code.number(), "name": code.name(), "come_back": code.come_back()}))
        .collect();
    let text: String = listed
        .iter()
        .map(|code| format!("  {code}"))
        .collect::<Vec<_>>()
        .join(",\n");
    let path = folder("close_codes.json");
    let text = format!("[\n{text}\n]\n");
    if bless() {
        write(&path, &text);
    }
    assert_eq!(read(&path), text);
}

#[test]
fn frames_of_newer_programs_read_as_what_we_know() {
    for path in files_in("newer") {
        let bytes = bytes_of(&path);
        let name = path.file_name().unwrap_or_default();
        let twin = |kind: &str| Some(folder(kind).join(name)).filter(|twin| twin.exists());
        if let Some(twin) = twin("server") {
            let decoded = decode_server(encoding_of(&path), &bytes);
            assert!(decoded.is_some(), "{}", path.display());
            assert_eq!(
                decoded,
                decode_server(encoding_of(&twin), &bytes_of(&twin)),
                "{}",
                path.display()
            );
        } else {
            let twin = twin("client").unwrap_or_else(|| panic!("{} has no twin", path.display()));
            let decoded = decode_client(encoding_of(&path), &bytes);
            assert!(decoded.is_some(), "{}", path.display());
            assert_eq!(
                decoded,
                decode_client(encoding_of(&twin), &bytes_of(&twin)),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn what_is_refused_is_refused_by_both_sides() {
    for path in files_in("refused") {
        let (encoding, bytes) = (encoding_of(&path), bytes_of(&path));
        assert!(ClientFrame::decode(encoding, &bytes).is_err(), "{}", path.display());
        assert!(ServerFrame::decode(encoding, &bytes).is_err(), "{}", path.display());
    }
}

/// Every variant has a golden frame. A new one does not compile until `samples/kinds.rs` names it.
#[test]
fn every_variant_has_a_golden_frame() {
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (_, frame) in &client_frames() {
        seen.insert(("client frame", kinds::client_frame(frame)));
        if let ClientFrame::Request { request, .. } = frame {
            seen.insert(("request", kinds::request(request)));
            note_parts_and_recipients(request, &mut seen);
        }
    }
    for (_, frame) in &server_frames() {
        seen.insert(("server frame", kinds::server_frame(frame)));
        match frame {
            ServerFrame::Reply { reply, .. } => seen.insert(("reply", kinds::reply(reply))),
            ServerFrame::Event { event, .. } => seen.insert(("event", kinds::event(event))),
            ServerFrame::Signal { signal } => seen.insert(("signal", kinds::signal(signal))),
            _ => false,
        };
        if let ServerFrame::Event {
            event: Event::Message(message),
            ..
        } = frame
        {
            seen.extend(message.parts.iter().map(|part| ("part", kinds::part(part))));
        }
    }
    for (what, names) in [
        ("client frame", kinds::CLIENT_FRAMES),
        ("server frame", kinds::SERVER_FRAMES),
        ("request", kinds::REQUESTS),
        ("reply", kinds::REPLIES),
        ("event", kinds::EVENTS),
        ("signal", kinds::SIGNALS),
        ("part", kinds::PARTS),
        ("recipient", kinds::RECIPIENTS),
    ] {
        for name in names {
            assert!(seen.contains(&(what, *name)), "the {what} `{name}` has no golden frame");
        }
    }
}

fn note_parts_and_recipients(request: &Request, seen: &mut BTreeSet<(&str, &str)>) {
    if let Request::StartThread(start) = request {
        seen.extend(start.to.iter().map(|to| ("recipient", kinds::recipient(to))));
        seen.extend(start.parts.iter().map(|part| ("part", kinds::part(part))));
    }
}

/// The names in `samples/kinds.rs` are those on the wire.
#[test]
fn names_are_those_on_the_wire() {
    let named = |value: &dyn Fn() -> serde_json::Result<serde_json::Value>, tag: &str, name: &str| {
        let value = value().unwrap_or_default();
        assert_eq!(value[tag].as_str(), Some(name), "{value}");
    };
    for (_, frame) in &client_frames() {
        named(&|| serde_json::to_value(frame), "t", kinds::client_frame(frame));
        if let ClientFrame::Request { request, .. } = frame {
            named(&|| serde_json::to_value(request), "op", kinds::request(request));
        }
    }
    for (_, frame) in &server_frames() {
        named(&|| serde_json::to_value(frame), "t", kinds::server_frame(frame));
        match frame {
            ServerFrame::Reply { reply, .. } => {
                named(&|| serde_json::to_value::<&Reply>(reply), "kind", kinds::reply(reply))
            }
            ServerFrame::Event { event, .. } => {
                named(&|| serde_json::to_value::<&Event>(event), "kind", kinds::event(event))
            }
            ServerFrame::Signal { signal } => {
                named(
                    &|| serde_json::to_value::<&Signal>(signal),
                    "kind",
                    kinds::signal(signal),
                );
            }
            _ => {}
        }
    }
}

#[test]
fn a_request_knows_its_name_on_the_wire() {
    for (name, frame) in client_frames() {
        if let ClientFrame::Request { request, .. } = frame {
            let wire = serde_json::to_value(&request).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(wire["op"], request.op(), "{name}");
        }
    }
}
