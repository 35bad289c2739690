//! A server in a process of its own, that can be killed.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

/// A running `samtale serve`.
pub struct ServerProcess {
    child: Child,
}

/// The built server: beside the test, or where `SAMTALE_BIN` says.
pub fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("SAMTALE_BIN") {
        return Ok(path.into());
    }
    let test = std::env::current_exe()?;
    let folder = test
        .parent()
        .and_then(Path::parent)
        .context("the test lies in no target folder")?;
    let path = folder.join("samtale");
    if !path.exists() {
        bail!(
            "{} is not built: run `cargo build` first, as `make test` does",
            path.display()
        );
    }
    Ok(path)
}

/// A port that is free now.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

impl ServerProcess {
    /// Starts a server on the folders that [`crate::node::Node`] uses.
    pub fn start(folder: &Path, port: u16) -> Result<Self> {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join("server.log"))?;
        let child = Command::new(binary()?)
            .arg("serve")
            .arg("--data")
            .arg(folder.join("data"))
            .arg("--keys")
            .arg(folder.join("keys"))
            .args([
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--set",
                "limits.logins_per_account_per_minute=1000",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("the server does not start")?;
        Ok(Self { child })
    }

    /// Ends it with SIGKILL, as a power cut does to a process.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
