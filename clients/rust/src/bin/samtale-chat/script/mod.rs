//! The forms for scripts: each prints JSON lines on standard output, with the field names of the protocol.

mod lists;
mod tail;
mod writing;

use std::io::Write;
use std::time::Duration;

use samtale_client::LoginService;
use samtale_protocol::Language;
use samtale_protocol::people::Withheld;
use serde::Serialize;

use crate::account::{self, CLIENT, Keep};
use crate::arguments::{Arguments, Command};
use crate::failure::Failure;
use crate::session::Session;

/// Does one command.
pub async fn run(arguments: &Arguments, command: Command) -> Result<(), Failure> {
    if let Command::Activate { code } = &command {
        return activate(arguments, code).await;
    }
    let keep = match command {
        Command::Start { .. } | Command::Send { .. } => Keep::OnDisk,
        _ => Keep::InMemory,
    };
    let options = account::options(arguments, keep).await?;
    let mut session = Session::begin(options, Duration::from_secs(arguments.wait));
    let result = async {
        session.connected().await?;
        command_of(&mut session, command).await
    }
    .await;
    session.end().await;
    result
}

async fn command_of(session: &mut Session, command: Command) -> Result<(), Failure> {
    match command {
        Command::Threads { limit } => lists::threads(session, limit).await,
        Command::History { thread, limit } => lists::history(session, thread, limit).await,
        Command::People { search } => lists::people(session, search.as_deref()).await,
        Command::Groups => lists::groups(session).await,
        Command::Members { thread } => lists::members(session, thread).await,
        Command::Start { to, subject, text } => writing::start(session, &to, subject, text).await,
        Command::Send { thread, text, id } => writing::send(session, thread, text, id).await,
        Command::MarkRead { thread, messages } => writing::mark_read(session, thread, messages).await,
        Command::Edit { thread, message, text } => writing::edit(session, thread, message, text).await,
        Command::Recall { thread, message } => writing::recall(session, thread, message).await,
        Command::Leave { thread } => writing::leave(session, thread).await,
        Command::Rename { thread, subject } => writing::rename(session, thread, subject).await,
        Command::Tail { seconds, signals } => tail::tail(session, seconds, signals).await,
        // It needs no session.
        Command::Activate { .. } => Ok(()),
    }
}

/// Sets the password with the code from the sheet. The tokens of the answer are not printed: they end here.
async fn activate(arguments: &Arguments, code: &str) -> Result<(), Failure> {
    let service = LoginService::new(account::server(arguments)?, CLIENT, Language::from(arguments.language));
    let (username, password) = (account::username(arguments)?, account::password(arguments).await?);
    let reply = service.activate(&username, code, &password).await?;
    // The login ends by itself some day; the password is set all the same.
    let _ = service.log_out(&reply.refresh_token.into()).await;
    print(&serde_json::json!({"profiles": reply.profiles}))
}

/// Prints one JSON line, at once.
fn print(value: &impl Serialize) -> Result<(), Failure> {
    let mut line = serde_json::to_vec(value).map_err(|error| Failure::other("output", &error))?;
    line.push(b'\n');
    let mut output = std::io::stdout().lock();
    output
        .write_all(&line)
        .and_then(|()| output.flush())
        .map_err(|error| Failure::output(&error))
}

/// The last line of a list that is shorter than what there is.
fn print_withheld(withheld: &[Withheld]) -> Result<(), Failure> {
    if withheld.is_empty() {
        return Ok(());
    }
    print(&serde_json::json!({"withheld": withheld}))
}
