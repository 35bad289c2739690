//! Requests beside the session: what waits for storage runs as a task of the shard and comes back to the session.

use std::rc::Rc;
use std::time::Instant;

use async_trait::async_trait;
use samtale_protocol::people::{ActivationCode, Caller, IssueActivationCodes, Login};
use samtale_protocol::presence::{Online, WatchPresence};
use samtale_protocol::{ErrorCode, PersonId, Refusal, Reply, Request, SessionId, limits};

use crate::connection::Connection;
use crate::metrics;
use crate::shard::Shard;
use crate::shard_sessions::Watched;

/// Requests about logins and accounts, which the rules of the school know nothing of.
#[async_trait]
pub trait AccountRequests: Send + Sync + 'static {
    /// Who an access token belongs to; `None` if it is not valid now.
    fn verify(&self, access_token: &str) -> Option<VerifiedToken>;

    /// Whether the person hides that they are online. Refused if their login has ended since the token was issued.
    async fn presence_hidden(&self, caller: &Caller) -> Result<bool, Refusal>;

    /// Something about the person's logins has changed: what is remembered of them counts no longer.
    fn forget(&self, person: PersonId);

    /// Hides or shows that the person is online.
    async fn set_presence_hidden(&self, caller: &Caller, hidden: bool) -> Result<(), Refusal>;

    /// The person's logins.
    async fn logins(&self, caller: &Caller) -> Result<Vec<Login>, Refusal>;

    /// Ends one of the person's logins.
    async fn end_login(&self, caller: &Caller, session: SessionId) -> Result<(), Refusal>;

    /// New activation codes for a class, for its staff.
    async fn issue_codes(&self, caller: &Caller, request: IssueActivationCodes)
    -> Result<Vec<ActivationCode>, Refusal>;
}

/// What a valid access token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedToken {
    /// Who, and which login.
    pub caller: Caller,
    /// Until when.
    pub expires_at: samtale_protocol::Timestamp,
}

impl Shard {
    /// Does what a request asks for, beside the session.
    pub(crate) fn perform(self: &Rc<Self>, connection: &Rc<Connection>, id: u32, request: Box<Request>) {
        let (shard, connection) = (Rc::clone(self), Rc::clone(connection));
        tokio::task::spawn_local(async move {
            let (op, began) = (request.op(), Instant::now());
            let outcome = shard.outcome(&connection, *request).await;
            metrics::on_request(op, &outcome, began.elapsed());
            let action = connection.session.borrow_mut().on_done(id, outcome);
            shard.act(&connection, action);
            shard.leave_if_idle(&connection);
        });
    }

    async fn outcome(self: &Rc<Self>, connection: &Rc<Connection>, request: Request) -> Result<Reply, Refusal> {
        let caller = *connection.session.borrow().caller();
        let accounts = &self.parts.accounts;
        match request {
            Request::ListLogins => accounts.logins(&caller).await.map(|logins| Reply::Logins { logins }),
            Request::EndLogin { session } => accounts.end_login(&caller, session).await.map(|()| Reply::Done),
            Request::IssueActivationCodes(request) => accounts
                .issue_codes(&caller, request)
                .await
                .map(|codes| Reply::ActivationCodes { codes }),
            Request::WatchPresence(request) => self.watch(connection, &caller, request).await.map(Reply::Online),
            Request::SetPresenceVisibility(request) => accounts
                .set_presence_hidden(&caller, request.hidden)
                .await
                .map(|()| Reply::Done),
            request => self.parts.school.handle(&caller, request).await,
        }
    }

    async fn watch(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        caller: &Caller,
        request: WatchPresence,
    ) -> Result<Online, Refusal> {
        let turn = connection.begin_watch();
        if request.profiles.len() > limits::WATCHED {
            return Err(Refusal::new(ErrorCode::TooLarge).detail("more than 200 profiles"));
        }
        let visible = self
            .parts
            .school
            .visible(caller, request.space, &request.profiles)
            .await?;
        let persons: Vec<PersonId> = visible.iter().map(|(_, person)| *person).collect();
        // If the other nodes can not be asked now, those are told of later.
        let online = match self.parts.presence.online(&persons, self.parts.clock.now()).await {
            Some(online) => online,
            None => persons
                .iter()
                .map(|person| self.parts.presence.is_online_here(*person))
                .collect(),
        };
        let watched = visible
            .into_iter()
            .zip(online)
            .map(|((profile, person), online)| Watched {
                space: request.space,
                profile,
                person,
                online,
            });
        let watched: Vec<Watched> = watched.collect();
        let online = watched.iter().filter(|watched| watched.online);
        let profiles = online.map(|watched| watched.profile).collect();
        // What was asked for later may be answered sooner.
        if connection.settle_watch(turn) {
            self.sessions.borrow_mut().watch(connection, watched);
        }
        Ok(Online {
            space: request.space,
            profiles,
        })
    }
}
