//! The shape of a frame, checked in one pass before anything reads its meaning.
//!
//! What serde would let through, or would only find after it has set memory aside, is refused here: nesting, lengths
//! that claim more than the frame holds, integers that a double cannot hold, extension types, keys that are not text,
//! and numbers where `t`, `op` or `kind` stand (serde would take those as positions in an enum).

use crate::limits::NESTING_DEPTH;
use crate::time::LARGEST_INTEGER;

/// Keys whose values are always text, wherever they stand.
const TAGS: [&[u8]; 3] = [b"t", b"op", b"kind"];

const TOO_DEEP: &str = "nested deeper than 16 levels";
const TOO_LARGE_INTEGER: &str = "an integer above 2^53 - 1";
const TAG_IS_NOT_TEXT: &str = "the value of `t`, `op` or `kind` is not text";

/// Whether `bytes` are exactly one MessagePack value of a shape that frames may have.
pub(crate) fn check_message_pack(bytes: &[u8]) -> Result<(), &'static str> {
    let mut reader = MessagePackReader { rest: bytes };
    reader.value(0)?;
    if reader.rest.is_empty() {
        Ok(())
    } else {
        Err("bytes after the end of the frame")
    }
}

/// Whether `bytes`, if they are JSON at all, have a shape that frames may have. The grammar is left to the JSON reader.
pub(crate) fn check_json(bytes: &[u8]) -> Result<(), &'static str> {
    let mut depth = 0_usize;
    let mut last_text: &[u8] = b"";
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                last_text = json_text(&bytes[at + 1..]);
                at += last_text.len() + 1;
            }
            b'{' | b'[' => {
                depth += 1;
                if depth > NESTING_DEPTH {
                    return Err(TOO_DEEP);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b':' if TAGS.contains(&last_text) && !json_text_follows(&bytes[at + 1..]) => return Err(TAG_IS_NOT_TEXT),
            b'0'..=b'9' => at += json_number(&bytes[at..])? - 1,
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// What stands before the closing quote, escapes as they are.
fn json_text(bytes: &[u8]) -> &[u8] {
    let mut escaped = false;
    let end = bytes.iter().position(|byte| match byte {
        _ if escaped => {
            escaped = false;
            false
        }
        b'\\' => {
            escaped = true;
            false
        }
        byte => *byte == b'"',
    });
    &bytes[..end.unwrap_or(bytes.len())]
}

fn json_text_follows(bytes: &[u8]) -> bool {
    bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'"')
}

/// The length of the number that `bytes` begin with. Fractions and exponents are no integers, whatever their size.
fn json_number(bytes: &[u8]) -> Result<usize, &'static str> {
    let length = bytes
        .iter()
        .position(|byte| !matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    let number = &bytes[..length.unwrap_or(bytes.len())];
    let is_integer = number.iter().all(u8::is_ascii_digit);
    let value = std::str::from_utf8(number)
        .ok()
        .and_then(|digits| digits.parse::<u64>().ok());
    if is_integer && value.is_none_or(|value| value > LARGEST_INTEGER) {
        return Err(TOO_LARGE_INTEGER);
    }
    Ok(number.len())
}

struct MessagePackReader<'a> {
    rest: &'a [u8],
}

impl<'a> MessagePackReader<'a> {
    /// Reads one value at `depth` levels below the frame.
    fn value(&mut self, depth: usize) -> Result<(), &'static str> {
        let [marker] = self.array()?;
        match marker {
            0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => Ok(()),
            0xcc | 0xd0 => self.take(1).map(drop),
            0xcd | 0xd1 => self.take(2).map(drop),
            0xce | 0xd2 | 0xca => self.take(4).map(drop),
            0xcb => self.take(8).map(drop),
            0xcf => within_a_double(u64::from_be_bytes(self.array()?)),
            0xd3 => within_a_double(i64::from_be_bytes(self.array()?).unsigned_abs()),
            0xa0..=0xbf | 0xd9..=0xdb => self.text(marker).map(drop),
            0xc4..=0xc6 => {
                let length = self.length(marker - 0xc4)?;
                self.take(length).map(drop)
            }
            0x90..=0x9f | 0xdc | 0xdd => self.list(marker, depth),
            0x80..=0x8f | 0xde | 0xdf => self.map(marker, depth),
            0xc1 => Err("a marker that MessagePack does not use"),
            0xc7..=0xc9 | 0xd4..=0xd8 => Err("an extension type; frames have none"),
        }
    }

    fn list(&mut self, marker: u8, depth: usize) -> Result<(), &'static str> {
        let items = match marker {
            0x90..=0x9f => usize::from(marker & 0x0f),
            _ => self.length(marker - 0xdc + 1)?,
        };
        self.expect_room_for(items, depth)?;
        (0..items).try_for_each(|_| self.value(depth + 1))
    }

    fn map(&mut self, marker: u8, depth: usize) -> Result<(), &'static str> {
        let entries = match marker {
            0x80..=0x8f => usize::from(marker & 0x0f),
            _ => self.length(marker - 0xde + 1)?,
        };
        self.expect_room_for(entries.saturating_mul(2), depth)?;
        (0..entries).try_for_each(|_| {
            let [marker] = self.array()?;
            let key = match marker {
                0xa0..=0xbf | 0xd9..=0xdb => self.text(marker)?,
                _ => return Err("a key that is not text"),
            };
            let is_text = matches!(self.rest.first(), Some(0xa0..=0xbf | 0xd9..=0xdb));
            if TAGS.contains(&key) && !is_text {
                Err(TAG_IS_NOT_TEXT)
            } else {
                self.value(depth + 1)
            }
        })
    }

    fn text(&mut self, marker: u8) -> Result<&'a [u8], &'static str> {
        let length = match marker {
            0xa0..=0xbf => usize::from(marker & 0x1f),
            _ => self.length(marker - 0xd9)?,
        };
        let text = self.take(length)?;
        std::str::from_utf8(text)
            .map(str::as_bytes)
            .map_err(|_| "text that is not UTF-8")
    }

    /// A length of one, two or four bytes: `size` 0, 1 or 2.
    fn length(&mut self, size: u8) -> Result<usize, &'static str> {
        let length = match size {
            0 => u32::from(u8::from_be_bytes(self.array()?)),
            1 => u32::from(u16::from_be_bytes(self.array()?)),
            _ => u32::from_be_bytes(self.array()?),
        };
        usize::try_from(length).map_err(|_| "a length beyond this machine")
    }

    /// Every value takes a byte at least, so a list that claims more than is left is a lie: nothing is set aside for it.
    fn expect_room_for(&self, values: usize, depth: usize) -> Result<(), &'static str> {
        if depth >= NESTING_DEPTH {
            return Err(TOO_DEEP);
        }
        if values > self.rest.len() {
            Err("a list or map that claims more than the frame holds")
        } else {
            Ok(())
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or("the frame ends too early")?;
        self.rest = rest;
        Ok(*taken)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or("the frame ends too early")?;
        self.rest = rest;
        Ok(taken)
    }
}

fn within_a_double(magnitude: u64) -> Result<(), &'static str> {
    if magnitude > LARGEST_INTEGER {
        Err(TOO_LARGE_INTEGER)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_pack_of_every_marker_is_walked_through() {
        let all: &[u8] = &[
            0xdc, 0, 16, 0x01, 0xff, 0xc0, 0xc3, 0xcc, 1, 0xcd, 1, 2, 0xd2, 1, 2, 3, 4, 0xca, 0, 0, 0, 0, 0xa1, b'a',
            0xd9, 1, b'b', 0xda, 0, 1, b'c', 0xdb, 0, 0, 0, 1, b'd', 0xc4, 1, 0, 0xc5, 0, 1, 0, 0xdc, 0, 1, 0x81, 0xa1,
            b'k', 0x90, 0xdf, 0, 0, 0, 0,
        ];
        assert_eq!(check_message_pack(all), Ok(()));
        for end in 0..all.len() {
            assert!(check_message_pack(&all[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn claims_beyond_the_frame_are_refused() {
        for marker in [0xc6, 0xdb, 0xdd, 0xdf] {
            assert!(check_message_pack(&[marker, 0xff, 0xff, 0xff, 0xff, 0]).is_err());
        }
        for marker in [0xc1, 0xc7, 0xd4, 0xd8] {
            assert!(check_message_pack(&[marker, 0, 0, 0]).is_err());
        }
    }

    #[test]
    fn json_is_looked_at_outside_its_strings() {
        let largest = br#"{"a":9007199254740991,"b":-9007199254740991}"#;
        assert_eq!(check_json(largest), Ok(()));
        assert_eq!(check_json(br#"{"a":9007199254740992}"#), Err(TOO_LARGE_INTEGER));
        assert_eq!(check_json(br#"[-99999999999999999999]"#), Err(TOO_LARGE_INTEGER));
        assert_eq!(check_json(br#"["9007199254740992", "\"[[[[[[[[[[[[[[[[[[[["]"#), Ok(()));
        assert_eq!(check_json(br#"{"kind" : 3}"#), Err(TAG_IS_NOT_TEXT));
        assert_eq!(check_json(br#"{"kind" : "3", "a": 1.5e300}"#), Ok(()));
        assert_eq!(check_json(&[b'['; 16]), Ok(()));
        assert_eq!(check_json(&[b'['; 17]), Err(TOO_DEEP));
    }
}
