//! The server `samtale`.

use std::process::ExitCode;

fn main() -> ExitCode {
    samtale_gateway::cli::main()
}
