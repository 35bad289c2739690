//! `samtale completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, terminal};

/// Print completions for a shell.
#[derive(Args)]
#[command(after_help = "Examples:
  samtale completions bash > /etc/bash_completion.d/samtale
  samtale completions zsh > \"${fpath[1]}/_samtale\"
  samtale completions fish > ~/.config/fish/completions/samtale.fish")]
pub(super) struct Completions {
    /// Which shell.
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> u8 {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "samtale", &mut script);
        terminal::print(&String::from_utf8_lossy(&script))
    }
}
