//! Passwords: the rules for new ones, and Argon2id behind a pool that a rush of logins cannot exhaust.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use samtale_protocol::{ErrorCode, Refusal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use super::normal_username;

/// The memory of one hash in KiB: 19 MiB with two passes is OWASP's first choice for Argon2id, and with a pool of one
/// per core a rush costs 19 MiB per core, not per pupil.
const MEMORY_KIB: u32 = 19 * 1024;
/// The passes over that memory; see [`MEMORY_KIB`].
const PASSES: u32 = 2;
/// One lane: with a hash per core at once, lanes would only add switching.
const LANES: u32 = 1;
/// How many may wait per worker. At about 40 ms a hash the last one waits some ten seconds; a client that is told to
/// come back later is better off than one that runs into its own timeout.
const WAITING_PER_WORKER: usize = 256;
/// About what one hash takes, to tell those who find the queue full when to come back.
const ABOUT_ONE_HASH: Duration = Duration::from_millis(40);
/// The bytes of a salt, as RFC 9106 recommends.
pub const SALT_BYTES: usize = 16;
/// The shortest password, in characters.
const SHORTEST: usize = 10;
/// The longest, in bytes: beyond it only the work of hashing grows.
const LONGEST_BYTES: usize = 200;
/// What is verified when there is no such account or it has no password yet, so that the answer takes as long. The
/// salt and output are arbitrary: nobody knows a password that it came from.
const NO_PASSWORD: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FtdGFsZS1ub2JvZHkxMQ$\
                           pvX2mJ0V4cQk7qv0bH1yYk3n9sXWc0dTq8m5gZrUuEo";

/// Well-known passwords of ten characters and more, Danish and English, in lower case.
pub const WEAK_PASSWORDS: &[&str] = &[
    "0123456789",
    "1111111111",
    "1122334455",
    "1234554321",
    "12345678900",
    "1234567890",
    "1234567891",
    "123456789a",
    "1q2w3e4r5t",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "9876543210",
    "abcdefghij",
    "abcd123456",
    "adgangskode",
    "adgangskode1",
    "adgangskode12",
    "adgangskode123",
    "administrator",
    "asdfghjkl;",
    "asdfghjklæ",
    "asdfghjklæø",
    "basketball",
    "changeme123",
    "danmark123",
    "danmark1234",
    "fodbold123",
    "football123",
    "g00dpassword",
    "hejmeddig1",
    "hejmeddig123",
    "hemmelighed",
    "hemmeligt1",
    "hemmeligt123",
    "iloveyou12",
    "iloveyou123",
    "jegelskerdig",
    "københavn1",
    "kodeord123",
    "kodeord1234",
    "kodeordkodeord",
    "letmein123",
    "liverpool1",
    "minecraft1",
    "minecraft123",
    "mitkodeord",
    "mitkodeord1",
    "p@ssw0rd12",
    "p@ssw0rd123",
    "passw0rd123",
    "password01",
    "password10",
    "password11",
    "password12",
    "password123",
    "password1234",
    "password12345",
    "passwordpassword",
    "pokemon123",
    "princess123",
    "q1w2e3r4t5",
    "q1w2e3r4t5y6",
    "qazwsxedcrfv",
    "qwerty1234",
    "qwerty12345",
    "qwerty123456",
    "qwertyuiop",
    "qwertyuiopå",
    "samtale123",
    "samtale1234",
    "skole12345",
    "skolekode1",
    "sommer2024",
    "sommer2025",
    "sommer2026",
    "sommerferie",
    "spiderman1",
    "superman123",
    "velkommen1",
    "velkommen12",
    "velkommen123",
    "vinter2024",
    "vinter2025",
    "vinter2026",
    "welcome123",
    "zxcvbnm123",
];

/// Refuses a new password that is too short, too long, well known, or the user name.
pub fn check_password(password: &str, username: &str) -> Result<(), Refusal> {
    let weak = |detail: &str| Err(Refusal::new(ErrorCode::WeakPassword).detail(detail));
    if password.len() > LONGEST_BYTES {
        return weak("the password has more than 200 bytes");
    }
    if password.chars().count() < SHORTEST {
        return weak("the password has fewer than 10 characters");
    }
    let lower = normal_username(password);
    if WEAK_PASSWORDS.contains(&lower.as_str()) || is_one_run(&lower) {
        return weak("the password is well known");
    }
    if is_from_username(&lower, &normal_username(username)) {
        return weak("the password is the user name");
    }
    Ok(())
}

/// Whether each character is the one before it, or its neighbour in one direction: `aaaaaaaaaa`, `3456789012`.
fn is_one_run(password: &str) -> bool {
    let characters: Vec<u32> = password.chars().map(u32::from).collect();
    [-1_i64, 0, 1].into_iter().any(|step| {
        characters.windows(2).all(|pair| {
            let difference = i64::from(pair[1]) - i64::from(pair[0]);
            difference == step || (step != 0 && difference == -9 * step)
        })
    })
}

/// Whether the password is the user name, perhaps without its dots or with some digits after it.
fn is_from_username(password: &str, username: &str) -> bool {
    let letters = |text: &str| {
        text.chars()
            .filter(|character| character.is_alphanumeric())
            .collect::<String>()
    };
    let (password, username) = (letters(password), letters(username));
    let stem = password.trim_end_matches(|character: char| character.is_ascii_digit());
    !username.is_empty() && (password == username || stem == username)
}

/// Works on a bounded number of passwords at once, and lets a bounded number wait.
pub struct PasswordPool {
    /// One permit per worker.
    working: Arc<Semaphore>,
    /// One permit for each that works or waits.
    places: Arc<Semaphore>,
    full_wait: Duration,
}

impl PasswordPool {
    /// A pool of `workers`; one per core keeps the machine answering and its memory bounded.
    pub fn new(workers: NonZeroUsize) -> Self {
        Self::with_waiting(workers, WAITING_PER_WORKER)
    }

    fn with_waiting(workers: NonZeroUsize, waiting_per_worker: usize) -> Self {
        let waiting = u32::try_from(waiting_per_worker).unwrap_or(u32::MAX);
        Self {
            working: Arc::new(Semaphore::new(workers.get())),
            places: Arc::new(Semaphore::new(workers.get() * (1 + waiting_per_worker))),
            full_wait: ABOUT_ONE_HASH.saturating_mul(waiting).max(Duration::from_secs(1)),
        }
    }

    /// Whether `password` is the one that `hash` came from. Without a hash the same work is done, and it is not.
    pub async fn verify(&self, password: Zeroizing<String>, hash: Option<String>) -> Result<bool, Refusal> {
        self.work(move || {
            let matches = match PasswordHash::new(hash.as_deref().unwrap_or(NO_PASSWORD)) {
                Ok(parsed) => hasher()?.verify_password(password.as_bytes(), &parsed).is_ok(),
                Err(error) => {
                    tracing::error!(%error, "a password hash in storage can not be read");
                    return Err(Refusal::new(ErrorCode::Internal));
                }
            };
            Ok(matches && hash.is_some())
        })
        .await
    }

    /// The hash of `password`, in PHC string format.
    pub async fn hash(&self, password: Zeroizing<String>, salt: [u8; SALT_BYTES]) -> Result<String, Refusal> {
        self.work(move || {
            let hash = hasher()?.hash_password_with_salt(password.as_bytes(), &salt);
            hash.map(|hash| hash.to_string()).map_err(|error| internal(&error))
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let overloaded = || Refusal::new(ErrorCode::Overloaded).after(self.full_wait);
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| overloaded())?;
        let worker = Arc::clone(&self.working)
            .acquire_owned()
            .await
            .map_err(|_| overloaded())?;
        // The permits go with the work: a client that hangs up frees its place only when the memory is free again.
        let held: [OwnedSemaphorePermit; 2] = [place, worker];
        let outcome = tokio::task::spawn_blocking(move || {
            let outcome = work();
            drop(held);
            outcome
        });
        outcome.await.unwrap_or_else(|error| Err(internal(&error)))
    }
}

fn hasher() -> Result<Argon2<'static>, Refusal> {
    let parameters = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| internal(&error))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters))
}

fn internal(error: &dyn std::fmt::Display) -> Refusal {
    tracing::error!(%error, "a password could not be hashed");
    Refusal::new(ErrorCode::Internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workers(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).unwrap()
    }

    fn secret(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_verifies_against_its_own_hash_only() {
        let pool = PasswordPool::new(workers(2));
        let hash = pool.hash(secret("rødgrød med fløde"), [7; SALT_BYTES]).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(
            pool.verify(secret("rødgrød med fløde"), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(!pool.verify(secret("rødgrød med flode"), Some(hash)).await.unwrap());
        assert!(!pool.verify(secret("rødgrød med fløde"), None).await.unwrap());
    }

    #[test]
    fn the_stand_in_hash_costs_what_a_real_one_costs() {
        let parsed = PasswordHash::new(NO_PASSWORD).unwrap();
        let parameters = Params::try_from(&parsed).unwrap();
        assert_eq!(
            (parameters.m_cost(), parameters.t_cost(), parameters.p_cost()),
            (MEMORY_KIB, PASSES, LANES)
        );
        assert_eq!(parsed.hash.unwrap().len(), Params::DEFAULT_OUTPUT_LEN);
    }

    #[tokio::test]
    async fn a_full_queue_says_when_to_come_back_and_recovers() {
        let pool = Arc::new(PasswordPool::with_waiting(workers(1), 1));
        let held = Arc::clone(&pool.working).acquire_owned().await.unwrap();
        let waiting: Vec<_> = (0..2)
            .map(|_| {
                let pool = Arc::clone(&pool);
                tokio::spawn(async move { pool.verify(secret("whatever it is"), None).await })
            })
            .collect();
        while pool.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refusal = pool.verify(secret("one too many"), None).await.unwrap_err();
        assert_eq!(refusal.code, ErrorCode::Overloaded);
        assert!(refusal.retry_after_ms.unwrap() >= 1000);
        drop(held);
        for attempt in waiting {
            assert!(!attempt.await.unwrap().unwrap());
        }
        assert!(!pool.verify(secret("now there is room"), None).await.unwrap());
    }

    #[test]
    fn weak_passwords_are_refused_with_the_reason() {
        let detail = |password: &str| {
            let refusal = check_password(password, "Anne.Holm").unwrap_err();
            assert_eq!(refusal.code, ErrorCode::WeakPassword);
            refusal.detail.unwrap()
        };
        assert!(detail("kort").contains("fewer than 10"));
        assert!(detail(&"x".repeat(201)).contains("more than 200"));
        for known in [
            "Adgangskode123",
            "QWERTYUIOP",
            "aaaaaaaaaaaa",
            "3456789012",
            "abcdefghijkl",
            " 1234567890 ",
        ] {
            assert!(detail(known).contains("well known"), "{known}");
        }
        let refusal = check_password("anne.holm1", "Anne.Holm").unwrap_err();
        assert!(refusal.detail.unwrap().contains("user name"));
        check_password("ærø færge 12", "Anne.Holm").unwrap();
        check_password("annes holme i havet", "Anne.Holm").unwrap();
    }

    #[test]
    fn the_list_of_weak_passwords_is_sorted_lower_case_and_long_enough_to_matter() {
        for password in WEAK_PASSWORDS {
            assert_eq!(*password, password.to_lowercase());
            assert!(
                password.chars().count() >= SHORTEST,
                "{password} is refused for its length already"
            );
        }
    }
}
