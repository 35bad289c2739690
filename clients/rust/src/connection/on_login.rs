//! Tokens: when to log in, when to refresh, and what a refusal means.

use std::time::Duration;

use samtale_protocol::login::LoginReply;

use super::{Action, Connection, Moment, State, Step};
use crate::login::LoginError;
use crate::secret::Secret;
use crate::updates::{DisconnectReason, StopReason, Update};

/// An access token this close to its end is refreshed first: the way to the server takes time.
const MARGIN: Duration = Duration::from_secs(20);

/// However short a token lasts, it is not renewed more often than this.
const SHORTEST: Duration = Duration::from_secs(5);

/// What the client can show of itself.
#[derive(Debug)]
pub(super) struct Login {
    may_log_in: bool,
    refresh_token: Option<Secret>,
    access: Option<Access>,
    /// Whether the server called a token invalid since the last `welcome`. The second time it is believed.
    rejected: bool,
}

#[derive(Debug)]
struct Access {
    token: Secret,
    ends_at: Moment,
}

impl Login {
    pub(super) fn new(may_log_in: bool, refresh_token: Option<Secret>) -> Self {
        Self {
            may_log_in,
            refresh_token,
            access: None,
            rejected: false,
        }
    }

    pub(super) fn access_token(&self) -> Option<&Secret> {
        self.access.as_ref().map(|access| &access.token)
    }

    /// The access token is of no use any more.
    pub(super) fn forget_access(&mut self) {
        self.access = None;
    }

    /// The server took the token.
    pub(super) fn accepted(&mut self) {
        self.rejected = false;
    }

    /// The server called the token invalid. Whether another try is worth it.
    pub(super) fn rejected(&mut self) -> bool {
        self.access = None;
        !std::mem::replace(&mut self.rejected, true)
    }

    /// When the access token should not be used any more.
    pub(super) fn ends_at(&self) -> Option<Moment> {
        self.access.as_ref().map(|access| access.ends_at)
    }

    fn is_fresh(&self, now: Moment) -> bool {
        self.access.as_ref().is_some_and(|access| now < access.ends_at)
    }
}

impl Connection {
    /// Begins an attempt with the first step that is needed.
    pub(super) fn connect(&mut self, now: Moment) {
        if self.login.is_fresh(now) {
            self.state = State::Connecting(Step::Socket);
            self.act(Action::Open);
        } else if let Some(token) = self.login.refresh_token.clone() {
            self.state = State::Connecting(Step::Refresh);
            self.act(Action::Refresh(token));
        } else if self.login.may_log_in {
            self.state = State::Connecting(Step::LogIn);
            self.act(Action::LogIn);
        } else {
            self.stop(StopReason::LoginRefused {
                refusal: None,
                text: "there is nothing to log in with".to_owned(),
            });
        }
    }

    pub(super) fn on_logged_in(&mut self, now: Moment, reply: LoginReply) {
        let refresh_token = Secret::new(reply.refresh_token);
        let lasts = Duration::from_secs(reply.expires_in);
        // A token that lasts less than the margin is used at once, not refreshed for ever.
        let ends_at = now + lasts.saturating_sub(MARGIN).max(lasts / 2).max(SHORTEST);
        self.login.access = Some(Access {
            token: Secret::new(reply.access_token),
            ends_at,
        });
        self.login.refresh_token = Some(refresh_token.clone());
        self.act(Action::Deliver(Update::LoggedIn { refresh_token }));
        self.state = State::Connecting(Step::Socket);
        self.act(Action::Open);
    }

    pub(super) fn on_login_failed(&mut self, now: Moment, error: &LoginError) {
        let refreshing = self.state == State::Connecting(Step::Refresh);
        if error.is_retryable() {
            let told_wait = error
                .refusal()
                .and_then(|refusal| refusal.retry_after_ms)
                .map(Duration::from_millis);
            self.disconnect(now, told_wait, DisconnectReason::LoginFailed(in_words(error)));
        } else if refreshing && self.login.may_log_in {
            self.login.refresh_token = None;
            self.connect(now);
        } else {
            self.stop(StopReason::LoginRefused {
                refusal: error.refusal().cloned(),
                text: in_words(error),
            });
        }
    }
}

/// An error with its causes, once each.
pub(crate) fn in_words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
