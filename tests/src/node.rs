//! A real server in this process, on a port of its own, with real clients.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use samtale_client::{Client, ClientOptions, Credentials, Secret, Update, Updates};
use samtale_gateway::server::{Office, Server, ServerOptions, SystemClock};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::town::{Inhabitant, PASSWORD};

/// How long a test waits for a state before it gives up. Machines that run tests are busy.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How much of each update is shown to who waited in vain.
const SHOWN: usize = 300;

/// A running server.
pub struct Node {
    /// Where it is.
    pub url: String,
    /// Its parts.
    pub office: Arc<Office>,
    shutdown: CancellationToken,
    serving: JoinHandle<()>,
}

impl Node {
    /// Starts a server on these folders.
    pub async fn start(folder: &Path) -> Result<Self> {
        let options = ServerOptions::new(folder.join("data"), folder.join("keys"));
        let server = Server::open(options, Arc::new(SystemClock)).await?;
        let office = Arc::clone(&server.office);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(server.serve(listener, shutdown.clone()));
        Ok(Self {
            url,
            office,
            shutdown,
            serving,
        })
    }

    /// Stops it in good order, and waits until its folders are free.
    pub async fn stop(self) -> Result<()> {
        self.shutdown.cancel();
        drop(self.office);
        tokio::time::timeout(PATIENCE, self.serving)
            .await
            .context("the server does not stop")??;
        Ok(())
    }

    /// A client of an inhabitant, once it is connected.
    pub async fn client(&self, inhabitant: &Inhabitant) -> Result<(Client, Updates)> {
        let password = Secret::new(PASSWORD);
        let credentials = Credentials::Password {
            username: inhabitant.username.clone(),
            password,
        };
        let (client, mut updates) = Client::connect(ClientOptions::new(&self.url, credentials)?);
        until(&mut updates, |update| {
            matches!(update, Update::Connected(_)).then_some(())
        })
        .await?;
        Ok((client, updates))
    }
}

/// Waits for an update that `wanted` takes. Who waits in vain is told what came instead.
pub async fn until<T>(updates: &mut Updates, mut wanted: impl FnMut(Update) -> Option<T>) -> Result<T> {
    let mut came = Vec::new();
    let wait = async {
        while let Some(update) = updates.next().await {
            came.push(format!("{update:?}").chars().take(SHOWN).collect::<String>());
            let is_over = matches!(update, Update::Stopped { .. } | Update::SendFailed { .. });
            if let Some(found) = wanted(update) {
                return Ok(found);
            }
            if is_over {
                bail!("what was waited for does not come any more")
            }
        }
        bail!("the updates ended")
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    waited
        .context("waited in vain")
        .flatten()
        .with_context(|| format!("came instead: {came:#?}"))
}
