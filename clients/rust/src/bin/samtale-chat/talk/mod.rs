//! The form for people: lines in, lines out, no screen to be drawn. It works on any terminal, and through a pipe.

mod commands;
mod names;
mod room;
mod screen;
mod show;
mod texts;

use std::time::Duration;

use samtale_client::Update;
use samtale_protocol::Language;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::account::{self, Keep};
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::session::Session;

use commands::Line;
use room::Room;
use screen::Screen;
use texts::Texts;

/// How long a person who typed something sees nothing, at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// Talks until the person has had enough.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let texts = Texts::of(Language::from(arguments.language));
    let options = account::options(arguments, Keep::OnDisk).await?;
    let screen = Screen::new();
    screen.say(texts.connecting)?;
    let mut session = Session::begin(options, Duration::from_secs(arguments.wait));
    if let Err(failure) = session.connected().await {
        session.end().await;
        return Err(failure);
    }
    session.wait_at_most(PATIENCE);
    let mut room = Room::new(session, screen, texts);
    let result = talk(&mut room).await;
    room.leave().await;
    result
}

/// The one place where the program waits: for a line, for the server, or for the end.
async fn talk(room: &mut Room) -> Result<(), Failure> {
    room.greet().await?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        room.prompt()?;
        tokio::select! {
            line = lines.next_line() => match line {
                Ok(Some(line)) => {
                    if let Line::Quit = on_line(room, &line).await? {
                        return Ok(());
                    }
                }
                Ok(None) => return Ok(()),
                Err(error) => return Err(Failure::other("input", &error)),
            },
            update = room.session.update() => match update {
                Some(Update::Stopped { reason }) => return Err(reason.into()),
                Some(update) => room.on_update(update).await?,
                None => return Ok(()),
            },
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}

/// What goes wrong with one line is said, and the talk goes on.
async fn on_line(room: &mut Room, line: &str) -> Result<Line, Failure> {
    let line = Line::parse(line);
    match room.on_line(&line).await {
        Err(failure) if failure.ends_the_program() => Err(failure),
        Err(failure) => room.screen.say(&failure.in_words()).map(|()| line),
        Ok(()) => Ok(line),
    }
}
