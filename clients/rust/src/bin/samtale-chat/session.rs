//! A client and what it said so far, for one command or one evening.

mod pages;

use std::collections::VecDeque;
use std::time::Duration;

use samtale_client::{Client, ClientOptions, LoginService, RequestError, Secret, ServerAddress, Update, Updates};
use samtale_protocol::frames::Welcome;
use samtale_protocol::messages::Sent;
use samtale_protocol::people::OwnProfile;
use samtale_protocol::{ClientId, Language, ProfileId, Reply, Request};
use tokio::time::{Instant, timeout_at};

use crate::account::CLIENT;
use crate::failure::Failure;

/// The updates that may wait while a request is under way; beyond, the client waits.
const PENDING: usize = 1000;
/// The time for the goodbye. The server forgets the login by itself some day.
const GOODBYE: Duration = Duration::from_secs(2);

/// A client, its updates, and what they said.
pub struct Session {
    /// The client.
    pub client: Client,
    updates: Updates,
    pending: VecDeque<Update>,
    login: LoginService,
    refresh_token: Option<Secret>,
    profiles: Vec<OwnProfile>,
    wait: Duration,
    last_trouble: Option<String>,
}

/// Asks, and takes the one kind of reply that belongs to the question.
macro_rules! ask {
    ($session:expr, $request:expr, $reply:path) => {
        match $session.ask($request).await? {
            $reply(reply) => Ok(reply),
            _ => Err(Failure::from(samtale_client::RequestError::UnexpectedReply)),
        }
    };
}
pub(crate) use ask;

impl Session {
    /// Starts a client. It is not connected yet.
    pub fn begin(options: ClientOptions, wait: Duration) -> Self {
        let server: ServerAddress = options.server.clone();
        let language: Language = options.language;
        let (client, updates) = Client::connect(options);
        Self {
            client,
            updates,
            pending: VecDeque::new(),
            login: LoginService::new(server, CLIENT, language),
            refresh_token: None,
            profiles: Vec::new(),
            wait,
            last_trouble: None,
        }
    }

    /// Waits until the connection is live.
    pub async fn connected(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + self.wait;
        loop {
            match timeout_at(deadline, self.next()).await {
                Ok(Some(Update::Connected(_))) => return Ok(()),
                Ok(Some(Update::Stopped { reason })) => return Err(reason.into()),
                Ok(Some(update)) => self.pending.push_back(update),
                Ok(None) => return Err(RequestError::Stopped.into()),
                Err(_) => return Err(self.unreachable()),
            }
        }
    }

    /// From now on, waits no longer than this.
    pub fn wait_at_most(&mut self, wait: Duration) {
        self.wait = self.wait.min(wait);
    }

    /// One's own profiles.
    pub fn profiles(&self) -> &[OwnProfile] {
        &self.profiles
    }

    /// Whether a profile is one's own.
    pub fn is_me(&self, profile: ProfileId) -> bool {
        self.profiles.iter().any(|own| own.profile == profile)
    }

    /// The next update; `None` after the last.
    pub async fn update(&mut self) -> Option<Update> {
        match self.pending.pop_front() {
            Some(update) => Some(update),
            None => self.next().await,
        }
    }

    /// Asks the server. What arrives meanwhile waits for [`Session::update`]. A connection that ends meanwhile is not
    /// the end: what is asked here may be asked twice.
    pub async fn ask(&mut self, request: Request) -> Result<Reply, Failure> {
        let deadline = Instant::now() + self.wait;
        loop {
            match timeout_at(deadline, self.ask_once(request.clone())).await {
                Ok(Err(RequestError::Disconnected)) => {}
                Ok(answer) => return answer.map_err(Failure::from),
                Err(_) => return Err(self.unreachable()),
            }
        }
    }

    /// Waits until a queued message is stored.
    pub async fn sent(&mut self, client_id: ClientId) -> Result<Sent, Failure> {
        let deadline = Instant::now() + self.wait;
        loop {
            match timeout_at(deadline, self.update()).await {
                Ok(Some(Update::Sent(sent))) if sent.client_id == client_id => return Ok(sent),
                Ok(Some(Update::SendFailed {
                    client_id: failed,
                    refusal,
                })) if failed == client_id => {
                    return Err(refusal.into());
                }
                Ok(Some(Update::Stopped { reason })) => return Err(reason.into()),
                Ok(Some(_)) => {}
                Ok(None) => return Err(RequestError::Stopped.into()),
                Err(_) => {
                    let waits = format!("it waits in the outbox as {client_id} and is sent with the next command");
                    return Err(Failure::new("queued", "the message is not sent yet").detail(waits));
                }
            }
        }
    }

    /// Logs out and ends the client.
    pub async fn end(mut self) {
        let goodbye = async {
            self.client.stop().await;
            if let Some(token) = self.refresh_token.take() {
                // The login ends by itself some day; nothing is lost when this fails.
                let _ = self.login.log_out(&token).await;
            }
            while self.next().await.is_some() {}
        };
        let _ = tokio::time::timeout(GOODBYE, goodbye).await;
    }

    async fn ask_once(&mut self, request: Request) -> Result<Reply, RequestError> {
        let client = self.client.clone();
        let asking = client.request(request);
        tokio::pin!(asking);
        loop {
            let room = self.pending.len() < PENDING;
            tokio::select! {
                answer = &mut asking => return answer,
                update = self.next(), if room => match update {
                    Some(update) => self.pending.push_back(update),
                    None => return Err(RequestError::Stopped),
                },
            }
        }
    }

    async fn next(&mut self) -> Option<Update> {
        let update = self.updates.next().await?;
        match &update {
            Update::LoggedIn { refresh_token } => self.refresh_token = Some(refresh_token.clone()),
            Update::Connected(welcome) => self.welcome(welcome),
            Update::Disconnected { reason, .. } => self.last_trouble = Some(reason.to_string()),
            _ => {}
        }
        Some(update)
    }

    fn welcome(&mut self, welcome: &Welcome) {
        self.profiles.clone_from(&welcome.profiles);
        self.last_trouble = None;
    }

    fn unreachable(&self) -> Failure {
        let failure = Failure::new("unreachable", "the server did not answer in time");
        match &self.last_trouble {
            Some(trouble) => failure.detail(trouble.clone()),
            None => failure,
        }
    }
}
