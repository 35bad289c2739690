//! The floor of TLS: a server of tokio and rustls that does nothing but hold connections. What one costs it, every server
//! that is built on the two pays as well.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::certificate::Certificate;
use crate::machine::resident_kib;
use crate::readers::{Kind, Target};

/// What a connection reads into; it is part of what it costs.
const BUFFER_BYTES: usize = 256;

/// A bare server in a process of its own. It ends with this value.
pub struct BareTls {
    child: Child,
    /// Where it listens.
    pub target: Target,
    _folder: TempDir,
}

impl BareTls {
    /// Starts one.
    pub fn start() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("samtale-loadtest-").tempdir()?;
        let files = Certificate::make(folder.path())?;
        let program = std::env::current_exe().context("this program's own path is not known")?;
        let mut command = Command::new(program);
        command.arg("bare-tls").arg(&files.certificate).arg(&files.key);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let said = child.stdout.take().context("the bare server has no output")?;
        let mut line = String::new();
        BufReader::new(said).read_line(&mut line)?;
        let address: SocketAddr = line
            .trim()
            .parse()
            .context("the bare server does not say where it listens")?;
        Ok(Self {
            child,
            target: Target {
                kind: Kind::Floor,
                servers: vec![address],
                people: None,
                certificate: Some(files.certificate),
            },
            _folder: folder,
        })
    }

    /// Its memory.
    pub fn resident_kib(&self) -> Result<u64> {
        resident_kib(self.child.id())
    }
}

impl Drop for BareTls {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command line of such a process.
#[derive(clap::Args)]
pub struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// Holds connections until this process is ended.
pub fn run(files: &Files) -> Result<()> {
    let acceptor = acceptor(&files.certificate, &files.key)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        loop {
            let (stream, _) = listener.accept().await?;
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut buffer = [0; BUFFER_BYTES];
                while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
            });
        }
    })
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor> {
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let mut config = builder
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_file(certificate)?],
            PrivateKeyDer::from_pem_file(key)?,
        )?;
    // As the server that is measured has it, so that both keep the same.
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.send_tls13_tickets = 1;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
