//! The players of a day, seen from whoever starts them.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::{Part, Told};

/// Lines that wait to be looked at: a player says one per second.
const WAITING: usize = 256;
/// A player that says nothing for this long hangs.
const SILENCE: Duration = Duration::from_secs(300);

/// A line of a player's.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    /// Its conversations are started.
    Started {},
    /// How far it is.
    Progress(Box<Told>),
    /// What it saw, in the end.
    Told(Box<Told>),
}

/// Players under way. They end with this value.
pub struct Players {
    players: Vec<Player>,
    lines: Receiver<(usize, Result<Said>)>,
}

struct Player {
    child: Child,
    orders: Option<ChildStdin>,
    latest: Told,
}

impl Players {
    /// Starts one per part, and waits until all have started their conversations.
    pub fn start(parts: &[Part], folder: &Path) -> Result<Self> {
        let (say, lines) = sync_channel(WAITING);
        let players: Result<Vec<Player>> = parts
            .iter()
            .enumerate()
            .map(|(place, part)| Player::start(place, part, folder, say.clone()))
            .collect();
        let mut players = Self {
            players: players?,
            lines,
        };
        let mut started = 0;
        while started < players.players.len() {
            if let (_, Said::Started {}) = players.next()? {
                started += 1;
            }
        }
        Ok(players)
    }

    /// The processes, to see what they cost.
    pub fn processes(&self) -> Vec<u32> {
        self.players.iter().map(|player| player.child.id()).collect()
    }

    /// Plays the day from this moment on. `tell` is told how far all are, from time to time.
    pub fn play(mut self, start: u64, mut tell: impl FnMut(&Told) -> Result<()>) -> Result<Told> {
        for player in &mut self.players {
            let orders = player.orders.as_mut().context("a player was told to end")?;
            writeln!(orders, "{start}").context("a player is gone")?;
        }
        let (mut all, mut done) = (Told::default(), 0);
        while done < self.players.len() {
            match self.next()? {
                (_, Said::Told(told)) => {
                    all.add(*told);
                    done += 1;
                }
                (place, Said::Progress(told)) => {
                    self.players[place].latest = *told;
                    // All say so each second; the first stands for that.
                    if place == 0 {
                        let mut sum = Told::default();
                        self.players.iter().for_each(|player| sum.add(player.latest.clone()));
                        tell(&sum)?;
                    }
                }
                (_, Said::Started {}) => {}
            }
        }
        Ok(all)
    }

    fn next(&mut self) -> Result<(usize, Said)> {
        match self.lines.recv_timeout(SILENCE) {
            Ok((place, said)) => Ok((place, said?)),
            Err(RecvTimeoutError::Timeout) => bail!("a player says nothing"),
            Err(RecvTimeoutError::Disconnected) => bail!("the players are gone"),
        }
    }
}

impl Player {
    fn start(place: usize, part: &Part, folder: &Path, say: SyncSender<(usize, Result<Said>)>) -> Result<Self> {
        let file = folder.join(format!("part-{place}.json"));
        std::fs::write(&file, serde_json::to_string(part)?)?;
        let program = std::env::current_exe().context("this program's own path is not known")?;
        let mut child = Command::new(program)
            .arg("play")
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("a player does not start")?;
        let orders = child.stdin.take();
        let output = child.stdout.take().context("a player has no output")?;
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let said = line.context("a player is gone");
                let said = said.and_then(|line| serde_json::from_str(&line).context("a player's line can not be read"));
                if say.send((place, said)).is_err() {
                    return;
                }
            }
            // Heard only by those who still wait for it.
            let _ = say.send((place, Err(anyhow::anyhow!("a player has ended"))));
        });
        Ok(Self {
            child,
            orders,
            latest: Told::default(),
        })
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
