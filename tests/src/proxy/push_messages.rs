//! Redis' protocol, as far as it takes to take a published message out of what a server says: the stream is cut into
//! whole frames (RESP 2 and 3), and a frame that tells a subscriber of a message may be left out.

use std::sync::atomic::Ordering;

use super::Counts;

/// The longest frame that is waited for. Longer ones, and anything that is no frame, pass as they are from then on.
const FRAME_BYTES: usize = 64 * 1024 * 1024;
/// How deep frames may lie in each other.
const DEPTH: usize = 16;

/// A stream of frames, of which some may be left out.
#[derive(Debug, Default)]
pub struct PushMessages {
    /// The start of a frame that is not whole yet.
    begun: Vec<u8>,
    /// Something came that is no frame.
    is_unreadable: bool,
}

/// Bytes that are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoFrame;

impl PushMessages {
    /// Takes what came and returns what is passed on: whole frames, without the messages that `is_lost`.
    pub fn filter(&mut self, bytes: &[u8], mut is_lost: impl FnMut(&[u8]) -> bool, counts: &Counts) -> Vec<u8> {
        if self.is_unreadable {
            return bytes.to_vec();
        }
        self.begun.extend_from_slice(bytes);
        let mut passed = Vec::new();
        let mut at = 0;
        loop {
            let rest = &self.begun[at..];
            match frame_length(rest, DEPTH) {
                Ok(Some(length)) => {
                    let frame = &rest[..length];
                    at += length;
                    if is_message(frame) {
                        Counts::add(&counts.messages, 1);
                        if is_lost(frame) {
                            Counts::add(&counts.dropped, 1);
                            continue;
                        }
                    }
                    passed.extend_from_slice(frame);
                }
                Ok(None) if rest.len() <= FRAME_BYTES => break,
                Ok(None) | Err(NoFrame) => {
                    self.is_unreadable = true;
                    counts.unreadable.fetch_add(1, Ordering::Relaxed);
                    passed.extend_from_slice(rest);
                    at = self.begun.len();
                    break;
                }
            }
        }
        self.begun.drain(..at);
        passed
    }
}

/// How long the frame at the start of `bytes` is; `None` while it is not whole.
pub fn frame_length(bytes: &[u8], depth: usize) -> Result<Option<usize>, NoFrame> {
    let Some(kind) = bytes.first() else { return Ok(None) };
    if !b"+-:_,#($!=*~>%|".contains(kind) || depth == 0 {
        return Err(NoFrame);
    }
    let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") else {
        return Ok(None);
    };
    let head = end + 2;
    let number = || -> Result<usize, NoFrame> {
        let text = std::str::from_utf8(&bytes[1..end]).map_err(|_| NoFrame)?;
        // Nothing at all is written as -1.
        let number = text.parse::<i64>().map_err(|_| NoFrame)?;
        usize::try_from(number.max(0)).map_err(|_| NoFrame)
    };
    match kind {
        b'$' | b'!' | b'=' => {
            let length = if bytes[1] == b'-' { head } else { head + number()? + 2 };
            Ok((bytes.len() >= length).then_some(length))
        }
        b'*' | b'~' | b'>' | b'%' | b'|' => {
            let parts = number()? * if matches!(kind, b'%' | b'|') { 2 } else { 1 };
            let mut length = head;
            for _ in 0..parts {
                match frame_length(&bytes[length..], depth - 1)? {
                    Some(part) => length += part,
                    None => return Ok(None),
                }
            }
            Ok(Some(length))
        }
        _ => Ok(Some(head)),
    }
}

/// Whether a frame tells a subscriber of a published message.
pub fn is_message(frame: &[u8]) -> bool {
    const HEADS: [&[u8]; 3] = [
        b"3\r\n$7\r\nmessage\r\n",
        b"3\r\n$8\r\nsmessage\r\n",
        b"4\r\n$8\r\npmessage\r\n",
    ];
    frame
        .split_first()
        .is_some_and(|(kind, rest)| matches!(kind, b'*' | b'>') && HEADS.iter().any(|head| rest.starts_with(head)))
}
