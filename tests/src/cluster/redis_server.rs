//! A real Redis of the cluster's own, in a process that can be killed, emptied, or made to forget.

use std::fs::OpenOptions;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::process::{ServerProcess, append_to, stable_port};

/// From the start of the process until it answers, reading its file included.
const START_PATIENCE: Duration = Duration::from_secs(30);
/// How long a command may take.
const COMMAND_PATIENCE: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The programs that will do, in this order.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];

/// A Redis server, running or not.
pub struct RedisServer {
    /// Where it listens.
    pub address: SocketAddr,
    folder: PathBuf,
    program: PathBuf,
    replica_of: Option<SocketAddr>,
    process: Option<ServerProcess>,
}

/// The Redis of the system, if there is one.
pub fn program() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    PROGRAMS
        .iter()
        .flat_map(|program| folders.iter().map(move |folder| folder.join(program)))
        .find(|path| path.exists())
}

impl RedisServer {
    /// Starts one in a folder of its own, with an append-only file that is synced every second, as operators run it.
    pub async fn start(folder: &Path, port: Option<u16>) -> Result<Self> {
        Self::begin(folder, port, None).await
    }

    /// Starts a replica of the server at `primary`, which may be reached through a proxy.
    pub async fn start_replica(folder: &Path, primary: SocketAddr) -> Result<Self> {
        Self::begin(folder, None, Some(primary)).await
    }

    async fn begin(folder: &Path, port: Option<u16>, replica_of: Option<SocketAddr>) -> Result<Self> {
        let program = program().context("Redis is missing (apt-get install redis-server)")?;
        std::fs::create_dir_all(folder)?;
        let port = port.map_or_else(stable_port, Ok)?;
        let mut server = Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            folder: std::path::absolute(folder)?,
            program,
            replica_of,
            process: None,
        };
        server.return_to_work().await?;
        Ok(server)
    }

    /// Its process, while there is one.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(ServerProcess::id)
    }

    /// Starts the process, with what the folder remembers, and waits until it answers.
    pub async fn return_to_work(&mut self) -> Result<()> {
        let log = self.folder.join("server.log");
        let mut command = Command::new(&self.program);
        command.args(["--port", &self.address.port().to_string(), "--bind", "127.0.0.1"]);
        command.arg("--dir").arg(&self.folder);
        command.args(["--save", "", "--appendonly", "yes", "--appendfsync", "everysec"]);
        // The file stays as it was written, so that its end can be cut off.
        command.args(["--auto-aof-rewrite-percentage", "0", "--repl-diskless-sync-delay", "0"]);
        if let Some(primary) = self.replica_of {
            command.args(["--replicaof", &format!("{} {}", primary.ip(), primary.port())]);
        }
        command.stdout(append_to(&log)?);
        self.process = Some(ServerProcess::run(command, &log)?);
        let deadline = Instant::now() + START_PATIENCE;
        loop {
            if matches!(self.command("PING").await, Ok(answer) if answer == "+PONG") {
                return Ok(());
            }
            let is_running = self
                .process
                .as_mut()
                .is_some_and(|process| process.is_running().unwrap_or(false));
            if !is_running || Instant::now() > deadline {
                bail!("Redis does not start, see {}", log.display());
            }
            // tidy: waits because a server is asked again and again, within a bound
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) -> Result<()> {
        match self.process.take() {
            Some(mut process) => process.kill(),
            None => Ok(()),
        }
    }

    /// It hangs, until [`RedisServer::resume`].
    pub fn pause(&self) -> Result<()> {
        self.process.as_ref().map_or(Ok(()), ServerProcess::pause)
    }

    /// It goes on.
    pub fn resume(&self) -> Result<()> {
        self.process.as_ref().map_or(Ok(()), ServerProcess::resume)
    }

    /// A replica that follows nobody any more.
    pub async fn promoted(mut self) -> Result<Self> {
        self.command("REPLICAOF NO ONE").await?;
        self.replica_of = None;
        Ok(self)
    }

    /// A command of one line; the first line of the answer. An error answer is an error.
    pub async fn command(&self, line: &str) -> Result<String> {
        let exchange = async {
            let mut stream = BufReader::new(TcpStream::connect(self.address).await?);
            stream.write_all(format!("{line}\r\n").as_bytes()).await?;
            let mut answer = String::new();
            stream.read_line(&mut answer).await?;
            let answer = answer.trim_end().to_owned();
            ensure!(!answer.starts_with('-') && !answer.is_empty(), "{line}: {answer}");
            anyhow::Ok(answer)
        };
        tokio::time::timeout(COMMAND_PATIENCE, exchange)
            .await
            .context("Redis does not answer")?
    }

    /// What `INFO` says under a key of a section.
    pub async fn info(&self, section: &str, key: &str) -> Result<String> {
        let exchange = async {
            let mut stream = BufReader::new(TcpStream::connect(self.address).await?);
            stream.write_all(format!("INFO {section}\r\n").as_bytes()).await?;
            let mut head = String::new();
            stream.read_line(&mut head).await?;
            let length = head.trim_end().trim_start_matches('$').parse()?;
            let mut text = vec![0; length];
            stream.read_exact(&mut text).await?;
            anyhow::Ok(String::from_utf8(text)?)
        };
        let text = tokio::time::timeout(COMMAND_PATIENCE, exchange)
            .await
            .context("Redis does not answer")??;
        let found = text
            .lines()
            .find_map(|line| line.trim_end().split_once(':').filter(|(name, _)| *name == key));
        Ok(found
            .with_context(|| format!("INFO {section} says no {key}"))?
            .1
            .to_owned())
    }

    /// How many clients it cut so far because they read too slowly, as its log says.
    pub fn cut_for_slowness(&self) -> Result<usize> {
        let log = std::fs::read_to_string(self.folder.join("server.log"))?;
        Ok(log.matches("overcoming of output buffer limits").count())
    }

    /// How long the append-only file is now: what it forgets back to with [`RedisServer::kill_and_forget`].
    pub fn remembered(&self) -> Result<u64> {
        Ok(std::fs::metadata(self.append_only_file()?)?.len())
    }

    /// Ends it with SIGKILL, and takes everything from its file that was written since `remembered`: what a power cut
    /// leaves of a file that is synced every second.
    pub fn kill_and_forget(&mut self, remembered: u64) -> Result<()> {
        self.kill()?;
        let file = OpenOptions::new().write(true).open(self.append_only_file()?)?;
        ensure!(
            file.metadata()?.len() >= remembered,
            "the append-only file was rewritten"
        );
        Ok(file.set_len(remembered)?)
    }

    /// The file that grows.
    fn append_only_file(&self) -> Result<PathBuf> {
        let folder = self.folder.join("appendonlydir");
        let mut found = None;
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with(".incr.aof") {
                found = found.max(Some(path));
            }
        }
        found.context("Redis keeps no append-only file")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::{Proxy, ProxyOptions};

    #[tokio::test]
    async fn it_forgets_what_it_is_made_to_forget_and_remembers_the_rest() {
        if program().is_none() {
            return crate::skipped::skip("a Redis that forgets: apt-get install redis-server, then scripts/set-up");
        }
        let folder = tempfile::tempdir().unwrap();
        let mut redis = RedisServer::start(folder.path(), None).await.unwrap();
        redis.command("SET kept 1").await.unwrap();
        // What was acknowledged is in the file by the time of the next answer, if not on the disk.
        redis.command("PING").await.unwrap();
        let (remembered, run) = (
            redis.remembered().unwrap(),
            redis.info("server", "run_id").await.unwrap(),
        );
        assert!(remembered > 0);
        redis.command("SET lost 1").await.unwrap();
        redis.command("PING").await.unwrap();
        redis.kill_and_forget(remembered).unwrap();
        redis.return_to_work().await.unwrap();
        assert_eq!(redis.command("EXISTS kept").await.unwrap(), ":1");
        assert_eq!(redis.command("EXISTS lost").await.unwrap(), ":0");
        assert_ne!(redis.info("server", "run_id").await.unwrap(), run);
        assert!(redis.command("NO SUCH COMMAND").await.is_err());
    }

    #[tokio::test]
    async fn a_replica_behind_a_line_that_goes_nowhere_lags_and_can_be_promoted() {
        if program().is_none() {
            return crate::skipped::skip("a Redis with a replica: apt-get install redis-server, then scripts/set-up");
        }
        let folder = tempfile::tempdir().unwrap();
        let mut primary = RedisServer::start(&folder.path().join("a"), None).await.unwrap();
        let line = Proxy::start(ProxyOptions::default(), vec![primary.address])
            .await
            .unwrap();
        let replica = RedisServer::start_replica(&folder.path().join("b"), line.address())
            .await
            .unwrap();
        let follows = async {
            while replica.info("replication", "master_link_status").await.unwrap() != "up" {
                tokio::task::yield_now().await;
            }
            primary.command("SET early 1").await.unwrap();
            while replica.command("EXISTS early").await.unwrap() != ":1" {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(START_PATIENCE, follows).await.unwrap();
        line.change(|faults| faults.to_client.is_swallowed = true);
        primary.command("SET late 1").await.unwrap();
        primary.kill().unwrap();
        let promoted = replica.promoted().await.unwrap();
        assert_eq!(promoted.info("replication", "role").await.unwrap(), "master");
        assert_eq!(promoted.command("EXISTS late").await.unwrap(), ":0");
        promoted.command("SET after 1").await.unwrap();
    }
}
