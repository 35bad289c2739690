//! Long work goes on where storage was away for a moment: what may be done twice is tried again.

use std::time::Duration;

use super::{CommandError, CommandErrorKind, Progress};

/// Waits between tries, in seconds; after the last of them it is given up.
const WAITS: [u64; 7] = [1, 2, 5, 10, 20, 30, 30];

/// Does `work`, again and again while it could not be done; what is refused stays refused. The operator is told of each
/// wait. Returns the last failure when storage stays away, after some 100 s.
pub async fn patiently<T, F>(
    what: &str,
    progress: &dyn Progress,
    mut work: impl FnMut() -> F,
) -> Result<T, CommandError>
where
    F: Future<Output = Result<T, CommandError>>,
{
    for seconds in WAITS {
        match work().await {
            Err(error) if error.kind == CommandErrorKind::Failed => {
                progress.report(&format!("{what}: {error}; trying again in {seconds} s"));
                tokio::time::sleep(Duration::from_secs(seconds)).await;
            }
            result => return result,
        }
    }
    work().await
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Told(Mutex<Vec<String>>);

    impl Progress for Told {
        fn report(&self, line: &str) {
            self.0.lock().unwrap().push(line.to_owned());
        }
    }

    /// How often it was tried, what came of it, and what the operator was told, with something that fails at first.
    async fn tried(failures: usize, failure: CommandError) -> (usize, Result<(), CommandError>, Vec<String>) {
        let (mut tries, told) = (0, Told::default());
        let result = patiently("Egeskolen", &told, || {
            tries += 1;
            let result = if tries > failures { Ok(()) } else { Err(failure.clone()) };
            std::future::ready(result)
        })
        .await;
        (tries, result, told.0.into_inner().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_for_a_while_is_done_in_the_end_and_the_operator_is_told() {
        let (tries, result, told) = tried(2, CommandError::failed("storage did not answer in time")).await;
        assert_eq!((tries, result), (3, Ok(())));
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(
            told[0],
            "Egeskolen: storage did not answer in time; trying again in 1 s"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_keeps_failing_is_given_up_and_what_is_refused_is_not_tried_again() {
        let failure = CommandError::failed("storage did not answer in time");
        let (tries, result, _) = tried(usize::MAX, failure.clone()).await;
        assert_eq!((tries, result), (WAITS.len() + 1, Err(failure)));
        let refusal = CommandError::refused("no institution");
        let (tries, result, told) = tried(usize::MAX, refusal.clone()).await;
        assert_eq!((tries, result, told), (1, Err(refusal), Vec::new()));
    }
}
