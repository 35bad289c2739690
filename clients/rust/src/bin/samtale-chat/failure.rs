//! What went wrong, for a person on standard error and for a script on standard output.

use std::io::Write;
use std::process::ExitCode;

use samtale_client::{LoginError, RequestError, SendError, StopReason};
use samtale_protocol::Refusal;
use serde::Serialize;

/// Something that ends a command.
#[derive(Debug, Serialize)]
pub struct Failure {
    code: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip)]
    exit: u8,
}

impl Failure {
    /// The command was misused.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            code: "usage".to_owned(),
            message: message.into(),
            detail: None,
            exit: 2,
        }
    }

    /// It could not be done.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            detail: None,
            exit: 1,
        }
    }

    /// Something outside of us failed.
    pub fn other(code: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        let causes = std::iter::successors(error.source(), |error| error.source());
        let detail = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        Self {
            detail: (!detail.is_empty()).then_some(detail),
            ..Self::new(code, error.to_string())
        }
    }

    /// Standard output is closed or full.
    pub fn output(error: &std::io::Error) -> Self {
        Self::new("output", format!("standard output: {error}"))
    }

    /// Whether there is no point in going on: nobody hears us, or the client is gone.
    pub fn ends_the_program(&self) -> bool {
        matches!(self.code.as_str(), "output" | "stopped")
    }

    /// With a detail.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// In words, on one line or a few.
    pub fn in_words(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{} ({detail})", self.message),
            None => self.message.clone(),
        }
    }

    /// Says it, and ends the program.
    pub fn report(&self, json: bool) -> ExitCode {
        eprintln!("samtale-chat: {}", self.in_words());
        if json && let Ok(error) = serde_json::to_string(self) {
            // Whoever closed the pipe does not want to know.
            let _ = writeln!(std::io::stdout(), "{{\"error\":{error}}}");
        }
        ExitCode::from(self.exit)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let code = serde_json::to_value(refusal.code).ok();
        let code = code
            .as_ref()
            .and_then(serde_json::Value::as_str)
            .unwrap_or("internal")
            .to_owned();
        Self {
            code,
            message: refusal.message,
            detail: refusal.detail,
            exit: 1,
        }
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Refused(refusal) => refusal.into(),
            RequestError::Disconnected => Self::other("disconnected", &error),
            RequestError::TimedOut => Self::other("timed_out", &error),
            RequestError::Stopped => Self::other("stopped", &error),
            RequestError::UnexpectedReply => Self::other("unexpected_reply", &error),
        }
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Invalid(_) => Self::other("bad_request", &error),
            SendError::ClientIdReused => Self::other("client_id_reused", &error),
            SendError::OutboxFull => Self::other("outbox_full", &error),
            SendError::Stopped => Self::other("stopped", &error),
        }
    }
}

impl From<LoginError> for Failure {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Refused(refusal) => refusal.into(),
            error => Self::other("unreachable", &error),
        }
    }
}

impl From<StopReason> for Failure {
    fn from(reason: StopReason) -> Self {
        match reason {
            StopReason::LoginRefused {
                refusal: Some(refusal), ..
            } => refusal.into(),
            StopReason::LoginRefused { refusal: None, text } => Self::new("login_refused", text),
            StopReason::OutboxFailed(text) => Self::new("outbox", text),
            reason => Self::new("stopped", reason.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use samtale_protocol::ErrorCode;

    use super::*;

    #[test]
    fn a_refusal_keeps_the_protocol_s_names() {
        let refusal = Refusal::new(ErrorCode::NotPermitted).detail("rule: table");
        let failure = serde_json::to_value(Failure::from(refusal)).unwrap();
        assert_eq!(failure["code"], "not_permitted");
        assert_eq!(failure["message"], "Det har du ikke lov til.");
        assert_eq!(failure["detail"], "rule: table");
    }
}
