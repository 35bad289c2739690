//! A real Redis server of a test's own, which it may stop, kill and start as it likes.

use std::io::Write;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use samtale_tests::cluster::redis_server::program;
use tempfile::TempDir;

pub struct RedisServer {
    program: PathBuf,
    folder: TempDir,
    port: u16,
    process: Option<Child>,
    arguments: Vec<String>,
}

impl RedisServer {
    /// A server with these arguments of its own; `None` where there is neither Redis nor Valkey, which is noted as skipped.
    pub fn start(arguments: &[&str]) -> Option<Self> {
        let Some(program) = program() else {
            note_skipped();
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self {
            program,
            folder: tempfile::tempdir().unwrap(),
            port,
            process: None,
            arguments: arguments.iter().map(ToString::to_string).collect(),
        };
        server.begin();
        Some(server)
    }

    /// Starts it, again, with what it kept.
    pub fn begin(&mut self) {
        let process = Command::new(&self.program)
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .arg("--dir")
            .arg(self.folder.path())
            .args(&self.arguments)
            .stdout(Stdio::null())
            .spawn();
        self.process = Some(process.unwrap());
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Runs a command on it, once it answers.
    pub async fn command(&self, words: &[&str]) -> redis::Value {
        let client = redis::Client::open(self.url()).unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        loop {
            let answer = client.get_connection().and_then(|mut connection| {
                let mut command = redis::cmd(words[0]);
                command.arg(&words[1..]).query(&mut connection)
            });
            match answer {
                Ok(answer) => return answer,
                Err(error) => assert!(std::time::Instant::now() < deadline, "{words:?}: {error}"),
            }
            // tidy: waits because this is for a process to answer, with a bound
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn note_skipped() {
    let text = "router over Redis: get redis-server from the system's packages, then scripts/set-up\n";
    if let Some(path) = std::env::var_os("SAMTALE_SKIPPED") {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }
    eprint!("skipped: {text}");
}
