//! What RFC 6455 says of frames, case by case; then frames by chance, judged by tungstenite too.

use std::cell::RefCell;
use std::collections::VecDeque;

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tokio_tungstenite::tungstenite::{Error, Message, error::CapacityError};

use super::*;
use crate::wire::{OwnedWire, Wire};

/// Bytes that arrive in pieces.
#[derive(Default)]
struct Pieces(RefCell<VecDeque<Vec<u8>>>);

impl Wire for Pieces {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn poll_writable(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_read(&self, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut pieces = self.0.borrow_mut();
        if let Some(piece) = pieces.pop_front() {
            let now = piece.len().min(buffer.remaining());
            buffer.put_slice(&piece[..now]);
            if now < piece.len() {
                pieces.push_front(piece[now..].to_vec());
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// What is made of bytes that come in pieces of this size, up to the end or the first fault.
fn read(bytes: &[u8], size: usize) -> (Vec<Incoming>, Option<CloseCode>) {
    let pieces = bytes.chunks(size.max(1)).map(<[u8]>::to_vec).collect();
    let link = Link::new(OwnedWire::Other(Box::new(Pieces(RefCell::new(pieces)))));
    let (mut frames, mut seen) = (ClientFrames::default(), Vec::new());
    let mut context = Context::from_waker(std::task::Waker::noop());
    loop {
        match frames.poll_next(&link, &mut context) {
            Poll::Ready(Ok(Incoming::End)) | Poll::Pending => return (seen, None),
            Poll::Ready(Ok(incoming)) => seen.push(incoming),
            Poll::Ready(Err(code)) => return (seen, Some(code)),
        }
    }
}

/// A frame as a client writes it.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ ..126 => bytes.push(0x80 | u8::try_from(length).unwrap()),
        length @ ..0x1_0000 => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    let mask = [1, 2, 3, 4];
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

fn text(payload: &str) -> Incoming {
    Incoming::Message {
        is_text: true,
        payload: Bytes::copy_from_slice(payload.as_bytes()),
    }
}

#[test]
fn messages_are_whole_whatever_they_are_cut_into() {
    // The cut goes through the å.
    let (before, after) = "blåbærgrød".as_bytes().split_at(3);
    let all = [
        frame(0x81, "hej 👋".as_bytes()),
        frame(0x01, before),
        frame(0x89, b"ping between"),
        frame(0x80, after),
        frame(0x82, &[0; 60_000]),
        frame(0x8a, b"pong"),
        frame(0x81, b""),
        frame(0x88, &[0x03, 0xe8, b'f', b'i']),
    ]
    .concat();
    for size in [1, 3, 1_000, all.len()] {
        let (seen, fault) = read(&all, size);
        let expected = [
            text("hej 👋"),
            Incoming::Ping(Bytes::from_static(b"ping between")),
            text("blåbærgrød"),
            Incoming::Message {
                is_text: false,
                payload: vec![0; 60_000].into(),
            },
            Incoming::Pong(4),
            text(""),
            Incoming::Close(Some(1000)),
        ];
        assert_eq!(
            (seen.as_slice(), fault),
            (expected.as_slice(), None),
            "in pieces of {size}"
        );
    }
}

#[test]
fn what_a_client_may_not_send_ends_with_its_code() {
    let unmasked = vec![0x81, 1, b'a'];
    let longest = vec![b'a'; limits::CLIENT_FRAME_BYTES];
    let cases = [
        ("unmasked", unmasked, CloseCode::BadFrame),
        ("a reserved bit", frame(0xc1, b"a"), CloseCode::BadFrame),
        ("a reserved data opcode", frame(0x83, b"a"), CloseCode::BadFrame),
        ("a reserved control opcode", frame(0x8b, b"a"), CloseCode::BadFrame),
        ("a continuation of nothing", frame(0x80, b"a"), CloseCode::BadFrame),
        (
            "a message within a message",
            [frame(0x01, b"a"), frame(0x81, b"b")].concat(),
            CloseCode::BadFrame,
        ),
        ("a ping in fragments", frame(0x09, b"a"), CloseCode::BadFrame),
        ("a ping that is too long", frame(0x89, &[0; 126]), CloseCode::BadFrame),
        ("no UTF-8", frame(0x81, b"\xff"), CloseCode::BadFrame),
        ("no UTF-8 in a fragment", frame(0x01, b"\xc3\x28"), CloseCode::BadFrame),
        (
            "half a character at the end",
            [frame(0x01, b"a"), frame(0x80, b"\xc3")].concat(),
            CloseCode::BadFrame,
        ),
        ("half a close code", frame(0x88, b"\x03"), CloseCode::BadFrame),
        (
            "a close code of no meaning",
            frame(0x88, &[0x03, 0xed]),
            CloseCode::BadFrame,
        ),
        (
            "a close reason of no UTF-8",
            frame(0x88, b"\x03\xe8\xff"),
            CloseCode::BadFrame,
        ),
        (
            "a frame that is too long",
            frame(0x82, &[&longest[..], b"a"].concat()),
            CloseCode::FrameTooLarge,
        ),
        (
            "a message that is too long",
            [frame(0x02, &longest), frame(0x80, b"a")].concat(),
            CloseCode::FrameTooLarge,
        ),
    ];
    for (what, bytes, code) in cases {
        for size in [1, bytes.len()] {
            assert_eq!(read(&bytes, size), (Vec::new(), Some(code)), "{what}");
        }
    }
    // The claim is enough: nothing is kept for what is not allowed.
    let claim = [&[0x82, 0xff][..], &(16_u64 << 20).to_be_bytes()].concat();
    assert_eq!(
        read(&[&claim[..], &[0; 4]].concat(), 14).1,
        Some(CloseCode::FrameTooLarge)
    );
}

#[test]
fn between_messages_nothing_is_kept() {
    let link = Link::new(OwnedWire::Other(Box::new(Pieces(RefCell::new(
        [frame(0x82, &[7; 900])].into(),
    )))));
    let mut frames = ClientFrames::default();
    let next = frames.poll_next(&link, &mut Context::from_waker(std::task::Waker::noop()));
    assert!(matches!(next, Poll::Ready(Ok(Incoming::Message { .. }))));
    assert_eq!(frames.begun.capacity(), 0);
    assert!(frames.fragments.is_none());
}

/// What tungstenite makes of the same bytes.
fn judged(bytes: &[u8]) -> (Vec<Incoming>, Option<CloseCode>) {
    /// Bytes to read, and whatever is written is taken.
    struct Stream<'a>(&'a [u8]);
    impl io::Read for Stream<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }
    impl io::Write for Stream<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let config = WebSocketConfig::default()
        .max_message_size(Some(limits::CLIENT_FRAME_BYTES))
        .max_frame_size(Some(limits::CLIENT_FRAME_BYTES));
    let mut judge = WebSocketContext::new(Role::Server, Some(config));
    let (mut stream, mut seen) = (Stream(bytes), Vec::new());
    loop {
        seen.push(match judge.read(&mut stream) {
            Ok(Message::Text(text)) => self::text(&text),
            Ok(Message::Binary(payload)) => Incoming::Message {
                is_text: false,
                payload,
            },
            Ok(Message::Ping(payload)) => Incoming::Ping(payload),
            Ok(Message::Pong(payload)) => Incoming::Pong(payload.len()),
            Ok(Message::Close(close)) => {
                seen.push(Incoming::Close(close.map(|close| close.code.into())));
                return (seen, None);
            }
            Ok(Message::Frame(_)) => continue,
            Err(Error::Capacity(CapacityError::MessageTooLong { .. })) => {
                return (seen, Some(CloseCode::FrameTooLarge));
            }
            Err(Error::Protocol(error)) if error.to_string().contains("Connection reset") => return (seen, None),
            Err(Error::Protocol(_) | Error::Utf8(_)) => return (seen, Some(CloseCode::BadFrame)),
            Err(_) => return (seen, None),
        });
    }
}

/// More than a control frame takes, of letters that may be cut in two.
const LONG: &str = "øøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøø";

/// Frames as clients write them, of which some are spoilt.
fn by_chance(random: &mut StdRng) -> Vec<u8> {
    let firsts = [0x81, 0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a, 0x88];
    let words = ["", "hej", "å", "👋🏽", LONG];
    let mut bytes = Vec::new();
    for _ in 0..random.random_range(1..8) {
        let first = firsts[random.random_range(0..firsts.len())];
        let mut payload = words[random.random_range(0..words.len())].as_bytes().to_vec();
        if first == 0x88 {
            payload.splice(0..0, random.random_range(990..1020_u16).to_be_bytes());
        }
        if random.random_ratio(1, 3) {
            payload.truncate(random.random_range(0..=payload.len()));
        }
        let mut whole = frame(first, &payload);
        if random.random_ratio(1, 8) {
            let at = random.random_range(0..whole.len());
            whole[at] ^= 1 << random.random_range(0..8);
        }
        bytes.extend(whole);
    }
    bytes
}

#[test]
fn frames_by_chance_are_read_as_tungstenite_reads_them() {
    let seed = std::env::var("SAMTALE_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(6455);
    let mut seeds = StdRng::seed_from_u64(seed);
    let mut faults = 0;
    for _ in 0..20_000 {
        let seed = seeds.next_u64();
        let bytes = by_chance(&mut StdRng::seed_from_u64(seed));
        let (mut own, mut judged) = (read(&bytes, usize::try_from(seed % 40).unwrap()), judged(&bytes));
        // What may not come is refused by its header; tungstenite waits for the rest of it first.
        if own.1.is_some() && judged.1.is_none() && own.0 == judged.0 {
            judged = self::judged(&[&bytes[..], &[0; 70_000]].concat());
        }
        // After a close frame, nothing counts.
        let end = |seen: &mut Vec<Incoming>| {
            let close = seen.iter().position(|incoming| matches!(incoming, Incoming::Close(_)));
            close.inspect(|at| seen.truncate(at + 1)).is_some()
        };
        if end(&mut own.0) {
            own.1 = None;
        }
        // A close code of no meaning is answered by tungstenite with 1002, and told as if the client had said so.
        if end(&mut judged.0) && own.1.is_some() && judged.0.last() == Some(&Incoming::Close(Some(1002))) {
            judged.0.pop();
            judged.1 = Some(CloseCode::BadFrame);
        }
        // Of a frame with two faults either may be named; which code is for which, the cases above say.
        let told = (own.0, own.1.is_some());
        assert_eq!(told, (judged.0, judged.1.is_some()), "case {seed}: {bytes:02x?}");
        faults += usize::from(told.1);
    }
    assert!((2_000..18_000).contains(&faults), "{faults} of 20,000 are wrong");
}
