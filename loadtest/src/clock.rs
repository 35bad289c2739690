//! Times and waits: one clock for all processes of a machine, and the CPU time of a thread.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::time::{ClockId, clock_gettime};
use std::os::fd::AsFd;
use std::time::Duration;

/// Nanoseconds of the monotonic clock, which is the same in all processes (clock_gettime(2)).
pub fn now() -> u64 {
    nanoseconds(clock_gettime(ClockId::Monotonic))
}

/// Nanoseconds of CPU that this thread has used.
pub fn thread_cpu() -> u64 {
    nanoseconds(clock_gettime(ClockId::ThreadCPUTime))
}

/// Waits until `moment`, whatever interrupts it.
pub fn wait_until(moment: u64) {
    while let Some(left) = left_until(moment) {
        let _ = poll(&mut [], Some(&left));
    }
}

/// Waits for a while.
pub fn wait(time: Duration) {
    wait_until(now() + in_nanoseconds(time));
}

/// Waits until there is something to read, and says whether there is; not after `moment`.
pub fn wait_for(source: impl AsFd, moment: u64) -> bool {
    wait_to(PollFlags::IN, source, moment)
}

/// Waits until something can be written, and says whether it can; not after `moment`.
pub fn wait_to_write(source: impl AsFd, moment: u64) -> bool {
    wait_to(PollFlags::OUT, source, moment)
}

fn wait_to(what: PollFlags, source: impl AsFd, moment: u64) -> bool {
    let mut sources = [PollFd::new(&source, what)];
    let left = left_until(moment).unwrap_or_default();
    poll(&mut sources, Some(&left)).is_ok_and(|ready| ready > 0)
}

/// A time as nanoseconds.
pub fn in_nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Nanoseconds as a time of the kernel's.
pub fn timespec(nanoseconds: u64) -> Timespec {
    const SECOND: u64 = 1_000_000_000;
    Timespec {
        tv_sec: i64::try_from(nanoseconds / SECOND).unwrap_or(i64::MAX),
        tv_nsec: i64::try_from(nanoseconds % SECOND).unwrap_or_default(),
    }
}

fn left_until(moment: u64) -> Option<Timespec> {
    let left = moment.saturating_sub(now());
    (left > 0).then(|| timespec(left))
}

fn nanoseconds(time: Timespec) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or_default()
}
