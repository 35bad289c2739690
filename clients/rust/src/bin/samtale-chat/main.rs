//! `samtale-chat`: Samtale in a terminal, for people and for scripts.

mod account;
mod arguments;
mod failure;
mod password;
mod recipients;
mod script;
mod session;
mod talk;

use std::process::ExitCode;

use clap::Parser;

use arguments::Arguments;
use failure::Failure;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return misused(&error),
    };
    let json = arguments.json;
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(json),
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    // One connection and one person: more threads than this one would only wait.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::other("runtime", &error))?;
    let result = runtime.block_on(async {
        match arguments.command.clone() {
            Some(command) => script::run(&arguments, command).await,
            None if arguments.json => Err(Failure::usage("--json needs a command, such as threads; see --help")),
            None => talk::run(&arguments).await,
        }
    });
    // A thread may still wait for a line on standard input; it must not keep the program.
    runtime.shutdown_background();
    result
}

/// clap's own words; for a script that asked for JSON, as JSON too.
fn misused(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        return Failure::usage(error.to_string().trim()).report(true);
    }
    // Writing help to a closed pipe is no reason to complain.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}
