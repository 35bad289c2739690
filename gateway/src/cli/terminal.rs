//! What is written for whoever called: results on standard output, everything else on standard error.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{DONE, FAILED};
use crate::commands::Progress;

/// Prints a result. Somebody who stops reading, as `head` does, is no failure.
pub(super) fn print(text: &str) -> u8 {
    let mut out = stdout().lock();
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    match write!(out, "{text}{newline}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => FAILED,
        _ => DONE,
    }
}

/// Prints a result for a script: one line of JSON.
pub(super) fn print_json(value: &serde_json::Value) -> u8 {
    print(&value.to_string())
}

/// Says what went wrong.
pub(super) fn complain(exit_code: u8, message: &str) -> u8 {
    let mut error = stderr().lock();
    for line in message.lines() {
        // Where standard error is closed there is nobody to tell.
        let _ = writeln!(error, "samtale: {line}");
    }
    exit_code
}

/// Progress on standard error: one line that is written over on a terminal, nothing elsewhere.
#[derive(Default)]
pub(super) struct ProgressLines {
    is_open: AtomicBool,
}

impl Progress for ProgressLines {
    fn report(&self, line: &str) {
        let mut error = stderr().lock();
        if error.is_terminal() {
            self.is_open.store(true, Ordering::Relaxed);
            let _ = write!(error, "\r\x1b[K{line}").and_then(|()| error.flush());
        }
    }
}

impl Drop for ProgressLines {
    fn drop(&mut self) {
        if self.is_open.load(Ordering::Relaxed) {
            let _ = writeln!(stderr());
        }
    }
}
