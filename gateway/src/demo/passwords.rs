//! Passwords that can be read aloud: four words and a number.

use samtale_protocol::ErrorCode;

use crate::accounts::{RandomSource, SystemRandom};
use crate::commands::CommandError;

/// Short Danish words in letters that every keyboard has; 64 of them, so that a byte picks one evenly.
const WORDS: [&str; 64] = [
    "abe", "and", "bamse", "bi", "bil", "blomst", "bold", "bro", "brev", "busk", "cykel", "dans", "delfin", "drage",
    "due", "egern", "fjer", "flag", "fugl", "gave", "giraf", "hane", "hat", "hest", "hjul", "hus", "is", "jakke",
    "kage", "kanin", "kat", "klokke", "koala", "lampe", "lygte", "mark", "mus", "nisse", "noder", "ost", "panda",
    "pensel", "ping", "radise", "ravn", "regn", "ring", "robot", "sang", "sky", "skov", "sol", "spade", "sten",
    "stige", "sukker", "tand", "tiger", "tog", "trold", "ugle", "vante", "vind", "zebra",
];

/// A new password: 31 bits, behind the slowdown of logins, for a school that does not exist.
pub fn make() -> Result<String, CommandError> {
    let mut random = [0; 5];
    SystemRandom
        .fill(&mut random)
        .map_err(|_| CommandError::from(samtale_protocol::Refusal::new(ErrorCode::Internal)))?;
    let [words @ .., number] = random;
    let words = words.map(|byte| WORDS[usize::from(byte) % WORDS.len()]);
    Ok(format!("{}-{}", words.join("-"), 10 + number % 90))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::check_password;

    #[test]
    fn passwords_are_allowed_and_differ() {
        let made: std::collections::BTreeSet<String> = (0..200).map(|_| make().unwrap()).collect();
        assert!(made.len() > 190);
        for password in &made {
            check_password(password, "anne.holm").unwrap();
        }
        assert!(
            WORDS
                .iter()
                .all(|word| word.chars().all(|letter| letter.is_ascii_lowercase()))
        );
    }
}
