//! One gateway of a cluster: a real `samtale` process with a data folder, a port and settings of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::process::{ServerProcess, append_to, binary, status_of};

/// How long a gateway may take until it is ready. The first one makes the tables, and a demo its school.
pub const START_PATIENCE: Duration = Duration::from_secs(180);
/// How long a gateway may take to go in good order.
pub const STOP_PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at whether it is ready.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// The lines of a log that are shown when something fails.
const LOG_LINES: usize = 12;

/// A gateway, running or not.
pub struct Gateway {
    /// Its number, from 0.
    pub number: usize,
    /// Where it listens.
    pub address: SocketAddr,
    folder: PathBuf,
    keys: PathBuf,
    settings: Vec<String>,
    process: Option<ServerProcess>,
}

impl Gateway {
    /// One that is not started yet.
    pub fn new(number: usize, port: u16, folder: PathBuf, keys: PathBuf, settings: Vec<String>) -> Self {
        Self {
            number,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            folder,
            keys,
            settings,
            process: None,
        }
    }

    /// What clients are given.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its process, while there is one.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(ServerProcess::id)
    }

    /// Where it writes its log.
    pub fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// A command of `samtale` with this gateway's folders and settings.
    pub fn command(&self, words: &[&str]) -> Result<Command> {
        let mut command = Command::new(binary()?);
        command.args(words);
        command
            .arg("--data")
            .arg(self.folder.join("data"))
            .arg("--keys")
            .arg(&self.keys);
        let number = (self.number + 1).to_string();
        for setting in &self.settings {
            command.arg("--set").arg(setting.replace("{gateway}", &number));
        }
        Ok(command)
    }

    /// Runs a command of `samtale` to its end, and returns what it prints.
    pub async fn run(&self, words: &[&str], input: &str) -> Result<String> {
        let mut command = tokio::process::Command::from(self.command(words)?);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn()?;
        let mut stdin = child.stdin.take().context("no input")?;
        stdin.write_all(input.as_bytes()).await?;
        drop(stdin);
        let output = child.wait_with_output().await?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "samtale {}: {errors}", words.join(" "));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Starts `samtale serve`, and does not wait.
    pub fn start(&mut self) -> Result<()> {
        let mut command = self.command(&["serve"])?;
        command
            .arg("--listen")
            .arg(self.address.to_string())
            .stdout(append_to(&self.log())?);
        self.process = Some(ServerProcess::run(command, &self.log())?);
        Ok(())
    }

    /// Starts `samtale demo`, and returns who can log in once it is ready.
    pub async fn start_demo(&mut self) -> Result<Value> {
        let mut command = self.command(&["demo", "--json"])?;
        command
            .arg("--listen")
            .arg(self.address.to_string())
            .stdout(Stdio::piped());
        let mut process = ServerProcess::run(command, &self.log())?;
        let output = process.output().context("the demo's output was not kept")?;
        self.process = Some(process);
        let mut lines = BufReader::new(tokio::process::ChildStdout::from_std(output)?).lines();
        let line = tokio::time::timeout(START_PATIENCE, lines.next_line()).await;
        let line = line.context("the demo is not ready in time")??;
        let Some(line) = line else {
            bail!("the demo ended:\n{}", self.last_of_log());
        };
        let told: Value = serde_json::from_str(&line).context("the demo's line is no JSON")?;
        Ok(told["logins"].clone())
    }

    /// Waits until it is ready for clients.
    pub async fn ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_PATIENCE;
        while !matches!(status_of(self.address, "/readyz", "").await, Ok(200)) {
            let is_running = self
                .process
                .as_mut()
                .is_some_and(|process| process.is_running().unwrap_or(false));
            if !is_running || Instant::now() > deadline {
                let what = if is_running { "is not ready in time" } else { "ended" };
                bail!("gateway {} {what}:\n{}", self.number, self.last_of_log());
            }
            // tidy: waits because a server is asked again and again, within a bound
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) -> Result<()> {
        match self.process.take() {
            Some(mut process) => process.kill(),
            None => Ok(()),
        }
    }

    /// Ends it with SIGTERM, and waits until it has told its clients and gone.
    pub async fn drain(&mut self) -> Result<()> {
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        process.terminate()?;
        process.ended_within(STOP_PATIENCE).await
    }

    /// It hangs, until [`Gateway::resume`].
    pub fn pause(&self) -> Result<()> {
        self.process.as_ref().map_or(Ok(()), ServerProcess::pause)
    }

    /// It goes on.
    pub fn resume(&self) -> Result<()> {
        self.process.as_ref().map_or(Ok(()), ServerProcess::resume)
    }

    /// Whether it runs. One that was started and does not has ended by itself.
    pub fn is_running(&mut self) -> bool {
        self.process
            .as_mut()
            .is_some_and(|process| process.is_running().unwrap_or(false))
    }

    /// The end of its log, for whoever has to find out why.
    pub fn last_of_log(&self) -> String {
        let text = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }
}
