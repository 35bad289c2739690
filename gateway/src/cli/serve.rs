//! `samtale serve`.

use std::sync::Arc;

use clap::Args;
use tokio::net::TcpListener;

use super::configuration::Settings;
use super::{DONE, Stop, standalone};
use crate::admin_socket::AdminSocket;
use crate::commands::{CommandError, OfficeCommands};
use crate::config::Config;
use crate::listener;
use crate::server::{Server, SystemClock};

/// Run the server.
///
/// SIGTERM or SIGINT stops it gracefully: clients are told when to come back. A second signal stops it at once.
#[derive(Args)]
#[command(after_help = "Examples:
  samtale serve --data /var/lib/samtale --listen 0.0.0.0:8080
  samtale serve --config /etc/samtale.toml
  SAMTALE_LISTEN=[::]:8080 samtale serve --set limits.sessions=50000")]
pub(super) struct Serve {
    #[command(flatten)]
    settings: Settings,
    /// The address and port for HTTP and sockets; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
}

impl Serve {
    pub(super) fn settings(&self) -> Settings {
        Settings {
            listen: self.listen.clone(),
            ..self.settings.clone()
        }
    }

    pub(super) async fn run(self, config: Arc<Config>, stop: Stop) -> Result<u8, CommandError> {
        listener::raise_descriptor_limit();
        let server = Server::open(config.server_options(), Arc::new(SystemClock)).await;
        let server = server.map_err(|error| standalone::failed(&error))?;
        let address = config.listen;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| CommandError::failed(format!("{address} can not be listened on: {error}")))?;
        let admin = AdminSocket::bind(&config.data)
            .map_err(|error| CommandError::failed(format!("the socket for commands can not be made: {error}")))?;
        let commands = Arc::new(OfficeCommands::new(&server.office));
        let address = listener.local_addr().unwrap_or(address);
        tracing::info!(%address, data = %config.data.display(), "serving");
        tokio::join!(
            admin.serve(commands, stop.gracefully.clone()),
            server.serve(listener, stop.gracefully)
        );
        tracing::info!("stopped");
        Ok(DONE)
    }
}
