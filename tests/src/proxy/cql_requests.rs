//! CQL's protocol, as far as it takes to hold back the requests for one partition and nothing else: what a client says is
//! cut into whole frames of the native protocol, version 4 (its section 2: a header of nine bytes, the last four the
//! length of the body). The answer to a request names the stream it belongs to, so the order of requests is free.

/// What stands before a frame's body.
const HEADER_BYTES: usize = 9;
/// The longest body; the protocol allows no longer one. Anything else is no frame, and passes as it is.
const BODY_BYTES: usize = 256 * 1024 * 1024;

/// A stream of requests.
#[derive(Debug, Default)]
pub struct CqlRequests {
    /// The start of a frame that is not whole yet.
    begun: Vec<u8>,
    /// Something came that is no frame.
    is_unreadable: bool,
}

/// What came, cut in two.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parted {
    /// Requests that pass, in their order.
    pub passed: Vec<u8>,
    /// Requests with the bytes that were looked for, each whole.
    pub held: Vec<Vec<u8>>,
}

impl CqlRequests {
    /// Takes what came and returns the requests that are whole now; those with `looked_for` in their body apart.
    pub fn part(&mut self, bytes: &[u8], looked_for: Option<&[u8]>) -> Parted {
        self.begun.extend_from_slice(bytes);
        let mut parted = Parted::default();
        let mut at = 0;
        while let Some(length) = self.length_of_next(at) {
            let frame = &self.begun[at..at + length];
            at += length;
            let body = frame
                .get(HEADER_BYTES..)
                .filter(|_| !self.is_unreadable)
                .unwrap_or_default();
            if looked_for.is_some_and(|looked_for| contains(body, looked_for)) {
                parted.held.push(frame.to_vec());
            } else {
                parted.passed.extend_from_slice(frame);
            }
        }
        self.begun.drain(..at);
        parted
    }

    /// The length of what starts at `at` and is whole.
    fn length_of_next(&mut self, at: usize) -> Option<usize> {
        let rest = &self.begun[at..];
        if !self.is_unreadable {
            let body = rest.get(HEADER_BYTES - 4..HEADER_BYTES)?;
            let body = u32::from_be_bytes(body.try_into().ok()?) as usize;
            // A request's first byte is the version, without the bit of an answer.
            self.is_unreadable = rest[0] != 4 || body > BODY_BYTES;
            if !self.is_unreadable {
                return (rest.len() >= HEADER_BYTES + body).then_some(HEADER_BYTES + body);
            }
        }
        (!rest.is_empty()).then_some(rest.len())
    }
}

fn contains(body: &[u8], looked_for: &[u8]) -> bool {
    !looked_for.is_empty() && body.windows(looked_for.len()).any(|window| window == looked_for)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(stream: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&[4, 0, 0, stream, 10], &length[..], body].concat()
    }

    #[test]
    fn requests_for_one_partition_are_held_and_the_others_pass_whatever_pieces_they_come_in() {
        let (before, slow, after) = (request(1, b"one"), request(2, b"a slow partition"), request(3, b""));
        let all = [&before[..], &slow[..], &after[..]].concat();
        for size in [1, 2, 7, all.len()] {
            let mut requests = CqlRequests::default();
            let (mut passed, mut held) = (Vec::new(), Vec::new());
            for piece in all.chunks(size) {
                let parted = requests.part(piece, Some(b"slow"));
                passed.extend(parted.passed);
                held.extend(parted.held);
            }
            assert_eq!(
                (&passed[..], &held[..]),
                (&[&before[..], &after[..]].concat()[..], &[slow.clone()][..])
            );
        }
        assert_eq!(CqlRequests::default().part(&all, None).passed, all);
    }

    #[test]
    fn what_is_no_request_passes_as_it_is() {
        let mut requests = CqlRequests::default();
        let other = b"GET / HTTP/1.1 slow".repeat(2);
        assert_eq!(
            requests.part(&other, Some(b"slow")),
            Parted {
                passed: other.clone(),
                held: Vec::new()
            }
        );
        assert_eq!(requests.part(b"slow", Some(b"slow")).passed, b"slow");
    }
}
