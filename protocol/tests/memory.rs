//! A frame takes memory in proportion to its size, whatever it claims. Alone in its program, because the highest use of
//! memory is a figure of the whole process.

#![cfg(target_os = "linux")]

use samtale_protocol::frames::request_id;
use samtale_protocol::{ClientFrame, Encoding, ServerFrame, limits};

/// An unread value takes 32 bytes in serde's buffer for at least one on the wire, a vector doubles as it grows, and a
/// frame is buffered once per level of tags: 64 KiB can become some megabytes, and never more than this.
const MOST_KIB: u64 = 16 * 1024;

#[test]
fn hostile_frames_take_little_memory() {
    read_all(&[b"\x80".to_vec()]);
    let before = highest_use_kib();
    read_all(&hostile_frames());
    let grown = highest_use_kib() - before;
    println!("hostile frames took {grown} KiB");
    assert!(grown < MOST_KIB, "{grown} KiB");
}

fn hostile_frames() -> Vec<Vec<u8>> {
    let head = b"\x84\xa1t\xa7request\xa2id\x01\xa7request\x81\xa2op\xablist_logins\xa1x".to_vec();
    let room = limits::CLIENT_FRAME_BYTES - head.len() - 5;
    let mut frames = Vec::new();
    // Lists and maps that claim 4 GiB, one within the other.
    for marker in [0xdd, 0xdf, 0xdb, 0xc6, 0xc9] {
        let claims: Vec<u8> = [marker, 0xff, 0xff, 0xff, 0xff].repeat(room / 5);
        frames.push([head.clone(), claims].concat());
        frames.push([vec![marker, 0xff, 0xff, 0xff, 0xff], head.clone()].concat());
    }
    // True claims of the smallest values there are.
    let count = |values: usize| u32::try_from(values).unwrap_or_default().to_be_bytes();
    frames.push([&head[..], &[0xdd], &count(room), &vec![0; room]].concat());
    frames.push([&head[..], &[0xdf], &count(room / 2), &vec![0xa0; room / 2 * 2]].concat());
    frames.push([&head[..], &[0xdd], &count(room), &vec![0x90; room]].concat());
    let numbers = format!(r#"{{"t":"request","id":1,"x":[{}0]}}"#, "0,".repeat(room / 2 - 10));
    frames.push(numbers.into_bytes());
    frames
}

fn read_all(frames: &[Vec<u8>]) {
    for frame in frames {
        for encoding in Encoding::ALL {
            let _ = ClientFrame::decode(encoding, frame);
            let _ = ServerFrame::decode(encoding, frame);
            request_id(encoding, frame);
        }
    }
}

fn highest_use_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap_or_default();
    line.split_whitespace()
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}
