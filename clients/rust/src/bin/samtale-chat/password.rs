//! A password, typed without being shown.

use std::io::{self, BufRead, IsTerminal, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use samtale_client::Secret;

/// Asks for a password on the terminal; `None` when standard input is none, or when the person interrupts.
pub async fn ask(prompt: &str) -> io::Result<Option<Secret>> {
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    // On standard error: what goes to standard output may be kept.
    eprint!("{prompt}");
    io::stderr().flush()?;
    // Held here, so that an interrupt ends it too and the terminal shows again what is typed.
    let hidden = Hidden::begin()?;
    let reading = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let line = tokio::select! {
        line = reading => Some(line.map_err(io::Error::other)??),
        _ = tokio::signal::ctrl_c() => None,
    };
    drop(hidden);
    eprintln!();
    Ok(line.map(|line| Secret::new(line.trim_end_matches(['\r', '\n']))))
}

/// While it lives, the terminal does not show what is typed.
struct Hidden {
    before: Termios,
}

impl Hidden {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
        Ok(Self { before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // Nothing better can be done about a terminal that is gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.before);
    }
}
