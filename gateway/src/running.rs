//! A server from its configuration: opened, listening, with the socket for commands in its data folder.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use samtale_storage::embedded::EmbeddedOptions;
use samtale_storage::engine::chain;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::admin_socket::AdminSocket;
use crate::commands::{CommandError, Commands, OfficeCommands};
use crate::config::Config;
use crate::metrics;
use crate::server::{Office, Server, ServerOptions, StartError, SystemClock};
use crate::shard::SessionLimits;
use crate::tls::{LOOK, Tls};
use crate::web;

/// What a server is started with, by its configuration.
pub fn options(config: &Config) -> Result<ServerOptions, CommandError> {
    Ok(ServerOptions {
        data: config.data.clone(),
        keys: config.keys_folder(),
        embedded: EmbeddedOptions {
            reserve_bytes: config.storage.disk_reserve.0,
            ..EmbeddedOptions::default()
        },
        cql: config.cql.options(),
        redis: config.redis_options(),
        accounts: config.account_settings(),
        shards: config.shard_count().get(),
        max_sessions: config.limits.sessions,
        web: web_app(config),
        origins: config.origins.clone(),
        proxies: config.trusted_proxies(),
        limits: SessionLimits {
            sessions_per_account: config.limits.sessions_per_account,
            requests_per_second: u16::try_from(config.limits.requests_per_second).unwrap_or(u16::MAX),
        },
        addresses: config.address_rates(),
        tls: tls(config)?,
    })
}

/// The folder of the web app, if there is one.
pub fn web_app(config: &Config) -> Option<PathBuf> {
    config.web.clone().or_else(web::beside_the_program)
}

fn tls(config: &Config) -> Result<Option<Arc<Tls>>, CommandError> {
    let files = config.tls_files().map_err(CommandError::failed)?;
    let open = |files| Tls::open(files).map(Arc::new);
    files
        .map(open)
        .transpose()
        .map_err(|error| CommandError::failed(chain(&error)))
}

/// Reads the certificate again on SIGHUP, and when its files change. Without one SIGHUP changes nothing: it must not end
/// the server, as it would if nobody listened for it.
fn follow_certificate(tls: Option<&Arc<Tls>>, shutdown: &CancellationToken) -> Result<(), CommandError> {
    let no_signals = |error: std::io::Error| CommandError::failed(format!("SIGHUP can not be listened for: {error}"));
    let mut hangup = signal(SignalKind::hangup()).map_err(no_signals)?;
    let asked = Arc::new(Notify::new());
    if let Some(tls) = tls {
        tokio::spawn(Arc::clone(tls).follow(LOOK, Arc::clone(&asked), shutdown.clone()));
    }
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            asked.notify_one();
        }
    });
    Ok(())
}

/// Opens the data folder of `config`.
pub async fn open(config: &Config) -> Result<Server, CommandError> {
    if config.metrics.listen.is_some() {
        // Before the parts are made: what is counted by them is found when they begin.
        metrics::install().map_err(|error| CommandError::failed(format!("nothing can be counted: {error}")))?;
    }
    if config.cql.options().is_some() && config.redis.servers.is_empty() {
        warn!("`cql.nodes` is set and `redis.servers` is not: this has to be the only gateway on that database");
    }
    Server::open(options(config)?, Arc::new(SystemClock))
        .await
        .map_err(|error| failed(&error))
}

/// The parts of a server in the data folder of `config`, for a command when none runs.
pub async fn commands(config: &Config) -> Result<Arc<dyn Commands>, CommandError> {
    let server = open(config).await?;
    Ok(Arc::new(Standalone {
        commands: OfficeCommands::new(Arc::clone(&server.office)),
        _server: server,
    }))
}

/// Keeps what works beside the parts alive while a command runs.
struct Standalone {
    commands: OfficeCommands,
    _server: Server,
}

#[async_trait::async_trait]
impl Commands for Standalone {
    async fn run(
        &self,
        command: crate::commands::Command,
        progress: &dyn crate::commands::Progress,
    ) -> Result<serde_json::Value, CommandError> {
        self.commands.run(command, progress).await
    }
}

/// Connections that wait to be accepted. The usual 128 are full at once when everyone comes back, and whoever does not
/// fit tries again a second later. The kernel bounds it further (`net.core.somaxconn`).
const BACKLOG: u32 = 4_096;

/// Serves until `shutdown`. `ready` is told the address once clients can come, with the server's parts.
pub async fn serve(
    server: Server,
    config: &Config,
    shutdown: CancellationToken,
    ready: impl AsyncFnOnce(SocketAddr, Arc<Office>) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let (listener, address) = listen(config.listen)?;
    follow_certificate(server.tls(), &shutdown)?;
    if let Some(address) = config.metrics.listen {
        let counting = |error| CommandError::failed(format!("nothing can be counted: {error}"));
        let (handle, (listener, address)) = (metrics::install().map_err(counting)?, listen(address)?);
        tracing::info!(%address, "metrics are at /metrics");
        tokio::spawn(metrics::serve(listener, handle, shutdown.clone()));
    }
    let office = Arc::clone(&server.office);
    let socket = AdminSocket::bind(&config.data)
        .map_err(|error| CommandError::failed(format!("the socket for commands can not be made: {error}")))?;
    let commands = socket.serve(Arc::new(OfficeCommands::new(Arc::clone(&office))), shutdown.clone());
    let serving = tokio::spawn(server.serve(listener, shutdown.clone()));
    let commands = tokio::spawn(commands);
    let told = ready(address, office).await;
    if told.is_err() {
        shutdown.cancel();
    }
    let ended = serving.await;
    let _ = commands.await;
    told?;
    ended.map_err(|error| CommandError::failed(format!("the server ended: {error}")))
}

fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), CommandError> {
    let failed = |error: std::io::Error| CommandError::failed(format!("{address} can not be listened on: {error}"));
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    };
    let socket = socket.map_err(failed)?;
    // As a restart needs it: connections of the process before may still be ending.
    socket.set_reuseaddr(true).map_err(failed)?;
    socket.bind(address).map_err(failed)?;
    let listener = socket.listen(BACKLOG).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

fn failed(error: &StartError) -> CommandError {
    CommandError::failed(chain(error))
}
