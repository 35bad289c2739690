//! The one thread that writes: it takes what waits, applies it as a group, syncs once, and answers all of it.

use std::io;
use std::time::{Duration, Instant};

use fjall::PersistMode;
use tokio::sync::{mpsc, oneshot};

use super::Inner;
use super::group::Group;
use crate::engine::StorageError;

/// Writes that wait for the writer. Beyond it, writers wait for room in the queue; with bodies of 64 KiB it is 64 MiB.
pub(super) const QUEUE: usize = 1024;
/// What one group takes from the queue: enough to share a sync, little enough that the sync stays short.
const GROUP_JOBS: usize = 512;
const GROUP_BYTES: usize = 4 * 1024 * 1024;
/// How often a disk that was full is tried again.
const PROBE_INTERVAL: Duration = Duration::from_secs(5);

/// Something for the writer to do.
pub(super) trait Job: Send {
    /// About how many bytes it writes.
    fn bytes(&self) -> usize;
    /// Whether it is refused while the disk is full.
    fn needs_room(&self) -> bool;
    /// Does it, in the group.
    fn apply(&mut self, group: &mut Group<'_>);
    /// Answers: with what came of it once the group is durable, or with the error of the group.
    fn answer(self: Box<Self>, group: Result<(), StorageError>);
}

/// A job with its work and where the answer goes.
pub(super) struct Task<T, W> {
    pub work: Option<W>,
    pub result: Option<Result<T, StorageError>>,
    pub reply: oneshot::Sender<Result<T, StorageError>>,
    pub bytes: usize,
    pub needs_room: bool,
}

impl<T, W> Job for Task<T, W>
where
    T: Send,
    W: FnOnce(&mut Group<'_>) -> Result<T, StorageError> + Send,
{
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn needs_room(&self) -> bool {
        self.needs_room
    }

    fn apply(&mut self, group: &mut Group<'_>) {
        self.result = self.work.take().map(|work| work(group));
    }

    fn answer(self: Box<Self>, group: Result<(), StorageError>) {
        let Self { result, reply, .. } = *self;
        if let Some(answer) = group.map_or_else(|error| Some(Err(error)), |()| result) {
            // Whoever asked may have stopped waiting.
            let _ = reply.send(answer);
        }
    }
}

/// What the store can do.
enum State {
    /// Everything.
    Writing,
    /// A write met a full disk inside the store, which then takes none until it is opened again. Reads go on.
    Full { probed: Instant },
}

/// How a group ended that was not written.
enum Failure {
    /// The disk was full in the middle of it.
    Full,
    /// A worker of the store had failed before; nothing of this group was written.
    Stopped(fjall::Error),
    /// A write or a sync failed; what of it is on the disk is not known.
    Fatal(fjall::Error),
}

/// Writes until the queue is closed.
pub(super) fn run(inner: &Inner, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    let _guard = PanicGuard(inner);
    let mut state = State::Writing;
    while let Some(first) = queue.blocking_recv() {
        let mut bytes = first.bytes();
        let mut jobs = vec![first];
        while jobs.len() < GROUP_JOBS && bytes < GROUP_BYTES {
            let Ok(job) = queue.try_recv() else { break };
            bytes += job.bytes();
            jobs.push(job);
        }
        if let Err(error) = check_room(inner, &mut state) {
            inner.die(&error);
            return;
        }
        let stopped = matches!(state, State::Full { .. });
        let jobs = refuse_what_needs_room(inner, jobs, stopped);
        if jobs.is_empty() {
            continue;
        }
        match write(inner, jobs) {
            Ok(()) => {}
            Err(Failure::Full) => {
                tracing::error!(folder = %inner.path.display(), "the disk is full: writes are refused, reads go on");
                state = State::Full { probed: Instant::now() };
            }
            Err(Failure::Stopped(error) | Failure::Fatal(error)) => {
                let error = StorageError::Embedded {
                    operation: "make writes durable",
                    source: Box::new(error),
                };
                inner.die(&error);
                return;
            }
        }
    }
}

/// Applies the jobs, syncs, and answers.
fn write(inner: &Inner, mut jobs: Vec<Box<dyn Job>>) -> Result<(), Failure> {
    let mut group = Group::new(&inner.tables, inner.clock.now());
    for job in &mut jobs {
        job.apply(&mut group);
    }
    let committed = group.commit(!inner.acknowledge_before_sync);
    match committed {
        Ok(()) => {
            answer(jobs, || Ok(()));
            if inner.acknowledge_before_sync {
                inner
                    .tables
                    .database
                    .persist(PersistMode::SyncData)
                    .map_err(Failure::Fatal)?;
            }
            Ok(())
        }
        Err(error) => {
            let failure = classify(inner, error);
            answer(jobs, || Err(inner.refusal(&failure)));
            Err(failure)
        }
    }
}

fn answer(jobs: Vec<Box<dyn Job>>, outcome: impl Fn() -> Result<(), StorageError>) {
    for job in jobs {
        job.answer(outcome());
    }
}

/// Answers those that cannot be done while the disk is full, and returns the others.
fn refuse_what_needs_room(inner: &Inner, jobs: Vec<Box<dyn Job>>, stopped: bool) -> Vec<Box<dyn Job>> {
    let free_bytes = inner.folder.free_bytes().unwrap_or(u64::MAX);
    if !stopped && free_bytes >= inner.reserve_bytes {
        return jobs;
    }
    let (refused, taken): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| stopped || job.needs_room());
    answer(refused, || Err(inner.full(free_bytes)));
    taken
}

/// Whether a store that met a full disk can go on; it cannot by itself, so once there is room it asks to be restarted.
fn check_room(inner: &Inner, state: &mut State) -> Result<(), StorageError> {
    let State::Full { probed } = state else { return Ok(()) };
    if probed.elapsed() < PROBE_INTERVAL {
        return Ok(());
    }
    *probed = Instant::now();
    let free_bytes = inner.folder.free_bytes().unwrap_or(0);
    if free_bytes < inner.reserve_bytes || !inner.folder.takes_writes() {
        return Ok(());
    }
    Err(StorageError::Unavailable {
        reason: "the disk was full and has room again: the store must be opened anew".to_owned(),
    })
}

fn classify(inner: &Inner, error: fjall::Error) -> Failure {
    if is_full(&error) {
        return Failure::Full;
    }
    if matches!(error, fjall::Error::Poisoned) {
        // The workers of the store need room too, and what stopped one is in its log only.
        return match inner.folder.free_bytes() {
            Ok(free_bytes) if free_bytes < inner.reserve_bytes => Failure::Full,
            _ if !inner.folder.takes_writes() => Failure::Full,
            _ => Failure::Stopped(error),
        };
    }
    Failure::Fatal(error)
}

fn is_full(error: &fjall::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        }
        cause = error.source();
    }
    false
}

impl Inner {
    /// What the writers of a group are told that was not written.
    fn refusal(&self, failure: &Failure) -> StorageError {
        match failure {
            Failure::Stopped(_) => StorageError::Unavailable {
                reason: "the embedded store has stopped".to_owned(),
            },
            // The store may have written all of it before it failed, and finds it when it is opened again.
            Failure::Full | Failure::Fatal(_) => StorageError::Timeout {
                operation: "write",
                table: "a group",
            },
        }
    }

    fn full(&self, free_bytes: u64) -> StorageError {
        StorageError::Full {
            free_bytes,
            reserve_bytes: self.reserve_bytes,
        }
    }

    fn die(&self, error: &StorageError) {
        (self.on_fatal)(error);
    }
}

/// A writer that panics leaves nobody to write: that too stops the process.
struct PanicGuard<'a>(&'a Inner);

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.die(&StorageError::Unavailable {
                reason: "the writer of the embedded store panicked".to_owned(),
            });
        }
    }
}
