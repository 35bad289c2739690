//! The CPU time of another process.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

/// What the threads of a process have used. A thread that ends takes its figures with it, so they are kept here.
///
/// `/proc/PID/stat` tells of a whole process in hundredths of a second, too coarse for idle sessions; the scheduler's own
/// figures per thread are exact (proc(5), schedstat).
#[derive(Debug, Default)]
pub struct CpuTime {
    threads: BTreeMap<String, u64>,
}

impl CpuTime {
    /// All that a process has used up to now, in nanoseconds.
    pub fn of(&mut self, process: u32) -> Result<u64> {
        for task in std::fs::read_dir(format!("/proc/{process}/task"))? {
            let task = task?;
            // A thread may end while its list is read.
            let Ok(text) = std::fs::read_to_string(task.path().join("schedstat")) else {
                continue;
            };
            let used = text.split_whitespace().next().and_then(|field| field.parse().ok());
            let used: u64 = used.context("the kernel keeps no scheduler figures")?;
            let known = self.threads.entry(task.file_name().to_string_lossy().into_owned());
            let known = known.or_default();
            *known = used.max(*known);
        }
        Ok(self.threads.values().sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_uses_cpu_when_it_works_and_keeps_what_a_thread_used() {
        let mut time = CpuTime::default();
        let before = time.of(std::process::id()).unwrap();
        let work = || (0..3_000_000_u64).fold(0_u64, |sum, number| sum.wrapping_mul(31).wrapping_add(number));
        let (go_on, wait) = std::sync::mpsc::sync_channel(1);
        let (done, worked) = std::sync::mpsc::sync_channel(1);
        let thread = std::thread::spawn(move || {
            assert_ne!(work(), 1);
            done.send(()).unwrap();
            let () = wait.recv().unwrap();
        });
        worked.recv().unwrap();
        let with_thread = time.of(std::process::id()).unwrap();
        assert!(with_thread > before);
        go_on.send(()).unwrap();
        thread.join().unwrap();
        assert!(time.of(std::process::id()).unwrap() >= with_thread);
    }
}
