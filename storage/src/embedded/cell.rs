//! What stands under a key: a row, or what a deletion leaves behind.

use samtale_protocol::Timestamp;

/// Live or deleted, the timestamp, and a time: 1 + 8 + 8 bytes, then the body.
const HEADER: usize = 17;
const DELETED: u8 = 0;
const LIVE: u8 = 1;
const NEVER: u64 = 0;

/// A row, or what a deletion leaves behind, so that a late older write does not bring the row back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// The body; a deleted row has none.
    pub body: Option<Vec<u8>>,
    /// What it was written with, in microseconds; of a compare-and-set row its version.
    pub timestamp: u64,
    /// Of a live row when it ceases to be, of a deleted one when its trace may go.
    pub until: Option<Timestamp>,
}

impl Cell {
    /// Whether a reader sees it.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.body.is_some() && self.until.is_none_or(|until| now < until)
    }

    /// Whether another cell takes its place: the later one does; at the same timestamp a deletion, then the larger body.
    pub fn yields_to(&self, other: &Self) -> bool {
        if self.timestamp != other.timestamp {
            return self.timestamp < other.timestamp;
        }
        match (&self.body, &other.body) {
            (Some(_), None) => true,
            (None, _) => false,
            (Some(old), Some(new)) => old < new,
        }
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let body = self.body.as_deref().unwrap_or_default();
        let mut bytes = Vec::with_capacity(HEADER + body.len());
        bytes.push(if self.body.is_some() { LIVE } else { DELETED });
        bytes.extend_from_slice(&self.timestamp.to_be_bytes());
        bytes.extend_from_slice(&self.until.map_or(NEVER, Timestamp::as_millis).to_be_bytes());
        bytes.extend_from_slice(body);
        bytes
    }

    /// The cell of these bytes; `None` if they are not one.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (header, body) = bytes.split_at_checked(HEADER)?;
        let until = u64::from_be_bytes(header[9..17].try_into().ok()?);
        Some(Self {
            body: match header[0] {
                LIVE => Some(body.to_vec()),
                DELETED if body.is_empty() => None,
                _ => return None,
            },
            timestamp: u64::from_be_bytes(header[1..9].try_into().ok()?),
            until: (until != NEVER).then(|| Timestamp::saturating(until)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(body: Option<&[u8]>, timestamp: u64) -> Cell {
        Cell {
            body: body.map(<[u8]>::to_vec),
            timestamp,
            until: None,
        }
    }

    #[test]
    fn the_bytes_of_a_cell_are_that_cell() {
        for until in [None, Some(Timestamp::saturating(77))] {
            for body in [None, Some(vec![]), Some(vec![1, 2, 3])] {
                let cell = Cell {
                    body,
                    timestamp: 5,
                    until,
                };
                assert_eq!(Cell::decode(&cell.encode()), Some(cell));
            }
        }
        assert_eq!(Cell::decode(b"short"), None);
        assert_eq!(Cell::decode(&[9; 20]), None);
    }

    #[test]
    fn of_two_cells_the_later_holds_then_the_deletion_then_the_larger() {
        assert!(cell(Some(b"a"), 1).yields_to(&cell(Some(b"a"), 2)));
        assert!(!cell(None, 2).yields_to(&cell(Some(b"z"), 1)));
        assert!(cell(Some(b"z"), 1).yields_to(&cell(None, 1)));
        assert!(!cell(None, 1).yields_to(&cell(Some(b"z"), 1)));
        assert!(cell(Some(b"a"), 1).yields_to(&cell(Some(b"b"), 1)));
        assert!(!cell(Some(b"a"), 1).yields_to(&cell(Some(b"a"), 1)));
    }
}
