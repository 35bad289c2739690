//! Bytes to text. OneRoster wants UTF-8; Danish spreadsheets write Windows-1252, or UTF-16 when asked for "Unicode text".

use std::borrow::Cow;

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};

/// What a byte order mark is in UTF-8.
const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";

/// A file as text, and what it was written in when that was not UTF-8.
pub(super) struct Decoded<'a> {
    /// The text, without a byte order mark.
    pub(super) text: Cow<'a, str>,
    /// The encoding that was assumed, when it was not UTF-8.
    pub(super) assumed: Option<&'static str>,
}

/// Decodes by the byte order mark; else what is valid UTF-8 is that, and the bytes that are not are Windows-1252, which Latin-1 is a
/// part of and in which every byte means something. Byte by byte, because files glued together from two systems are both.
pub(super) fn decode(bytes: &[u8]) -> Decoded<'_> {
    let wide = match bytes {
        [0xff, 0xfe, ..] => Some(UTF_16LE),
        [0xfe, 0xff, ..] => Some(UTF_16BE),
        _ => None,
    };
    if let Some(encoding) = wide {
        let (text, _) = encoding.decode_with_bom_removal(bytes);
        return Decoded {
            text: with_line_feeds(text),
            assumed: Some(encoding.name()),
        };
    }
    let bytes = bytes.strip_prefix(UTF_8_MARK).unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Decoded {
            text: with_line_feeds(Cow::Borrowed(text)),
            assumed: None,
        },
        Err(_) => Decoded {
            text: with_line_feeds(Cow::Owned(mixed(bytes))),
            assumed: Some("Windows-1252"),
        },
    }
}

fn mixed(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let (rest, _) = WINDOWS_1252.decode_without_bom_handling(chunk.invalid());
        text.push_str(&rest);
    }
    text
}

/// Old exports end lines with a carriage return alone; line numbers are counted by line feeds.
fn with_line_feeds(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\r') && !text.contains('\n') {
        Cow::Owned(text.replace('\r', "\n"))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn danish_letters_survive_every_encoding() {
        assert_eq!(decode("Søren Ærø".as_bytes()).text, "Søren Ærø");
        assert_eq!(decode(b"\xef\xbb\xbfS\xc3\xb8ren").text, "Søren");
        assert_eq!(decode(b"S\xf8ren \xc6r\xf8").text, "Søren Ærø");
        assert_eq!(decode(b"\xff\xfeS\0\xf8\0").text, "Sø");
        assert_eq!(decode(b"\xfe\xff\0S\0\xf8").text, "Sø");
        assert_eq!(decode(b"S\xf8ren").assumed, Some("Windows-1252"));
        assert_eq!(decode("Søren".as_bytes()).assumed, None);
    }

    #[test]
    fn a_file_in_two_encodings_is_read_in_both() {
        assert_eq!(decode(b"\xef\xbb\xbfS\xc3\xb8ren,S\xf8ren").text, "Søren,Søren");
    }

    #[test]
    fn lone_carriage_returns_end_lines() {
        assert_eq!(decode(b"a\rb").text, "a\nb");
        assert_eq!(decode(b"a\r\nb").text, "a\r\nb");
    }
}
