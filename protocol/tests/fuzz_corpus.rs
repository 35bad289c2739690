//! A small fuzzer without coverage, so that it runs wherever the tests run: it bends golden frames and feeds every decoder.
//!
//! It prints its seed; `SAMTALE_SEED=N` replays it, `SAMTALE_SOAK=1` runs for ten minutes. `protocol/fuzz/` holds the
//! targets for cargo-fuzz, which is guided by coverage and needs a nightly compiler.

mod samples;

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use samples::{client_frames, server_frames};
use samtale_protocol::frames::{Unreadable, request_id};
use samtale_protocol::{ClientFrame, Encoding, ServerFrame};
use serde::Serialize;

/// How many frames each decoder gets in the short form.
const ROUNDS: u64 = 100_000;
const SOAK: Duration = Duration::from_secs(600 / 4);
/// No frame of a few kilobytes takes this long, even unoptimised on a busy machine.
const SLOWEST: Duration = Duration::from_secs(5);

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
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64);
    let seed = std::env::var("SAMTALE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(now);
    println!("SAMTALE_SEED={seed}");
    let corpus: Vec<Vec<u8>> = frames.iter().map(|(_, frame)| encoding.encode(frame).unwrap_or_default()).collect();
    let mut chance = Chance(seed);
    let started = Instant::now();
    let soak = std::env::var_os("SAMTALE_SOAK").is_some();
    let mut round = 0_u64;
    while if soak { started.elapsed() < SOAK } else { round < ROUNDS } {
        round += 1;
        let bytes = bent(&corpus, &mut chance);
        let began = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| target(encoding, &bytes)));
        assert!(outcome.is_ok(), "SAMTALE_SEED={seed} round {round}: {encoding:?} {bytes:02x?}");
        assert!(began.elapsed() < SLOWEST, "SAMTALE_SEED={seed} round {round} was slow: {bytes:02x?}");
    }
    println!("{round} frames");
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
