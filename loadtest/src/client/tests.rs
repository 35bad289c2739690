//! The client against a server of the test: its upgrade, its frames, what it refuses.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::*;

/// The other end, with its answer to the upgrade written.
fn upgraded() -> (TcpStream, Client, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut client = Client::connect(address, 0, None, Begin::Session((*b"hello").into())).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let mut scratch = vec![0; SCRATCH_BYTES];
    if client.is_connecting() {
        look(&mut client, &mut scratch, &mut Vec::new()).unwrap();
    }
    let mut request = vec![0; wire::upgrade(address).len()];
    server.read_exact(&mut request).unwrap();
    assert!(request.starts_with(b"GET /v1/ws HTTP/1.1\r\n"));
    let answer = "HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    server.write_all(answer.as_bytes()).unwrap();
    (server, client, scratch)
}

/// Looks until something is there: loopback hands bytes over at once, but not before its own turn.
fn look(client: &mut Client, scratch: &mut [u8], frames: &mut Vec<Vec<u8>>) -> Result<(), Ended> {
    client.wait(clock::now() + 5_000_000_000);
    client.on_ready(scratch, |frame| frames.push(frame.to_vec()))
}

#[test]
fn an_upgrade_is_followed_by_the_first_frame_and_frames_are_taken_whole() {
    let (mut server, mut client, mut scratch) = upgraded();
    let mut frames = Vec::new();
    look(&mut client, &mut scratch, &mut frames).unwrap();
    assert!(client.is_open() && frames.is_empty());
    let first = wire::framed(OpCode::Binary, b"hello");
    let mut sent = vec![0; first.len()];
    server.read_exact(&mut sent).unwrap();
    assert_eq!(sent, first);
    assert_eq!(sent[6] ^ sent[2], b'h', "masked");

    let long = [&[0x82, 126, 1, 44][..], &[7; 300]].concat();
    server
        .write_all(&[&[0x82, 2, 8, 9][..], &long[..100]].concat())
        .unwrap();
    look(&mut client, &mut scratch, &mut frames).unwrap();
    assert_eq!(frames, [vec![8, 9]]);
    server.write_all(&long[100..]).unwrap();
    look(&mut client, &mut scratch, &mut frames).unwrap();
    assert_eq!(frames[1], vec![7; 300]);
    assert_eq!(client.partial.capacity(), 0, "what waits for nothing has no memory");
}

#[test]
fn a_ping_is_answered_and_a_close_is_told() {
    let (mut server, mut client, mut scratch) = upgraded();
    let mut frames = Vec::new();
    look(&mut client, &mut scratch, &mut frames).unwrap();
    server
        .write_all(&[0x89, 1, 42, 0x88, 4, 0x0f, 0xa0, b'n', b'o'])
        .unwrap();
    let ended = look(&mut client, &mut scratch, &mut frames).unwrap_err();
    assert!(matches!(ended, Ended::Closed { code: 4000, reason } if reason == "no"));
    let mut sent = vec![0; wire::framed(OpCode::Binary, b"hello").len()];
    server.read_exact(&mut sent).unwrap();
    let mut pong = [0; 7];
    server.read_exact(&mut pong).unwrap();
    assert_eq!(pong[..], wire::framed(OpCode::Pong, &[42])[..]);
}

#[test]
fn what_is_no_websocket_is_refused() {
    assert!(matches!(
        wire::answer(b"HTTP/1.1 503 Busy\r\n\r\n"),
        Err(Ended::NotUpgraded(_))
    ));
    assert!(matches!(
        wire::answer(b"HTTP/1.1 101 Yes\r\nSec-WebSocket-Accept: no\r\n\r\n"),
        Err(Ended::NotUpgraded(_))
    ));
    assert!(wire::parse(&[0x02, 0]).is_err(), "a fragment");
    assert!(wire::parse(&[0x82, 0x81]).is_err(), "masked");
    assert_eq!(wire::parse(&[0x82, 127, 0, 0]).unwrap(), Parsed::Incomplete);
}
