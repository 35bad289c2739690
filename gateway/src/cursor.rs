//! A client's cursor: its place in each of its spaces' logs. Opaque to the client; to us a list of fixed-size places.

use samtale_protocol::{ByteString, SpaceId, Timestamp, limits};
use samtale_router::{CursorPlace, Epoch, Position};

/// The first byte of a cursor: the version of its layout.
const LAYOUT: u8 = 1;

/// A place: space, epoch, offset, time.
const PLACE_BYTES: usize = 16 + 8 + 8 + 8;

/// The cursor that says these places; what does not fit the limit is left out, and the client resyncs there.
pub fn encode(places: &[CursorPlace]) -> ByteString {
    let mut bytes = vec![LAYOUT];
    for place in places.iter().take((limits::CURSOR_BYTES - 1) / PLACE_BYTES) {
        bytes.extend_from_slice(place.space.as_bytes());
        bytes.extend_from_slice(&place.position.epoch.0.to_be_bytes());
        bytes.extend_from_slice(&place.position.offset.to_be_bytes());
        bytes.extend_from_slice(&place.time.as_millis().to_be_bytes());
    }
    ByteString(bytes)
}

/// The places of a cursor; `None` if it is none of ours. What a cursor says gives no rights: a replay passes them all.
pub fn decode(cursor: &ByteString) -> Option<Vec<CursorPlace>> {
    let (layout, places) = cursor.0.split_first()?;
    if *layout != LAYOUT || cursor.0.len() > limits::CURSOR_BYTES || places.len() % PLACE_BYTES != 0 {
        return None;
    }
    places.chunks_exact(PLACE_BYTES).map(place).collect()
}

fn place(bytes: &[u8]) -> Option<CursorPlace> {
    let number = |at: usize| Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    Some(CursorPlace {
        space: SpaceId::from_bytes(bytes.get(..16)?.try_into().ok()?),
        position: Position {
            epoch: Epoch(number(16)?),
            offset: number(24)?,
        },
        time: Timestamp::saturating(number(32)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_a_foreign_one_refused() {
        let place = CursorPlace {
            space: SpaceId::from_bytes([7; 16]),
            position: Position {
                epoch: Epoch(3),
                offset: 99,
            },
            time: Timestamp::saturating(1_700_000_000_000),
        };
        let cursor = encode(&[place, place]);
        assert_eq!(decode(&cursor), Some(vec![place, place]));
        assert_eq!(decode(&ByteString(vec![LAYOUT; 40])), None);
        assert_eq!(decode(&ByteString(Vec::new())), None);
        assert!(encode(&[place; 1000]).0.len() <= limits::CURSOR_BYTES);
    }
}
