//! A small fuzzer without coverage, so that it runs wherever the tests run: it bends golden frames and feeds every decoder.
//!
//! It prints its seed; `SAMTALE_SEED=N` replays it, `SAMTALE_SOAK=1` runs some ten minutes. `protocol/fuzz/` holds the
//! targets for cargo-fuzz, which is guided by coverage and needs a nightly compiler.

mod samples;

use std::fmt::Debug;
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use samples::{client_frames, server_frames};
use samtale_protocol::frames::{Unreadable, request_id};
use samtale_protocol::{ClientFrame, Encoding, ServerFrame};
use serde::Serialize;

/// How many batches of a thousand frames each decoder gets.
const BATCHES: u64 = 100;
const BATCHES_OF_A_SOAK: u64 = 10_000;
/// A batch takes some twenty milliseconds, so one that takes this long hangs.
const HANGING: Duration = Duration::from_secs(60);

#[test]
fn client_frames_in_message_pack() {
    fuzz(Encoding::MessagePack, &client_frames(), client_frame);
}

#[test]
fn client_frames_in_json() {
    fuzz(Encoding::Json, &client_frames(), client_frame);
}

#[test]
fn server_frames_in_message_pack() {
    fuzz(Encoding::MessagePack, &server_frames(), server_frame);
}

#[test]
fn server_frames_in_json() {
    fuzz(Encoding::Json, &server_frames(), server_frame);
}

fn client_frame(encoding: Encoding, bytes: &[u8]) {
    let id = request_id(encoding, bytes);
    match ClientFrame::decode(encoding, bytes) {
        Ok(frame) => {
            if let ClientFrame::Request { id: read, .. } = frame {
                assert_eq!(id, Some(read));
            }
            comes_back(&frame, |encoding, bytes| ClientFrame::decode(encoding, bytes).ok());
        }
        Err(error) => drop(Unreadable::judge(encoding, bytes, &error)),
    }
}

fn server_frame(encoding: Encoding, bytes: &[u8]) {
    if let Ok(frame) = ServerFrame::decode(encoding, bytes) {
        comes_back(&frame, |encoding, bytes| ServerFrame::decode(encoding, bytes).ok());
    }
}

/// What was read means the same in both encodings.
fn comes_back<T: Serialize + PartialEq + Debug>(frame: &T, decode: fn(Encoding, &[u8]) -> Option<T>) {
    for encoding in Encoding::ALL {
        let bytes = encoding.encode(frame).unwrap_or_default();
        assert_eq!(decode(encoding, &bytes).as_ref(), Some(frame));
    }
}

fn fuzz<T: Serialize>(encoding: Encoding, frames: &[(String, T)], target: fn(Encoding, &[u8])) {
    let replayed = std::env::var("SAMTALE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = replayed.unwrap_or_else(|| RandomState::new().hash_one("seed"));
    println!("SAMTALE_SEED={seed}");
    let batches = if std::env::var_os("SAMTALE_SOAK").is_some() {
        BATCHES_OF_A_SOAK
    } else {
        BATCHES
    };
    let corpus: Vec<Vec<u8>> = frames
        .iter()
        .map(|(_, frame)| encoding.encode(frame).unwrap_or_default())
        .collect();
    let (done, heard) = sync_channel(1);
    let worker = thread::spawn(move || feed(&corpus, encoding, target, seed, batches, &done));
    for batch in 0..batches {
        match heard.recv_timeout(HANGING) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => panic!("SAMTALE_SEED={seed}: batch {batch} hangs"),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    assert!(worker.join().is_ok(), "SAMTALE_SEED={seed}");
}

fn feed(
    corpus: &[Vec<u8>],
    encoding: Encoding,
    target: fn(Encoding, &[u8]),
    seed: u64,
    batches: u64,
    done: &SyncSender<()>,
) {
    let mut chance = Chance(seed);
    for _ in 0..batches {
        for _ in 0..1000 {
            let bytes = bent(corpus, &mut chance);
            let outcome = catch_unwind(AssertUnwindSafe(|| target(encoding, &bytes)));
            assert!(outcome.is_ok(), "{encoding:?} {bytes:02x?}");
        }
        // Nobody listens any more when the test has failed.
        let _ = done.send(());
    }
}

/// A frame of the corpus after one to eight changes.
fn bent(corpus: &[Vec<u8>], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = corpus[chance.below(corpus.len())].clone();
    for _ in 0..=chance.below(8) {
        bend(&mut bytes, corpus, chance);
    }
    bytes
}

fn bend(bytes: &mut Vec<u8>, corpus: &[Vec<u8>], chance: &mut Chance) {
    /// Markers with lengths, signs of JSON, ends of integers.
    const TELLING: &[u8] = b"\x00\x7f\x80\x90\xa0\xbf\xc0\xc1\xc4\xc6\xcb\xcf\xd3\xd9\xdb\xdd\xdf\xff\"\\{}[]:,-.e019";
    let at = chance.below(bytes.len() + 1);
    let to = at + chance.below(bytes.len() - at + 1).min(1 << chance.below(9));
    match chance.below(8) {
        0 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
        1 if at < bytes.len() => bytes[at] = TELLING[chance.below(TELLING.len())],
        2 => bytes.insert(at, TELLING[chance.below(TELLING.len())]),
        3 => drop(bytes.drain(at..to)),
        4 => drop(bytes.splice(at..at, bytes[at..to].to_vec())),
        5 => {
            let other = &corpus[chance.below(corpus.len())];
            let from = chance.below(other.len());
            drop(bytes.splice(at..to, other[from..].iter().copied().take(64)));
        }
        6 => drop(bytes.splice(at..to, (chance.next() >> chance.below(64)).to_be_bytes())),
        _ => drop(bytes.splice(at..to, chance.next().to_string().into_bytes())),
    }
}

/// SplitMix64: a few lines, the same everywhere.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}
