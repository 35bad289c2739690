//! Which of several (Redis servers, nodes) a space belongs to: the one that scores highest for the space (rendezvous
//! hashing, Thaler and Ravishankar 1998). Everyone comes to the same answer alone, and one that is added or taken away
//! moves only its own share of the spaces.

use samtale_protocol::SpaceId;
use sha2::{Digest, Sha256};

/// The place in `names` of the one that the space belongs to; 0 if there are none. All must write the names alike.
pub fn place_of<Name: AsRef<[u8]>>(space: SpaceId, names: &[Name]) -> usize {
    let score = |name: &Name| {
        let hash = Sha256::new()
            .chain_update(name.as_ref())
            .chain_update(space.as_bytes())
            .finalize();
        <[u8; 32]>::from(hash)
    };
    let best = names.iter().enumerate().max_by_key(|(_, name)| score(name));
    best.map_or(0, |(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(number: u16) -> SpaceId {
        let mut bytes = [7; 16];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        SpaceId::from_bytes(bytes)
    }

    #[test]
    fn each_server_gets_its_share_and_the_order_of_the_list_says_nothing() {
        let (names, turned) = (["a:6379", "b:6379", "c:6379"], ["c:6379", "a:6379", "b:6379"]);
        let mut shares = [0; 3];
        for number in 0..3_000 {
            let place = place_of(space(number), &names);
            shares[place] += 1;
            assert_eq!(names[place], turned[place_of(space(number), &turned)]);
        }
        assert!(shares.iter().all(|share| (850..1_150).contains(share)), "{shares:?}");
    }

    #[test]
    fn a_new_server_takes_from_each_and_nothing_else_moves() {
        let (before, after) = (["a", "b", "c"], ["a", "b", "c", "d"]);
        let mut moved = 0;
        for number in 0..3_000 {
            let (old, new) = (
                before[place_of(space(number), &before)],
                after[place_of(space(number), &after)],
            );
            assert!(new == old || new == "d");
            moved += usize::from(new == "d");
        }
        assert!((600..900).contains(&moved), "{moved} of 3000 moved");
    }
}
